import Agent
import Foundation
import Redirect
import Testing

@Suite struct PodDecoderTests {
    @Test func `a pod is read as Kubernetes means it`() throws {
        let pod = try Pod(
            json: Array(
                #"""
                {"apiVersion":"v1","kind":"Pod","metadata":{"name":"cart-0","uid":"u1","labels":{"a":"b"},
                "annotations":{"sidecar.istio.io/status":"{}"}},"spec":{"hostNetwork":false,
                "initContainers":[{"name":"first"}],"containers":[{"name":"istio-proxy","args":["proxy","sidecar"],
                "env":[{"name":"A","value":"1"},{"name":"B","valueFrom":{}},{"name":"A","value":"2"}],
                "securityContext":{"runAsUser":1337,"runAsGroup":4294967295}}],"ephemeralContainers":[{"name":"e"}]}}
                """#.utf8
            )
        )

        #expect(
            pod
                == Pod(
                    namespace: "default",
                    name: "cart-0",
                    uid: "u1",
                    annotations: ["sidecar.istio.io/status": "{}"],
                    labels: ["a": "b"],
                    containers: [
                        Pod.Container(name: "first"),
                        Pod.Container(
                            name: "istio-proxy",
                            arguments: ["proxy", "sidecar"],
                            environment: ["A": "2", "B": ""],
                            user: 1337,
                            group: 4_294_967_295
                        ),
                    ]
                )
        )
    }

    @Test(arguments: [
        ("", "no JSON: at byte 0: expected a value"),
        ("[]", " is not an object"),
        (#"{"kind":"List"}"#, "kind is not Pod"),
        (#"{"metadata":{}}"#, "metadata.name is missing"),
        (#"{"metadata":{"name":7}}"#, "metadata.name is not a string"),
        (#"{"metadata":{"name":"a","labels":{"b":1}}}"#, "metadata.labels is not an object of strings"),
        (#"{"metadata":{"name":"a"},"spec":{"containers":{}}}"#, "spec.containers is not an array"),
        (
            #"{"metadata":{"name":"a"},"spec":{"containers":[{"securityContext":{"runAsUser":-1}}]}}"#,
            "spec.containers[0].securityContext.runAsUser is not a number 0-4294967295"
        ),
        (
            #"{"metadata":{"name":"a"},"spec":{"containers":[{"env":[{}]}]}}"#,
            "spec.containers[0].env[0].name is missing"
        ),
    ])
    func `what is no pod is refused by the name of its field`(json: String, refusal: String) {
        let error = #expect(throws: PodError.self) { try Pod(json: Array(json.utf8)) }

        #expect(error?.description == refusal.trimmingCharacters(in: .whitespaces))
    }
}
