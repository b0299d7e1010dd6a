package import Redirect

/// A pod of this node: what decides about its redirection, and what tells how far it has come.
///
/// It keeps what the agent uses and nothing else: a node's pods are in memory all day, and an object of the API
/// server has some 10 KB.
package struct NodePod: Equatable, Sendable {
    /// Only with the annotations, labels, containers and variables that have a say.
    package var pod: Pod

    /// `metadata.resourceVersion`: a deletion names it, so that it meets the pod that was looked at.
    package var resourceVersion: String

    /// The UID of the controller that made the pod, or the pod's own where it has none: failures of one workload share
    /// a back-off.
    package var ownerUID: String

    /// `status.podIPs`: the addresses of the sandbox, as far as the kubelet has told them.
    package var addresses: [String]

    /// A pod on the host's network has no namespace of its own, and must never be touched.
    package var isOnHostNetwork: Bool

    /// `hostUsers: false`: the sandbox has a user namespace of its own.
    package var hasOwnUsers: Bool

    /// A class of runtime whose pods have a network stack of their own (gVisor, Kata); empty for all others.
    package var isolatedRuntime = ""

    /// `metadata.deletionTimestamp` is set.
    package var isBeingDeleted: Bool

    package var phase: Phase

    /// `status.initContainerStatuses`, in their order.
    package var initContainers: [ContainerStatus]

    /// `status.phase`.
    package enum Phase: String, CaseIterable, Sendable {
        case pending = "Pending"
        case running = "Running"
        case succeeded = "Succeeded"
        case failed = "Failed"
        case unknown = "Unknown"
    }

    /// How an init container is, or was when it ended last.
    package struct ContainerStatus: Equatable, Sendable {
        package var name: String

        /// `state.terminated`: it has ended and does not run now.
        package var ended: Termination?

        /// `lastState.terminated`: it was started again after that.
        package var endedBefore: Termination?

        package init(name: String, ended: Termination? = nil, endedBefore: Termination? = nil) {
            self.name = name
            self.ended = ended
            self.endedBefore = endedBefore
        }
    }

    /// One end of a container.
    package struct Termination: Equatable, Sendable {
        package var exitCode: Int
        package var reason: String
        package var message: String

        package init(exitCode: Int, reason: String = "", message: String = "") {
            self.exitCode = exitCode
            self.reason = reason
            self.message = message
        }
    }

    package init(
        _ pod: Pod,
        resourceVersion: String = "",
        ownerUID: String? = nil,
        addresses: [String] = [],
        isOnHostNetwork: Bool = false,
        hasOwnUsers: Bool = false,
        isBeingDeleted: Bool = false,
        phase: Phase = .unknown,
        initContainers: [ContainerStatus] = []
    ) {
        self.pod = pod
        self.resourceVersion = resourceVersion
        self.ownerUID = ownerUID ?? pod.uid
        self.addresses = addresses
        self.isOnHostNetwork = isOnHostNetwork
        self.hasOwnUsers = hasOwnUsers
        self.isBeingDeleted = isBeingDeleted
        self.phase = phase
        self.initContainers = initContainers
    }

    /// `namespace/name`, for messages.
    package var fullName: String { "\(pod.namespace)/\(pod.name)" }

    /// Why no rules reach the pod; nil where they do.
    package var isolation: String? {
        guard !isolatedRuntime.isEmpty else { return nil }
        return "pods of the runtime class \(isolatedRuntime) have a network stack of their own, which no rules reach"
    }

    /// Whether all its containers have ended for good: its sandbox is about to go.
    package var isFinished: Bool { phase == .succeeded || phase == .failed }
}

extension Pod {
    /// Without all that has no say in redirection or in finding the pod's UID, but with the named annotations and labels.
    package func keepingWhatDecides(annotations names: Set<String> = []) -> Pod {
        var pod = self
        pod.annotations = annotations.filter { name, _ in
            Annotation(rawValue: name) != nil || Self.uidAnnotations.contains(name) || names.contains(name)
        }
        pod.labels = labels.filter { name, _ in name == Annotation.inject.name || names.contains(name) }
        pod.containers = containers.filter { container in Self.decidingContainers.contains(container.name) }
            .map { container in
                var container = container
                container.environment = container.environment.filter { name, _ in ProxyVariable(rawValue: name) != nil }
                container.arguments = Array(container.arguments.prefix(2))
                return container
            }
        return pod
    }

    /// Where the kubelet keeps the UID by which the runtime knows a static pod.
    package static let uidAnnotations = ["kubernetes.io/config.mirror", "kubernetes.io/config.hash"]

    private static let decidingContainers = ["istio-init", "istio-proxy"]
}
