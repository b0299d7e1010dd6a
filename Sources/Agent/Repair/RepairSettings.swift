internal import Redirect

/// What the agent does about a pod of the mesh that runs unredirected.
package struct RepairSettings: Equatable, Sendable {
    package var mode: Mode

    /// An annotation that a broken pod has; empty for any pod.
    ///
    /// It must be among those that the pods keep.
    package var sidecarAnnotation: String

    /// The init container that fails where redirection is missing; empty for any.
    package var initContainerName: String

    /// What it says when it fails; empty for anything.
    package var terminationMessage: String

    /// How it ends then; 0 for anything.
    package var exitCode: Int

    /// What a broken pod is labelled with.
    ///
    /// The key must be among those that the pods keep.
    package var labelKey: String
    package var labelValue: String

    /// Namespaces that the plugin leaves alone.
    package var excludedNamespaces: Set<String>

    /// The labels of the pods that repair is about.
    ///
    /// Their keys must be among those that the pods keep.
    package var labels: LabelSelector

    /// The fields of the pods that repair is about.
    package var fields: FieldSelector

    /// The name of this node, for the fields.
    package var nodeName: String

    package typealias Mode = AgentConfiguration.Repair.Mode

    /// Upstream's defaults.
    package init(
        mode: Mode,
        sidecarAnnotation: String = "sidecar.istio.io/status",
        initContainerName: String = "istio-validation",
        terminationMessage: String = "",
        exitCode: Int = 126,
        labelKey: String = "cni.istio.io/uninitialized",
        labelValue: String = "true",
        excludedNamespaces: Set<String> = [],
        labels: LabelSelector = LabelSelector(),
        fields: FieldSelector = FieldSelector(),
        nodeName: String = ""
    ) {
        self.mode = mode
        self.sidecarAnnotation = sidecarAnnotation
        self.initContainerName = initContainerName
        self.terminationMessage = terminationMessage
        self.exitCode = exitCode
        self.labelKey = labelKey
        self.labelValue = labelValue
        self.excludedNamespaces = excludedNamespaces
        self.labels = labels
        self.fields = fields
        self.nodeName = nodeName
    }

    /// What the user asked for.
    package init(_ configuration: AgentConfiguration) {
        let repair = configuration.repair
        self.init(
            mode: repair.mode,
            sidecarAnnotation: repair.sidecarAnnotation ?? "",
            initContainerName: repair.validationName ?? "",
            terminationMessage: repair.validationMessage ?? "",
            exitCode: repair.validationExitCode ?? 0,
            labelKey: repair.brokenLabelKey,
            labelValue: repair.brokenLabelValue,
            excludedNamespaces: Set(configuration.node.excludedNamespaces),
            labels: repair.labels,
            fields: repair.fields,
            nodeName: configuration.node.name
        )
    }

    /// The annotations and labels that pods must keep for this (``NodePod/init(json:limits:keeping:)``).
    package var keptNames: Set<String> { labels.keys.union([sidecarAnnotation, labelKey]) }

    /// Whether repair may ever look into a pod's sandbox and touch it.
    package func concerns(_ pod: NodePod) -> Bool { selects(pod) && !pod.isFinished }

    /// Whether a pod is one that repair is about, finished or not: one that is never started again (`restartPolicy: Never`)
    /// is finished as soon as its validation has failed.
    package func selects(_ pod: NodePod) -> Bool {
        !pod.isOnHostNetwork && !pod.isBeingDeleted && !excludedNamespaces.contains(pod.pod.namespace)
            && labels.selects(pod.pod.labels) && fields.selects(pod, onNode: nodeName)
    }

    /// Whether a pod shows the symptom: its validation has failed, and not succeeded since.
    ///
    /// Where a container is not started again (`restartPolicy: Never`), its end is in `state` and never in `lastState`.
    package func hasSymptom(_ pod: NodePod) -> Bool {
        guard sidecarAnnotation.isEmpty || pod.pod.annotations[sidecarAnnotation] != nil else { return false }
        return pod.initContainers.contains { container in
            guard initContainerName.isEmpty || container.name == initContainerName else { return false }
            if let ended = container.ended, ended.reason == "Completed" || ended.exitCode == 0 { return false }
            return [container.ended, container.endedBefore].contains { end in end.map { isFailure($0) } ?? false }
        }
    }

    private func isFailure(_ end: NodePod.Termination) -> Bool {
        let isCode = exitCode == 0 || end.exitCode == exitCode
        let isMessage = terminationMessage.isEmpty || Self.trimmed(end.message) == Self.trimmed(terminationMessage)
        return isCode && isMessage
    }

    private static func trimmed(_ text: String) -> Substring {
        var text = text[...]
        while text.first?.isWhitespace == true { text.removeFirst() }
        while text.last?.isWhitespace == true { text.removeLast() }
        return text
    }
}
