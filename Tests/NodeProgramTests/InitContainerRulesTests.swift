import Conformance
import Redirect
import Testing

@testable import NodeProgram

/// The rules of `istio-init` with the injector's arguments, beside those of the plugin for the same pod.
///
/// They are equal but for ``Difference``, upstream's own list; every case says which of those it meets.
@Suite(.tags(.s10)) struct InitContainerRulesTests {
    /// What the plugin does otherwise than `istio-init`, and why.
    enum Difference: CaseIterable {
        /// Port 15020 of others bypasses the proxy: the plugin's default for `excludeOutboundPorts`.
        case mergedMetricsPort

        /// Mesh-wide `includeIPRanges: ""` redirects nothing out; the injector then leaves the annotation out, and the
        /// plugin's default is `*`.
        case noRangesMeshWide

        /// The mesh's own ports (`proxyListenPort`, `proxyInboundListenPort`) reach only the init container.
        case meshPorts

        /// The init container captures DNS to the servers of its `/etc/resolv.conf`, the plugin all DNS.
        case dnsServers

        /// The init container's group is the user's id; the plugin takes both from the proxy's security context.
        case proxyGroup

        /// Makes the init container's plan the plugin's.
        func resolve(_ plan: inout RedirectPlan, _ plugin: RedirectPlan) {
            switch self {
            case .mergedMetricsPort: plan.excludedOutboundPorts.insert(15_020, at: 0)
            case .noRangesMeshWide: plan.outboundRanges = .all
            case .meshPorts:
                plan.ports.outbound = 15_001
                plan.ports.inbound = 15_006
            case .dnsServers: plan.dns = .all
            case .proxyGroup: plan.proxyGroups = plugin.proxyGroups
            }
        }
    }

    struct Case: Sendable, CustomTestStringConvertible {
        let name: String
        var annotations: [String: String] = [:]
        var environment: [String: String] = [:]
        var addresses = ["10.1.0.2/24"]
        var user: UInt32 = 1337
        var group: UInt32 = 1337

        /// Of the mesh.
        var includeIPRanges = "*"
        var outboundPort = 15_001
        var inboundPort = 15_006
        let differences: Set<Difference>

        var testDescription: String { name }

        private func value(_ name: String) -> String? { annotations["traffic.sidecar.istio.io/\(name)"] }

        private var mode: String { annotations["sidecar.istio.io/interceptionMode"] ?? "REDIRECT" }

        /// As the injector writes them (`install.md` 4.2).
        var arguments: [String] {
            let excludedInbound = ["15090", "15021", "15020"] + (value("excludeInboundPorts").map { [$0] } ?? [])
            var arguments = ["-p", "\(outboundPort)", "-z", "\(inboundPort)"]
            arguments += ["-u", mode == "TPROXY" ? "1337" : "\(user)", "-m", mode]
            arguments += ["-i", value("includeOutboundIPRanges") ?? includeIPRanges]
            arguments += ["-x", value("excludeOutboundIPRanges") ?? ""]
            arguments += ["-b", value("includeInboundPorts") ?? "*", "-d", excludedInbound.joined(separator: ",")]
            let optional = [
                ("-q", "includeOutboundPorts"), ("-o", "excludeOutboundPorts"), ("-c", "excludeInterfaces"),
            ]
            for (flag, name) in optional {
                if let value = value(name) { arguments += [flag, value] }
            }
            if let value = annotations["istio.io/reroute-virtual-interfaces"] { arguments += ["-k", value] }
            return arguments + ["--log_output_level=default:info"]
        }

        /// As the injector leaves the pod behind where the plugin is to redirect it (`install.md` 4.3).
        var pod: Pod {
            var annotations = annotations
            annotations["sidecar.istio.io/status"] = "{}"
            annotations["sidecar.istio.io/interceptionMode"] = mode
            let prefix = "traffic.sidecar.istio.io/"
            if value("includeOutboundIPRanges") == nil, !includeIPRanges.isEmpty {
                annotations[prefix + "includeOutboundIPRanges"] = includeIPRanges
            }
            annotations[prefix + "includeInboundPorts"] = value("includeInboundPorts") ?? "*"
            annotations[prefix + "excludeInboundPorts"] =
                (["15020"] + (value("excludeInboundPorts").map { [$0] } ?? [])).joined(separator: ",")
            // In TPROXY mode the proxy runs as root, and only its group tells it from others.
            let isTransparent = mode == "TPROXY"
            let proxy = Pod.Container(
                name: "istio-proxy",
                arguments: ["proxy", "sidecar"],
                environment: environment,
                user: isTransparent ? 0 : user,
                group: isTransparent ? 1337 : group
            )
            return Pod(
                namespace: "default",
                name: "reviews-1",
                annotations: annotations,
                containers: [Pod.Container(name: "app"), proxy]
            )
        }
    }

    static let traffic = "traffic.sidecar.istio.io/"

    static let cases = [
        Case(name: "as injected", differences: [.mergedMetricsPort]),
        Case(
            name: "TPROXY",
            annotations: ["sidecar.istio.io/interceptionMode": "TPROXY"],
            differences: [.mergedMetricsPort]
        ),
        Case(name: "IPv6 only", addresses: ["fd10::2/64"], differences: [.mergedMetricsPort]),
        Case(
            name: "both families, not asked for",
            addresses: ["10.1.0.2/24", "fd10::2/64"],
            differences: [.mergedMetricsPort]
        ),
        Case(
            name: "both families",
            environment: ["ISTIO_DUAL_STACK": "true"],
            addresses: ["10.1.0.2/24", "fd10::2/64"],
            differences: [.mergedMetricsPort]
        ),
        Case(
            name: "excluded ports out, so no default",
            annotations: [traffic + "excludeOutboundPorts": "3306,5432"],
            differences: []
        ),
        Case(
            name: "everything set",
            annotations: [
                traffic + "includeOutboundIPRanges": "10.96.0.0/12,fd00::/8",
                traffic + "excludeOutboundIPRanges": "10.96.0.10/32,192.168.0.0/16",
                traffic + "includeInboundPorts": "80,8080", traffic + "excludeInboundPorts": "9000",
                traffic + "includeOutboundPorts": "25", traffic + "excludeOutboundPorts": "22",
                traffic + "excludeInterfaces": "net1", "istio.io/reroute-virtual-interfaces": "kube0",
            ],
            differences: []
        ),
        Case(
            name: "excluded ports in",
            annotations: [traffic + "excludeInboundPorts": "22,9000"],
            differences: [.mergedMetricsPort]
        ),
        Case(
            name: "nothing in",
            annotations: [traffic + "includeInboundPorts": ""],
            differences: [.mergedMetricsPort]
        ),
        Case(
            name: "invalid packets dropped",
            environment: ["INVALID_DROP": "true"],
            differences: [.mergedMetricsPort]
        ),
        Case(
            name: "DNS",
            environment: ["ISTIO_META_DNS_CAPTURE": "true"],
            differences: [.mergedMetricsPort, .dnsServers]
        ),
        Case(
            name: "the mesh redirects nothing out",
            includeIPRanges: "",
            differences: [.mergedMetricsPort, .noRangesMeshWide]
        ),
        Case(
            name: "the mesh has ports of its own",
            outboundPort: 16_001,
            inboundPort: 16_006,
            differences: [.mergedMetricsPort, .meshPorts]
        ),
        Case(name: "OpenShift", user: 1_000_670_000, group: 1_000_670_000, differences: [.mergedMetricsPort]),
        Case(name: "a group of its own", user: 2000, group: 3000, differences: [.mergedMetricsPort, .proxyGroup]),
    ]

    @Test(arguments: cases, RedirectPlan.Backend.allCases)
    func `init container and plugin make the same rules but for the known differences`(
        pod: Case,
        backend: RedirectPlan.Backend
    ) throws {
        let plugin = try Self.pluginPlan(pod, backend)
        let tool = try Self.toolPlan(pod, backend)

        var resolved = tool
        for difference in Difference.allCases where pod.differences.contains(difference) {
            difference.resolve(&resolved, plugin)
        }
        let isSame = RuleSet(resolved.ordered) == RuleSet(plugin.ordered)
        #expect(isSame)
    }

    @Test(arguments: cases, RedirectPlan.Backend.allCases)
    func `every difference that a case names is one`(pod: Case, backend: RedirectPlan.Backend) throws {
        let plugin = try Self.pluginPlan(pod, backend)
        let tool = try Self.toolPlan(pod, backend)

        for left in pod.differences {
            var resolved = tool
            for difference in pod.differences where difference != left { difference.resolve(&resolved, plugin) }
            let isSame = RuleSet(resolved.ordered) == RuleSet(plugin.ordered)
            #expect(!isSame, "\(left) makes no difference")
        }
    }

    @Test func `every difference is met by a case`() {
        let met = Self.cases.reduce(into: Set<Difference>()) { met, pod in met.formUnion(pod.differences) }

        #expect(met == Set(Difference.allCases))
    }

    /// The sixth difference is none of rules: upstream's plugin refuses a pod that has no init container at all.
    @Test func `interception mode NONE has no init container, and the plugin lets the pod pass`() throws {
        let pod = Case(
            name: "NONE",
            annotations: ["sidecar.istio.io/interceptionMode": "NONE"],
            differences: []
        ).pod

        guard case .skip = try Decision(pod: pod, addresses: ["10.1.0.2/24"], backend: .nftables) else {
            Issue.record("the pod is redirected")
            return
        }
    }

    private static func pluginPlan(_ pod: Case, _ backend: RedirectPlan.Backend) throws -> RedirectPlan {
        let decision = try Decision(pod: pod.pod, addresses: pod.addresses, backend: backend)
        guard case .redirect(let plan, _) = decision else { throw NotRedirected() }
        return plan
    }

    private static func toolPlan(_ pod: Case, _ backend: RedirectPlan.Backend) throws -> RedirectPlan {
        let (settings, warnings) = try CommandLineTests.settings(pod.arguments, pod.environment)
        #expect(warnings.isEmpty)
        var remarks: [PolicyWarning] = []
        return try RedirectPlan(
            flags: settings.flags,
            addresses: pod.addresses,
            backend: backend,
            names: AccountNames(user: { _ in nil }, group: { _ in nil }),
            resolverConfiguration: "nameserver 10.96.0.10\n",
            warnings: &remarks
        )
    }

    private struct NotRedirected: Error {}
}

extension RedirectPlan {
    /// Excluded ports in order and once each: which of their rules comes first decides nothing.
    fileprivate var ordered: RedirectPlan {
        var plan = self
        if case .all(let ports) = inboundPorts { plan.inboundPorts = .all(except: Set(ports).sorted()) }
        plan.excludedOutboundPorts = Set(excludedOutboundPorts).sorted()
        return plan
    }
}
