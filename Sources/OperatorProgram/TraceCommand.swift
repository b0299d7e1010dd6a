internal import ArgumentParser
internal import Operator
internal import Redirect

struct Trace: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Follow one connection of a pod through its rules, one by one.",
        discussion: """
            EXAMPLES
              From the application (any user but the proxy's) to a server:
                istio-cnictl trace -f pod.yaml --from-uid 1000 --to 203.0.113.10:443
              To the pod, from another one:
                istio-cnictl trace bookshop/reviews-v1-x2k4q --inbound 9080 --from 10.244.0.9
              A query of the application to the cluster's name server:
                istio-cnictl trace -f pod.yaml --to 10.96.0.10:53 --udp

            In the output, => marks the rule that decided, ok one that matched, and - one that did not, with the condition.
            Exit status: 0, or 1 if the pod is not redirected at all or cannot be read.
            """
    )

    @OptionGroup var pod: PodOptions

    @Option(help: ArgumentHelp("Where an application of the pod connects to.", valueName: "address:port"))
    var to: String?

    @Option(help: ArgumentHelp("The user of the process that connects.", valueName: "uid"))
    var fromUid: UInt32 = 1_000

    @Option(help: ArgumentHelp("Its group; the same number as the user's unless set.", valueName: "gid"))
    var fromGid: UInt32?

    @Option(help: ArgumentHelp("The port of the pod that somebody connects to.", valueName: "port"))
    var inbound: UInt16?

    @Option(
        help: ArgumentHelp(
            "The address from which somebody connects; of the pod itself with --to.",
            valueName: "address"
        )
    )
    var from: String?

    @Option(help: ArgumentHelp("The pod's interface; lo or eth0, as it comes, unless set.", valueName: "name"))
    var interface: String?

    @Flag(help: "UDP in place of TCP.")
    var udp = false

    @Flag(help: "Print JSON.")
    var json = false

    func validate() throws {
        guard (to == nil) != (inbound == nil) else { throw ValidationError("name a connection: --to, or --inbound") }
        if let to, Endpoint(to) == nil { throw ValidationError("--to \(to): want ADDRESS:PORT, or [ADDRESS]:PORT") }
        if let from, IPAddress(from) == nil { throw ValidationError("--from \(from): want an address") }
    }

    func run() throws {
        try Output.reporting("trace") {
            let explained = try pod.explained()
            guard let plan = explained.plan else {
                if json {
                    Output.write(ConnectionTrace.value(notRedirected: explained))
                } else {
                    Output.write("\(explained.name) is \(explained.sentence)\n")
                }
                throw ExitCode.failure
            }
            let trace = ConnectionTrace(
                try request(explained),
                RuleSet(plan),
                addresses: explained.addresses,
                interface: interface
            )
            if json {
                Output.write(trace.value)
            } else {
                Output.write(trace.text(hasColour: Output.hasColour))
            }
        }
    }

    private func request(_ pod: ExplainedPod) throws -> ConnectionTrace.Request {
        let transport: TransportProtocol = udp ? .udp : .tcp
        let source = from.flatMap { IPAddress($0) }
        if let to, let endpoint = Endpoint(to) {
            return ConnectionTrace.Request(
                to: endpoint.address,
                port: endpoint.port,
                transport,
                .outbound(user: fromUid, group: fromGid ?? fromUid, from: source)
            )
        }
        let own = pod.addresses.compactMap { IPAddress($0.prefix { $0 != "/" }) }
        guard let destination = own.first(where: { $0.family == source?.family ?? $0.family }) else {
            throw ValidationError("the pod has no address of the family of --from")
        }
        // The host's own end of the pod's network, as a kubelet's probe comes from.
        let usual = IPAddress(destination.family, bits: destination.bits ^ 3)
        return ConnectionTrace.Request(
            to: destination,
            port: inbound ?? 0,
            transport,
            .inbound(from: source ?? usual)
        )
    }
}
