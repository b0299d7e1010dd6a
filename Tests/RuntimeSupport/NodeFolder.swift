import CNIProtocol
import Foundation
import LinuxKernel

/// The files of a node: CNI configuration and plugins, the pods' manifests, and what the agent keeps at run time.
package struct NodeFolder: Sendable {
    package let path: String

    /// Where the programs of this package are: `istio-cni` and `install-cni`.
    package let programs: String

    /// Holds the plugins; Debian's are there, ours is not.
    package var plugins: String { "\(path)/cni/bin" }

    /// Holds the CNI configuration.
    package var configuration: String { "\(path)/cni/net.d" }

    /// Holds one `.json` file for each pod.
    package var pods: String { "\(path)/pods" }
    package var runDirectory: String { "\(path)/run" }

    /// Holds our plugin as the agent's image does.
    package var image: String { "\(path)/image" }

    /// Makes the folders, and puts Debian's plugins in place.
    ///
    /// - Parameter programs: Where the programs of this package are; nil for beside the running test program.
    /// - Throws: What keeps the folders from being made.
    package init(programs: String? = nil) throws {
        let own = URL(filePath: "/proc/self/exe").resolvingSymlinksInPath().deletingLastPathComponent()
        self.programs = programs ?? own.path(percentEncoded: false)
        path = "/tmp/node-\(UUID().uuidString.prefix(8))"
        for folder in [plugins, configuration, pods, runDirectory, image, "\(path)/log"] {
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
        try? FileManager.default.removeItem(atPath: path)
    }

    package func log(_ name: String) -> String { "\(path)/log/\(name)" }

    // MARK: - Pods

    package func add(_ pod: RuntimePod) throws {
        try write(pod.manifest.text(), to: "\(pods)/\(pod.name).json")
    }

    package func remove(_ pod: RuntimePod) throws {
        try FileManager.default.removeItem(atPath: "\(pods)/\(pod.name).json")
    }

    // MARK: - Chain

    /// Where the primary configuration is.
    package var primary: String { "\(configuration)/10-pods.conflist" }

    /// Writes the primary configuration, as its owner does: Debian's `bridge` and `portmap`.
    package func writePrimary() throws {
        let text = """
            {
              "cniVersion": "1.0.0",
              "name": "pods",
              "plugins": [
                \(bridge),
                {"type":"portmap","capabilities":{"portMappings":true}}
              ]
            }

            """
        try write(text, to: primary)
    }

    private var bridge: String {
        """
        {"type":"bridge","bridge":"cni0","isGateway":true,"ipMasq":false,"hairpinMode":true,"ipam":{"type":"host-local",\
        "dataDir":"\(path)/addresses","ranges":[[{"subnet":"\(Self.podNetwork)"}]],"routes":[{"dst":"0.0.0.0/0"}]}}
        """
    }

    package static let podNetwork = "10.90.0.0/16"

    /// The host's address in the pods' network, as bytes.
    package static let gateway: [UInt8] = [10, 90, 0, 1]

    /// Puts our plugin into the agent's image.
    ///
    /// - Parameter calls: A file that gets the variables of every call that tell it apart, one line each.
    /// - Throws: What keeps the file from being made.
    package func makeImage(notingCallsIn calls: String? = nil) throws {
        let path = "\(image)/istio-cni"
        let plugin = "\(programs)/istio-cni"
        guard let calls else {
            try FileManager.default.copyItem(atPath: plugin, toPath: path)
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

    /// Takes our plugin out of the configuration, as a person does it, and lets the program verify that.
    package func uninstall() async throws {
        for flags in [[], ["--verify"]] {
            let program = ChildProcess(
                "\(programs)/install-cni",
                ["uninstall", "--mounted-cni-net-dir=\(configuration)", "--mounted-cni-bin-dir=\(plugins)"] + flags,
                environment: [RunningProgram.searchPath, "CNI_AGENT_RUN_DIR=\(runDirectory)"],
                deadlineMilliseconds: 60_000
            )
            let outcome = try await onThread { try program.run() }
            guard outcome.isSuccess else {
                let said = outcome.standardOutput + outcome.standardError
                throw TestFailure("install-cni uninstall: \(String(decoding: said, as: UTF8.self))")
            }
        }
    }

    /// The addresses that `host-local` has given away.
    package func takenAddresses() throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: "\(path)/addresses/pods").filter { name in
            name.hasPrefix("10.90.")
        }
    }

    /// Every file of the CNI configuration with its content and mode, and the names of the plugins beside ours.
    package func installedFiles() throws -> [String: String] {
        let manager = FileManager.default
        var files: [String: String] = [:]
        for name in try manager.contentsOfDirectory(atPath: configuration) {
            let path = "\(configuration)/\(name)"
            let mode = try manager.attributesOfItem(atPath: path)[.posixPermissions] as? Int ?? 0
            let content = manager.contents(atPath: path).map { String(decoding: $0, as: UTF8.self) } ?? "unreadable"
            files["net.d/\(name)"] = "\(String(mode, radix: 8)) \(content)"
        }
        for name in try manager.contentsOfDirectory(atPath: plugins) where name != "istio-cni" {
            files["bin/\(name)"] = ""
        }
        return files
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
            cache: "\(path)/results",
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

    /// Starts the agent, and waits until the plugin is on the node, the agent answers, and it knows its pods.
    ///
    /// - Parameters:
    ///   - waitSeconds: How long a pod of the mesh waits for the agent while it is away.
    ///   - arguments: More of its arguments.
    ///   - environment: More of its environment, `NAME=value` each.
    ///   - network: A descriptor of the host's network namespace; nil for this process's own.
    /// - Returns: The running agent, which ends with the value.
    /// - Throws: ``TestFailure`` with what the agent said, if it does not come.
    package func startAgent(
        waitSeconds: Int,
        _ arguments: [String] = [],
        environment: [String] = [],
        network: CInt? = nil
    ) async throws -> RunningProgram {
        let usual = [
            "--pod-source=directory:\(pods)", "--cni-agent-run-dir=\(runDirectory)", "--mounted-proc-dir=/proc",
            "--mounted-cni-net-dir=\(configuration)", "--mounted-cni-bin-dir=\(plugins)",
            "--cni-bin-source-dir=\(image)",
        ]
        let agent = try await RunningProgram(
            "\(programs)/install-cni",
            usual + arguments,
            environment: [
                "KUBERNETES_NODE_NAME=node-7", "NODE_NAME=node-7", "POD_NAMESPACE=istio-system",
                "REDIRECT_BACKEND=nftables", "AGENT_WAIT_SECONDS=\(waitSeconds)",
            ] + environment,
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
