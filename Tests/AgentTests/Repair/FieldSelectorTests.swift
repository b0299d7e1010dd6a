import Agent
import Redirect
import Testing

@Suite struct FieldSelectorTests {
    static let pod = NodePod(Pod(namespace: "shop", name: "cart", uid: "u1"), phase: .running)

    @Test(arguments: [
        ("", true), (",,", true),
        ("metadata.name=cart", true), ("metadata.name==cart", true), ("metadata.name!=cart", false),
        ("metadata.name=web", false), ("metadata.name!=web", true), ("metadata.name=", false),
        ("metadata.namespace=shop", true), ("metadata.namespace!=shop", false), ("metadata.namespace!=", true),
        ("spec.nodeName=node-1", true), ("spec.nodeName!=node-1", false), ("spec.nodeName=node-2", false),
        ("status.phase=Running", true), ("status.phase!=Running", false), ("status.phase!=Pending", true),
        ("metadata.name=cart,status.phase=Running", true), ("metadata.name=cart,,status.phase=Pending", false),
    ])
    func `pods are selected as the API server would`(text: String, isSelected: Bool) throws {
        let selector = try FieldSelector(text)

        #expect(selector.selects(Self.pod, onNode: "node-1") == isSelected)
    }

    static let fields = "one of metadata.name, metadata.namespace, spec.nodeName, status.phase"
    static let name = "a name of Kubernetes"
    static let phase = "one of Pending, Running, Succeeded, Failed, Unknown"

    @Test(arguments: [
        ("a", "a", "FIELD=VALUE, FIELD==VALUE or FIELD!=VALUE"),
        (" ", " ", "FIELD=VALUE, FIELD==VALUE or FIELD!=VALUE"),
        ("=a", "", fields), ("spec.restartPolicy=Always", "spec.restartPolicy", fields),
        ("status.podIP=10.0.0.1", "status.podIP", fields),
        ("metadata.name=a, metadata.name=b", " metadata.name", fields),
        ("metadata.name =a", "metadata.name ", fields), ("metadata.name\u{600}!=a", "metadata.name\u{600}", fields),
        ("metadata.name===a", "=a", name), ("metadata.name!==a", "=a", name), ("metadata.name=a=b", "a=b", name),
        ("metadata.name= a", " a", name), ("metadata.name=A", "A", name), ("metadata.name=a\\,b", "a\\", name),
        ("metadata.name=\u{301}a", "\u{301}a", name), ("metadata.namespace=a/b", "a/b", name),
        ("spec.nodeName in (a)", "spec.nodeName in (a)", "FIELD=VALUE, FIELD==VALUE or FIELD!=VALUE"),
        ("status.phase=running", "running", phase), ("status.phase=", "", phase),
    ])
    func `what the agent cannot follow is refused, and named`(text: String, found: String, expected: String) {
        #expect(throws: SelectorError.unexpected(found: found, expected: expected)) { try FieldSelector(text) }
    }

    @Test func `there is a limit to length and to terms`() throws {
        let most = Array(repeating: "metadata.name=cart", count: SelectorError.mostTerms)
        let longest = String(repeating: ",", count: SelectorError.longestBytes)

        #expect(try FieldSelector(most.joined(separator: ",")).selects(Self.pod, onNode: ""))
        #expect(try FieldSelector(longest) == FieldSelector())
        #expect(throws: SelectorError.tooManyTerms) {
            try FieldSelector((most + ["metadata.name=cart"]).joined(separator: ","))
        }
        #expect(throws: SelectorError.tooLong) { try FieldSelector(longest + ",") }
    }

    @Test(arguments: [
        (SelectorError.unexpected(found: "a\"b", expected: "x"), #""a\"b" stands where x is expected"#),
        (.unexpected(found: "", expected: "x"), "it ends where x is expected"),
        (.tooLong, "it has more than 8192 bytes"), (.tooManyTerms, "it has more than 64 terms"),
    ])
    func `an error says what stands where what should`(error: SelectorError, text: String) {
        #expect(error.description == text)
    }
}
