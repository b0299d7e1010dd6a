internal import LinuxKernel

/// What the agent's process may do.
struct RightFacts: Equatable, Sendable {
    /// `CapEff` of `proc_pid_status(5)`.
    var capabilities: UInt64 = 0

    /// `Seccomp` of the same: 2 means a filter.
    var seccomp = 0

    /// The label that a security module gave the process; "" without one.
    var label = ""
    var isSELinuxEnforcing = false

    /// Whether root here is root of the machine (`user_namespaces(7)`).
    var isInUserNamespace = false

    /// Nil where repair is off.
    var hasProcesses: Bool?
    var processDirectory = ""

    /// `hidepid` of the mount (`proc(5)`); "" without it.
    var hiding = ""
    var repairs: Bool { hasProcesses != nil }
}

// MARK: - Looking

extension RightFacts {
    init(_ places: DoctorPlaces, _ processes: NodeProcesses) {
        let own = "\(places.ownProcesses)/self"
        let status = Self.text("\(own)/status")
        capabilities = Self.field("CapEff", of: status).flatMap { word in UInt64(word, radix: 16) } ?? 0
        seccomp = Self.field("Seccomp", of: status).flatMap { word in Int(word) } ?? 0
        label = Self.text("\(own)/attr/current").filter { character in character != "\0" && character != "\n" }
        isInUserNamespace = Self.isPartial(userMap: Self.text("\(own)/uid_map"))
        isSELinuxEnforcing = Self.enforces(processes)
        processDirectory = places.hostProcesses
        let options = MountTable(places.ownProcesses).options(of: processDirectory) ?? []
        hiding = options.first { option in option.hasPrefix("hidepid=") && option != "hidepid=0" } ?? ""
        if places.repairs { hasProcesses = processes.problem == nil && Self.exists("\(processDirectory)/self") }
    }

    private static func exists(_ path: String) -> Bool {
        do throws(KernelError) { return try FileStatus.of(path) != nil } catch { return false }
    }

    /// Empty where it cannot be read: then the right in question counts as missing.
    private static func text(_ path: String) -> String {
        do throws(KernelError) {
            return String(decoding: try File.read(path, byteLimit: 64 * 1_024), as: UTF8.self)
        } catch {
            return ""
        }
    }

    static func field(_ name: String, of status: String) -> Substring? {
        let line = status.split(separator: "\n").first { line in line.hasPrefix("\(name):") }
        return line?.split { character in character.isWhitespace }.last
    }

    /// The machine's own maps all ids to themselves: `0 0 4294967295`.
    static func isPartial(userMap: String) -> Bool {
        let words = userMap.split { character in character.isWhitespace }
        return !words.isEmpty && words != ["0", "0", "4294967295"]
    }

    /// As a runtime of the node sees it, since a container seldom has the file system of SELinux.
    private static func enforces(_ processes: NodeProcesses) -> Bool {
        for name in ["containerd", "crio"] {
            for process in processes.named(name) {
                do throws(KernelError) {
                    let tree = try FileTree(process.root)
                    // One of the kernel's files has no length, so what it says is all that counts.
                    let bytes = try tree.read("/sys/fs/selinux/enforce", byteLimit: 16)
                    return bytes?.first == UInt8(ascii: "1")
                } catch {
                    continue
                }
            }
        }
        return false
    }
}

// MARK: - What it means

