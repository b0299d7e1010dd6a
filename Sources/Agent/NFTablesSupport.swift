internal import AgentProtocol
internal import CNIProtocol
internal import Enforcement
internal import LinuxKernel

/// Whether the kernel's nf_tables takes every rule, found out once per boot (architecture, decision 4).
///
/// What is kept is that it does. That it lacks something is looked at anew, since loading a module cures it; and a node
/// whose rules are those of nf_tables does not change to iptables because one later probe failed.
package struct NFTablesSupport: Sendable {
    private let directory: String
    private let bootIdentifier: [UInt8]
    private let version: String

    /// In the run directory, which does not outlive a boot either where it is in memory.
    package static let fileName = "nftables-support.json"

    /// - Parameters:
    ///   - runDirectory: Where the fact is kept.
    ///   - bootIdentifier: Another one for each boot; empty if there is none, and then nothing is kept.
    ///   - version: What is probed can change with the agent.
    package init(
        runDirectory: String,
        bootIdentifier: [UInt8] = Self.currentBootIdentifier,
        version: String = ProductVersion.text
    ) {
        directory = runDirectory
        self.bootIdentifier = bootIdentifier
        self.version = version
    }

    /// What nf_tables lacks, or nil.
    ///
    /// - Parameter probe: Asks the kernel; not called where the answer of this boot is known.
    /// - Returns: What it says.
    package func missing(_ probe: () -> String? = Capability.missingFromNFTables) -> String? {
        if isKept { return nil }
        let missing = probe()
        if missing == nil { keep() }
        return missing
    }

    /// `random(4)`.
    package static var currentBootIdentifier: [UInt8] {
        // Without /proc nothing is kept, and each start of the agent probes, which takes some milliseconds.
        let bytes = (try? File.read("/proc/sys/kernel/random/boot_id", byteLimit: byteLimit)) ?? []
        return bytes.filter { byte in byte != UInt8(ascii: "\n") }
    }

    /// The whole file, which says nothing else: anything that differs by a byte is not of this boot and this version.
    private var contents: [UInt8] {
        JSONValue.object([
            JSONMember("boot", .string(String(decoding: bootIdentifier, as: UTF8.self))),
            JSONMember("version", .string(version)),
            JSONMember("takesEveryRule", .bool(true)),
        ]).bytes()
    }

    private var path: String { "\(directory)/\(Self.fileName)" }

    private var isKept: Bool {
        guard !bootIdentifier.isEmpty else { return false }
        // What cannot be read is as good as not there: the kernel is asked.
        let bytes = try? File.read(path, byteLimit: Self.byteLimit)
        return bytes == contents
    }

    private func keep() {
        guard !bootIdentifier.isEmpty else { return }
        // A directory that is full or read-only costs the next start a probe; nothing depends on the file.
        try? Directory.make(directory, mode: RunDirectory.mode)
        _ = try? File.replace(path, with: contents, mode: 0o600)
    }

    /// Both files are of some 100 bytes.
    private static let byteLimit = 4_096
}
