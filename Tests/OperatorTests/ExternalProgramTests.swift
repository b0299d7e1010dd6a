import CNIProtocol
import Operator
import Testing

@Suite struct ExternalProgramTests {
    private static let environment = ["PATH": "/nowhere:/usr/bin:/bin", "GREETING": "hello"]

    @Test func `a program is found in PATH, and gets its arguments, environment and input as they are`() throws {
        let shell = try ExternalProgram("sh", environment: Self.environment)

        let output = try shell.run(["-c", "echo \"$GREETING $0\"; cat", "a b;c"], input: Array("in".utf8))

        #expect(String(decoding: output, as: UTF8.self) == "hello a b;c\nin")
    }

    @Test func `a program that is not there is named, with what to do`() {
        #expect(throws: ExternalProgram.Failure("no-such is not in PATH: install it, or name its folder in PATH")) {
            _ = try ExternalProgram("no-such", environment: Self.environment)
        }
    }

    @Test func `a status other than 0 is told with the program's last words`() throws {
        let shell = try ExternalProgram("sh", environment: Self.environment)

        #expect(throws: ExternalProgram.Failure("sh -c echo no >&2; exit 3: exit status 3: no")) {
            _ = try shell.run(["-c", "echo no >&2; exit 3"])
        }
        #expect(try shell.outcome(["-c", "exit 3"]).status == 3)
    }

    @Test func `the log of Kubernetes' client library is left out where the program says more`() throws {
        let shell = try ExternalProgram("sh", environment: Self.environment)
        let log = "E1126 13:10:01.467663    9244 memcache.go:265] refused"

        let failures = ["\(log)\nwas refused", log].map { text in
            #expect(throws: ExternalProgram.Failure.self) {
                _ = try shell.run(["-c", "cat >&2; exit 1"], input: Array(text.utf8))
            }?.description
        }

        #expect(
            failures == [
                "sh -c cat >&2; exit 1: exit status 1: was refused", "sh -c cat >&2; exit 1: exit status 1: \(log)",
            ]
        )
    }

    @Test func `an answer of kubectl that is no JSON is an error that says which call it was`() throws {
        let echo = Kubectl(try ExternalProgram("echo", environment: Self.environment), context: "one")

        #expect(throws: ExternalProgram.Failure.self) { _ = try echo.json(["get", "pods"]) }
        #expect(String(decoding: try echo.run(["get"]), as: UTF8.self) == "--context one get\n")
    }
}
