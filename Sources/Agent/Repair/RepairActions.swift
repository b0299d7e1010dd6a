/// What repair asks of the API server.
package struct RepairActions: Sendable {
    /// Deletes the pod as it was looked at: its UID and resource version are preconditions.
    package var delete: @Sendable (_ pod: NodePod) async -> Outcome

    /// Gives the pod a label, by a merge patch of `pods/status`.
    package var label: @Sendable (_ pod: NodePod, _ key: String, _ value: String) async -> Outcome

    /// Tells people, by an Event of the pod.
    package var report: @Sendable (_ pod: NodePod, _ event: RepairEvent) -> Void

    package enum Outcome: Equatable, Sendable {
        case done

        /// It is gone or has changed (404, 409), and is looked at again.
        case changed
        case failed(String)
    }

    package init(
        delete: @escaping @Sendable (_ pod: NodePod) async -> Outcome,
        label: @escaping @Sendable (_ pod: NodePod, _ key: String, _ value: String) async -> Outcome,
        report: @escaping @Sendable (_ pod: NodePod, _ event: RepairEvent) -> Void
    ) {
        self.delete = delete
        self.label = label
        self.report = report
    }

    /// For pods from a directory, which nobody can delete or label.
    package static let none = RepairActions(
        delete: { _ in .failed("there is no API server") },
        label: { _, _, _ in .failed("there is no API server") },
        report: { _, _ in }
    )
}

/// What people are told of a pod.
package struct RepairEvent: Equatable, Sendable {
    package let reason: Reason

    /// One sentence.
    package let message: String

    /// The first two are upstream's.
    package enum Reason: String, Sendable, CaseIterable {
        case deleted = "DeleteBrokenPod"
        case labelled = "LabelBrokenPod"
        case repaired = "RedirectionRepaired"
        case notRepairable = "RedirectionNotRepairable"
        case different = "RedirectionDiffers"
    }

    package init(_ reason: Reason, _ message: String) {
        self.reason = reason
        self.message = message
    }

    /// The type `Warning` of an Event; the others are `Normal`.
    package var isWarning: Bool { reason != .repaired }
}
