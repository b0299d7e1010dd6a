internal import LinuxKernel

/// The plugin's program on the node.
struct PluginFacts: Equatable, Sendable {
    var directory = ""
    var isThere = false

    /// What the directory is mounted with, such as `ro`; nil where that cannot be told.
    var isReadOnly = false
    var installs = true

    init() {}

    init(_ places: DoctorPlaces) {
        directory = places.install.binaryDirectory
        installs = places.installs
        isThere = NodeFiles(places.install).hasAnyBinary
        isReadOnly = MountTable(places.ownProcesses).options(of: directory)?.contains("ro") ?? false
    }
}

package enum PluginFinding: String, FindingKind {
    case inPlace = "plugin-in-place"
    case absent = "plugin-absent"
    case readOnly = "plugin-directory-read-only"

    package static var subject: String { "plugin" }

    package var entry: FindingEntry {
        switch self {
        case .inPlace: FindingEntry(.good, "The plugin's program is where the agent puts it.")
        case .absent:
            FindingEntry(
                .bad,
                "The plugin's program is not there. With an entry in the configuration every pod of the node fails.",
                "Look at the agent's log; some distributions need global.platform or cniBinDir in the chart's values."
            )
        case .readOnly:
            FindingEntry(
                .bad,
                "The directory of plugins cannot be written to, so the agent cannot put its plugin there.",
                "Set cniBinDir in the chart's values to the writable directory that the runtime uses: on GKE it is "
                    + "/home/kubernetes/bin (istio/istio#53849)."
            )
        }
    }
}

extension PluginFacts {
    var findings: [DoctorReport.Finding] {
        var findings: [DoctorReport.Finding] = []
        if isReadOnly, installs { findings.append(PluginFinding.readOnly.finding("\(directory) is mounted read-only")) }
        let path = "\(directory)/\(PluginEntry.type)"
        return findings + [
            isThere
                ? PluginFinding.inPlace.finding(path)
                : PluginFinding.absent.finding("\(path) is not there", verdict: installs ? nil : .doubtful)
        ]
    }
}
