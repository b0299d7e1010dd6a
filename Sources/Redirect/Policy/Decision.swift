/// Whether a pod is redirected, and how.
package enum Decision: Equatable, Sendable {
    case skip(SkipReason)

    /// The warnings are about settings of the pod that have no effect.
    case redirect(RedirectPlan, warnings: [PolicyWarning])

    /// Decides about a pod that the plugin could not answer for itself (`EarlyDecision`).
    ///
    /// - Parameters:
    ///   - pod: The pod as the API server has it.
    ///   - addresses: Those of the sandbox, in any order, with or without a prefix length.
    ///   - backend: Goes into the plan as it is.
    /// - Throws: What is wrong with the pod. It must then not start: it would run beside the mesh.
    package init(pod: Pod, addresses: [String], backend: RedirectPlan.Backend) throws(PlanError) {
        if let reason = pod.skipReason {
            self = .skip(reason)
        } else {
            var warnings: [PolicyWarning] = []
            let plan = try RedirectPlan(pod: pod, addresses: addresses, backend: backend, warnings: &warnings)
            self = .redirect(plan, warnings: warnings)
        }
    }
}

/// What the plugin can decide from what the runtime hands over.
package enum EarlyDecision: Equatable, Sendable {
    case skip(SkipReason)
    case askAgent

    /// What the plugin's configuration says about pods.
    package struct Settings: Equatable, Sendable {
        /// Where the agent's own pods run (`pod_namespace`).
        package var agentNamespace: String

        /// `exclude_namespaces`.
        package var excludedNamespaces: [String]
        package var isAmbientEnabled: Bool

        package init(agentNamespace: String, excludedNamespaces: [String] = [], isAmbientEnabled: Bool = false) {
            self.agentNamespace = agentNamespace
            self.excludedNamespaces = excludedNamespaces
            self.isAmbientEnabled = isAmbientEnabled
        }
    }

    /// How the names of the agent's pods begin: the official chart's DaemonSet, which cannot be renamed.
    package static let agentPodPrefix = "istio-cni-node-"

    /// Decides about the pod that the runtime names.
    ///
    /// `annotations` is nil where the runtime does not pass them on, which is not the same as none.
    package init(podName: String, podNamespace: String, annotations: [String: String]?, settings: Settings) {
        if podName.hasPrefix(Self.agentPodPrefix) && podNamespace == settings.agentNamespace {
            self = .skip(.agentPod)
        } else if podName.isEmpty || podNamespace.isEmpty {
            self = .skip(.notKubernetes)
        } else if settings.excludedNamespaces.contains(podNamespace) {
            self = .skip(.namespaceExcluded)
        } else if let annotations, annotations[Annotation.status.name] == nil, !settings.isAmbientEnabled {
            self = .skip(.notInjected)
        } else {
            self = .askAgent
        }
    }
}

/// Why a pod is not redirected.
///
/// The raw value is stable: a word for logs, metrics and the agent's answer.
package enum SkipReason: String, CaseIterable, Sendable {
    case agentPod = "agent-pod"
    case notKubernetes = "not-kubernetes"
    case namespaceExcluded = "namespace-excluded"
    case initContainer = "init-container"
    case proxyless = "proxyless"
    case noProxyContainer = "no-proxy-container"
    case notSidecar = "not-sidecar"
    case injectionDisabled = "injection-disabled"
    case notInjected = "not-injected"
    case interceptionModeNone = "interception-mode-none"

    /// One sentence for people.
    package var sentence: String {
        switch self {
        case .agentPod: "The pod is an Istio CNI node agent, which must start before anything can be asked."
        case .notKubernetes: "The runtime named no Kubernetes pod."
        case .namespaceExcluded: "The pod's namespace is excluded in the configuration of the agent."
        case .initContainer: "The init container istio-init redirects the pod's traffic."
        case .proxyless: "DISABLE_ENVOY is set: the application speaks to the mesh without a proxy."
        case .noProxyContainer: "The pod has no container istio-proxy."
        case .notSidecar: "The pod's proxy is a gateway or a waypoint and not a sidecar."
        case .injectionDisabled: "The label or annotation sidecar.istio.io/inject is false."
        case .notInjected: "The annotation sidecar.istio.io/status, which the injector writes, is absent."
        case .interceptionModeNone: "The annotation sidecar.istio.io/interceptionMode is NONE."
        }
    }
}

extension Pod {
    /// Why the pod bypasses its proxy, as far as the pod itself says; nil where it is to be redirected.
    package var skipReason: SkipReason? {
        if containers.contains(where: { container in container.name == "istio-init" }) { return .initContainer }
        guard let proxy = Proxy(self) else { return .noProxyContainer }
        if let disabled = proxy.environment[ProxyVariable.disableEnvoy.name], Bool(goText: disabled) == true {
            return .proxyless
        }
        if !proxy.type.isEmpty && proxy.type != "sidecar" { return .notSidecar }

        // The label wins even when it is empty, and then excludes nothing.
        let switchText = labels[Annotation.inject.name] ?? annotations[Annotation.inject.name]
        if let switchText, Bool(goText: switchText) == false { return .injectionDisabled }
        if annotations[Annotation.status.name] == nil { return .notInjected }
        if annotations[Annotation.interceptionMode.name] == "NONE" { return .interceptionModeNone }
        return nil
    }

    /// What the containers called `istio-proxy` say together: later ones win, field by field.
    struct Proxy {
        /// The argument after `proxy`; empty where the arguments are of another shape, which counts as a sidecar.
        private(set) var type = ""
        private(set) var environment: [String: String] = [:]
        private(set) var user: UInt32?
        private(set) var group: UInt32?

        /// Nil where the pod has no such container.
        init?(_ pod: Pod) {
            let proxies = pod.containers.filter { container in container.name == "istio-proxy" }
            guard !proxies.isEmpty else { return nil }
            for proxy in proxies {
                if proxy.arguments.count >= 2 && proxy.arguments[0] == "proxy" { type = proxy.arguments[1] }
                // Not `merge`, which casts: Embedded Swift cannot.
                for (name, value) in proxy.environment { environment[name] = value }
                user = proxy.user ?? user
                group = proxy.group ?? group
            }
        }
    }
}
