package import LinuxKernel
package import Redirect

/// Proves from inside a pod, without any right, that its connections are redirected.
///
/// The proxy's own user connects to an address that only redirection makes answer: 127.0.0.6, where nobody listens. If
/// the connection arrives at the proxy's inbound port instead, where this probe stands in for the proxy, the rules are in
/// force. It runs in the namespace of the calling thread.
package struct RedirectionProbe: Equatable, Sendable {
    /// One check for each, all of which must pass.
    package var families: [AddressFamily]

    /// Where the proxy will listen, and nobody does yet.
    package var ports: RedirectPlan.ProxyPorts

    /// The port that is connected to; a rule that lets it go would spoil the proof.
    package var probePort: UInt16

    /// For all families together.
    package var timeoutMilliseconds: Int

    package init(
        families: [AddressFamily],
        ports: RedirectPlan.ProxyPorts = RedirectPlan.ProxyPorts(),
        probePort: UInt16 = 15_002,
        timeoutMilliseconds: Int = 5_000
    ) {
        self.families = families
        self.ports = ports
        self.probePort = probePort
        self.timeoutMilliseconds = timeoutMilliseconds
    }

    /// The families to check: that of the pod's first address, and IPv6 where the plan redirects it as well.
    ///
    /// - Throws: An address that is none, or that there is none at all.
    package static func families(
        of plan: RedirectPlan,
        addresses: [String]
    ) throws(PlanError) -> [AddressFamily] {
        let isIPv6Only = try RedirectPlan.redirectsIPv6(addresses: addresses, isDualStack: false)
        guard !isIPv6Only else { return [.ipv6] }
        return plan.redirectsIPv6 ? [.ipv4, .ipv6] : [.ipv4]
    }

    /// Waits until a connection of every family has been redirected.
    package func run() throws(ProbeFailure) {
        let deadline = Clock.monotonicMilliseconds() + timeoutMilliseconds
        for family in families { try run(family, until: deadline) }
    }

    private func run(_ family: AddressFamily, until deadline: Int) throws(ProbeFailure) {
        let stand = try StandIn(family, ports)
        let destination = SocketEndpoint(Self.passthrough(family), port: probePort)
        var pause = Self.firstPauseMilliseconds
        var lastFailure: KernelError?
        while true {
            do throws(KernelError) {
                let rest = max(1, deadline - Clock.monotonicMilliseconds())
                let socket = try InternetSocket(.tcp, destination.family, owner: nil)
                try socket.bind(to: SocketEndpoint(Self.loopback(family), port: 0))
                try socket.connect(to: destination, milliseconds: min(rest, Self.longestPauseMilliseconds))
                lastFailure = nil
            } catch {
                lastFailure = error
            }
            // A connection may reach the queue a moment after the client sees it made.
            if stand.hasSeen(probePort) { return }
            let rest = deadline - Clock.monotonicMilliseconds()
            guard rest > 0 else { break }
            Clock.sleep(milliseconds: min(pause, rest))
            if stand.hasSeen(probePort) { return }
            pause = min(pause * 2, Self.longestPauseMilliseconds)
        }
        throw .notRedirected(family, afterMilliseconds: timeoutMilliseconds, lastFailure)
    }

    /// Rules are there already in nearly every pod, or come within moments.
    private static let firstPauseMilliseconds = 50

    /// As often as upstream tries.
    private static let longestPauseMilliseconds = 1_000

    fileprivate static func loopback(_ family: AddressFamily) -> [UInt8] {
        let range: AddressRange = family == .ipv4 ? .loopbackIPv4 : .loopbackIPv6
        return range.address.bytes
    }

    private static func passthrough(_ family: AddressFamily) -> [UInt8] {
        let range: AddressRange = family == .ipv4 ? .passthroughIPv4 : .passthroughIPv6
        return range.address.bytes
    }
}

/// Why it could not be proved that a pod is redirected.
package enum ProbeFailure: Error, Equatable, Sendable, CustomStringConvertible {
    /// Nobody could take a redirected connection; the error is that of the inbound port.
    case noListener(AddressFamily, KernelError)

    /// No connection was redirected; the error is what became of the last one, nil if it was made elsewhere.
    case notRedirected(AddressFamily, afterMilliseconds: Int, KernelError?)

    package var description: String {
        switch self {
        case .noListener(let family, let error):
            "\(family.label): neither port of the proxy is free: \(error.description)"
        case .notRedirected(let family, let milliseconds, let error):
            "\(family.label): no connection was redirected within \(milliseconds) ms"
                + (error.map { "; the last one: \($0.description)" } ?? "; the last one was answered by somebody else")
        }
    }
}

extension AddressFamily {
    fileprivate var label: String { self == .ipv4 ? "IPv4" : "IPv6" }
}

/// Takes connections in the place of the proxy.
private struct StandIn {
    private var listeners: [InternetSocket] = []

    /// Listens on both ports of the proxy, or on the one that is free.
    ///
    /// One is enough, as upstream has it; if both are taken, it is the inbound port's error that is reported.
    init(_ family: AddressFamily, _ ports: RedirectPlan.ProxyPorts) throws(ProbeFailure) {
        for port in [ports.outbound, ports.inbound] {
            do throws(KernelError) {
                let endpoint = SocketEndpoint(RedirectionProbe.loopback(family), port: port)
                let listener = try InternetSocket(.tcp, endpoint.family, owner: nil)
                try listener.bind(to: endpoint, isShared: true)
                try listener.listen()
                listeners.append(listener)
            } catch {
                guard port == ports.outbound || !listeners.isEmpty else { throw .noListener(family, error) }
            }
        }
    }

    /// Takes every connection that waits, and tells whether one was meant for this port.
    func hasSeen(_ port: UInt16) -> Bool {
        listeners.contains { Self.take($0, port) }
    }

    private static func take(_ listener: InternetSocket, _ port: UInt16) -> Bool {
        var isSeen = false
        for _ in 0..<mostConnections {
            do throws(KernelError) {
                let connection = try listener.accept(owner: nil, milliseconds: waitMilliseconds)
                let original = try connection.originalDestination()
                // As upstream answers; that a client has gone does not matter.
                try? connection.send(Array("\(original.port)".utf8))
                if original.port == port { isSeen = true }
            } catch {
                // A connection that nobody redirected proves nothing, and the next one may.
                guard error.errno == .noSuchEntry || error.errno == .connectionAborted else { break }
            }
        }
        return isSeen
    }

    /// What has been connected waits already.
    private static let waitMilliseconds = 1

    /// Taken at once: others may connect too, but must not keep the probe from its own deadline.
    private static let mostConnections = 128
}
