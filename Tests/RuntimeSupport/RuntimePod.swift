package import CNIProtocol
import Foundation

/// A pod that a test starts on a node.
package struct RuntimePod: Hashable, Sendable {
    package var namespace = "shop"
    package var name: String
    package var uid: String

    /// Whether it has a sidecar, as the injector leaves it.
    package var isInMesh: Bool

    /// Its address once it has one: repair looks for it.
    package var address: String?

    package init(_ name: String, isInMesh: Bool) {
        self.name = name
        uid = UUID().uuidString.lowercased()
        self.isInMesh = isInMesh
    }

    package var annotations: [String: String] {
        isInMesh ? ["sidecar.istio.io/status": "{}"] : ["shop.example/owner": "nobody"]
    }

    /// The pod as the API server has it, reduced to what is read.
    package var manifest: JSONValue {
        var containers: [JSONValue] = [.object([JSONMember("name", .string("app"))])]
        if isInMesh {
            containers.append(
                .object([
                    JSONMember("name", .string("istio-proxy")),
                    JSONMember("args", .array([.string("proxy"), .string("sidecar")])),
                ])
            )
        }
        var pod: [JSONMember] = [
            JSONMember("apiVersion", .string("v1")), JSONMember("kind", .string("Pod")),
            JSONMember(
                "metadata",
                .object([
                    JSONMember("namespace", .string(namespace)), JSONMember("name", .string(name)),
                    JSONMember("uid", .string(uid)),
                    JSONMember("annotations", .object(annotations.map { JSONMember($0.key, .string($0.value)) })),
                ])
            ),
            JSONMember("spec", .object([JSONMember("containers", .array(containers))])),
        ]
        if let address {
            let addresses = JSONValue.array([.object([JSONMember("ip", .string(address))])])
            pod.append(
                JSONMember(
                    "status",
                    .object([JSONMember("podIP", .string(address)), JSONMember("podIPs", addresses)])
                )
            )
        }
        return .object(pod)
    }
}
