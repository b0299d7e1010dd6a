internal import Redirect

/// How many connections Envoy must have counted, if every attempt lands where the plan says.
struct EnvoyCounters: Equatable {
    private var connections: [EnvoyConfiguration.Direction: Int] = [:]

    init(_ attempts: [Attempt], _ plan: RedirectPlan) {
        let rules = RuleSet(plan)
        for attempt in attempts where attempt.transport == .tcp {
            guard let landing = attempt.expectation(rules).landing, landing.place == .sidecar else { continue }
            switch landing.port {
            case plan.ports.outbound: connections[.outbound, default: 0] += 1
            case plan.ports.inbound:
                let isIPv4 = attempt.destination.family == .ipv4
                connections[isIPv4 ? .inboundIPv4 : .inboundIPv6, default: 0] += 1
            default: break  // DNS, which Envoy does not answer.
            }
        }
    }

    /// What Envoy says, beside what it ought to; a direction without connections is left out.
    func compared(with counted: [String: Int]) -> [TryReport.Counter] {
        EnvoyConfiguration.Direction.allCases.flatMap { direction in
            [direction.takenCounter, direction.passedOnCounter].map { name in
                TryReport.Counter(name: name, value: counted[name] ?? 0, expected: connections[direction] ?? 0)
            }
        }.filter { $0.value != 0 || $0.expected != 0 }
    }
}
