internal import CLinuxKernel

/// Reads the tables of the older iptables (`x_tables`), which nf_tables does not show.
///
/// Nothing is run and nothing is made: asking for a table that is not there would make the kernel set one up, so
/// `/proc` is asked first which there are.
package enum LegacyTableSocket {
    /// Those of the named tables that exist in a namespace.
    ///
    /// Takes `CAP_NET_RAW` for the socket and `CAP_NET_ADMIN` for the tables, both of the namespace's owner.
    ///
    /// - Parameters:
    ///   - names: `nat`, `mangle`.
    ///   - family: Each has tables of its own.
    ///   - namespace: Where to look.
    /// - Returns: What there is, each rule as far as it says where packets go.
    /// - Throws: ``Errno/notPermitted`` or ``Errno/accessDenied`` without those rights.
    package static func tables(
        named names: [String],
        _ family: InternetFamily,
        in namespace: borrowing NetworkNamespace
    ) throws(KernelError) -> [InstalledTable] {
        try namespace.run { () throws(KernelError) in
            var tables: [InstalledTable] = []
            let present = try Self.namesInOwnNamespace(family)
            for name in names where present.contains(name) {
                if let table = try Self.read(name, family) { tables.append(table) }
            }
            return tables
        }
    }

    /// The names of the tables in the namespace of the calling thread.
    private static func namesInOwnNamespace(_ family: InternetFamily) throws(KernelError) -> [String] {
        let path = "/proc/thread-self/net/ip\(family == .ipv4 ? "" : "6")_tables_names"
        do throws(KernelError) {
            let text = String(decoding: try File.read(path, byteLimit: namesByteLimit), as: UTF8.self)
            return text.split(separator: "\n").map { line in String(line) }
        } catch {
            // The kernel has no such tables at all, or nobody has used them since it started.
            guard error.errno == .noSuchEntry else { throw error }
            return []
        }
    }

    /// Reads one table, or nil if it went away.
    private static func read(_ name: String, _ family: InternetFamily) throws(KernelError) -> InstalledTable? {
        let operation = "read iptables-legacy table \(name)"
        let domain = family == .ipv4 ? AF_INET : AF_INET6
        let handle = try OwnedDescriptor(operation) {
            socket(domain, CInt(SOCK_RAW.rawValue | SOCK_CLOEXEC.rawValue), rawProtocol)
        }
        for _ in 1...attempts {
            let label = Array(name.utf8.prefix(LegacyTableFormat.nameBytes - 1))
            var info = label + [UInt8](repeating: 0, count: LegacyTableFormat.infoBytes - label.count)
            do throws(KernelError) {
                try get(infoOption, &info, family, handle.rawValue, operation)
                let format = LegacyTableFormat(family, info: info)
                guard format.size <= tableByteLimit else { throw KernelError(operation, .tooBig) }
                var answer = Array(info.prefix(LegacyTableFormat.nameBytes)) + .hostOrder(UInt32(format.size))
                answer += [UInt8](repeating: 0, count: 4 + format.size)
                try get(entriesOption, &answer, family, handle.rawValue, operation)
                return try format.table(name, entries: answer[LegacyTableFormat.entriesOffset...], operation: operation)
            } catch {
                switch error.errno {
                case .noSuchEntry: return nil
                // It changed between the two questions.
                case .wouldBlock, .invalidArgument: continue
                default: throw error
                }
            }
        }
        throw KernelError(operation, .interrupted, explanation: "it changed each time it was read")
    }

    private static func get(
        _ option: CInt,
        _ bytes: inout [UInt8],
        _ family: InternetFamily,
        _ socket: CInt,
        _ operation: String
    ) throws(KernelError) {
        var length = socklen_t(bytes.count)
        let level = family == .ipv4 ? internetLevel : internet6Level
        try systemCall(operation) { getsockopt(socket, level, option, &bytes, &length) }
    }

    /// A dozen names of a few letters.
    private static let namesByteLimit = 4_096

    /// Room for 10,000 rules of 200 bytes, twice.
    private static let tableByteLimit = 4 * 1_024 * 1_024

    private static let attempts = 5

    /// `IPPROTO_RAW`, `SOL_IP`, `SOL_IPV6`: their headers clash with the C library's, or are enumerations.
    private static let rawProtocol: CInt = 255
    private static let internetLevel: CInt = 0
    private static let internet6Level: CInt = 41

    /// `IPT_SO_GET_INFO` and `IPT_SO_GET_ENTRIES` (`<linux/netfilter_ipv4/ip_tables.h>`), the same for IPv6.
    private static let infoOption: CInt = 64
    private static let entriesOption: CInt = 65
}
