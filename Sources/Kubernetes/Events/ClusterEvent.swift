internal import CNIProtocol

/// What a user should know about an object of the cluster: an `Event` (`v1`), as `kubectl describe` shows it.
package struct ClusterEvent: Equatable, Sendable {
    package enum Severity: String, Sendable {
        case normal = "Normal"
        case warning = "Warning"
    }

    /// What an Event is about.
    package struct Subject: Hashable, Sendable {
        package var kind: String
        package var name: String

        /// Empty for what is in no namespace; its Events are in `default`.
        package var namespace: String
        package var uid: String

        package init(kind: String, name: String, namespace: String, uid: String) {
            self.kind = kind
            self.name = name
            self.namespace = namespace
            self.uid = uid
        }

        package static func pod(_ name: String, in namespace: String, uid: String) -> Subject {
            Subject(kind: "Pod", name: name, namespace: namespace, uid: uid)
        }

        /// The kubelet's own Events about a node have its name as the UID, and `kubectl describe` looks for that.
        package static func node(_ name: String) -> Subject {
            Subject(kind: "Node", name: name, namespace: "", uid: name)
        }

        var eventNamespace: String { namespace.isEmpty ? "default" : namespace }
    }

    package var subject: Subject
    package var severity: Severity

    /// A word for programs: `RepairedPod`.
    package var reason: String

    /// A sentence for people.
    package var message: String

    /// What the API server takes of a message, in characters (`NoteLengthLimit`).
    private static let longestMessageCharacters = 1_024

    package init(_ severity: Severity, about subject: Subject, reason: String, message: String) {
        self.severity = severity
        self.subject = subject
        self.reason = reason
        self.message = String(message.prefix(Self.longestMessageCharacters))
    }

    /// The object to create.
    func object(source: EventSource, time: String, count: Int) -> JSONValue {
        .object([
            JSONMember("apiVersion", .string("v1")),
            JSONMember("kind", .string("Event")),
            JSONMember(
                "metadata",
                .object([
                    JSONMember("generateName", .string("\(subject.name).")),
                    JSONMember("namespace", .string(subject.eventNamespace)),
                ])
            ),
            JSONMember(
                "involvedObject",
                .object([
                    JSONMember("kind", .string(subject.kind)),
                    JSONMember("namespace", .string(subject.namespace)),
                    JSONMember("name", .string(subject.name)),
                    JSONMember("uid", .string(subject.uid)),
                    JSONMember("apiVersion", .string("v1")),
                ])
            ),
            JSONMember("reason", .string(reason)),
            JSONMember("message", .string(message)),
            JSONMember("type", .string(severity.rawValue)),
            JSONMember(
                "source",
                .object([
                    JSONMember("component", .string(source.component)), JSONMember("host", .string(source.host)),
                ])
            ),
            JSONMember("firstTimestamp", .string(time)),
            JSONMember("lastTimestamp", .string(time)),
            JSONMember("count", .integer(count)),
        ])
    }

    /// The change to an object that was created before.
    func patch(time: String, count: Int) -> JSONValue {
        .object([
            JSONMember("count", .integer(count)),
            JSONMember("lastTimestamp", .string(time)),
            JSONMember("message", .string(message)),
        ])
    }
}

/// Who writes Events.
package struct EventSource: Equatable, Sendable {
    /// `istio-cni`, as upstream writes it.
    package var component: String

    /// The node.
    package var host: String

    package init(component: String = "istio-cni", host: String) {
        self.component = component
        self.host = host
    }
}
