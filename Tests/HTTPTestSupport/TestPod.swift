package import CNIProtocol

/// Pods as an API server has them.
package enum TestPod {
    /// A pod of the mesh, or of whatever its annotations make it.
    package static func object(
        _ name: String,
        namespace: String = "shop",
        uid: String = "u1",
        node: String = "node-1",
        annotations: [String: String] = ["sidecar.istio.io/status": "{}"],
        labels: [String: String] = [:],
        status: JSONValue = .object([])
    ) -> JSONValue {
        .object([
            JSONMember("kind", .string("Pod")), JSONMember("apiVersion", .string("v1")),
            JSONMember(
                "metadata",
                .object([
                    JSONMember("name", .string(name)), JSONMember("namespace", .string(namespace)),
                    JSONMember("uid", .string(uid)), JSONMember("labels", strings(labels)),
                    JSONMember("annotations", strings(annotations)),
                ])
            ),
            JSONMember(
                "spec",
                .object([
                    JSONMember("nodeName", .string(node)),
                    JSONMember(
                        "containers",
                        .array([
                            .object([
                                JSONMember("name", .string("istio-proxy")),
                                JSONMember("args", .array([.string("proxy"), .string("sidecar")])),
                            ])
                        ])
                    ),
                ])
            ),
            JSONMember("status", status),
        ])
    }

    package static func path(_ name: String, namespace: String = "shop") -> String {
        "/api/v1/namespaces/\(namespace)/pods/\(name)"
    }

    private static func strings(_ strings: [String: String]) -> JSONValue {
        .object(strings.sorted { left, right in left.key < right.key }.map { JSONMember($0.key, .string($0.value)) })
    }
}
