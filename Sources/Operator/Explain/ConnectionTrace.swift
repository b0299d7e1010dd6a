internal import Agent
package import CNIProtocol
package import Redirect

/// Where one connection of a pod goes, rule by rule.
package struct ConnectionTrace: Sendable {
    package let packet: Packet
    package let verdict: Verdict

    /// A connection as a person names it.
    package struct Request: Equatable, Sendable {
        package var destination: IPAddress
        package var port: UInt16
        package var transport: TransportProtocol
        package var direction: Direction

        package enum Direction: Equatable, Sendable {
            /// From the pod's own address of the destination's family, unless another is named.
            case outbound(user: UInt32, group: UInt32, from: IPAddress? = nil)
            case inbound(from: IPAddress)
        }

        package init(
            to destination: IPAddress,
            port: UInt16,
            _ transport: TransportProtocol,
            _ direction: Direction
        ) {
            self.destination = destination
            self.port = port
            self.transport = transport
            self.direction = direction
        }
    }

    /// - Parameters:
    ///   - request: The connection.
    ///   - rules: The pod's.
    ///   - addresses: The pod's own, with or without a prefix length.
    ///   - interface: By which it leaves or arrives; nil: `lo` to the pod's own addresses, else eth0.
    package init(_ request: Request, _ rules: RuleSet, addresses: [String], interface: String? = nil) {
        let own = addresses.compactMap { IPAddress($0.prefix { $0 != "/" }) }
        switch request.direction {
        case .inbound(let source):
            packet = Packet(
                .inbound(interface: interface ?? Self.usualInterface),
                request.transport,
                from: source,
                to: request.destination,
                destinationPort: request.port
            )
        case .outbound(let user, let group, let source):
            let destination = request.destination
            let isLocal = destination.isLoopback || own.contains(destination)
            let usual = isLocal ? destination : own.first { $0.family == destination.family }
            packet = Packet(
                .outbound(interface: interface ?? (isLocal ? "lo" : Self.usualInterface)),
                request.transport,
                from: source ?? usual ?? IPAddress(destination.family, bits: 0),
                to: destination,
                destinationPort: request.port,
                owner: Packet.Owner(user: user, group: group)
            )
        }
        verdict = rules.verdict(for: packet)
    }

    private static let usualInterface = "eth0"

    /// Where it ends, in one line.
    package var sentence: String {
        switch verdict.outcome {
        case .passes: "goes where it was going, past the sidecar"
        case .redirected(let port): "goes to the sidecar, port \(port)"
        case .takenOver(let port): "goes to the sidecar, port \(port), with its destination as it is (TPROXY)"
        case .dropped: "is dropped"
        }
    }

    package var decider: String {
        guard let decision = verdict.decision else { return "no rule has a say" }
        return "\(decision.rule.reason.rawValue): \(decision.rule.reason.explanation)"
    }

    /// Each rule on the way, under the chain that it stands in.
    package func text(hasColour: Bool) -> String {
        let style = TextStyle(hasColour: hasColour)
        var lines: [String] = []
        var place = ""
        for visit in verdict.visits {
            let here = "\(visit.step.table.nftablesName) \(visit.step.chain.rawValue)"
            if here != place { lines.append(style.paint(here, .bold)) }
            place = here
            let rule = visit.step.rule
            if let obstacle = visit.obstacle {
                lines.append("  -   \(rule.nftablesText)")
                lines.append("        not \(rule.nftablesText(of: obstacle))")
            } else {
                let isDecisive = visit.step == verdict.decision
                let line = "  \(isDecisive ? "=>" : "ok")  \(rule.nftablesText)"
                lines.append(isDecisive ? style.paint(line, .green) : line)
                lines.append("        \(rule.reason.comment)")
            }
        }
        lines += ["", "\(style.paint(sentence, .bold))", "because      \(decider)"]
        return lines.joined(separator: "\n") + "\n"
    }

    /// For programs.
    package var value: JSONValue {
        let rules = verdict.visits.map { visit in
            JSONValue.object([
                JSONMember("table", .string(visit.step.table.nftablesName)),
                JSONMember("chain", .string(visit.step.chain.rawValue)),
                JSONMember("rule", .string(visit.step.rule.nftablesText)),
                JSONMember("reason", .string(visit.step.rule.reason.rawValue)),
                JSONMember("obstacle", visit.obstacle.map { .string(visit.step.rule.nftablesText(of: $0)) } ?? .null),
            ])
        }
        let outcome: (String, Int?) =
            switch verdict.outcome {
            case .passes: ("passes", nil)
            case .redirected(let port): ("redirected", Int(port))
            case .takenOver(let port): ("takenOver", Int(port))
            case .dropped: ("dropped", nil)
            }
        return .object([
            JSONMember("outcome", .string(outcome.0)),
            JSONMember("port", outcome.1.map { .integer($0) } ?? .null),
            JSONMember("decidedBy", verdict.decision.map { .string($0.rule.reason.rawValue) } ?? .null),
            JSONMember("rules", .array(rules)),
        ])
    }

    /// For programs, of a pod that has no rules.
    package static func value(notRedirected pod: ExplainedPod) -> JSONValue {
        .object([
            JSONMember("outcome", .string("notRedirected")), JSONMember("port", .null), JSONMember("decidedBy", .null),
            JSONMember("rules", .array([])), JSONMember("sentence", .string(pod.sentence)),
        ])
    }
}

/// A destination as people write it: `10.0.0.1:80`, `[fd00::1]:80`.
package struct Endpoint: Equatable, Sendable {
    package let address: IPAddress
    package let port: UInt16

    package init?(_ text: String) {
        let parts: (address: Substring, port: Substring)
        if text.hasPrefix("["), let end = text.firstIndex(of: "]") {
            let rest = text[text.index(after: end)...]
            guard rest.hasPrefix(":") else { return nil }
            parts = (text[text.index(after: text.startIndex)..<end], rest.dropFirst())
        } else {
            // Two colons are an IPv6 address, whose end nobody could tell from a port.
            guard let colon = text.firstIndex(of: ":"), colon == text.lastIndex(of: ":") else { return nil }
            parts = (text[..<colon], text[text.index(after: colon)...])
        }
        guard let address = IPAddress(parts.address), let port = UInt16(parts.port) else { return nil }
        self.address = address
        self.port = port
    }
}
