import Conformance
import Foundation
import LinuxKernel
import TestSupport
import Testing

/// The built program, in real namespaces.
@Suite(.requiresNetworkNamespaces, .requiresSeveralUsers) struct RedirectToolTests {
    static let backends = [[], ["--native-nftables"]]
    static let everything = ["-u", "1337", "-i", "*", "-b", "*"]

    /// The proxy's user has to prove it; with IPv6 only, or both families, IPv6 is part of the proof.
    static let families: [(addresses: [String], flags: [String])] = [
        (["10.1.0.2/24"], []), (["fd10::2/64"], []), (["10.1.0.2/24", "fd10::2/64"], []),
        (["10.1.0.2/24", "fd10::2/64"], ["--dual-stack"]),
    ]

    static func call(_ arguments: [String]..., user: UInt32? = nil) -> ToolCall {
        var call = ToolCall(user: user)
        call.arguments = arguments.flatMap { $0 }
        return call
    }

    static let validation = ["--run-validation", "--skip-rule-apply", "--probe-timeout", "400ms"]

    @Test(.tags(.s29), arguments: backends, families.indices)
    func `a redirected namespace passes validation as the proxy's user`(backend: [String], index: Int) async throws {
        let (addresses, flags) = Self.families[index]
        let namespace = try await makePodNamespace(addresses)

        let applied = try await Self.call(Self.everything, backend, flags).run(in: namespace)
        let validated = try await Self.call(Self.validation, flags, user: 1337).run(in: namespace)

        #expect(applied.status == 0, "\(applied.log)")
        #expect(validated.status == 0, "\(validated.log)")
        #expect(validated.output.isEmpty)
    }

    @Test(.tags(.s29)) func `without rules validation fails with 126 and says what to do`() async throws {
        let namespace = try await makePodNamespace("10.1.0.2/24")

        let outcome = try await Self.call(Self.validation, user: 1337).run(in: namespace)

        #expect(outcome.status == 126)
        #expect(outcome.log.contains("validation failed: IPv4: no connection was redirected within 400 ms"))
        #expect(outcome.log.contains("istio-cni was not ready on this node"))
        #expect(outcome.log.contains("kubectl logs"))
        #expect(!outcome.log.contains("runs as user"))
    }

    @Test(.tags(.s29), arguments: backends)
    func `another user than the proxy's fails validation, and is told so`(backend: [String]) async throws {
        let namespace = try await makePodNamespace("10.1.0.2/24")
        _ = try await Self.call(Self.everything, backend).run(in: namespace)

        let outcome = try await Self.call(Self.validation, user: 1000).run(in: namespace)

        #expect(outcome.status == 126)
        #expect(outcome.log.contains("runs as user 1000, and only the proxy's own user, 1337, can pass"))
    }

    @Test(.tags(.s29), arguments: backends)
    func `with --dual-stack, rules for IPv4 alone fail validation; without it they pass`(
        backend: [String]
    ) async throws {
        let namespace = try await makePodNamespace("10.1.0.2/24", "fd10::2/64")
        _ = try await Self.call(Self.everything, backend).run(in: namespace)

        let single = try await Self.call(Self.validation, user: 1337).run(in: namespace)
        let dual = try await Self.call(Self.validation, ["--dual-stack"], user: 1337).run(in: namespace)

        #expect(single.status == 0, "\(single.log)")
        #expect(dual.status == 126)
        #expect(dual.log.contains("IPv6: no connection was redirected"))
    }

    @Test func `validation needs one of the proxy's ports, and says when both are taken`() async throws {
        let namespace = try await makePodNamespace("10.1.0.2/24")
        _ = try await Self.call(Self.everything).run(in: namespace)
        let taken = [try namespace.occupy(port: 15_001), try namespace.occupy(port: 15_006)]
        defer { for descriptor in taken { close(descriptor) } }

        let outcome = try await Self.call(Self.validation, user: 1337).run(in: namespace)

        #expect(outcome.status == 126)
        #expect(outcome.log.contains("neither port of the proxy is free"))
    }

    @Test func `a dry run prints what the back-end's program reads, and touches nothing`() async throws {
        let namespace = try await makePodNamespace("10.1.0.2/24", "fd10::2/64")
        let before = try await Self.state(of: namespace)

        let iptables = try await Self.call(Self.everything, ["-n", "--dual-stack"]).run(in: namespace)
        let nftables = try await Self.call(Self.everything, ["-n", "--native-nftables"]).run(in: namespace)

        let after = try await Self.state(of: namespace)
        #expect(after == before)
        #expect(iptables.status == 0)
        #expect(nftables.status == 0)
        let parts = iptables.output.split(separator: "# ip6tables-restore --noflush\n")
        try #require(parts.count == 2)
        let other = try await makePodNamespace("10.1.0.2/24")
        _ = try await other.command("iptables-restore", "--noflush", input: String(parts[0]))
        _ = try await other.command("ip6tables-restore", "--noflush", input: String(parts[1]))
        _ = try await other.command("nft", "-f", "-", input: nftables.output)
        let listed = try await other.listRuleset()
        #expect(listed.contains("table inet istio-proxy-nat"))
        #expect(listed.contains("chain ISTIO_OUTPUT"))
    }

