import AgentProtocol
import CLinuxKernel
import Enforcement
import Foundation
import LinuxKernel
import Redirect
import TestSupport
import Testing

/// What ADD does when the agent is away, or is not itself.
@Suite(.requiresNetworkNamespaces) struct AgentFaultTests {
    static let mesh = #"{"sidecar.istio.io/status":"{}"}"#

    @Test func `a mesh pod without an agent is held back, with all that is needed to find out why`() async throws {
        let namespace = try NetworkNamespace.makeNew()
        let call = PluginCall(namespace, try TemporaryDirectory())

        let outcome = try await call.run()

        let error = try outcome.error()
        #expect(error.code == 11)
        for part in ["default/web-1", "node-7", "kubectl get pods -n istio-system", "docs/errors.md"] {
            #expect(error.msg.contains(part))
        }
        #expect(outcome.milliseconds < 25_000)
    }

    @Test func `a pod outside the mesh starts at once without an agent`() async throws {
        let namespace = try NetworkNamespace.makeNew()
        var call = PluginCall(namespace, try TemporaryDirectory())
        call.annotations = "{}"
        call.waitSeconds = 30

        let outcome = try await call.run()

        #expect(outcome.ending == .exit(0))
        #expect(outcome.output == call.previousResult)
        #expect(outcome.milliseconds < 25_000)
    }

    @Test func `where annotations are not passed, nobody there within 2 s is enough to give up`() async throws {
        let namespace = try NetworkNamespace.makeNew()
        var call = PluginCall(namespace, try TemporaryDirectory())
        call.annotations = nil
        call.waitSeconds = 30

        let outcome = try await call.run()

        let error = try outcome.error()
        #expect(error.code == 11)
        #expect((1_000..<25_000).contains(outcome.milliseconds))
    }

    @Test func `an agent that appears in time is asked`() async throws {
        let namespace = try NetworkNamespace.makeNew()
        let directory = try TemporaryDirectory()
        var call = PluginCall(namespace, directory)
        call.waitSeconds = 20
        async let running = call.run()
        try await onThread { Clock.sleep(milliseconds: 400) }
        let agent = try ScriptedAgent(in: directory, .plan(RedirectPlan()))

        let outcome = try await running

        try await onThread { agent.waitForRequest("/v1/report") }
        agent.stop()
        #expect(outcome.ending == .exit(0))
        #expect(try Enforcer().drift(from: RedirectPlan(), in: namespace).isEmpty)
        #expect(agent.count("/v1/add") == 1)
        #expect(agent.count("/v1/report") == 1)
    }

    @Test(arguments: [AddRefusal.Reason.podUnknown, .uidDiffers, .noCommonPlanVersion, .notReady])
    func `a refusal that can change is asked about again`(reason: AddRefusal.Reason) async throws {
        let namespace = try NetworkNamespace.makeNew()
        let directory = try TemporaryDirectory()
        let refusal = ScriptedAgent.Reply.refusal(AddRefusal(reason, "not now"))
        let agent = try ScriptedAgent(in: directory, refusal, refusal, .plan(RedirectPlan()))
        var call = PluginCall(namespace, directory)
        call.waitSeconds = 20

        let outcome = try await call.run()

        try await onThread { agent.waitForRequest("/v1/report") }
        agent.stop()
        #expect(outcome.ending == .exit(0))
        #expect(agent.count("/v1/add") == 3)
        #expect(agent.count("/v1/report") == 1)
    }

    /// The 2 s are for an agent to be there; one that is there has the whole wait.
    @Test func `where annotations are not passed, an agent that is slow is waited for`() async throws {
        let namespace = try NetworkNamespace.makeNew()
        let directory = try TemporaryDirectory()
        let agent = try ScriptedAgent(in: directory, .late(RedirectPlan(), milliseconds: 2_500))
        var call = PluginCall(namespace, directory)
        call.annotations = nil
        call.waitSeconds = 20

        let outcome = try await call.run()

        agent.stop()
        #expect(outcome.ending == .exit(0), "\(outcome.output)")
        #expect(agent.count("/v1/add") == 1)
    }

    @Test func `a wait of 0 s is enough for an agent that is there`() async throws {
        let namespace = try NetworkNamespace.makeNew()
        let directory = try TemporaryDirectory()
        let agent = try ScriptedAgent(in: directory, .plan(RedirectPlan()))
        var call = PluginCall(namespace, directory)
        call.waitSeconds = 0

        let outcome = try await call.run()

        agent.stop()
        #expect(outcome.ending == .exit(0), "\(outcome.output)")
    }

    @Test func `an entry that names no run directory means the usual one`() async throws {
        let namespace = try NetworkNamespace.makeNew()
        var call = PluginCall(namespace, try TemporaryDirectory())
        call.runDirectory = ""

        let error = try await call.run().error()

        #expect(error.code == 11)
        #expect(error.details?.contains("/var/run/istio-cni/pluginevent.sock") == true)
        #expect(!FileManager.default.fileExists(atPath: "/istio-cni.log"))
    }

