import Foundation
import LinuxKernel
import TestSupport
import Testing

@Suite struct ChildProcessTests {
    static func shell(_ script: String, deadlineMilliseconds: Int = 10_000) -> ChildProcess {
        ChildProcess("/bin/sh", ["-c", script], deadlineMilliseconds: deadlineMilliseconds)
    }

    @Test func `input, arguments and environment arrive, and both outputs come back`() async throws {
        var program = ChildProcess(
            "/bin/sh",
            ["-c", "cat; echo $1 $NAME; echo problem >&2; exit 3", "sh", "argument"],
            deadlineMilliseconds: 10_000
        )
        program.environment = ["NAME=value"]
        program.standardInput = Array("input\n".utf8)

        let outcome = try await onThread { [program] in try program.run() }

        #expect(String(decoding: outcome.standardOutput, as: UTF8.self) == "input\nargument value\n")
        #expect(String(decoding: outcome.standardError, as: UTF8.self) == "problem\n")
        #expect(outcome.ending == .exit(3))
    }

    @Test func `a program inherits no variable and no descriptor`() async throws {
        let outcome = try await onThread { try Self.shell("env | grep -v -e ^PWD= -e ^_=; ls /proc/self/fd").run() }

        // The fourth is the directory that `ls` reads.
        #expect(String(decoding: outcome.standardOutput, as: UTF8.self) == "0\n1\n2\n3\n")
    }

    @Test func `a megabyte of input comes back whole`() async throws {
        var program = ChildProcess("/bin/cat", deadlineMilliseconds: 10_000)
        program.standardInput = (0..<1_048_576).map { UInt8(truncatingIfNeeded: $0 &* 31) }

        let outcome = try await onThread { [program] in try program.run() }

        #expect(outcome.standardOutput == program.standardInput)
        #expect(!outcome.isTruncated)
    }

    @Test func `output past the limit is dropped, and the program still ends`() async throws {
        var program = Self.shell("head -c 300000 /dev/zero")
        program.outputByteLimit = 1_000

        let outcome = try await onThread { [program] in try program.run() }

        #expect(outcome.standardOutput.count == 1_000)
        #expect(outcome.isTruncated && outcome.isSuccess)
    }

    @Test(arguments: ["sleep 60", "sleep 60 & wait", "exec >&- 2>&-; sleep 60"])
    func `a program past its deadline is killed with all that it started`(script: String) async throws {
        let start = Clock.monotonicMilliseconds()

        let outcome = try await onThread { try Self.shell(script, deadlineMilliseconds: 50).run() }

        #expect(outcome.ending == .deadline)
        #expect(Clock.monotonicMilliseconds() - start < 40_000)
    }

    @Test func `a program that a signal ended says so`() async throws {
        let outcome = try await onThread { try Self.shell("kill -TERM $$").run() }

        #expect(outcome.ending == .signal(15))
    }

    @Test func `a program that is not there is named`() async throws {
        let error = refusal { () throws(KernelError) in
            _ = try ChildProcess("/no/such/program", deadlineMilliseconds: 1_000).run()
        }

        #expect(error == KernelError("execute /no/such/program", .noSuchEntry))
    }

    @Test(.requiresNetworkNamespaces)
    func `a program runs in the namespace that it is given`() async throws {
        let namespace = try NetworkNamespace.makeNew()
        let program = Self.shell("ip -o link")

        let outcome = try program.run(in: namespace)

        let lines = String(decoding: outcome.standardOutput, as: UTF8.self).split(separator: "\n")
        #expect(lines.count == 1 && lines[0].hasPrefix("1: lo:"))
    }

    /// D-22: from outside of its user namespace, `iptables` refuses every rule with an owner in it.
    @Test(.requiresNetworkNamespaces)
    func `iptables takes owner rules in a pod with a user namespace of its own`() async throws {
        let pod = Process()
        let hold = Pipe()
        let ready = Pipe()
        pod.executableURL = URL(filePath: "/usr/bin/unshare")
        pod.arguments = ["-Urn", "sh", "-c", "echo ready; exec cat"]
        pod.standardInput = hold
        pod.standardOutput = ready
        try pod.run()
        // Not by the end of its input, which children of other tests may hold open.
        defer { pod.terminate() }
        _ = try await onThread { ready.fileHandleForReading.availableData.count }
        let namespace = try NetworkNamespace(at: "/proc/\(pod.processIdentifier)/ns/net")
        var program = ChildProcess("/usr/sbin/iptables-restore", deadlineMilliseconds: 10_000)
        program.standardInput = Array(
            "*nat\n-A OUTPUT -p tcp -m owner --uid-owner 0 -j RETURN\nCOMMIT\n".utf8
        )

        let differs = try namespace.owningUserNamespace().differsFromOwn()
        let outcome = try program.run(in: namespace)

        #expect(differs)
        #expect(outcome.isSuccess, "\(String(decoding: outcome.standardError, as: UTF8.self))")
    }
}
