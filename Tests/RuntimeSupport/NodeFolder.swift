package import CNIProtocol
import Foundation
import LinuxKernel

/// The files of a node: CNI configuration and plugins, the pods' manifests, and what the agent keeps at run time.
package struct NodeFolder: Sendable {
    package let folder: String

    /// Where the programs of this package are: `istio-cni` and `install-cni`.
    package let programs: String

    /// Holds the plugins; Debian's are there, ours is not.
    package var plugins: String { "\(folder)/cni/bin" }

    /// Holds the CNI configuration.
    package var configuration: String { "\(folder)/cni/net.d" }

    /// Holds one `.json` file for each pod.
    package var pods: String { "\(folder)/pods" }
    package var runDirectory: String { "\(folder)/run" }

    /// Makes the folders, and puts Debian's plugins in place.
    ///
    /// - Parameter programs: Where the programs of this package are; nil for beside the running test program.
    /// - Throws: What keeps the folders from being made.
    package init(programs: String? = nil) throws {
        let own = URL(filePath: "/proc/self/exe").resolvingSymlinksInPath().deletingLastPathComponent()
        self.programs = programs ?? own.path(percentEncoded: false)
        folder = "/tmp/node-\(UUID().uuidString.prefix(8))"
        for folder in [plugins, configuration, pods, runDirectory, "\(folder)/log"] {
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        }
        for name in ["bridge", "host-local", "loopback", "portmap"] {
            try FileManager.default.createSymbolicLink(
                atPath: "\(plugins)/\(name)",
                withDestinationPath: "/usr/lib/cni/\(name)"
            )
        }
    }

    package func remove() {
        // What is left is in /tmp.
        try? FileManager.default.removeItem(atPath: folder)
    }

    package func log(_ name: String) -> String { "\(folder)/log/\(name)" }

    // MARK: - Pods

    package func add(_ pod: NodePod) throws {
        try write(pod.manifest.text(), to: "\(pods)/\(pod.name).json")
    }

    package func remove(_ pod: NodePod) throws {
        try FileManager.default.removeItem(atPath: "\(pods)/\(pod.name).json")
    }

    // MARK: - Chain

    /// Where the primary configuration is.
    package var primary: String { "\(configuration)/10-pods.conflist" }

    /// Writes the primary configuration: Debian's `bridge` and `portmap`, and the plugins that are given.
    package func writePrimary(_ more: [JSONValue] = [], version: String = "1.0.0") throws {
        let entries = ([bridge, #"{"type":"portmap","capabilities":{"portMappings":true}}"#] + more.map { $0.text() })
            .joined(separator: ",\n    ")
        let text = """
            {
              "cniVersion": "\(version)",
              "name": "pods",
              "plugins": [
                \(entries)
              ]
            }

            """
        try write(text, to: primary)
    }

    private var bridge: String {
        """
        {"type":"bridge","bridge":"cni0","isGateway":true,"ipMasq":false,"hairpinMode":true,"ipam":{"type":"host-local",\
        "dataDir":"\(folder)/addresses","ranges":[[{"subnet":"\(Self.podNetwork)"}]],"routes":[{"dst":"0.0.0.0/0"}]}}
        """
    }

    package static let podNetwork = "10.90.0.0/16"

    /// The host's address in the pods' network, as bytes.
    package static let gateway: [UInt8] = [10, 90, 0, 1]

    /// Our entry as the agent writes it, with its wait for the agent.
    package func entry(waitSeconds: Int) -> JSONValue {
        .object([
            JSONMember("type", .string("istio-cni")),
            JSONMember("plugin_log_level", .string("debug")),
            JSONMember("cni_agent_run_dir", .string(runDirectory)),
            JSONMember("node_name", .string("node-7")),
            JSONMember("agent_wait_seconds", .integer(waitSeconds)),
            JSONMember("pod_namespace", .string("istio-system")),
            JSONMember("exclude_namespaces", .array([.string("kube-system")])),
            JSONMember("capabilities", .object([JSONMember(CNIConfiguration.podAnnotationsCapability, .bool(true))])),
        ])
    }

    /// Puts our plugin among the others by hand.
    ///
    /// - Parameter calls: A file that gets the variables of every call that tell it apart, one line each.
    /// - Throws: What keeps the file from being made.
    package func linkPlugin(notingCallsIn calls: String? = nil) throws {
        let path = "\(plugins)/istio-cni"
        let plugin = "\(programs)/istio-cni"
        guard let calls else {
            try FileManager.default.createSymbolicLink(atPath: path, withDestinationPath: plugin)
            return
        }
        let script = """
            #!/bin/sh
            echo "$CNI_COMMAND netns=$CNI_NETNS $CNI_ARGS" >> '\(calls)'
            exec '\(plugin)'

            """
        try write(script, to: path)
        try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: path)
    }

    /// The network that a runtime would use now: that of the first file, in the order of names.
    package func chain(host: String? = nil) throws -> CNIChain {
        let names = try FileManager.default.contentsOfDirectory(atPath: configuration).sorted()
        guard let name = names.first(where: { $0.hasSuffix(".conf") || $0.hasSuffix(".conflist") }) else {
            throw TestFailure("no network in \(configuration)")
        }
        let bytes = try Array(Data(contentsOf: URL(filePath: "\(configuration)/\(name)")))
        return try CNIChain(
            JSONValue(parsing: bytes),
            folders: [plugins],
            cache: "\(folder)/results",
            host: host
        )
    }

    /// Replaces a file in one step, in the only way that containerd 1.6 notices: with a name in the same folder.
    package func write(_ text: String, to path: String) throws {
        let folder = URL(filePath: path).deletingLastPathComponent().path(percentEncoded: false)
        let temporary = "\(folder)/.new-\(UUID().uuidString)"
        try Data(text.utf8).write(to: URL(filePath: temporary))
        guard rename(temporary, path) == 0 else {
            throw TestFailure("rename \(temporary) to \(path): \(String(cString: strerror(errno)))")
        }
    }

    // MARK: - Agent

    /// Starts the agent, and waits until it answers and knows its pods.
    ///
    /// - Parameters:
    ///   - arguments: Those beside the pods and the run directory.
    ///   - environment: `NAME=value` each.
    ///   - network: A descriptor of the host's network namespace; nil for this process's own.
    /// - Returns: The running agent, which ends with the value.
    /// - Throws: ``TestFailure`` with what the agent said, if it does not come.
    package func startAgent(
        _ arguments: [String] = ["--skip-install"],
        environment: [String] = [],
        network: CInt? = nil
    ) async throws -> RunningProgram {
        let agent = try await RunningProgram(
            "\(programs)/install-cni",
            ["--pod-source=directory:\(pods)", "--cni-agent-run-dir=\(runDirectory)"] + arguments,
            environment: ["KUBERNETES_NODE_NAME=node-7"] + environment,
            log: log("agent"),
            network: network
        )
        try await waitUntil("the agent is ready; it said: \(agent.lastWords)") {
            guard agent.isRunning else { throw TestFailure("the agent ended at once: \(agent.lastWords)") }
            return try await isAgentReady()
        }
        return agent
    }

    package func isAgentReady() async throws -> Bool {
        let path = "\(runDirectory)/pluginevent.sock"
        return try await onThread {
            do throws(KernelError) {
                let socket = try UnixSocket(connectingTo: path, deadlineMilliseconds: 1_000)
                let request = "GET /v1/status HTTP/1.1\r\nHost: agent\r\nConnection: close\r\n\r\n"
                try socket.send(Array(request.utf8), deadlineMilliseconds: 1_000)
                let answer = try socket.receiveToEnd(byteLimit: 65_536, deadlineMilliseconds: 5_000)
                return String(decoding: answer, as: UTF8.self).contains(#""ready":true"#)
            } catch {
                // Not yet, or not any more.
                return false
            }
        }
    }
}
