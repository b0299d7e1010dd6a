package import LinuxKernel

/// What upstream leaves in a pod's namespace, put into another one by the tools that upstream uses.
extension RecordedCase {
    package enum UpstreamBackend: String, CaseIterable, Sendable {
        case nftables
        case iptablesNFT
        case iptablesLegacy
    }

    /// The first recorded pods that upstream redirects.
    package static func redirected(count: Int) -> [RecordedCase] {
        // A suite without cases fails by itself: there is nothing to run.
        let all = (try? RecordedCase.all()) ?? []
        let redirected = all.filter { recorded in
            recorded.expected.iptables.contains { line in line.contains("ISTIO_OUTPUT") }
        }
        return Array(redirected.prefix(count))
    }

    /// Loads the recorded rules.
    package func load(_ backend: UpstreamBackend, into namespace: borrowing NetworkNamespace) async throws {
        guard backend != .nftables else {
            _ = try await namespace.command("nft", "-f", "-", input: expectedNFTables.nft + "\n")
            return
        }
        let variant = backend == .iptablesNFT ? "nft" : "legacy"
        for (program, lines) in [("iptables", expected.iptables), ("ip6tables", expected.ip6tables)] {
            // Without counters, as they were recorded, the tool does not take them.
            let text = lines.map { line in line.hasPrefix(":") ? "\(line)[0:0]\n" : "\(line)\n" }.joined()
            _ = try await namespace.command("\(program)-\(variant)-restore", input: text)
        }
    }
}