    /// Who may bind the agent's path must not be able to switch redirection off, or to choose a plan.
    @Test(.requiresSeveralUsers) func `a socket of another user is not the agent's`() async throws {
        let namespace = try NetworkNamespace.makeNew()
        let directory = try TemporaryDirectory()
        let stranger = ChildProcess(
            "/usr/bin/python3",
            ["-c", Self.stranger, directory.path("pluginevent.sock")],
            standardInput: AddAnswer.redirect(RedirectPlan()).bytes(),
            deadlineMilliseconds: 180_000
        )
        async let listening = onThread { try stranger.run() }
        try await onThread {
            let deadline = Clock.monotonicMilliseconds() + 90_000
            while access(directory.path("pluginevent.sock"), F_OK) != 0, Clock.monotonicMilliseconds() < deadline {
                Clock.sleep(milliseconds: 5)
            }
        }

        let error = try await PluginCall(namespace, directory).run().error()
        let heard = try await listening

        #expect(error.code == 11)
        #expect(error.details?.contains("uid 65534") == true, "\(error)")
        #expect(heard.isSuccess, "\(String(decoding: heard.standardError, as: UTF8.self))")
        #expect(heard.standardOutput.isEmpty)
        let evidence = try Enforcer().evidence(in: namespace)
        #expect(!evidence.isInForce)
    }

    /// Answers as an agent does, and prints what it is asked.
    ///
    /// The kernel notes the user of a socket at `listen(2)`.
    static let stranger = """
        import os, socket, sys
        body = sys.stdin.buffer.read()
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(sys.argv[1] + ".new")
        os.chmod(sys.argv[1] + ".new", 0o666)
        os.seteuid(65534)
        listener.listen(64)
        os.seteuid(0)
        os.rename(sys.argv[1] + ".new", sys.argv[1])
        listener.settimeout(90)
        try:
            while True:
                connection, _ = listener.accept()
                listener.settimeout(5)
                connection.settimeout(1)
                if request := connection.recv(65536):
                    print(request)
                    connection.sendall(b"HTTP/1.1 200 OK\\r\\nContent-Length: %d\\r\\n\\r\\n" % len(body) + body)
                connection.close()
        except TimeoutError:
            pass
        """

    @Test func `a bad annotation is final`() async throws {
        let namespace = try NetworkNamespace.makeNew()
        let directory = try TemporaryDirectory()
        let message = #"traffic.sidecar.istio.io/excludeInboundPorts: "80," has an empty element"#
        let agent = try ScriptedAgent(in: directory, .refusal(AddRefusal(.badPod, message)))
        var call = PluginCall(namespace, directory)
        call.waitSeconds = 20

        let outcome = try await call.run()

        agent.stop()
        let error = try outcome.error()
        #expect(error.code == 101)
        #expect(error.msg.contains(message))
        #expect(agent.count("/v1/add") == 1)
    }

    @Test func `a pod without an address that counts has an error of its own, and it is final`() async throws {
        let namespace = try NetworkNamespace.makeNew()
        let directory = try TemporaryDirectory()
        let message = "pod default/web-1: the pod has no IP address"
        let agent = try ScriptedAgent(in: directory, .refusal(AddRefusal(.noAddress, message)))
        var call = PluginCall(namespace, directory)
        call.waitSeconds = 20

        let outcome = try await call.run()

        agent.stop()
        let error = try outcome.error()
        #expect(error.code == 106)
        #expect(error.msg.contains(message))
        #expect(agent.count("/v1/add") == 1)
    }

    /// What is no answer, and how the error calls it.
    static let nonsense: [String: ScriptedAgent.Reply] = [
        "garbage": .bytes(Array("\u{1}\u{2}\u{3}SSH-2.0-OpenSSH\r\n".utf8)),
        "half": .bytes(Array("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{\"decision\":".utf8)),
        "ten megabytes": .bytes(
            Array("HTTP/1.1 200 OK\r\n\r\n".utf8) + [UInt8](repeating: 0x20, count: 10 * 1_024 * 1_024)
        ),
        "no plan": .bytes(Array("HTTP/1.1 200 OK\r\nContent-Length: 23\r\n\r\n{\"decision\":\"redirect\"}".utf8)),
        "status": .bytes(Array("HTTP/1.1 500 X\r\nContent-Length: 2\r\n\r\n{}".utf8)),
        "nothing": .bytes([]),
        "silence": .silence(milliseconds: 5_000),
    ]

    @Test(arguments: nonsense.keys.sorted())
    func `an agent that makes no sense holds the pod back, in bounded time`(name: String) async throws {
        let namespace = try NetworkNamespace.makeNew()
        let directory = try TemporaryDirectory()
        let agent = try ScriptedAgent(in: directory, try #require(Self.nonsense[name]))

        let outcome = try await PluginCall(namespace, directory).run()

        agent.stop()
        let error = try outcome.error()
        #expect(error.code == 11)
        #expect(error.details?.isEmpty == false)
        #expect(outcome.milliseconds < 40_000)
        let evidence = try Enforcer().evidence(in: namespace)
        #expect(!evidence.isInForce)
    }

    @Test(arguments: ["DEL", "GC", "STATUS", "VERSION"])
    func `nothing but ADD and CHECK depends on the agent, a result or a namespace`(command: String) async throws {
        var call = PluginCall(command: command, namespace: "/no/such/namespace", runDirectory: "/nonexistent")
        call.version = "1.1.0"
        call.previousResult = #"{"cniVersion":17,"ips":"broken"}"#

        let outcome = try await call.run()

        #expect(outcome.ending == .exit(0))
        #expect(outcome.output.isEmpty || command == "VERSION")
    }

    @Test func `lines go to a file of the run directory when the agent is away`() async throws {
        let namespace = try NetworkNamespace.makeNew()
        let directory = try TemporaryDirectory()
        let call = PluginCall(namespace, directory)
        _ = try await call.run()

        let lines = try withExtendedLifetime(call) {
            try String(contentsOfFile: directory.path("istio-cni.log"), encoding: .utf8).split(separator: "\n")
        }

        #expect(lines.count == 1)
        for line in lines {
            let object = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any]
            #expect(object?["pod"] as? String == "default/web-1")
        }
    }
}
