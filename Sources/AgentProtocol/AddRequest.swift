import CNIProtocol

/// What the plugin asks the agent during ADD (`POST /v1/add`): whether a pod is redirected, and how.
package struct AddRequest: Equatable, Sendable {
    package static let path = "/v1/add"

    package var podNamespace: String
    package var podName: String

    /// As the runtime has it, which for a static pod is not `metadata.uid`; empty where the runtime does not say.
    package var podUID: String

    package var containerID: String

    /// The addresses of the sandbox, as `prevResult` writes them (`10.0.0.2/24`).
    package var ips: [String]

    /// The versions of `RedirectPlan` that the plugin can read.
    package var planVersions: [Int]

    /// Whether the runtime handed over the pod's annotations; nil where an older plugin does not say.
    package var hasAnnotations: Bool?

    package init(
        podNamespace: String,
        podName: String,
        podUID: String,
        containerID: String,
        ips: [String],
        planVersions: [Int] = PlanFormat.versions,
        hasAnnotations: Bool? = nil
    ) {
        self.podNamespace = podNamespace
        self.podName = podName
        self.podUID = podUID
        self.containerID = containerID
        self.ips = ips
        self.planVersions = planVersions
        self.hasAnnotations = hasAnnotations
    }

    /// Reads a request.
    ///
    /// Members that are unknown here come from a newer plugin and are passed over.
    package init(_ bytes: [UInt8]) throws(MessageError) {
        let reader = try MessageReader(bytes, path: "request")
        podNamespace = try reader.filledText("podNamespace", limit: MessageLimits.nameBytes)
        podName = try reader.filledText("podName", limit: MessageLimits.nameBytes)
        podUID = try reader.text("podUID", limit: MessageLimits.identifierBytes, default: "")
        containerID = try reader.filledText("containerID", limit: MessageLimits.identifierBytes)
        ips = try reader.texts("ips", limit: MessageLimits.addresses, textLimit: MessageLimits.addressBytes)
        planVersions = try reader.elements("planVersions", limit: MessageLimits.planVersions) {
            element,
            path throws(MessageError) in try MessageReader.integer(element, in: 1...1_000_000, field: path)
        }
        hasAnnotations = reader.value["hasAnnotations"] == nil ? nil : try reader.flag("hasAnnotations")
    }

    package func bytes() -> [UInt8] {
        var members = [
            JSONMember("podNamespace", .string(podNamespace)),
            JSONMember("podName", .string(podName)),
            JSONMember("podUID", .string(podUID)),
            JSONMember("containerID", .string(containerID)),
            JSONMember("ips", .array(ips.map { text in .string(text) })),
            JSONMember("planVersions", .array(planVersions.map { version in .integer(version) })),
        ]
        if let hasAnnotations { members.append(JSONMember("hasAnnotations", .bool(hasAnnotations))) }
        return JSONValue.object(members).bytes()
    }
}
