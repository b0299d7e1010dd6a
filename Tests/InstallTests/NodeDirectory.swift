import Agent
import CNIProtocol
import Foundation
import LinuxKernel
import ServiceLifecycle
import TestSupport
import Testing

/// A node's directories for the length of one test, and the settings that name them.
struct NodeDirectory: Sendable {
    let root: URL
    var settings = InstallSettings()

    static let plugin = Array("plugin of the image".utf8)

    init(_ files: [String: [UInt8]] = [:]) throws {
        root = URL(filePath: "/tmp/install-\(UInt64.random(in: .min ... .max))")
        for name in ["net.d", "bin", "image", "run"] {
            try FileManager.default.createDirectory(at: root.appending(path: name), withIntermediateDirectories: true)
        }
        settings.configurationDirectory = path("net.d")
        settings.binaryDirectory = path("bin")
        settings.binarySource = path("image/istio-cni")
        settings.entry.runDirectory = path("run")
        settings.entry.excludedNamespaces = ["kube-system"]
        try File.replace(settings.binarySource, with: Self.plugin, mode: 0o755)
        for (name, bytes) in files { try write(bytes, to: name) }
    }

    init(texts: [String: String]) throws {
        try self.init(texts.mapValues { text in Array(text.utf8) })
    }

    func path(_ name: String) -> String { root.appending(path: name).path(percentEncoded: false) }

    func write(_ bytes: [UInt8], to name: String, mode: UInt32 = 0o644) throws {
        try File.replace(path("net.d/\(name)"), with: bytes, mode: mode)
    }

    func write(_ text: String, to name: String) throws { try write(Array(text.utf8), to: name) }

    func remove(_ name: String) throws { try File.remove(path("net.d/\(name)")) }

    func bytes(_ name: String) throws -> [UInt8] {
        try File.read(path("net.d/\(name)"), byteLimit: ConfigurationText.longestBytes)
    }

    func text(_ name: String) throws -> String { String(decoding: try bytes(name), as: UTF8.self) }

    func mode(_ name: String) throws -> UInt32? { try FileStatus.of(path("net.d/\(name)"))?.mode }

    /// Everything in the configuration directory: hidden files too.
    func contents() throws -> [String: [UInt8]] {
        var contents: [String: [UInt8]] = [:]
        for name in try Directory.names(in: path("net.d"), limit: 1_000) { contents[name] = try bytes(name) }
        return contents
    }

    func names() throws -> [String] { try Directory.names(in: path("net.d"), limit: 1_000) }

    func plugin() throws -> [UInt8]? {
        guard try FileStatus.of(settings.binaryTarget) != nil else { return nil }
        return try File.read(settings.binaryTarget, byteLimit: 1_024)
    }

    /// The types of a list's plugins, in order; nil where it is no list.
    func types(_ name: String) throws -> [String]? {
        guard try FileStatus.of(path("net.d/\(name)")) != nil else { return nil }
        let value = try JSONValue(parsing: try bytes(name))
        return value["plugins"]?.array?.map { plugin in plugin["type"]?.string ?? "" }
    }

    func entry(_ name: String) throws -> JSONValue? {
        let value = try JSONValue(parsing: try bytes(name))
        return value["plugins"]?.array?.last { plugin in plugin["type"] == .string("istio-cni") }
    }

    func cleanUp() {
        // Under /tmp, which is cleared anyway.
        try? FileManager.default.removeItem(at: root)
    }

    /// Runs the installer until `body` returns, and removes what is left.
    func run(
        role: @escaping @Sendable () -> WriterRole = { .writer },
        onQuarrel: @escaping @Sendable (Quarrel) -> Void = { _ in },
        metrics: MetricsRegistry = MetricsRegistry(),
        isKept: Bool = false,
        _ body: (InstallState) async throws -> Void
    ) async throws {
        defer { if !isKept { cleanUp() } }
        var pauses = InstallPauses()
        pauses.waitMilliseconds = 20
        pauses.firstRetryMilliseconds = 20
        pauses.longestRetryMilliseconds = 100
        let state = InstallState()
        let installer = try Installer(
            settings,
            pauses: pauses,
            state: state,
            metrics: metrics,
            role: role,
            onQuarrel: onQuarrel
        )
        let task = Task { try await installer.run() }
        do {
            try await body(state)
        } catch {
            task.cancel()
            try await task.value
            throw error
        }
        task.cancel()
        try await task.value
    }

    /// Installs once, and leaves all as it is.
    func install() async throws {
        try await run(isKept: true) { state in
            try await eventually("installed") { state.report.isReady }
        }
    }

    func uninstall() async throws {
        let settings = settings
        _ = try await onThread { try Uninstaller(settings).run() }
    }
}

/// Configurations in few words.
enum Sample {
    static let bridge = #"{"cniVersion":"0.4.0","name":"dbnet","type":"bridge","bridge":"cni0"}"#
    static let list = """
        {
          "cniVersion": "1.0.0",
          "name": "net",
          "plugins": [
            {
              "type": "ptp", "mtu": 1400
            }
          ]
        }

        """
}
