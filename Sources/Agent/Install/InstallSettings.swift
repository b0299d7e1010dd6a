/// How the plugin is put on a node: flags and environment of `install-cni`.
package struct InstallSettings: Equatable, Sendable {
    /// Where the runtime's configuration is, as the agent sees it (`--mounted-cni-net-dir`).
    package var configurationDirectory = "/host/etc/cni/net.d"

    /// The plugin in the agent's image.
    package var binarySource = "/opt/cni/bin/istio-cni"

    /// Where the runtime looks for plugins, as the agent sees it.
    package var binaryDirectory = "/host/opt/cni/bin"

    /// The file to chain into, or to write where nothing is chained (`--cni-conf-name`); "" finds it out.
    package var configurationName = ""

    /// Whether the entry joins the primary's list; else it gets a file of its own (`--chained-cni-plugin`).
    package var isChained = true

    /// Whether the list is kept as a copy of our own, before the primary's (`--istio-owned-cni-config`).
    package var ownsConfiguration = false

    /// The name of that copy (`--istio-owned-cni-config-filename`).
    package var ownedName = Self.defaultOwnedName

    /// Whether files of ours are 0640 instead of 0600 (`--cni-conf-group-read`).
    package var groupMayRead = false
    package var entry = PluginEntry()

    package static let defaultOwnedName = "02-istio-cni.conflist"
    package static let defaultStandaloneName = "YYY-istio-cni.conf"

    package init() {}

    /// The plugin on the node.
    package var binaryTarget: String { "\(binaryDirectory)/\(PluginEntry.type)" }

    /// What an agent of upstream left behind, with a token in it (decision 8).
    package var upstreamKubeconfig: String { "\(entry.runDirectory)/istio-cni-kubeconfig" }

    /// The file of ours where nothing is chained.
    package var standaloneName: String { configurationName.isEmpty ? Self.defaultStandaloneName : configurationName }

    /// The mode of a file that is wholly ours.
    package var fileMode: UInt32 { groupMayRead ? 0o640 : 0o600 }

    /// Refuses what no directory can hold.
    package func check() throws(InstallError) {
        if !configurationName.isEmpty { try Self.check(configurationName, flag: "cni-conf-name") }
        guard ownsConfiguration, isChained else { return }
        try Self.check(ownedName, flag: "istio-owned-cni-config-filename")
        guard ownedName.hasSuffix(".conflist") else {
            throw .badName(flag: "istio-owned-cni-config-filename", name: ownedName, problem: "must end in .conflist")
        }
        guard ownedName != configurationName else {
            let problem = "is the primary's too (--cni-conf-name)"
            throw .badName(flag: "istio-owned-cni-config-filename", name: ownedName, problem: problem)
        }
    }

    private static func check(_ name: String, flag: String) throws(InstallError) {
        let isName = !name.utf8.contains(UInt8(ascii: "/")) && name != "." && name != ".." && !name.isEmpty
        guard isName, name.utf8.count <= longestNameBytes else {
            throw .badName(flag: flag, name: name, problem: "must be the name of a file, without its directory")
        }
    }

    /// `NAME_MAX` of Linux.
    private static let longestNameBytes = 255
}
