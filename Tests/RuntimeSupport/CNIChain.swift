package import CNIProtocol
import Foundation
import LinuxKernel

/// A network of CNI plugins that is run as libcni 1.1 runs it: `containernetworking/cni`, `libcni/api.go`.
///
/// Every plugin is a process of its own. Nothing blocks a test's thread.
package struct CNIChain: Sendable {
    package let name: String
    package let version: String
    package let plugins: [JSONValue]
    package let isCheckDisabled: Bool

    /// Where the plugins are (`CNI_PATH`).
    package var folders: [String]

    /// Where results are kept between ADD and DEL.
    package var cache: String

    /// A path of the host's network namespace, where the plugins start; nil for this process's own.
    package var host: String?

    /// Reads a list (`.conflist`), or a single plugin (`.conf`), which counts as a list of one.
    package init(
        _ configuration: JSONValue,
        folders: [String],
        cache: String,
        host: String? = nil
    ) throws {
        guard let name = configuration["name"]?.string, !name.isEmpty else {
            throw TestFailure("a network without a name: \(configuration.text())")
        }
        self.name = name
        version = configuration["cniVersion"]?.string ?? "0.1.0"
        isCheckDisabled = configuration["disableCheck"]?.bool ?? false
        plugins = configuration["plugins"]?.array ?? [configuration]
        self.folders = folders
        self.cache = cache
        self.host = host
    }

    /// Runs ADD of every plugin in order, each with the result of the one before, and keeps the last result.
    ///
    /// - Throws: ``Failure`` of the first plugin that fails. The runtime then runs ``delete(_:)``.
    @discardableResult
    package func add(_ attachment: CNIAttachment) async throws -> JSONValue {
        var result: JSONValue?
        for plugin in plugins {
            result = try await run("ADD", plugin, attachment, previous: result) ?? result
        }
        let last = result ?? .null
        try FileManager.default.createDirectory(atPath: cache, withIntermediateDirectories: true)
        try Data(last.bytes()).write(to: URL(filePath: cached(attachment)), options: .atomic)
        return last
    }

    /// Runs DEL of every plugin in reverse order, each with the result of the ADD, and forgets that.
    ///
    /// - Throws: ``Failure`` of the first plugin that fails; those before it in the list are then not called.
    package func delete(_ attachment: CNIAttachment) async throws {
        let result = try cachedResult(attachment)
        for plugin in plugins.reversed() {
            _ = try await run("DEL", plugin, attachment, previous: result)
        }
        guard result != nil else { return }
        try FileManager.default.removeItem(atPath: cached(attachment))
    }

    /// Runs CHECK of every plugin in order, each with the result of the ADD.
    package func check(_ attachment: CNIAttachment) async throws {
        guard !isCheckDisabled else { return }
        let result = try cachedResult(attachment)
        for plugin in plugins {
            _ = try await run("CHECK", plugin, attachment, previous: result)
        }
    }

    /// Runs ADD as the runtime of a kubelet does: what fails is taken back at once.
    @discardableResult
    package func addOrTakeBack(_ attachment: CNIAttachment) async throws -> JSONValue {
        do {
            return try await add(attachment)
        } catch let failure as Failure {
            try await delete(attachment)
            throw failure
        }
    }

    /// Why a plugin did not do it.
    package struct Failure: Error, Equatable, CustomStringConvertible {
        package let plugin: String
        package let command: String

        /// 0 where the plugin printed no error.
        package let code: Int
        package let message: String
        package let details: String

        package var description: String {
            let verb = command == "DEL" ? "delete" : command.lowercased()
            let text = details.isEmpty ? message : "\(message); \(details)"
            return "plugin type=\"\(plugin)\" failed (\(verb)): \(text)"
        }
    }

    private func cached(_ attachment: CNIAttachment) -> String {
        "\(cache)/\(name)-\(attachment.containerID)-\(attachment.interface)"
    }

    private func cachedResult(_ attachment: CNIAttachment) throws -> JSONValue? {
        guard let data = FileManager.default.contents(atPath: cached(attachment)) else { return nil }
        return try JSONValue(parsing: Array(data))
    }
}

// MARK: - One plugin

extension CNIChain {
    private func run(
        _ command: String,
        _ plugin: JSONValue,
        _ attachment: CNIAttachment,
        previous: JSONValue?
    ) async throws -> JSONValue? {
        let type = plugin["type"]?.string ?? ""
        guard let path = folders.map({ folder in "\(folder)/\(type)" }).first(where: ExecutableFile.isPresent) else {
            throw Failure(
                plugin: type,
                command: command,
                code: 0,
                message: "failed to find plugin \"\(type)\" in path [\(folders.joined(separator: " "))]",
                details: ""
            )
        }
        let program = ChildProcess(
            path,
            environment: environment(command, attachment),
            standardInput: input(plugin, attachment, previous).bytes(),
            deadlineMilliseconds: Self.longestCallMilliseconds
        )
        let host = host
        let outcome = try await onThread { try Self.run(program, in: host) }
        guard outcome.isSuccess else { throw Failure(type, command, outcome) }
        return outcome.standardOutput.isEmpty ? nil : try JSONValue(parsing: outcome.standardOutput)
    }

