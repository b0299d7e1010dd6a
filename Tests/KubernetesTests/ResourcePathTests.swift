import Kubernetes
import Testing

@Suite struct ResourcePathTests {
    @Test func `names become paths`() {
        #expect(ResourcePath.pods.text == "/api/v1/pods")
        #expect(ResourcePath.pod("cart-0", in: "shop")?.text == "/api/v1/namespaces/shop/pods/cart-0")
        #expect(ResourcePath.podStatus("cart.1", in: "shop")?.text == "/api/v1/namespaces/shop/pods/cart.1/status")
        #expect(ResourcePath.node("node-1")?.text == "/api/v1/nodes/node-1")
        #expect(ResourcePath.events(in: "shop")?.text == "/api/v1/namespaces/shop/events")
        #expect(ResourcePath.event("cart.x1", in: "shop")?.text == "/api/v1/namespaces/shop/events/cart.x1")
        #expect(
            ResourcePath.daemonSet("istio-cni-node", in: "istio-system")?.text
                == "/apis/apps/v1/namespaces/istio-system/daemonsets/istio-cni-node"
        )
    }

    @Test(arguments: [
        "", ".", "..", "../nodes", "a/b", "a?watch=1", "a%2Fb", "A", "a_b", "a b", "-a", "a-", ".a", "a.", "ä",
        String(repeating: "a", count: 254),
    ])
    func `what cannot be a name is no path`(name: String) {
        #expect(ResourcePath.pod(name, in: "shop") == nil)
        #expect(ResourcePath.pod("cart", in: name) == nil)
        #expect(ResourcePath.node(name) == nil)
    }

    @Test func `the pods of a node are all of them`() {
        let query = ObjectQuery.pods(onNode: "n")

        #expect(query == ObjectQuery(.pods, fieldSelector: "spec.nodeName=n"))
    }
}
