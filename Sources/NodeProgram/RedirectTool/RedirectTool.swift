import Enforcement
import LinuxKernel
import Logging
import Redirect

/// One run of `istio-iptables`.
struct RedirectTool {
    let settings: ToolSettings
    let log: Logger

    /// A message for the operator, with the status that the program ends with.
    struct Failure: Error, Equatable {
        let status: IstioIPTables.Status
        let message: String

        init(_ message: String, status: IstioIPTables.Status = .failure) {
            self.message = message
            self.status = status
        }
    }

    func run() -> IstioIPTables.Status {
        do throws(Failure) {
            let programs = try programs()
            let addresses = try ownAddresses()
            let plan = try plan(addresses: addresses, programs: programs)
            if settings.isDryRun {
                try printRules(of: plan)
                return .success
            }
            if !settings.skipsRules { try enforce(plan, programs: programs) }
            if settings.runsValidation { try validate(plan, addresses: addresses) }
            return .success
        } catch {
            log.error("\(error.message)")
            return error.status
        }
    }
}

// MARK: - The plan

extension RedirectTool {
    private func programs() throws(Failure) -> IPTablesPrograms {
        guard !settings.iptablesVariant.isEmpty else { return IPTablesPrograms() }
        guard let flavor = IPTablesPrograms.Flavor(rawValue: settings.iptablesVariant) else {
            let value = ShortenedText(settings.iptablesVariant).description
            throw Failure("--force-iptables-binary: \(value) is no variant of iptables; expected legacy or nft")
        }
        return IPTablesPrograms(flavor: flavor)
    }

    private func ownAddresses() throws(Failure) -> [String] {
        do throws(KernelError) {
            let socket = try RouteSocket(in: try NetworkNamespace.current())
            return try socket.addresses().map { InternetAddressText.text(of: $0.address) }
        } catch {
            throw Failure("the addresses of this namespace cannot be listed: \(error.description)")
        }
    }

    private func plan(addresses: [String], programs: IPTablesPrograms) throws(Failure) -> RedirectPlan {
        var warnings: [PolicyWarning] = []
        let plan: RedirectPlan
        do throws(PlanError) {
            let resolverConfiguration: String? =
                try settings.flags.needsResolverConfiguration() ? readText("/etc/resolv.conf") : nil
            let users = AccountFile(readText("/etc/passwd") ?? "")
            let groups = AccountFile(readText("/etc/group") ?? "")
            plan = try RedirectPlan(
                flags: settings.flags,
                addresses: addresses,
                backend: backend(programs),
                names: AccountNames(user: users.identifier(of:), group: groups.identifier(of:)),
                resolverConfiguration: resolverConfiguration,
                warnings: &warnings
            )
        } catch {
            throw Failure(error.description)
        }
        for warning in warnings { log.warning("\(warning.description)") }
        return plan
    }

    /// iptables, as upstream has it, unless nf_tables was asked for or iptables is not here.
    private func backend(_ programs: IPTablesPrograms) -> RedirectPlan.Backend {
        if settings.usesNativeNFTables { return .nftables }
        if programs.isPresent { return .iptables }
        guard settings.iptablesVariant.isEmpty else { return .iptables }
        // Validation alone touches no rules, and an image without iptables is no news to it.
        if !settings.skipsRules {
            log.info("iptables is not installed here, so nf_tables is used, as with --native-nftables")
        }
        return .nftables
    }

    /// The text of a file, or nil where it cannot be read, which whoever needs it reports.
    private func readText(_ path: String) -> String? {
        do throws(KernelError) {
            return String(decoding: try File.read(path, byteLimit: Self.accountFileByteLimit), as: UTF8.self)
        } catch {
            if error.errno != .noSuchEntry { log.warning("\(error.description)") }
            return nil
        }
    }

    /// Some 10,000 accounts; the files of an image have a few dozen.
    private static let accountFileByteLimit = 1_024 * 1_024
}

// MARK: - The rules

extension RedirectTool {
    /// Prints the rules as the program of their back-end reads them.
    private func printRules(of plan: RedirectPlan) throws(Failure) {
        if settings.skipsRules || settings.cleansUp {
            log.info("dry run: no rules would be applied")
            return
        }
        let text = Self.text(of: plan)
        do throws(KernelError) {
            try OwnProcess.writeStandardOutput(Array(text.utf8))
            if let file = settings.dryRunFile { try File.replace(file, with: Array(text.utf8), mode: 0o644) }
        } catch {
            throw Failure("the rules cannot be written: \(error.description)")
        }
    }

    /// Both programs skip lines that begin with `#`.
    static func text(of plan: RedirectPlan) -> String {
        let rules = RuleSet(plan)
        switch plan.backend {
        case .nftables: return "# nft -f -\n" + rules.nftablesText
        case .iptables:
            return AddressFamily.allCases.map { family in
                let tables = rules.iptablesTables(family)
                guard !tables.isEmpty else { return "" }
                let program = family == .ipv4 ? "iptables-restore" : "ip6tables-restore"
                return "# \(program) --noflush\n" + tables.map { $0.restoreText }.joined()
            }.joined()
        }
    }

