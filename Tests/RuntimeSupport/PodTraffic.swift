import LinuxKernel

/// Where the connections of a pod end, found by making them.
package struct PodTraffic: Equatable, Sendable {
    package var outbound: Landing
    package var inbound: Landing

    package enum Landing: Equatable, Sendable {
        /// At the port where the proxy listens, with the port that was meant.
        case proxy(originalPort: UInt16)

        /// Where it was going, where nobody listens.
        case destination
    }

    /// Everything through the proxy.
    package static let redirected = PodTraffic(
        outbound: .proxy(originalPort: applicationPort),
        inbound: .proxy(originalPort: applicationPort)
    )

    /// Nothing through the proxy.
    package static let direct = PodTraffic(outbound: .destination, inbound: .destination)

    private static let applicationPort: UInt16 = 9_080
    private static let outboundPort: UInt16 = 15_001
    private static let inboundPort: UInt16 = 15_006
    private static let application = ProcessOwner(user: 1_000, group: 1_000)

    /// A busy machine may take seconds.
    private static let waitMilliseconds = 20_000

    /// Stands in for the proxy, and connects from the pod to `gateway`, and from the host to the pod.
    ///
    /// - Parameters:
    ///   - pod: A path of the pod's namespace.
    ///   - host: A path of the host's.
    ///   - gateway: The host's address in the pods' network.
    ///   - address: The pod's own.
    /// - Returns: Where each ended.
    /// - Throws: A connection that neither came nor was refused.
    package static func probe(
        pod: String,
        host: String,
        gateway: [UInt8] = NodeFolder.gateway,
        address: [UInt8]
    ) async throws -> PodTraffic {
        try await onThread {
            let pod = try NetworkNamespace(at: pod)
            let host = try NetworkNamespace(at: host)
            return PodTraffic(
                outbound: try landing(at: outboundPort, in: pod, from: pod, to: gateway),
                inbound: try landing(at: inboundPort, in: pod, from: host, to: address)
            )
        }
    }

    private static func landing(
        at port: UInt16,
        in pod: borrowing NetworkNamespace,
        from start: borrowing NetworkNamespace,
        to address: [UInt8]
    ) throws(KernelError) -> Landing {
        let listener = try pod.run { () throws(KernelError) in
            let socket = try InternetSocket(.tcp, .ipv4, owner: nil)
            try socket.bind(to: LinuxKernel.SocketEndpoint([0, 0, 0, 0], port: port))
            try socket.listen()
            return socket
        }
        do throws(KernelError) {
            let client = try start.run { () throws(KernelError) in
                let socket = try InternetSocket(.tcp, .ipv4, owner: application)
                try socket.connect(
                    to: LinuxKernel.SocketEndpoint(address, port: applicationPort),
                    milliseconds: waitMilliseconds
                )
                return socket
            }
            let accepted = try listener.accept(owner: nil, milliseconds: waitMilliseconds)
            let original = try accepted.originalDestination()
            _ = client
            return .proxy(originalPort: original.port)
        } catch {
            guard error.errno == .connectionRefused else { throw error }
            return .destination
        }
    }
}
