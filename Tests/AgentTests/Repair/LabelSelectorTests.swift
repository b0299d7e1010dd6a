import Agent
import Testing

@Suite struct LabelSelectorTests {
    @Test(arguments: [
        ("", true), (" \t\r\n", true),
        ("app", true), ("app=", false), ("none", false),
        ("!app", false), ("! none", true),
        ("app=cart", true), ("app == cart", true), ("app=web", false), ("none=cart", false),
        ("app!=cart", false), ("app != web", true), ("none!=cart", true),
        ("app in (cart)", true), ("app in(web,cart)", true), ("app in (web, shop)", false), ("none in (cart)", false),
        ("app notin (cart)", false), ("app notin (web,shop)", true), ("none notin (cart)", true),
        ("empty", true), ("empty=", true), ("empty=,app", true), ("empty!=", false), ("empty in ()", true),
        ("empty in (a,)", true), ("none=", false), ("none in ()", false), ("none notin ()", true),
        ("app=cart,tier notin (a,b),!none", true), ("app=cart,tier=c,none", false), ("app=web,app=cart", false),
        ("example.com/app=cart", false), ("example.com/tier=A_1.b-c", true),
        ("in in (notin)", true), ("notin=in", true),
    ])
    func `pods are selected as the API server would`(text: String, isSelected: Bool) throws {
        let labels = [
            "app": "cart", "tier": "c", "empty": "", "in": "notin", "notin": "in", "example.com/tier": "A_1.b-c",
        ]

        let selector = try LabelSelector(text)

        #expect(selector.selects(labels) == isSelected)
    }

    @Test func `pods must keep the labels that are asked for`() throws {
        #expect(try LabelSelector("a=1,!b,c in (d),e.f/g").keys == ["a", "b", "c", "e.f/g"])
        #expect(LabelSelector().keys.isEmpty && LabelSelector().selects([:]))
    }

    static let key = "the key of a label"
    static let value = "the value of a label"
    static let sign = "=, ==, !=, in, notin, a comma or the end"

    @Test(arguments: [
        (",", ",", key), ("a,", "", key), ("a,,b", ",", key), ("!", "", key), ("!!a", "!", key), ("=a", "=", key),
        ("-a", "-a", key), ("a/", "a/", key), ("/a", "/a", key), ("a/b/c", "a/b/c", key), ("A/b", "A/b", key),
        ("ä", "ä", key), (String(repeating: "a", count: 64), String(repeating: "a", count: 64), key),
        ("a b", "b", sign), ("a>1", ">", sign), ("a<1", "<", sign), ("a(b)", "(", sign), ("a IN (b)", "IN", sign),
        ("a=b c", "c", "a comma or the end"), ("!a=b", "=", "a comma or the end"), ("a)", ")", sign),
        ("a===b", "=", value), ("a=!b", "!", value), ("a=b_", "b_", value), ("a=b/c", "b/c", value),
        ("a=\"b\"", "\"b\"", value), ("a in ((b)", "(", value),
        ("a in", "", "("), ("a in b", "b", "("), ("a in (b", "", "a comma or )"), ("a in (b c)", "c", "a comma or )"),
        ("a notin (b))", ")", "a comma or the end"), ("a\0=b", "a\0", key),
    ])
    func `what the API server would refuse is refused, and named`(text: String, found: String, expected: String) {
        #expect(throws: SelectorError.unexpected(found: found, expected: expected)) { try LabelSelector(text) }
    }

    @Test func `there is a limit to length and to terms`() throws {
        let most = Array(repeating: "a", count: SelectorError.mostTerms)
        let longest = "a" + String(repeating: " ", count: SelectorError.longestBytes - 1)

        #expect(try LabelSelector(most.joined(separator: ",")).keys == ["a"])
        #expect(try LabelSelector(longest).keys == ["a"])
        #expect(throws: SelectorError.tooManyTerms) { try LabelSelector((most + ["a"]).joined(separator: ",")) }
        #expect(throws: SelectorError.tooLong) { try LabelSelector(longest + " ") }
    }
}
