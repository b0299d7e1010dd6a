import Redirect

extension Pod {
    /// A pod as the injector leaves it behind, with what a test changes.
    static func injected(
        annotations: [String: String] = [:],
        environment: [String: String] = [:],
        user: UInt32? = 1337,
        group: UInt32? = 1337
    ) -> Pod {
        let status = [Annotation.status.name: "{}"]
        return Pod(
            namespace: "default",
            name: "reviews-1",
            annotations: status.merging(annotations) { _, changed in changed },
            containers: [
                Container(name: "app"),
                Container(
                    name: "istio-proxy",
                    arguments: ["proxy", "sidecar", "--domain", "x"],
                    environment: environment,
                    user: user,
                    group: group
                ),
            ]
        )
    }
}

/// The plan and the warnings of a pod that must be redirected.
func redirection(
    of pod: Pod,
    addresses: [String] = ["10.0.0.1"]
) throws -> (plan: RedirectPlan, warnings: [PolicyWarning]) {
    switch try Decision(pod: pod, addresses: addresses, backend: .nftables) {
    case .redirect(let plan, let warnings): (plan, warnings)
    case .skip(let reason): throw Unexpected(reason: reason)
    }
}

struct Unexpected: Error {
    let reason: SkipReason
}

/// The error of an annotation that is refused, or nil.
func refusal(_ annotation: Annotation, _ value: String) -> PlanError? {
    do throws(PlanError) {
        _ = try Decision(
            pod: .injected(annotations: [annotation.name: value]),
            addresses: ["10.0.0.1"],
            backend: .nftables
        )
        return nil
    } catch {
        return error
    }
}