package enum RightFinding: String, FindingKind {
    case complete = "capabilities-complete"
    case missing = "capabilities-missing"
    case processesVisible = "processes-visible"
    case processesAbsent = "processes-absent"
    case processesHidden = "processes-hidden"
    case userNamespace = "agent-in-user-namespace"
    case selinux = "selinux-confined"
    case apparmor = "apparmor-confined"
    case seccomp = "seccomp-filter"

    package static var subject: String { "rights" }

    package var entry: FindingEntry {
        switch self {
        case .complete: FindingEntry(.good, "The agent has every capability that it needs.")
        case .missing:
            FindingEntry(
                .bad,
                "The agent lacks capabilities: it cannot enter namespaces, write rules or look at processes.",
                "Give it what the chart's securityContext has; docs/threat-model.md says what each is for."
            )
        case .processesVisible: FindingEntry(.good, "The host's processes are there, so repair finds pods.")
        case .processesAbsent:
            FindingEntry(
                .bad,
                "The host's /proc is not there, so repair finds no pod and their state stays unknown.",
                "Mount it as the chart does where repair.repairPods is on."
            )
        case .processesHidden:
            FindingEntry(
                .bad,
                "The host's /proc hides processes (hidepid) and the agent has no SYS_PTRACE, so repair finds no pod.",
                "Give the agent SYS_PTRACE, or mount /proc without hidepid."
            )
        case .userNamespace:
            FindingEntry(
                .bad,
                "The agent runs in a user namespace, where it may not enter the namespaces of other pods.",
                "Remove hostUsers: false from the agent's pod."
            )
        case .selinux:
            FindingEntry(
                .bad,
                "SELinux enforces and the agent has a container's label, so it may not write to the host's directories.",
                "Set seLinuxOptions.type=spc_t in the chart's values; global.platform=openshift does."
            )
        case .apparmor:
            FindingEntry(
                .bad,
                "An AppArmor profile is enforced, and those of runtimes forbid to look into processes of other pods.",
                "Set the agent's appArmorProfile to Unconfined, as the chart does."
            )
        case .seccomp:
            FindingEntry(
                .doubtful,
                "A seccomp filter is in force. RuntimeDefault lets through what the agent's capabilities allow.",
                "Nothing while the kernel's finding is good; else set seccompProfile.type=Unconfined."
            )
        }
    }
}

extension RightFacts {
    /// What each right is for; the numbers are those of `capabilities(7)` in <linux/capability.h>.
    private static let needed: [(name: String, number: UInt64, repairOnly: Bool)] = [
        ("DAC_OVERRIDE", 1, false), ("NET_ADMIN", 12, false), ("NET_RAW", 13, false), ("SYS_PTRACE", 19, true),
        ("SYS_ADMIN", 21, false),
    ]

    private static let freeTypes = ["spc_t", "unconfined_t", "container_runtime_t", "super_t"]

    var findings: [DoctorReport.Finding] { [capabilityFinding] + processFindings + confinement }

    private func has(_ number: UInt64) -> Bool { capabilities & (1 << number) != 0 }

    private var capabilityFinding: DoctorReport.Finding {
        let missing = Self.needed.filter { right in (repairs || !right.repairOnly) && !has(right.number) }
        guard !missing.isEmpty else { return RightFinding.complete.finding("all that are needed") }
        return RightFinding.missing.finding(missing.map { right in right.name }.joined(separator: ", "))
    }

    private var processFindings: [DoctorReport.Finding] {
        guard let hasProcesses else { return [] }
        guard hasProcesses else { return [RightFinding.processesAbsent.finding("nothing at \(processDirectory)")] }
        guard hiding.isEmpty || has(19) else {
            return [RightFinding.processesHidden.finding("\(processDirectory) is mounted with \(hiding)")]
        }
        return [RightFinding.processesVisible.finding("at \(processDirectory)")]
    }

    private var confinement: [DoctorReport.Finding] {
        var findings: [DoctorReport.Finding] = []
        if isInUserNamespace { findings.append(RightFinding.userNamespace.finding("/proc/self/uid_map is partial")) }
        // A label of SELinux has four parts: user, role, type, level.
        let parts = label.split(separator: ":")
        if isSELinuxEnforcing, parts.count >= 4, !Self.freeTypes.contains(String(parts[2])) {
            findings.append(RightFinding.selinux.finding("/proc/self/attr/current is \(label)"))
        }
        if label.hasSuffix("(enforce)") {
            findings.append(RightFinding.apparmor.finding("/proc/self/attr/current is \(label)"))
        }
        if seccomp == 2 { findings.append(RightFinding.seccomp.finding("Seccomp: 2 in /proc/self/status")) }
        return findings
    }
}
