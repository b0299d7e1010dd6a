internal import AgentProtocol
internal import CNIProtocol
internal import Foundation
internal import LinuxKernel
internal import Redirect

/// The demo itself, in the namespaces that ``TryCommand`` has made for it.
///
/// All files are in a file system in memory at `/run` that ends with this process, as its namespaces do.
package struct Demonstration {
    private let request: DemonstrationRequest
    private let pod: PodManifest
    private var report: TryReport

    private static let runDirectory = "/run/istio-cni"
    private static let podDirectory = "/run/pods"

    /// Does what is asked on standard input, and answers on standard output.
    package static func answerStandardInput() throws {
        let input = FileHandle.standardInput.readDataToEndOfFile()
        let request = try JSONDecoder().decode(DemonstrationRequest.self, from: input)
        let json = try JSONValue(parsing: Array(request.pod.utf8))
        var demonstration = Demonstration(request, try PodManifest(json: json))
        let report = demonstration.run()
        FileHandle.standardOutput.write(try JSONEncoder().encode(report))
    }

    private init(_ request: DemonstrationRequest, _ pod: PodManifest) {
        self.request = request
        self.pod = pod
        report = TryReport(pod: "\(pod.namespace)/\(pod.name)")
        report.users = request.users
    }

    private mutating func run() -> TryReport {
        do throws(TryError) {
            try demonstrate()
        } catch {
            report.failure = error.description
        }
        return report
    }

    private mutating func demonstrate() throws(TryError) {
        let network = try HostNetwork()
        let programs = request.programs
        try writePod()
        let agent = try timed("agent start") { () throws(TryError) in
            try RunningAgent(
                program: "\(programs)/install-cni",
                podDirectory: Self.podDirectory,
                runDirectory: Self.runDirectory
            )
        }
        defer { agent.stop() }

        let chain = PluginChain(
            pod: pod,
            istioPlugin: "\(programs)/istio-cni",
            runDirectory: Self.runDirectory
        )
        let bridged: JSONValue
        if PluginChain.hasBridge {
            bridged = try timed("bridge ADD") { () throws(TryError) in try chain.addBridge() }
        } else {
            report.notes.append(
                "\(PluginChain.pluginFolder)/bridge is not there (containernetworking-plugins): "
                    + "a pair of interfaces stands in for it"
            )
            bridged = try timed("pair of interfaces") { () throws(TryError) in try chain.addPair() }
        }
        let result = try timed("istio-cni ADD") { () throws(TryError) in try chain.addIstio(bridged) }
        let addresses = (result["ips"]?.array ?? []).compactMap { $0["address"]?.string }
        let plan = try agent.plan(for: pod, addresses: addresses)
        describe(plan, addresses)

        try validate(plan, in: network)
        try connect(plan, addresses, in: network)
        if request.keepsNamespaces {
            try keep()
        } else {
            try timed("istio-cni DEL") { () throws(TryError) in try chain.deleteIstio(result) }
            if PluginChain.hasBridge {
                try timed("bridge DEL") { () throws(TryError) in try chain.deleteBridge(bridged) }
            }
        }
    }

    private mutating func describe(_ decision: AddAnswer, _ addresses: [String]) {
        report.podAddresses = addresses
        switch decision {
        case .skip(let reason, let sentence):
            report.decision = "skip: \(reason)"
            report.notes.append("the pod is not redirected: \(sentence)")
            if reason == SkipReason.noProxyContainer.rawValue {
                report.notes.append(
                    "istio-cnictl inject -f POD.yaml | istio-cnictl try --pod -   makes a mesh pod of it"
                )
            }
        case .redirect(let plan):
            report.decision = "redirect"
            report.interceptionMode = plan.interceptionMode.rawValue
            report.backend = plan.backend.rawValue
        }
    }

    private mutating func timed<Value>(
        _ name: String,
        _ body: () throws(TryError) -> Value
    ) throws(TryError) -> Value {
        Progress.say(name)
        let start = Clock.monotonicMicroseconds()
        let value = try body()
        report.phases.append(
            TryReport.Phase(name: name, microseconds: Clock.monotonicMicroseconds() - start)
        )
        return value
    }
}

/// What happens, on standard error.
enum Progress {
    static func say(_ text: String) {
        FileHandle.standardError.write(Data("istio-cnictl try: \(text)\n".utf8))
    }
}

// MARK: - Steps

extension Demonstration {
    /// Where the agent looks for its pods.
    private func writePod() throws(TryError) {
        do {
            try FileManager.default.createDirectory(atPath: Self.podDirectory, withIntermediateDirectories: true)
            try Data(pod.json.bytes()).write(to: URL(filePath: "\(Self.podDirectory)/pod.json"))
        } catch {
            throw TryError("write the pod for the agent: \(error)")
        }
    }

    /// What the pod's init container does before anything else runs in the pod.
    private mutating func validate(_ decision: AddAnswer, in network: borrowing HostNetwork) throws(TryError) {
        guard case .redirect(let plan) = decision else { return }
        let user = plan.proxyUsers.first ?? pod.proxyUser
        guard request.onlyUser == nil || request.onlyUser == user else { return }
        let validation = PodValidation(
            program: "\(request.programs)/istio-iptables",
            owner: request.onlyUser == nil ? ProcessOwner(user: user, group: plan.proxyGroups.first ?? user) : nil,
            plan: plan
        )
        let namespace = network.pod.rawDescriptor
        report.validation = try timed("validation") { () throws(TryError) in
            validation.run(network: namespace)
        }
    }

