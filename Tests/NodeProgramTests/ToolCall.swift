import Foundation
import LinuxKernel
import TestSupport

/// One run of the built `install-cni` under the name `istio-iptables`.
struct ToolCall {
    var arguments: [String]
    var environment: [String] = []

    /// Nil for the user of the tests, with all rights.
    var user: UInt32?

    /// Those of an init container: without `CAP_SYS_ADMIN`.
    var hasOnlyNetworkRights = false

    init(_ arguments: String..., environment: [String] = [], user: UInt32? = nil, hasOnlyNetworkRights: Bool = false) {
        self.arguments = arguments
        self.environment = environment
        self.user = user
        self.hasOnlyNetworkRights = hasOnlyNetworkRights
    }

    struct Outcome: Sendable {
        let status: Int?
        let output: String
        let log: String
    }

    func run(in namespace: borrowing NetworkNamespace) async throws -> Outcome {
        let link = try Link()
        let words = isolation + [link.path] + arguments
        let process = ChildProcess(
            "/usr/bin/env",
            words,
            environment: ["PATH=/usr/sbin:/usr/bin:/sbin:/bin"] + environment,
            deadlineMilliseconds: 60_000
        )
        let handle = try NetworkNamespace(at: "/proc/self/fd/\(namespace.rawDescriptor)")
        // On a thread of its own: a test that blocks would hold one of the few threads of all tests.
        let outcome = try await withCheckedThrowingContinuation { continuation in
            Thread.detachNewThread { continuation.resume(with: Result { try process.run(in: handle) }) }
        }
        let status: Int? = if case .exit(let status) = outcome.ending { status } else { nil }
        return Outcome(
            status: status,
            output: String(decoding: outcome.standardOutput, as: UTF8.self),
            log: String(decoding: outcome.standardError, as: UTF8.self)
        )
    }

    private var isolation: [String] {
        var words: [String] = []
        if let user {
            words = ["setpriv", "--reuid", "\(user)", "--regid", "\(user)", "--clear-groups"]
            // The clone may lie below a folder that only root can enter; this right is about files alone.
            let rights = "-all,+dac_read_search"
            words += ["--bounding-set=\(rights)", "--inh-caps=\(rights)", "--ambient-caps=\(rights)"]
        } else if hasOnlyNetworkRights {
            words = ["setpriv", "--bounding-set=-all,+net_admin,+net_raw,+dac_override"]
        }
        return words
    }

    /// `istio-iptables`, a link to the `install-cni` beside the running test program.
    private final class Link {
        private let folder: URL

        init() throws {
            folder = URL(filePath: "/tmp").appending(path: "istio-iptables-\(UUID().uuidString)")
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
            let program = URL(filePath: "/proc/self/exe").resolvingSymlinksInPath()
                .deletingLastPathComponent().appending(path: "install-cni")
            try FileManager.default.createSymbolicLink(
                at: folder.appending(path: "istio-iptables"),
                withDestinationURL: program
            )
        }

        deinit {
            // What is left is in /tmp.
            try? FileManager.default.removeItem(at: folder)
        }

        var path: String { folder.appending(path: "istio-iptables").path(percentEncoded: false) }
    }
}

/// A namespace as a runtime hands it over: `lo` is up, and `eth0` has these addresses.
func makePodNamespace(_ addresses: String...) async throws -> NetworkNamespace {
    try await makePodNamespace(addresses)
}

func makePodNamespace(_ addresses: [String]) async throws -> NetworkNamespace {
    let namespace = try NetworkNamespace.makeNew()
    try RouteSocket(in: namespace).setLoopbackUp()
    _ = try await namespace.command("ip", "link", "add", "eth0", "type", "veth", "peer", "name", "node0")
    for address in addresses {
        // Without waiting for duplicates (`nodad`), which IPv4 does not know.
        let options = address.contains(":") ? "nodad" : ""
        _ = try await namespace.command("sh", "-c", "ip addr add \(address) dev eth0 \(options)")
    }
    for interface in ["eth0", "node0"] { _ = try await namespace.command("ip", "link", "set", interface, "up") }
    return namespace
}

extension NetworkNamespace {
    /// Listens at a port of 127.0.0.1 without `SO_REUSEPORT`, so that nobody can listen beside it.
    ///
    /// - Returns: The socket, which the caller closes.
    func occupy(port: UInt16) throws -> CInt {
        try run { () throws(KernelError) in
            let descriptor = socket(AF_INET, CInt(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
            var address = sockaddr_in()
            address.sin_family = sa_family_t(AF_INET)
            address.sin_port = port.bigEndian
            address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
            let status = withUnsafePointer(to: &address) { pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                    bind(descriptor, address, socklen_t(MemoryLayout<sockaddr_in>.size))
                }
            }
            guard status == 0, listen(descriptor, 1) == 0 else {
                throw KernelError("occupy port \(port)", Errno(rawValue: errno))
            }
            return descriptor
        }
    }
}
