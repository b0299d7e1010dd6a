import Foundation
import TestSupport
import Testing

@testable import Agent

/// docs/doctor.md is made from the findings in the source, and from nothing else.
@Suite struct DoctorPageTests {
    private static let root = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../..")
        .standardized

    @Test func `docs/doctor.md is what the source says`() throws {
        try expectGolden(try Self.page(), in: Self.root.appending(path: "docs/doctor.md"))
    }

    private static func page() throws -> String {
        var page = head
        for kind in DoctorReport.kinds {
            page += "\n## \(kind.subject.prefix(1).uppercased() + kind.subject.dropFirst())\n\n"
            page += "| Id | Verdict | What it means | What to do |\n|---|---|---|---|\n"
            for (id, entry) in DoctorReport.entries(of: kind) {
                let remedy = entry.remedy.isEmpty ? "Nothing." : entry.remedy
                page += "| `\(id)` | \(entry.verdict.rawValue) | \(entry.meaning) | \(remedy) |\n"
            }
        }
        return try page + unseen + missing() + tail
    }

    /// What the nodes say that has no source.
    private static func missing() throws -> String {
        try NodeFixture.names.compactMap { name in
            try NodeFixture(name).missing.map { text in "- `\(name)`: \(text)\n" }
        }.joined()
    }

    private static let head = """
        # Doctor

        Made from `Sources/Agent/Doctor/`. Change that, then write this page:
        `UPDATE_GOLDEN=1 swift test --filter DoctorPageTests`.

        ```
        kubectl exec -n istio-system ds/istio-cni-node -- install-cni doctor
        ```

        looks at one node from inside the agent's container and changes nothing. Each finding has an id that never changes
        its meaning, what was seen (file, key, value), and what to do. Verdicts: `ok`; `note`, it works and not as well as
        it could; `bad`. Exit status: 0 without anything bad, else 1; 2 if the command line is wrong. `--json` writes
        `{"findings":[{"id","verdict","subject","text","remedy"}]}`.

        The runtime is found by its name in the host's `/proc`, its files are read through `/proc/PID/root` as it sees them
        (SYS_PTRACE; Linux 5.6 for `openat2`), and two directories are the same if device and inode are. Everything is read
        with limits, and a right that is missing is a finding.

        Who last wrote the file that the runtime loads is told where the agent answers: it keeps inode and time of each file
        that it writes, in memory. So a finding says that the agent wrote last, that another program wrote after it, or that
        the agent has not written the file since it started; then it was another program, or an agent before this one. Without
        an agent that answers only the time is told: a file does not say who wrote it, and what the agent before wrote is not
        kept. Which program the other one is, nothing on the node tells.

        """

    private static let unseen = """

        ## What was not seen

        Each finding is produced in a test by a node that we wrote after public files and pages, or by an agent's answer.
        `Tests/AgentTests/Doctor/Nodes/*/node.json` names what was read: files with their commit; of issues, pull requests and
        web pages, excerpts. Debian's containerd 1.6 runs in a test too; no other runtime here was a real one. kube-router is on
        the node `k0s`. Missing, since nothing was found to read:


        """

    private static let tail = """
        - No node at all: Weave Net, whose makers are gone, and Windows.

        Files in /etc/containerd/conf.d count where a file that containerd reads imports them, and nowhere else. containerd 2.2
        names that folder in `containerd config default` (containerd/containerd#12323), but follows only imports that stand in
        a file: those of its built-in defaults are not followed where config.toml has none
        (kata-containers/kata-containers#13176), and without config.toml nothing is read at all.

        What cannot be told from a node: whether containerd 1 dropped a section because a drop-in file has it too (the last
        file that sets a key counts here, as in containerd 2), Calico's `bpfConnectTimeLoadBalancing` (a resource of the
        cluster; set it to `Disabled`), and Cilium's settings where its agent is not running.

        """
}