    private mutating func connect(
        _ decision: AddAnswer,
        _ addresses: [String],
        in network: borrowing HostNetwork
    ) throws(TryError) {
        var plan: RedirectPlan?
        if case .redirect(let wanted) = decision { plan = wanted }
        let list = AttemptList(
            plan: plan,
            podAddresses: addresses.compactMap { AddressRange($0)?.address },
            gateways: pod.families.map(HostNetwork.gateway),
            podNetworks: pod.families.map(HostNetwork.podNetwork),
            applicationPort: pod.applicationPort ?? 8_080,
            proxyUser: pod.proxyUser,
            extraUser: request.extraUser
        )
        let attempts = list.attempts
        try network.add(Set(attempts.filter { $0.target == .outside }.map(\.destination)))
        let answers = try AnsweringSide(
            attempts: attempts,
            plan: plan,
            proxyUser: pod.proxyUser,
            onlyUser: request.onlyUser,
            hasEnvoy: request.envoy != nil,
            in: network
        )
        defer { answers.stop() }
        let envoy = try startEnvoy(plan, in: network)
        defer { envoy?.stop() }
        let start = Clock.monotonicMicroseconds()
        Progress.say("\(attempts.count) connections")
        for attempt in attempts where isOfThisPass(attempt) {
            report.connections.append(make(attempt, plan, in: network))
        }
        let duration = Clock.monotonicMicroseconds() - start
        report.phases.append(TryReport.Phase(name: "connections", microseconds: duration))
        if let envoy, let plan {
            report.counters = EnvoyCounters(attempts, plan).compared(with: try envoy.counters(in: network.pod))
        }
    }

    /// The pod's proxy, where a real one is wanted and the pod has one.
    private mutating func startEnvoy(
        _ plan: RedirectPlan?,
        in network: borrowing HostNetwork
    ) throws(TryError) -> RunningEnvoy? {
        guard let path = request.envoy, let plan else { return nil }
        let user = plan.proxyUsers.first ?? pod.proxyUser
        let owner = ProcessOwner(user: user, group: plan.proxyGroups.first ?? user)
        Progress.say("Envoy start")
        let start = Clock.monotonicMicroseconds()
        let envoy = try RunningEnvoy(
            path,
            plan,
            owner: owner,
            hasIPv6: pod.families.contains(.ipv6),
            in: network.pod
        )
        let duration = Clock.monotonicMicroseconds() - start
        report.phases.append(TryReport.Phase(name: "Envoy start", microseconds: duration))
        report.envoy = path
        return envoy
    }

    /// With one user only, a pass makes the connections of that user; what comes from outside belongs to the application.
    private func isOfThisPass(_ attempt: Attempt) -> Bool {
        guard let onlyUser = request.onlyUser else { return true }
        switch attempt.origin {
        case .outside: return onlyUser == AttemptList.applicationUser
        case .process(_, let user, _): return onlyUser == user
        }
    }

    private func make(
        _ attempt: Attempt,
        _ plan: RedirectPlan?,
        in network: borrowing HostNetwork
    ) -> TryReport.Connection {
        let expectation = attempt.expectation(plan.map { RuleSet($0) })
        var connection = TryReport.Connection(
            title: attempt.title,
            transport: attempt.transport.rawValue,
            from: attempt.fromText,
            to: attempt.toText,
            expected: expectation.text,
            rule: expectation.decision?.rawValue,
            explanation: expectation.decision?.explanation
        )
        let isOfSidecar = expectation.landing?.place == .sidecar
        if request.envoy != nil, isOfSidecar, expectation.landing?.port == plan?.ports.dns {
            connection.remark = "shown by a stand-in: DNS is answered by the istio-agent beside Envoy, not by Envoy"
        }
        if request.onlyUser != nil, isOfSidecar, attempt.transport == .udp {
            // The answer is tracked in the zone of the proxy's user, who is not there in this pass.
            connection.notTried = "takes two users at once: run as root, or have subordinate ids in /etc/subuid"
        } else {
            connection.landed = attempt.run(
                in: network.pod,
                onlyUser: request.onlyUser,
                expectsAnswer: expectation.landing != nil
            )
        }
        return connection
    }

    /// Leaves a process that does nothing, which holds the namespaces.
    private mutating func keep() throws(TryError) {
        guard let sleep = SystemPrograms.find("sleep") else { throw TryError("there is no program sleep") }
        var program = BackgroundProgram(sleep, ["infinity"])
        program.endsWithParent = false
        let holder = try explaining("keep the namespaces") { () throws(KernelError) in
            let silence = try MemoryFile()
            return try program.start(output: silence, error: silence)
        }
        report.kept.append(
            TryReport.KeptNamespaces(
                process: holder.identifier,
                hasUserNamespace: request.hasUserNamespace,
                users: request.users
            )
        )
    }
}
