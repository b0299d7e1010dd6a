// swift-tools-version: 6.2

import PackageDescription

/// One set of settings for every Swift target: Swift 6 mode plus the upcoming features that make
/// an import and an existential say what they are (SE-0335, SE-0409, SE-0444, SE-0461).
let settings: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
    .treatAllWarnings(as: .error),
]

let package = Package(
    name: "istio-cni",
    products: [
        .executable(name: "istio-cni", targets: ["Plugin"]),
        .executable(name: "install-cni", targets: ["NodeProgram"]),
        .executable(name: "istio-cnictl", targets: ["OperatorProgram"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser.git", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-http-types.git", from: "1.4.0"),
        .package(url: "https://github.com/apple/swift-log.git", from: "1.6.0"),
        .package(url: "https://github.com/apple/swift-metrics.git", from: "2.7.0"),
        .package(url: "https://github.com/apple/swift-nio.git", from: "2.101.0"),
        .package(url: "https://github.com/apple/swift-nio-ssl.git", from: "2.37.0"),
        // Without traits: with them it brings full Foundation, which is 45 MB in a static executable.
        .package(url: "https://github.com/swift-server/async-http-client.git", from: "1.37.0"),
        .package(url: "https://github.com/hummingbird-project/hummingbird.git", from: "2.28.1", traits: []),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle.git", from: "2.9.0"),
        .package(url: "https://github.com/jpsim/Yams.git", from: "6.2.2"),
    ],
    targets: [
        // MARK: Pure: values in, values out. No I/O, no Foundation, no dependencies.
        .target(name: "CNIProtocol", swiftSettings: settings),
        .target(name: "Redirect", swiftSettings: settings),

        // MARK: What plugin and agent say to each other. Pure.
        .target(name: "AgentProtocol", dependencies: ["CNIProtocol", "Redirect"], swiftSettings: settings),

        // MARK: Kernel: the only targets that make system calls.
        .target(name: "CLinuxKernel"),
        .target(name: "LinuxKernel", dependencies: ["CLinuxKernel"], swiftSettings: settings),

        // MARK: A plan, in force: apply, read back, compare, undo.
        .target(name: "Enforcement", dependencies: ["LinuxKernel", "Redirect"], swiftSettings: settings),

        // MARK: The API server: the few requests that an agent sends.
        .target(
            name: "Kubernetes",
            dependencies: [
                "CNIProtocol",
                .product(name: "AsyncHTTPClient", package: "async-http-client"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "NIOSSL", package: "swift-nio-ssl"),
            ],
            swiftSettings: settings
        ),

        // MARK: One CNI call. Under it there is nothing but this project.
        .executableTarget(
            name: "Plugin",
            dependencies: ["AgentProtocol", "CNIProtocol", "Enforcement", "LinuxKernel", "Redirect"],
            swiftSettings: settings
        ),

        // MARK: What runs on a node all day, and its command line.
        .target(
            name: "Agent",
            dependencies: [
                "AgentProtocol", "CNIProtocol", "Enforcement", "Kubernetes", "LinuxKernel", "Redirect",
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "Hummingbird", package: "hummingbird"),
                .product(name: "HummingbirdCore", package: "hummingbird"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "Metrics", package: "swift-metrics"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
                .product(name: "UnixSignals", package: "swift-service-lifecycle"),
            ],
            swiftSettings: settings
        ),
        .executableTarget(
            name: "NodeProgram",
            dependencies: [
                "Agent", "AgentProtocol", "CNIProtocol", "Enforcement", "LinuxKernel", "Redirect",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "Metrics", package: "swift-metrics"),
            ],
            swiftSettings: settings
        ),

        // MARK: Benchmarks: `make bench`.
        .executableTarget(
            name: "EmptyProgram",
            path: "Benchmarks/EmptyProgram",
            swiftSettings: settings
        ),
        .executableTarget(
            name: "AddBenchmark",
            dependencies: ["LinuxKernel"],
            path: "Benchmarks/AddBenchmark",
            swiftSettings: settings
        ),
        .executableTarget(
            name: "AgentBenchmark",
            dependencies: ["AgentProtocol", "CNIProtocol", "HTTPTestSupport", "LinuxKernel"],
            path: "Benchmarks/AgentBenchmark",
            swiftSettings: settings
        ),
        .executableTarget(
            name: "ConnectionBenchmark",
            dependencies: ["Enforcement", "LinuxKernel", "Redirect"],
            path: "Benchmarks/ConnectionBenchmark",
            swiftSettings: settings
        ),
        .executableTarget(
            name: "UpgradeBenchmark",
            dependencies: ["LinuxKernel", "RuntimeSupport"],
            path: "Benchmarks/UpgradeBenchmark",
            swiftSettings: settings
        ),

        // MARK: What a person runs: full Foundation and YAML are allowed here, and nowhere below.
        .target(
            name: "Operator",
            dependencies: [
                "Agent", "AgentProtocol", "CNIProtocol", "LinuxKernel", "Redirect",
                .product(name: "Yams", package: "Yams"),
            ],
            swiftSettings: settings
        ),
        .executableTarget(
            name: "OperatorProgram",
            dependencies: [
                "AgentProtocol", "CNIProtocol", "Operator", "Redirect",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            swiftSettings: settings
        ),

        // MARK: Tests
        .target(name: "CTestSupport", path: "Tests/CTestSupport"),
        .target(
            name: "TestSupport",
            dependencies: ["CLinuxKernel", "CTestSupport", "LinuxKernel", "Redirect"],
            path: "Tests/TestSupport",
            swiftSettings: settings
        ),
        // Tags that say which requirement a test shows: docs/conformance.md.
        .target(
            name: "Conformance",
            path: "Tests/Conformance",
            exclude: ["requirements.json"],
            swiftSettings: settings
        ),
        // Without Testing, since a benchmark uses it too.
        .target(
            name: "RuntimeSupport",
            dependencies: ["CNIProtocol", "LinuxKernel"],
            path: "Tests/RuntimeSupport",
            swiftSettings: settings
        ),
        .executableTarget(
            name: "ReplayRedirects",
            dependencies: ["LinuxKernel"],
            path: "Tests/ReplayRedirects",
            swiftSettings: settings
        ),
        .testTarget(
            name: "CNIProtocolTests",
            dependencies: ["CNIProtocol", "TestSupport"],
            swiftSettings: settings
        ),
        .testTarget(
            name: "RedirectTests",
            dependencies: ["Conformance", "Redirect", "TestSupport"],
            exclude: ["Golden"],
            swiftSettings: settings
        ),
        .testTarget(
            name: "LinuxKernelTests",
            dependencies: ["LinuxKernel", "TestSupport"],
            swiftSettings: settings
        ),
        .testTarget(
            name: "KernelTests",
            dependencies: ["LinuxKernel", "CLinuxKernel", "TestSupport"],
            swiftSettings: settings
        ),
        .testTarget(
            name: "EnforcementTests",
            dependencies: ["CLinuxKernel", "Enforcement", "LinuxKernel", "Redirect", "TestSupport"],
            swiftSettings: settings
        ),
        .testTarget(
            name: "PluginTests",
            dependencies: [
                "Conformance", "AgentProtocol", "CLinuxKernel", "Enforcement", "LinuxKernel", "Plugin", "Redirect",
                "TestSupport",
            ],
            swiftSettings: settings
        ),
        .testTarget(
            name: "AgentProtocolTests",
            dependencies: ["Conformance", "AgentProtocol", "CNIProtocol", "Redirect", "TestSupport"],
            exclude: ["Golden"],
            swiftSettings: settings
        ),
        .testTarget(
            name: "NodeProgramTests",
            dependencies: [
                "Conformance", "Agent", "CNIProtocol", "LinuxKernel", "NodeProgram", "Redirect", "TestSupport",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            swiftSettings: settings
        ),
        .testTarget(
            name: "AgentTests",
            dependencies: [
                "Conformance", "Agent", "AgentProtocol", "CNIProtocol", "Enforcement", "HTTPTestSupport", "Kubernetes",
                "LinuxKernel",
                "NodeProgram", "Redirect", "TestSupport",
                .product(name: "Logging", package: "swift-log"),
                .product(name: "Metrics", package: "swift-metrics"),
                .product(name: "MetricsTestKit", package: "swift-metrics"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
            ],
            // Files of nodes that do not exist, which tests copy.
            exclude: ["Doctor/Nodes"],
            swiftSettings: settings
        ),
        .testTarget(
            name: "AgentProcessTests",
            dependencies: [
                "Conformance", "AgentProtocol", "CNIProtocol", "HTTPTestSupport", "LinuxKernel", "NodeProgram",
                "TestSupport",
            ],
            swiftSettings: settings
        ),
        .target(
            name: "HTTPTestSupport",
            dependencies: [
                "CNIProtocol", "Kubernetes",
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "NIOSSL", package: "swift-nio-ssl"),
            ],
            path: "Tests/HTTPTestSupport",
            swiftSettings: settings
        ),
        .testTarget(
            name: "KubernetesTests",
            dependencies: [
                "CNIProtocol", "HTTPTestSupport", "Kubernetes", "TestSupport",
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
            ],
            swiftSettings: settings
        ),
        .executableTarget(name: "FileFaults", path: "Tests/FileFaults"),
        .executableTarget(
            name: "InstallOnce",
            dependencies: ["Agent", "LinuxKernel"],
            path: "Tests/InstallOnce",
            swiftSettings: settings
        ),
        .testTarget(
            name: "InstallTests",
            dependencies: [
                "Conformance", "Agent", "CNIProtocol", "LinuxKernel", "Redirect", "TestSupport",
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
            ],
            swiftSettings: settings
        ),
        .testTarget(
            name: "PacketTests",
            dependencies: ["Conformance", "Enforcement", "LinuxKernel", "Operator", "Redirect", "TestSupport"],
            swiftSettings: settings
        ),
        .testTarget(
            name: "EnvoyTests",
            dependencies: [
                "Conformance", "CLinuxKernel", "Enforcement", "LinuxKernel", "Operator", "Redirect", "TestSupport",
            ],
            swiftSettings: settings
        ),
        .testTarget(
            name: "RuntimeTests",
            dependencies: [
                "Conformance", "CNIProtocol", "Enforcement", "HTTPTestSupport", "LinuxKernel", "Redirect",
                "RuntimeSupport",
            ],
            exclude: ["Node"],
            swiftSettings: settings
        ),
        .testTarget(
            name: "OperatorTests",
            dependencies: [
                "Agent", "AgentProtocol", "CNIProtocol", "Conformance", "HTTPTestSupport", "LinuxKernel", "NodeProgram",
                "Operator", "OperatorProgram", "Plugin", "Redirect", "TestSupport",
            ],
            exclude: ["Explain/Golden", "Explain/Pods"],
            swiftSettings: settings
        ),
        .testTarget(
            name: "ImageTests",
            dependencies: [
                "CNIProtocol", "Conformance", "HTTPTestSupport", "LinuxKernel", "TestSupport",
            ],
            swiftSettings: settings
        ),
        .testTarget(
            name: "ChartTests",
            dependencies: [
                "Agent", "AgentProtocol", "CNIProtocol", "Conformance", "LinuxKernel", "Operator", "TestSupport",
            ],
            swiftSettings: settings
        ),
        .testTarget(name: "TidyTests", dependencies: ["CNIProtocol", "Redirect"], swiftSettings: settings),
    ]
)