    /// Runs a plugin that a test may have written a moment ago.
    ///
    /// A child that another thread makes meanwhile holds the file open for writing until it executes a program itself
    /// (`execve(2)`, `ETXTBSY`).
    private static func run(_ program: ChildProcess, in host: String?) throws(KernelError) -> ChildProcess.Outcome {
        var tries = 0
        while true {
            do throws(KernelError) {
                guard let host else { return try program.run() }
                return try program.run(in: NetworkNamespace(at: host))
            } catch  where error.errno == Errno(rawValue: ETXTBSY) && tries < 100 {
                tries += 1
                Clock.sleep(milliseconds: 10)
            }
        }
    }

    private func environment(_ command: String, _ attachment: CNIAttachment) -> [String] {
        [
            "CNI_COMMAND=\(command)", "CNI_CONTAINERID=\(attachment.containerID)",
            "CNI_NETNS=\(attachment.namespacePath)", "CNI_IFNAME=\(attachment.interface)",
            "CNI_ARGS=\(attachment.arguments)", "CNI_PATH=\(folders.joined(separator: ":"))",
            RunningProgram.searchPath,
        ]
    }

    /// The entry with what libcni puts in: name, version, the result before, and the capabilities that are asked for.
    private func input(_ plugin: JSONValue, _ attachment: CNIAttachment, _ previous: JSONValue?) -> JSONValue {
        var entry = plugin
        entry.set("cniVersion", .string(version))
        entry.set("name", .string(name))
        if let previous { entry.set("prevResult", previous) }
        let wanted = plugin["capabilities"]?.members ?? []
        let given = attachment.capabilities.filter { capability in
            wanted.contains { member in member.name == capability.name && member.value.bool == true }
        }
        if !given.isEmpty { entry.set("runtimeConfig", .object(given)) }
        return entry
    }

    /// Longer than any wait of a plugin.
    private static let longestCallMilliseconds = 120_000
}

extension CNIChain.Failure {
    fileprivate init(_ plugin: String, _ command: String, _ outcome: ChildProcess.Outcome) {
        self.plugin = plugin
        self.command = command
        let spoken = outcome.standardOutput.isEmpty ? outcome.standardError : outcome.standardOutput
        // What is no JSON is shown as it is.
        let error = try? JSONValue(parsing: spoken)
        code = error?["code"]?.integer ?? 0
        message =
            error?["msg"]?.string ?? "netplugin failed (\(outcome.ending)): \(String(decoding: spoken, as: UTF8.self))"
        details = error?["details"]?.string ?? ""
    }
}

extension JSONValue {
    /// Replaces a member of an object, or adds it at the end.
    package mutating func set(_ name: String, _ value: JSONValue) {
        guard case .object(var members) = self else { return }
        members.removeAll { member in member.name == name }
        members.append(JSONMember(name, value))
        self = .object(members)
    }
}

/// One interface of one container, as a runtime names it to the plugins.
package struct CNIAttachment: Sendable {
    package var containerID: String

    /// Empty once the namespace is gone.
    package var namespacePath: String
    package var interface = "eth0"

    /// `CNI_ARGS`.
    package var arguments: String

    /// What the runtime knows, by capability; a plugin gets those that its entry asks for.
    package var capabilities: [JSONMember]

    package init(containerID: String, namespacePath: String, arguments: String = "", capabilities: [JSONMember] = []) {
        self.containerID = containerID
        self.namespacePath = namespacePath
        self.arguments = arguments
        self.capabilities = capabilities
    }

    /// The sandbox of a pod, as containerd's CRI has it.
    package init(_ pod: RuntimePod, containerID: String, namespacePath: String) {
        self.init(
            containerID: containerID,
            namespacePath: namespacePath,
            arguments: "IgnoreUnknown=1;K8S_POD_NAMESPACE=\(pod.namespace);K8S_POD_NAME=\(pod.name);"
                + "K8S_POD_INFRA_CONTAINER_ID=\(containerID);K8S_POD_UID=\(pod.uid)",
            capabilities: [
                JSONMember(
                    CNIConfiguration.podAnnotationsCapability,
                    .object(pod.annotations.map { JSONMember($0.key, .string($0.value)) })
                )
            ]
        )
    }
}
