internal import CNIProtocol

/// The kinds that the server has, as discovery tells them: those of the chart with Multus, and what Helm and kubectl ask for.
package enum APIResources {
    struct Resource {
        let group: String
        let name: String
        let kind: String
        let isNamespaced: Bool

        init(_ group: String, _ name: String, _ kind: String, isNamespaced: Bool = true) {
            self.group = group
            self.name = name
            self.kind = kind
            self.isNamespaced = isNamespaced
        }
    }

    static let all: [Resource] = [
        Resource("", "configmaps", "ConfigMap"), Resource("", "events", "Event"),
        Resource("", "namespaces", "Namespace", isNamespaced: false),
        Resource("", "nodes", "Node", isNamespaced: false),
        Resource("", "pods", "Pod"), Resource("", "resourcequotas", "ResourceQuota"), Resource("", "secrets", "Secret"),
        Resource("", "serviceaccounts", "ServiceAccount"), Resource("apps", "daemonsets", "DaemonSet"),
        Resource("rbac.authorization.k8s.io", "clusterrolebindings", "ClusterRoleBinding", isNamespaced: false),
        Resource("rbac.authorization.k8s.io", "clusterroles", "ClusterRole", isNamespaced: false),
        Resource("rbac.authorization.k8s.io", "rolebindings", "RoleBinding"),
        Resource("rbac.authorization.k8s.io", "roles", "Role"),
        Resource("networking.k8s.io", "networkpolicies", "NetworkPolicy"),
        Resource("k8s.cni.cncf.io", "network-attachment-definitions", "NetworkAttachmentDefinition"),
    ]

    /// The kind of a collection's objects, or nil where the path names no collection.
    static func kind(of path: String) -> String? {
        let name = path.split(separator: "/").last.map(String.init)
        return all.first { $0.name == name }?.kind
    }

    /// `apps/v1` of `/apis/apps/v1/daemonsets`.
    static func version(of path: String) -> String {
        let parts = path.split(separator: "/").map(String.init)
        return parts.first == "apis" && parts.count > 2 ? "\(parts[1])/\(parts[2])" : "v1"
    }

    /// What a client reads before it does anything, by path.
    static func discovery(serverVersion: String) -> [String: JSONValue] {
        let groups = Set(all.map(\.group)).subtracting([""]).sorted()
        var pages: [String: JSONValue] = [
            "/version": .object([
                JSONMember("major", .string("1")), JSONMember("minor", .string("32")),
                JSONMember("gitVersion", .string(serverVersion)),
            ]),
            "/api": .object([
                JSONMember("kind", .string("APIVersions")), JSONMember("versions", .array([.string("v1")])),
            ]),
            "/apis": .object([
                JSONMember("kind", .string("APIGroupList")), JSONMember("apiVersion", .string("v1")),
                JSONMember("groups", .array(groups.map(group))),
            ]),
        ]
        for name in [""] + groups {
            pages[name.isEmpty ? "/api/v1" : "/apis/\(name)/v1"] = .object([
                JSONMember("kind", .string("APIResourceList")), JSONMember("apiVersion", .string("v1")),
                JSONMember("groupVersion", .string(name.isEmpty ? "v1" : "\(name)/v1")),
                JSONMember("resources", .array(all.filter { $0.group == name }.map(resource))),
            ])
        }
        return pages
    }

    private static func group(_ name: String) -> JSONValue {
        let version = JSONValue.object([
            JSONMember("groupVersion", .string("\(name)/v1")), JSONMember("version", .string("v1")),
        ])
        return .object([
            JSONMember("name", .string(name)), JSONMember("versions", .array([version])),
            JSONMember("preferredVersion", version),
        ])
    }

    private static func resource(_ resource: Resource) -> JSONValue {
        let verbs = ["create", "delete", "get", "list", "patch", "update", "watch"]
        return .object([
            JSONMember("name", .string(resource.name)), JSONMember("singularName", .string(resource.kind.lowercased())),
            JSONMember("namespaced", .bool(resource.isNamespaced)), JSONMember("kind", .string(resource.kind)),
            JSONMember("verbs", .array(verbs.map { .string($0) })),
        ])
    }
}

extension ScriptedServer {
    /// Answers what clients ask before they do anything: version, groups and kinds.
    package func putDiscovery(serverVersion: String = "v1.32.4") {
        for (path, page) in APIResources.discovery(serverVersion: serverVersion) { put(page, at: path) }
        // No bytes are an empty document in protobuf: a description of no kind, so clients check nothing.
        always(.body([]), for: "GET", containing: "/openapi/v2")
    }
}
