import CNIProtocol
import Foundation
import TestSupport
import Testing

@testable import Operator

/// `explain`, `trace`, `rules` and `try` as people run them, on files that have several pods or cannot be had.
@Suite struct ExplainCommandTests {
    /// Of the second the annotation cannot be obeyed.
    private static let refusing = [sidecar("web"), sidecar("api", "excludeOutboundPorts: abc")].joined(
        separator: "---\n"
    )
    private static let both = [sidecar("web"), sidecar("api")].joined(separator: "---\n")

    @Test func `explain goes through all pods of a file, and one that cannot start is told and makes it fail`()
        async throws
    {
        let ended = try await Self.run(["explain", "-f", "-"], input: Self.refusing)

        #expect(ended.status == 1)
        #expect(ended.output.hasPrefix("shop/web\nredirected: REDIRECT, IPv4\n"))
        #expect(
            ended.output.contains(
                "by themselves\n\nshop/api\ncannot start: traffic.sidecar.istio.io/exclude"
            ),
            "\(ended.output)"
        )
        #expect(ended.error == "istio-cnictl explain: 1 of 2 pods cannot start: shop/api\n")
    }

    @Test func `for programs several pods are an array, one is an object`() async throws {
        let several = try await Self.run(["explain", "--json", "-f", "-"], input: Self.refusing)
        let one = try await Self.run(["explain", "--json", "-f", "-"], input: Self.sidecar("web"))

        let pods = try #require(try JSONValue(parsing: Array(several.output.utf8)).array)
        #expect(pods.map { $0["pod"]?.string } == ["shop/web", "shop/api"])
        #expect(pods.map { $0["decision"]?.string } == ["redirect", "refuse"])
        #expect(pods[1]["error"]?.string?.contains("excludeOutboundPorts") == true)
        #expect(several.status == 1)
        #expect(try JSONValue(parsing: Array(one.output.utf8))["pod"]?.string == "shop/web")
        #expect(one.status == 0)
    }

    @Test func `the pods of a list are explained too, as kubectl prints them`() async throws {
        let list = "kind: List\nitems:\n" + ["a", "b"].map { "- {kind: Pod, metadata: {name: \($0)}}\n" }.joined()

        let ended = try await Self.run(["explain", "-f", "-"], input: list)

        #expect(ended.status == 0)
        #expect(ended.output.hasPrefix("default/a\n") && ended.output.contains("\n\ndefault/b\n"))
    }

    @Test(arguments: [
        ["explain", "--svg", "/nowhere.svg"], ["trace", "--inbound", "80"], ["rules"],
    ])
    func `a command about one pod refuses several, says which there are, and takes a name`(
        command: [String]
    ) async throws {
        let refused = try await Self.run(command + ["-f", "-"], input: Self.both)
        let chosen = try await Self.run(Self.trace + ["-f", "-", "shop/api"], input: Self.both)

        #expect(refused.status == 1)
        #expect(refused.output.isEmpty)
        #expect(
            refused.error.contains("standard input has 2 pods") && refused.error.contains("shop/web, shop/api"),
            "\(refused.error)"
        )
        #expect(chosen.status == 0, "\(chosen.error)")
    }

    @Test(arguments: [("api", 0), ("shop/api", 0), ("shop/none", 1), ("pi", 1)])
    func `a pod of a file is named with or without its namespace`(name: String, status: Int) async throws {
        let ended = try await Self.run(Self.trace + ["-f", "-", name], input: Self.both)

        #expect(ended.status == status, "\(ended.error)")
        if status == 1 { #expect(ended.error.contains("no pod \(name) among shop/web, shop/api")) }
    }

    @Test(arguments: [["explain"], trace]) func `a pod without a name is told by its place`(
        command: [String]
    ) async throws {
        let ended = try await Self.run(command + ["-f", "-"], input: "kind: Pod\nmetadata: {}")

        #expect(ended.status == 1)
        #expect(ended.error.hasSuffix(": pod 1 of standard input: metadata.name is missing\n"), "\(ended.error)")
    }

    @Test func `try is about one pod too`() async throws {
        let ended = try await Self.run(["try", "--pod", "-"], input: Self.both)

        #expect(ended.status == 1)
        #expect(ended.error.contains("has 2 pods"), "\(ended.error)")
    }

    @Test(arguments: ["nft", "iptables"])
    func `rules are told to programs with their reasons, as many as people are told`(form: String) async throws {
        let listed = try await Self.run(["rules", "--as", form, "-f", "-"], input: Self.sidecar("web"))
        let ended = try await Self.run(["rules", "--as", form, "--json", "-f", "-"], input: Self.sidecar("web"))

        let value = try JSONValue(parsing: Array(ended.output.utf8))
        let rules = try #require(value["rules"]?.array)
        let comments = listed.output.split(separator: "\n").map { $0.trimmingPrefix { $0 == " " } }
            .filter { $0.hasPrefix("# ") && !$0.hasPrefix("# IPv") }
        #expect(
            rules.map { "# \($0["reason"]?.string ?? ""): \($0["explanation"]?.string ?? "")" }
                == comments.map(String.init)
        )
        #expect(rules.allSatisfy { listed.output.contains($0["rule"]?.string ?? "?") })
        #expect(ended.status == 0)
    }

    @Test(arguments: [["rules", "--json"], ["trace", "--inbound", "80", "--json"]])
    func `a pod that is not redirected is JSON where JSON was asked for, and status 1`(command: [String]) async throws {
        let ended = try await Self.run(command + ["-f", "-"], input: "{kind: Pod, metadata: {name: a}}")

        let value = try JSONValue(parsing: Array(ended.output.utf8))
        #expect(ended.status == 1)
        #expect(value["rules"]?.array?.isEmpty == true)
        #expect(value["sentence"]?.string?.hasPrefix("not redirected: ") == true)
    }

    // MARK: - Files

    @Test(arguments: [
        ["explain", "-f", "/nowhere.yaml"], ["trace", "--inbound", "80", "-f", "/nowhere.yaml"],
        ["rules", "-f", "/nowhere.yaml"], ["try", "--pod", "/nowhere.yaml"], ["inject", "-f", "/nowhere.yaml"],
        ["inject", "-f", "/dev/null", "--values", "/nowhere.yaml"],
        ["manifest", "generate", "-f", "/nowhere.yaml"], ["install", "-y", "-f", "/nowhere.yaml"],
    ])
    func `a file that is not there is named with the reason`(command: [String]) async throws {
        let ended = try await Self.run(command)

        #expect(ended.status == 1)
        #expect(ended.error.hasSuffix(": /nowhere.yaml cannot be read: No such file or directory\n"), "\(ended.error)")
    }

    @Test func `a folder is no file to read`() async throws {
        let ended = try await Self.run(["explain", "-f", "/tmp"])

        #expect(ended.error == "istio-cnictl explain: /tmp cannot be read: Is a directory\n")
    }

    @Test(arguments: [
        ["explain", "-f", "-", "--svg"],
        ["manifest", "generate", "--set", "hub=r.example/x", "--set", "components.cni.enabled=true", "-o"],
        ["bundle", "-o"],
    ])
    func `a file that cannot be written is named with the reason`(command: [String]) async throws {
        let ended = try await Self.run(command + ["/nowhere/a"], input: Self.sidecar("web"))

        #expect(ended.status == 1)
        #expect(ended.error.hasSuffix(": /nowhere/a cannot be written: No such file or directory\n"), "\(ended.error)")
    }

    @Test func `a picture goes to a device as well, which stays one`() async throws {
        let ended = try await Self.run(["explain", "-f", "-", "--svg", "/dev/stderr"], input: Self.sidecar("web"))

        #expect(ended.status == 0)
        #expect(ended.error.hasPrefix("<svg ") && ended.error.hasSuffix("</svg>\n"))
    }

    // MARK: - Runs

    private static let trace = ["trace", "--to", "203.0.113.10:443"]

    private static func run(_ arguments: [String], input: String = "") async throws -> DeployCluster.Ended {
        try await DeployCluster.command(arguments, kubeconfig: "/nowhere", input: input)
    }

    private static func sidecar(_ name: String, _ annotation: String = "excludeOutboundPorts: '15020'") -> String {
        """
        kind: Deployment
        metadata: {name: \(name), namespace: shop}
        spec:
          template:
            metadata: {annotations: {sidecar.istio.io/status: '{}', traffic.sidecar.istio.io/\(annotation)}}
            spec: {containers: [{name: app}, {name: istio-proxy, args: [proxy, sidecar]}]}

        """
    }
}
