import TestSupport
import Testing

@testable import Agent

/// The TOML of container runtimes.
@Suite struct TOMLReaderTests {
    private static let sample = #"""
        version = 2 # a comment
        "a.b" . c = 'C:\no escape'
        text = "tab\tquote\"\u00e9"
        long = """
        first \
            second"""
        list = [ "x", # one
          "y", ]
        inline = { a = 1, b.c = true }
        when = 1979-05-27T07:32:00Z
        [plugins."io.containerd.grpc.v1.cri".cni]
          bin_dir = "/opt/cni/bin"
        [[runs]]
        n = 1_000
        [[runs]]
        n = 2
        """#

    private func read(_ text: String) throws -> TOMLTable { try TOMLReader.read(Array(text.utf8)) }

    @Test func `values of every kind are read`() throws {
        let table = try read(Self.sample)

        #expect(table["version"] == .integer(2))
        #expect(table["a.b", "c"] == .string(#"C:\no escape"#))
        #expect(table["text"] == .string("tab\tquote\"é"))
        #expect(table["long"] == .string("first second"))
        #expect(table["list"]?.strings == ["x", "y"])
        #expect(table["inline", "b", "c"] == .bool(true))
        #expect(table["when"] == .other("1979-05-27T07:32:00Z"))
        #expect(table["plugins", "io.containerd.grpc.v1.cri", "cni", "bin_dir"] == .string("/opt/cni/bin"))
        guard case .array(let runs)? = table["runs"] else { throw TOMLError(line: 0, expected: "runs") }
        #expect(runs.map { $0.table?["n"] } == [.integer(1_000), .integer(2)])
    }

    @Test(arguments: [
        ("a = 1\nb", 2), ("a = \"x\n\"", 1), ("a = [1, 2", 1), ("a = 1 2", 1), ("[a", 1), ("a = 1\n[a.b]\nc = 1", 3),
        ("= 1", 1), ("a = \"\\q\"", 1), ("a = \"\\ud800\"", 1), ("a =", 1), ("\n\na = {b}", 3),
    ])
    func `text that is no TOML is refused, with the line`(text: String, line: Int) throws {
        let error = #expect(throws: TOMLError.self) { try read(text) }

        #expect(error?.line == line)
    }

    @Test func `nesting, names and values have limits`() {
        let texts = [
            "a = " + String(repeating: "[", count: 100_000), (0..<100).map { "a\($0)" }.joined(separator: ".") + " = 1",
            "a = [" + String(repeating: "1,", count: 100_000) + "]",
            String(repeating: "#", count: TOMLReader.longestBytes + 1),
        ]

        for text in texts { #expect(throws: TOMLError.self) { try read(text) } }
    }

    @Test func `no text makes the reader trap`() {
        var inputs = Mutations(of: [Array(Self.sample.utf8)], words: ["[[", "]]", "'", "#"], seed: 1)
        for _ in 0..<Fuzzing.executions {
            // What it says of such text does not matter, only that it says something.
            _ = try? TOMLReader.read(inputs.next())
        }
    }

    @Test func `a later file wins, and tables are merged`() throws {
        var table = try read("[a]\nb = 1\nc = 2")
        table.merge(try read("[a]\nc = 3"))

        #expect(table["a", "b"] == .integer(1))
        #expect(table["a", "c"] == .integer(3))
    }
}
