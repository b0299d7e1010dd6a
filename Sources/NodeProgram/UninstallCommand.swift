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

            Does nothing while the agent of this node runs, which would put everything back.

            EXAMPLES
              On a node whose agent is gone, with the node's directories:
                install-cni uninstall --mounted-cni-net-dir /etc/cni/net.d --cni-bin-dir /opt/cni/bin

              See what is left, and change nothing (status 1 if there is anything):
                install-cni uninstall --verify
            """
    )

    /// Has the flags that both share.
    @ParentCommand var agent: InstallCNI

    @Flag(help: "Change nothing, and name what is left.")
    var verify = false

    @Flag(help: "Delete the binary too, once a minute has passed without an entry.")
    var removeBinary = false

    @Option(help: "Directory of the runtime's configuration. (default: /host/etc/cni/net.d)")
    var mountedCniNetDir: String?

    @Option(help: "Directory of the runtime's plugins. (default: /host/opt/cni/bin)")
    var cniBinDir: String?

    /// Status 1: something is left, or could not be taken away.
    func run() throws {
        let left: [String]
        do throws(InstallError) {
            left = try work(Uninstaller(settings))
        } catch {
            print("cannot uninstall: \(error.description)")
            throw ExitCode(1)
        }
        for path in left { print("left: \(path)") }
        guard left.isEmpty else { throw ExitCode(1) }
        print(removeBinary ? "nothing is left" : "nothing is left but the binary")
    }

    /// What is left of ours.
    private func work(_ uninstaller: Uninstaller) throws(InstallError) -> [String] {
        if !verify {
            let lock = try WriterLock.hold(runDirectory: settings.entry.runDirectory)
            for line in try uninstaller.run(removesBinary: removeBinary).changed { print(line) }
            _ = consume lock
        }
        return try uninstaller.remains(includingBinary: removeBinary)
    }

    private var settings: InstallSettings {
        let variables = [
            "MOUNTED_CNI_NET_DIR", "CNI_AGENT_RUN_DIR", "CNI_CONF_NAME", "ISTIO_OWNED_CNI_CONFIG_FILENAME",
            "ISTIO_OWNED_CNI_CONF_FILENAME",
        ]
        let environment = OwnProcess.environment(variables)
        var settings = InstallSettings()
        if let directory = mountedCniNetDir ?? environment["MOUNTED_CNI_NET_DIR"] {
            settings.configurationDirectory = directory
        }
        if let directory = cniBinDir { settings.binaryDirectory = directory }
        if let directory = agent.cniAgentRunDir ?? environment["CNI_AGENT_RUN_DIR"] {
            settings.entry.runDirectory = directory
        }
        settings.configurationName = environment["CNI_CONF_NAME"] ?? ""
        let owned = environment["ISTIO_OWNED_CNI_CONFIG_FILENAME"] ?? environment["ISTIO_OWNED_CNI_CONF_FILENAME"]
        if let owned, !owned.isEmpty { settings.ownedName = owned }
        return settings
    }
}
