/// The part of a Kubernetes pod that decides about redirection.
package struct Pod: Equatable, Sendable {
    package var namespace: String
    package var name: String

    /// `metadata.uid`.
    package var uid: String

    package var annotations: [String: String]
    package var labels: [String: String]

    /// Init containers, then regular containers; ephemeral ones never count.
    package var containers: [Container]

    package init(
        namespace: String,
        name: String,
        uid: String = "",
        annotations: [String: String] = [:],
        labels: [String: String] = [:],
        containers: [Container] = []
    ) {
        self.namespace = namespace
        self.name = name
        self.uid = uid
        self.annotations = annotations
        self.labels = labels
        self.containers = containers
    }

    /// One container of a pod.
    package struct Container: Equatable, Sendable {
        package var name: String
        package var arguments: [String]

        /// Variables with a literal value; one that comes from elsewhere (`valueFrom`) has the value "".
        package var environment: [String: String]

        /// `securityContext.runAsUser` and `runAsGroup`; the pod's own `securityContext` never counts.
        package var user: UInt32?
        package var group: UInt32?

        package init(
            name: String,
            arguments: [String] = [],
            environment: [String: String] = [:],
            user: UInt32? = nil,
            group: UInt32? = nil
        ) {
            self.name = name
            self.arguments = arguments
            self.environment = environment
            self.user = user
            self.group = group
        }
    }
}