    @Test func `a dry run writes to DRY_RUN_FILE_PATH as well`() async throws {
        let namespace = try await makePodNamespace("10.1.0.2/24")
        let file = FileManager.default.temporaryDirectory.appending(path: "rules-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: file) }
        var call = Self.call(Self.everything, ["--dry-run"])
        call.environment = ["DRY_RUN_FILE_PATH=\(file.path(percentEncoded: false))"]

        let outcome = try await call.run(in: namespace)

        let written = try String(contentsOf: file, encoding: .utf8)
        #expect(written == outcome.output)
        #expect(written.contains("-A ISTIO_OUTPUT -j ISTIO_REDIRECT"))
    }

    /// The end of a run, for what is wrong before anything is touched.
    @Test(
        arguments: [
            (["-p", "0"], 1, "--envoy-port"), (["-i", "10.0.0.0/33"], 1, "--istio-service-cidr"),
            (["-x", "*"], 1, "--istio-service-exclude-cidr"), (["--force-iptables-binary", "x"], 1, "legacy or nft"),
            (["--nonsense"], 255, "--nonsense"), (["--dry-run=2"], 255, "--dry-run"),
            (["--log_output_level", "loud"], 255, "--log_output_level"),
        ]
    )
    func `what is wrong is named, and the status says what kind it is`(
        arguments: [String],
        status: Int,
        text: String
    ) async throws {
        let namespace = try await makePodNamespace("10.1.0.2/24")

        let outcome = try await Self.call(arguments).run(in: namespace)

        #expect(outcome.status == status)
        #expect(outcome.log.contains(text), "\(outcome.log)")
        #expect(outcome.output.isEmpty)
    }

    @Test func `a namespace without an address cannot be redirected`() async throws {
        let namespace = try await makePodNamespace()

        let outcome = try await Self.call(Self.everything).run(in: namespace)

        #expect(outcome.status == 1)
        #expect(outcome.log.contains("IP address"))
    }

    @Test func `help is an answer, not an error`() async throws {
        let namespace = try await makePodNamespace()

        let outcome = try await Self.call(["--help"]).run(in: namespace)

        #expect(outcome.status == 0)
        #expect(outcome.output.contains("EXAMPLES"))
    }

    @Test(.tags(.s8), arguments: backends)
    func `the rights of an init container suffice`(backend: [String]) async throws {
        let namespace = try await makePodNamespace("10.1.0.2/24")
        var call = Self.call(Self.everything, backend)
        call.hasOnlyNetworkRights = true

        let applied = try await call.run(in: namespace)
        let validated = try await Self.call(Self.validation, user: 1337).run(in: namespace)

        #expect(applied.status == 0, "\(applied.log)")
        #expect(validated.status == 0, "\(validated.log)")
    }

    @Test func `without any right the rules are refused, and the missing ones named`() async throws {
        let namespace = try await makePodNamespace("10.1.0.2/24")

        let outcome = try await Self.call(Self.everything, user: 1337).run(in: namespace)

        #expect(outcome.status == 1)
        #expect(outcome.log.contains("NET_ADMIN"))
    }

    @Test(arguments: backends)
    func `--cleanup-only leaves nothing`(backend: [String]) async throws {
        let namespace = try await makePodNamespace("10.1.0.2/24", "fd10::2/64")
        let before = try await Self.state(of: namespace)
        let flags = Self.everything + ["-m", "TPROXY", "--dual-stack"] + backend

        let applied = try await Self.call(flags).run(in: namespace)
        let between = try await Self.state(of: namespace)
        let removed = try await Self.call(flags, ["--cleanup-only"]).run(in: namespace)

        #expect(applied.status == 0, "\(applied.log)")
        #expect(removed.status == 0, "\(removed.log)")
        #expect(between != before)
        let after = try await Self.state(of: namespace)
        #expect(after == before)
    }

    @Test func `rules of iptables that differ are replaced only with --reconcile`() async throws {
        let namespace = try await makePodNamespace("10.1.0.2/24")
        let other = Self.everything + ["-d", "22"]

        let first = try await Self.call(Self.everything).run(in: namespace)
        let again = try await Self.call(Self.everything).run(in: namespace)
        let refused = try await Self.call(other).run(in: namespace)
        let untouched = try await namespace.command("iptables-save", "-t", "nat")
        let replaced = try await Self.call(other, ["--reconcile"]).run(in: namespace)
        let converged = try await namespace.command("iptables-save", "-t", "nat")

        #expect([first.status, again.status, refused.status, replaced.status] == [0, 0, 1, 0])
        #expect(again.log.contains("in force already"))
        #expect(refused.log.contains("--reconcile replaces them"))
        #expect(!untouched.contains("--dport 22 "))
        #expect(converged.contains("--dport 22 "))
    }

    @Test func `rules of nf_tables are replaced by every run`() async throws {
        let namespace = try await makePodNamespace("10.1.0.2/24")
        _ = try await Self.call(Self.everything, ["--native-nftables"]).run(in: namespace)

        let outcome = try await Self.call(Self.everything, ["--native-nftables", "-d", "22"]).run(in: namespace)

        #expect(outcome.status == 0)
        #expect(try await namespace.listRuleset().contains("dport 22 "))
    }

    /// What the tool may change: rules with our names, addresses of `lo`, ip rules and routes.
    private static func state(of namespace: borrowing NetworkNamespace) async throws -> String {
        // iptables leaves its empty tables behind; those say nothing.
        let rules = try await namespace.listRuleset().split(separator: "\n")
            .filter { $0.contains("istio") || $0.contains("ISTIO") }
        var state = rules.joined(separator: "\n")
        state += try await namespace.command("ip", "-o", "addr", "show", "dev", "lo")
        for family in ["-4", "-6"] {
            state += try await namespace.command("ip", family, "rule")
            state += try await namespace.command("ip", family, "route", "show", "table", "all")
        }
        // The kernel gives these interfaces link-local addresses some time after they are up.
        return state.split(separator: "\n").filter { !$0.contains("dev eth0") && !$0.contains("dev node0") }
            .joined(separator: "\n")
    }
}
