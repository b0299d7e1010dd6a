internal import Foundation
internal import LinuxKernel
internal import Redirect

/// Everybody who can be connected to: the sidecar's stand-in, the application, and the hosts outside.
struct AnsweringSide {
    private let stopSignal: StopSignal

    /// - Parameters:
    ///   - attempts: Somebody listens wherever one of these goes.
    ///   - plan: Where the sidecar listens; without a plan there is none.
    ///   - proxyUser: Who the sidecar belongs to.
    ///   - onlyUser: The user that everybody is, where there is one only.
    ///   - hasEnvoy: Whether a real Envoy takes what is redirected; the stand-in then answers DNS only, as the
    ///     istio-agent does beside Envoy.
    ///   - network: Where the namespaces are.
    /// - Throws: Which listener could not be made.
    init(
        attempts: [Attempt],
        plan: RedirectPlan?,
        proxyUser: UInt32,
        onlyUser: UInt32?,
        hasEnvoy: Bool,
        in network: borrowing HostNetwork
    ) throws(TryError) {
        let stopSignal = StopSignal()
        self.stopSignal = stopSignal
        let families = Set(attempts.map(\.destination.family))
        let wholeSidecar = plan.map { Self.sidecar($0, families) } ?? []
        let taken = Set(wholeSidecar.map { [$0.transport.rawValue, "\($0.port)"] })
        let sidecar = hasEnvoy ? wholeSidecar.filter { $0.port == plan?.ports.dns } : wholeSidecar
        let proxy = ProcessOwner(user: proxyUser, group: plan?.proxyGroups.first ?? proxyUser)
        let application = ProcessOwner(user: AttemptList.applicationUser, group: AttemptList.applicationUser)

        var inside: Set<Listener> = []
        var outside: Set<Listener> = []
        for attempt in attempts {
            let address = attempt.transport == .udp ? attempt.destination : attempt.destination.family.unspecified
            let listener = Listener(
                place: attempt.target,
                transport: attempt.transport,
                address: address,
                port: attempt.port
            )
            switch attempt.target {
            case .outside: outside.insert(listener)
            case .application where !taken.contains([attempt.transport.rawValue, "\(attempt.port)"]):
                inside.insert(listener)
            default: break
            }
        }
        let listeners = inside
        try explaining("listen") { () throws(KernelError) in
            try network.pod.run { () throws(KernelError) in
                for listener in sidecar {
                    try Self.start(listener, owner: onlyUser == nil ? proxy : nil, stopSignal)
                }
                for listener in listeners {
                    try Self.start(listener, owner: onlyUser == nil ? application : nil, stopSignal)
                }
            }
            for listener in outside { try Self.start(listener, owner: nil, stopSignal) }
        }
    }

    func stop() { stopSignal.set() }

    /// The stand-in: both directions, and DNS.
    private static func sidecar(_ plan: RedirectPlan, _ families: Set<AddressFamily>) -> [Listener] {
        let isTransparent = plan.interceptionMode == .transparentProxy
        return families.flatMap { family in
            var listeners = [plan.ports.outbound, plan.ports.inbound, plan.ports.dns].map { port in
                Listener(
                    place: .sidecar,
                    transport: .tcp,
                    address: family.unspecified,
                    port: port,
                    isTransparent: isTransparent && port == plan.ports.inbound
                )
            }
            let loopback = family == .ipv4 ? AddressRange.loopbackIPv4 : .loopbackIPv6
            listeners.append(
                Listener(place: .sidecar, transport: .udp, address: loopback.address, port: plan.ports.dns)
            )
            return listeners
        }
    }

    /// Opens a socket in the namespace of the calling thread, and answers on a thread of its own.
    private static func start(
        _ listener: Listener,
        owner: ProcessOwner?,
        _ stopSignal: StopSignal
    ) throws(KernelError) {
        let socket = try listener.open(owner: owner)
        Thread.detachNewThread { listener.serve(socket, owner: owner, until: stopSignal) }
    }
}