    private func enforce(_ plan: RedirectPlan, programs: IPTablesPrograms) throws(Failure) {
        let enforcer = Enforcer(programs: programs)
        let families = plan.redirectsIPv6 ? "IPv4 and IPv6" : "IPv4"
        var refusal: Failure?
        do throws(EnforcementError) {
            let namespace = try currentNamespace()
            if settings.cleansUp {
                try enforcer.remove(plan, from: namespace)
                log.info("redirection is removed")
                return
            }
            switch try need(of: plan, enforcer, namespace) {
            case .nothing: log.info("redirection is in force already: \(families), \(plan.backend.rawValue)")
            case .rules:
                try enforcer.apply(plan, in: namespace)
                log.info("redirection is in force: \(families), \(plan.backend.rawValue)")
            case .consent(let differences): refusal = Self.refusal(differences)
            }
        } catch {
            throw Failure(Self.explanation(of: error, plan.backend))
        }
        if let refusal { throw refusal }
    }

    private func currentNamespace() throws(EnforcementError) -> NetworkNamespace {
        do throws(KernelError) {
            return try NetworkNamespace.current()
        } catch {
            throw .namespaceNotUsable(error)
        }
    }

    /// What a namespace lacks.
    private enum Need {
        case nothing
        case rules

        /// Rules that differ are there; the lines say how.
        case consent([String])
    }

    /// As upstream has it: with nf_tables always rules, since those replace; with iptables, rules that differ are
    /// replaced only when that is asked for, since they may be somebody else's.
    private func need(
        of plan: RedirectPlan,
        _ enforcer: Enforcer,
        _ namespace: borrowing NetworkNamespace
    ) throws(EnforcementError) -> Need {
        guard plan.backend == .iptables, try !enforcer.traces(in: namespace).isFresh else { return .rules }
        let differences = try enforcer.drift(from: plan, in: namespace).differences
        if differences.isEmpty { return settings.forcesApply ? .rules : .nothing }
        return settings.reconciles ? .rules : .consent(differences)
    }

    private static func refusal(_ differences: [String]) -> Failure {
        let shown = differences.prefix(3).joined(separator: "; ")
        return Failure(
            "other rules of Istio are in force here, with \(differences.count) differences: \(shown). "
                + "Nothing is changed; --reconcile replaces them, --cleanup-only removes them"
        )
    }

    /// The error, and what to do about it where that is known.
    private static func explanation(of error: EnforcementError, _ backend: RedirectPlan.Backend) -> String {
        switch error {
        case .refused(let reason) where reason.errno == .notPermitted:
            "\(error.description); this takes the capabilities NET_ADMIN and NET_RAW, "
                + "and no other process may own a table of the name istio-proxy-nat, -mangle or -raw"
        case .programMissing:
            "\(error.description); install iptables in this image, or use --native-nftables"
        case .refused where backend == .nftables:
            "\(error.description); nothing is applied. If this kernel lacks nf_tables, "
                + "install iptables in this image and leave --native-nftables out"
        default: error.description
        }
    }
}

// MARK: - Validation

extension RedirectTool {
    private func validate(_ plan: RedirectPlan, addresses: [String]) throws(Failure) {
        let families: [AddressFamily]
        do throws(PlanError) {
            families = try RedirectionProbe.families(of: plan, addresses: addresses)
        } catch {
            throw Failure(error.description)
        }
        let probe = RedirectionProbe(
            families: families,
            ports: plan.ports,
            probePort: settings.probePort,
            timeoutMilliseconds: settings.probeTimeoutMilliseconds
        )
        do throws(ProbeFailure) {
            try probe.run()
        } catch {
            throw Failure(Self.explanation(of: error, plan), status: .notRedirected)
        }
        log.info("validation passed: this pod is redirected")
    }

    private static func explanation(of failure: ProbeFailure, _ plan: RedirectPlan) -> String {
        var text = "validation failed: \(failure.description). "
        let user = OwnProcess.effectiveUser
        if !plan.proxyUsers.contains(user) {
            let users = plan.proxyUsers.map { "\($0)" }.joined(separator: ", ")
            text += "This process runs as user \(user), and only the proxy's own user, \(users), can pass. "
        }
        if case .noListener = failure {
            return text + "The validation must run before the proxy and before whatever else listens there."
        }
        return text
            + "Most likely the CNI plugin istio-cni was not ready on this node when the pod was started. "
            + "If repair is on, the agent of this node now sees to the pod; else delete the pod, so that it is made again. "
            + "If it fails again, look at the log of the agent: "
            + "kubectl logs --namespace istio-system --selector k8s-app=istio-cni-node"
    }
}
