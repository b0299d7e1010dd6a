import Agent
import ArgumentParser
import LinuxKernel

/// `install-cni uninstall`.
struct UninstallCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "uninstall",
        abstract: "Takes the plugin off this node, so that every file is again what it was.",
        discussion: """
            The entry goes out of the runtime's configuration, and the files of the agent go. The binary stays, since a \
            runtime that goes on with the configuration it has read needs it to delete pods; --remove-binary deletes it \
            once no entry has been there for \(Uninstaller.binaryDelaySeconds) s, and waits for that.

            Does nothing while the agent of this node runs, which would put everything back. \
            Ends with 0 if nothing is left, with 1 if something is or could not be taken away.

            EXAMPLES
              On a node whose agent is gone, with the node's own directories:
                install-cni uninstall --mounted-cni-net-dir /etc/cni/net.d --mounted-cni-bin-dir /opt/cni/bin

              See what is left, and change nothing:
                install-cni uninstall --verify
            """
    )

    /// Has the flags that say where things are.
    @ParentCommand var agent: InstallCNI

    @Flag(help: "Change nothing, and name what is left.")
    var verify = false

    @Flag(help: "Delete the binary too, once a minute has passed without an entry.")
    var removeBinary = false

    func run() throws {
        let left: [String]
        do {
            left = try work(settings: InstallSettings(try readConfiguration()))
        } catch {
            try OwnProcess.writeStandardError(Array("install-cni: cannot uninstall: \(error)\n".utf8))
            throw ExitCode(1)
        }
        for path in left { print("left: \(path)") }
        guard left.isEmpty else { throw ExitCode(1) }
        print(removeBinary ? "nothing is left" : "nothing is left but the binary")
    }

    /// What is left of ours.
    private func work(settings: InstallSettings) throws(InstallError) -> [String] {
        let uninstaller = Uninstaller(settings)
        if !verify {
            let lock = try WriterLock.hold(runDirectory: settings.entry.runDirectory)
            for line in try uninstaller.run(removesBinary: removeBinary).changed { print(line) }
            // Its descriptor is the lock.
            _ = consume lock
        }
        return try uninstaller.remains(includingBinary: removeBinary)
    }

    /// The agent's own settings; those about pods do not matter, and a node without an agent has none.
    private func readConfiguration() throws -> AgentConfiguration {
        var arguments = agent.flags.arguments
        arguments[.podSource] = "directory:/"
        arguments[.repairs] = "false"
        return try AgentConfiguration(arguments: arguments, environment: try ProcessEnvironment.all())
    }
}
