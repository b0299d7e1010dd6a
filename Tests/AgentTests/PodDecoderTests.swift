import Agent
import Foundation
import Redirect
import Testing

@Suite struct PodDecoderTests {
    @Test func `a pod is read as Kubernetes means it, and only what counts is kept`() throws {
        let pod = try NodePod(
            json: Array(
                #"""
                {"apiVersion":"v1","kind":"Pod","metadata":{"name":"cart-0","uid":"u1","resourceVersion":"7",
                "labels":{"a":"b","sidecar.istio.io/inject":"true"},"deletionTimestamp":"2026-11-26T00:00:00Z",
                "annotations":{"sidecar.istio.io/status":"{}","mine":"1","other":"2"},
                "ownerReferences":[{"uid":"o1"},{"uid":"o2","controller":true}]},
                "spec":{"hostNetwork":true,"hostUsers":false,
                "initContainers":[{"name":"first"}],"containers":[{"name":"istio-proxy","args":["proxy","sidecar","x"],
                "env":[{"name":"INVALID_DROP","value":"1"},{"name":"ISTIO_DUAL_STACK","valueFrom":{}},
                {"name":"INVALID_DROP","value":"2"},{"name":"A","value":"2"}],
                "securityContext":{"runAsUser":1337,"runAsGroup":4294967295}}],"ephemeralContainers":[{"name":"e"}]},
                "status":{"phase":"Pending","podIP":"10.0.0.2","podIPs":[{"ip":"10.0.0.2"},{"ip":"fd00::2"}],
                "initContainerStatuses":[{"name":"istio-validation","state":{"waiting":{"reason":"CrashLoopBackOff"}},
                "lastState":{"terminated":{"exitCode":126,"reason":"Error","message":"no"}}}]}}
                """#.utf8
            ),
            keeping: ["mine"]
        )

        let proxy = Pod.Container(
            name: "istio-proxy",
            arguments: ["proxy", "sidecar"],
            environment: ["INVALID_DROP": "2", "ISTIO_DUAL_STACK": ""],
            user: 1337,
            group: 4_294_967_295
        )
        #expect(
            pod.pod
                == Pod(
                    namespace: "default",
                    name: "cart-0",
                    uid: "u1",
                    annotations: ["sidecar.istio.io/status": "{}", "mine": "1"],
                    labels: ["sidecar.istio.io/inject": "true"],
                    containers: [proxy]
                )
        )
        let validation = NodePod.ContainerStatus(
            name: "istio-validation",
            endedBefore: NodePod.Termination(exitCode: 126, reason: "Error", message: "no")
        )
        #expect(
            pod
                == NodePod(
                    pod.pod,
                    resourceVersion: "7",
                    ownerUID: "o2",
                    addresses: ["10.0.0.2", "fd00::2"],
                    isOnHostNetwork: true,
                    hasOwnUsers: true,
                    isBeingDeleted: true,
                    phase: .pending,
                    initContainers: [validation]
                )
        )
    }

    @Test func `a pod without status or owner is its own owner, and waits`() throws {
        let pod = try NodePod(json: Array(#"{"metadata":{"name":"a","uid":"u"},"status":{"podIP":"10.0.0.9"}}"#.utf8))

        #expect(pod == NodePod(Pod(namespace: "default", name: "a", uid: "u"), addresses: ["10.0.0.9"]))
        #expect(pod.ownerUID == "u")
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
        let error = #expect(throws: PodError.self) { try NodePod(json: Array(json.utf8)) }

        #expect(error?.description == refusal.trimmingCharacters(in: .whitespaces))
    }
}
