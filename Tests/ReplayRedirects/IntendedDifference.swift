import Foundation
import LinuxKernel
import Redirect

/// Where this project means to differ from upstream: what the pod must be like, and what happens then.
///
/// None of them changes the rules of a pod that upstream starts.
struct IntendedDifference: Sendable {
    let reason: String
    let exit: Int
    let applies: @Sendable (Pod) -> Bool

    /// The annotation that the error must name; nil where there is no error.
    let names: (@Sendable (Pod) -> String?)?

    /// What is wrong with the answer, or nil.
    func problem(_ outcome: ChildProcess.Outcome, _ pod: Pod) -> String? {
        guard let names else { return nil }
        guard outcome.text.contains("\"code\": 101") else { return "the error is not code 101: \(outcome.text)" }
        guard let name = names(pod), outcome.text.contains("\(name): ") else {
            return "the error does not name the annotation: \(outcome.text)"
        }
        return nil
    }

    static let all: [IntendedDifference] = [
        IntendedDifference(
            reason: "interceptionMode NONE is obeyed, where upstream refuses the pod for ever",
            exit: 0,
            applies: { $0.annotations["sidecar.istio.io/interceptionMode"] == "NONE" },
            names: nil
        ),
        IntendedDifference(
            reason: "a wildcard where none makes sense is refused by name; upstream lets iptables-restore fail",
            exit: 1,
            applies: { pod in hasSidecar(pod) && wildcardless.contains { pod.annotations[$0] == "*" } },
            names: { pod in wildcardless.first { pod.annotations[$0] == "*" } }
        ),
        IntendedDifference(
            reason: "a bad annotation has a code of its own, and the annotation its full name; upstream says 999",
            exit: 1,
            applies: { pod in hasSidecar(pod) && firstBadAnnotation(pod) != nil },
            names: { firstBadAnnotation($0) }
        ),
    ]

    /// Whether the pod's annotations are looked at at all.
    private static func hasSidecar(_ pod: Pod) -> Bool {
        guard pod.namespace != "kube-system", !pod.containers.contains(where: { $0.name == "istio-init" }) else {
            return false
        }
        return pod.containers.contains { container in
            let arguments = container.arguments
            let isOther = arguments.count > 1 && arguments[0] == "proxy" && arguments[1] != "sidecar"
            return container.name == "istio-proxy" && !isOther
        }
    }

    private static let wildcardless = ["excludeInboundPorts", "excludeOutboundPorts", "includeOutboundPorts"]
        .map { "traffic.sidecar.istio.io/\($0)" }

    /// Written anew here, and more coarsely than in the policy, so that both cannot be wrong alike.
    private static func firstBadAnnotation(_ pod: Pod) -> String? {
        pod.annotations.first { name, value in
            switch name.split(separator: "/").last ?? "" {
            case "includeOutboundIPRanges": value != "*" && !areRanges(value)
            case "excludeOutboundIPRanges": !areRanges(value)
            case "includeInboundPorts", "excludeInboundPorts", "includeOutboundPorts", "excludeOutboundPorts":
                value != "*" && !value.isEmpty
                    && !value.split(separator: ",", omittingEmptySubsequences: false)
                        .allSatisfy { UInt16($0.trimmingCharacters(in: .whitespaces)) != nil }
            case "kubevirtInterfaces" where pod.annotations["istio.io/reroute-virtual-interfaces"] != nil: false
            case "excludeInterfaces", "reroute-virtual-interfaces", "kubevirtInterfaces":
                !value.isEmpty
                    && !value.split(separator: ",", omittingEmptySubsequences: false)
                        .allSatisfy { $0.wholeMatch(of: /\s*[a-zA-Z][a-zA-Z0-9_.\-]{0,14}\s*/) != nil }
            default: false
            }
        }?.key
    }

    private static func areRanges(_ value: String) -> Bool {
        value.isEmpty
            || value.split(separator: ",", omittingEmptySubsequences: false).allSatisfy { element in
                let parts = element.split(separator: "/")
                guard parts.count == 2, let length = Int(parts[1]) else { return false }
                return length <= (parts[0].contains(":") ? 128 : 32)
            }
    }
}
