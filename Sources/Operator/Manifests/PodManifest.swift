package import CNIProtocol
package import Redirect

/// A pod as a person writes it, in YAML or JSON, read as the agent wants it: in JSON.
package struct PodManifest: Equatable, Sendable {
    package let json: JSONValue
    package let name: String
    package let namespace: String
    package let uid: String
    package let annotations: [String: String]

    /// The largest manifest that is read, in bytes: more than etcd takes.
    package static let byteLimit = 4 * 1_024 * 1_024

    package struct Failure: Error, Equatable, CustomStringConvertible {
        package let description: String
    }

    /// Reads the pod of a text that has one.
    package init(_ text: String) throws(Failure) {
        guard text.utf8.count <= Self.byteLimit else {
            throw Failure(description: "the manifest is longer than \(Self.byteLimit) bytes")
        }
        let documents: [JSONValue]
        do throws(YAMLDocuments.Failure) {
            documents = try YAMLDocuments.read(text)
        } catch {
            throw Failure(description: error.description)
        }
        let pods = try FoundPod.all(in: documents, of: "the manifest")
        guard pods.count == 1 else { throw Failure(description: "the manifest has \(pods.count) pods") }
        try self.init(json: pods[0].json)
    }

    package init(json: JSONValue) throws(Failure) {
        let metadata = json["metadata"] ?? .null
        guard let name = metadata["name"]?.string, !name.isEmpty else {
            throw Failure(description: "metadata.name is missing")
        }
        self.json = json
        self.name = name
        namespace = metadata["namespace"]?.string ?? "default"
        uid = metadata["uid"]?.string ?? ""
        guard let value = metadata["annotations"], !value.isNull else {
            annotations = [:]
            return
        }
        guard let annotations = value.stringsByName else {
            throw Failure(
                description: "metadata.annotations holds something that is no text: quote numbers and booleans"
            )
        }
        self.annotations = annotations
    }

    /// The families that the pod is to have addresses of: those of `status.podIPs`, or else what its proxy is told.
    package var families: [AddressFamily] {
        let addresses = json["status"]?["podIPs"]?.array ?? []
        let families = Set(addresses.compactMap { IPAddress($0["ip"]?.string ?? "")?.family })
        if !families.isEmpty { return AddressFamily.allCases.filter(families.contains) }
        return proxyVariable("ISTIO_DUAL_STACK") == "true" ? [.ipv4, .ipv6] : [.ipv4]
    }

    /// The user that the proxy runs as.
    package var proxyUser: UInt32 {
        let user = proxies.last?["securityContext"]?["runAsUser"]?.integer.flatMap(UInt32.init(exactly:))
        guard let user, user != 0 else { return RedirectPlan.defaultProxyID }
        return user
    }

    /// The first TCP port of the application, as far as the manifest tells.
    package var applicationPort: UInt16? {
        let containers = json["spec"]?["containers"]?.array ?? []
        for container in containers where container["name"]?.string != Self.proxyName {
            for port in container["ports"]?.array ?? [] where port["protocol"]?.string ?? "TCP" == "TCP" {
                if let number = port["containerPort"]?.integer.flatMap(UInt16.init(exactly:)) { return number }
            }
        }
        return nil
    }

    private static let proxyName = "istio-proxy"

    private var proxies: [JSONValue] {
        let lists = ["initContainers", "containers"].compactMap { json["spec"]?[$0]?.array }
        return lists.flatMap { $0 }.filter { $0["name"]?.string == Self.proxyName }
    }

    private func proxyVariable(_ name: String) -> String? {
        let variables = proxies.flatMap { $0["env"]?.array ?? [] }
        return variables.last { $0["name"]?.string == name }?["value"]?.string
    }
}

// MARK: - The pod of a workload

extension JSONValue {
    /// Where a workload keeps the template of its pods: `spec.template` of a Deployment, a Job or their like.
    package static let templatePaths: [String: [String]] = [
        "CronJob": ["spec", "jobTemplate", "spec", "template"],
        "DaemonSet": ["spec", "template"], "Deployment": ["spec", "template"], "Job": ["spec", "template"],
        "ReplicaSet": ["spec", "template"], "ReplicationController": ["spec", "template"],
        "StatefulSet": ["spec", "template"],
    ]

    /// The pod that a workload makes, under the workload's name; nil where it is no workload.
    package var podOfTemplate: JSONValue? {
        guard let path = Self.templatePaths[self["kind"]?.string ?? ""] else { return nil }
        var template = self
        for name in path { template = template[name] ?? .null }
        guard var members = template.members else { return nil }
        var metadata = template["metadata"]?.members ?? []
        for name in ["name", "namespace"] where metadata.index(of: name) == nil {
            if let value = self["metadata"]?[name] { metadata.append(JSONMember(name, value)) }
        }
        members.removeAll { ["kind", "metadata"].contains($0.name) }
        return .object([JSONMember("kind", .string("Pod")), JSONMember("metadata", .object(metadata))] + members)
    }
}
