import CNIProtocol
import Testing

@testable import Operator

@Suite struct TryTests {
    static let connection = TryReport.Connection(
        title: "application out",
        transport: "tcp",
        from: "application (uid 1000)",
        to: "203.0.113.10:80",
        landed: "sidecar:15001 for 203.0.113.10:80",
        expected: "sidecar:15001 for 203.0.113.10:80",
        rule: "included-outbound-range"
    )

    @Test func `a pod in YAML is read as one in JSON`() throws {
        let yaml = """
            apiVersion: v1
            kind: Pod
            metadata: {name: web-1, namespace: shop, annotations: {a.b/c: "1"}}
            spec: {containers: [{name: app, args: ["8080"]}]}
            """
        let json = #"""
            {"apiVersion":"v1","kind":"Pod","metadata":{"name":"web-1","namespace":"shop","annotations":{"a.b/c":"1"}},
            "spec":{"containers":[{"name":"app","args":["8080"]}]}}
            """#

        let first = try PodManifest(yaml)
        let second = try PodManifest(json)

        #expect(first.name == "web-1" && first.namespace == "shop")
        #expect(first.annotations == second.annotations)
        #expect(first.json["spec"]?["containers"] == second.json["spec"]?["containers"])
    }

    @Test(arguments: ["", "[1, 2]", "kind: [", "kind: Service\nmetadata: {name: x}"])
    func `what is no pod is refused with a reason`(text: String) throws {
        let failure = #expect(throws: PodManifest.Failure.self) { try PodManifest(text) }

        #expect(failure?.description.isEmpty == false)
    }

    @Test(
        arguments: [
            ("kind: Pod\nmetadata:\n  name: web-1\n   labels: {}\n", "line 4, column 10"),
            ("kind: Pod\nmetadata: {name: web-1\n", "line 3, column 1"),
            ("kind: Service\n---\nkind: Pod\nmetadata: [a\n", "line 5, column 1"),
            ("kind: Pod\nkind: Pod\n", "twice: kind"),
        ]
    )
    func `a text that is no YAML is refused with the place where it breaks`(text: String, place: String) throws {
        let failure = try #require(throws: PodManifest.Failure.self) { try PodManifest(text) }

        #expect(failure.description.contains(place), "\(failure)")
        #expect(!failure.description.contains("\n"))
    }

    @Test func `a connection that lands elsewhere is not as planned`() {
        var report = TryReport(pod: "shop/web-1")
        report.connections = [Self.connection]
        report.connections[0].landed = "outside:80"

        #expect(!report.isAsPlanned)
        #expect(TryTable(report, hasColour: false).text.contains("0 of 1 connections landed as planned"))
    }

    @Test func `a pipe gets no colour, a terminal does`() {
        var report = TryReport(pod: "shop/web-1")
        report.connections = [Self.connection]

        #expect(!TryTable(report, hasColour: false).text.contains("\u{1B}["))
        #expect(TryTable(report, hasColour: true).text.contains("\u{1B}["))
    }
}
