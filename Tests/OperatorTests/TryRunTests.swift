import Foundation
import Operator
import TestSupport
import Testing

/// The built programs, in real namespaces.
@Suite(.requiresSeveralUsers, .timeLimit(.minutes(3))) struct TryRunTests {
    @Test(.requiresEnvoy, arguments: ["reviews", "tproxy-dns", "exclusions"])
    func `a real Envoy shows that connections land as planned`(example: String) async throws {
        let run = TryRun(example: example, arguments: ["--envoy", EnvoyProgram.path, "--json"])

        let outcome = try await run.run()

        let report = try outcome.report()
        #expect(outcome.status == 0 && report.isAsPlanned, "\(outcome.output)")
        #expect(report.envoy == EnvoyProgram.path)
        let isDualStack = report.podAddresses.count == 2
        #expect(report.counters.count == (isDualStack ? 6 : 4))
        #expect(report.counters.allSatisfy { $0.value >= 2 })
        for connection in report.connections {
            let isOfSidecar = connection.expected.hasPrefix("sidecar:15053")
            #expect((connection.remark != nil) == isOfSidecar, "\(connection)")
        }
    }

    @Test func `an Envoy that is not there or ends at once is named, and nothing is shown as landed`() async throws {
        let missing = try await TryRun(arguments: ["--envoy", "/nonexistent/envoy"]).run()
        let ended = try await TryRun(arguments: ["--envoy", "/bin/false", "--json"]).run()

        #expect(missing.status == 1 && missing.log.contains("there is no program /nonexistent/envoy"), "\(missing.log)")
        let report = try ended.report()
        #expect(ended.status == 1 && report.connections.isEmpty)
        #expect(report.failure?.hasPrefix("Envoy ended at once") == true, "\(ended.output)")
    }

    @Test func `without the bridge plugin a pair of interfaces stands in`() async throws {
        var run = TryRun(arguments: ["--json"])
        run.script = Self.privately(#"mount -t tmpfs tmpfs /usr/lib/cni; exec "$@""#)

        let outcome = try await run.run()

        let report = try outcome.report()
        #expect(outcome.status == 0 && report.isAsPlanned, "\(outcome.output)")
        #expect(report.phases.contains { $0.name == "pair of interfaces" })
        #expect(report.notes.contains { $0.contains("containernetworking-plugins") })
    }

    @Test func `kept namespaces can be entered, are redirected, and end with one process`() async throws {
        var run = TryRun(arguments: ["--keep", "--json"])
        run.script = #"""
            "$@" > "$0/report" || exit 99
            cat "$0/report"
            kept=$(sed -n 's/^ *"process" : \([0-9]*\).*/\1/p' "$0/report")
            nsenter --target "$kept" --mount --net nsenter --net=/run/netns/pod nft list tables >&2
            namespace=$(stat -L -c %i "/proc/$kept/ns/net")
            members=
            for other in /proc/[0-9]*/ns/net; do
                [ "$(stat -L -c %i "$other" 2> /dev/null)" != "$namespace" ] || members="$members $other"
            done
            kill "$kept"
            # Those that were there: the namespace's number is soon another one's.
            for other in $members; do
                tries=0
                while stat -L "$other" > /dev/null 2>&1 && [ $tries -lt 1000 ]; do sleep 0.01; tries=$((tries + 1)); done
                [ $tries -lt 1000 ] || echo "still there: $other" >&2
            done
            """#

        let outcome = try await run.run()

        let report = try outcome.report()
        #expect(outcome.status == 0 && report.kept.count == 1, "\(outcome.log)")
        #expect(outcome.log.contains("table inet istio-proxy-nat"), "\(outcome.log)")
        #expect(!outcome.log.contains("still there"), "\(outcome.log)")
        let table = TryTable(report, hasColour: false).text
        #expect(table.contains("remove everything: kill \(report.kept[0].process)"))
    }

    /// As the terminal does: the signal goes to all that the shell has started.
    @Test(.requiresEnvoy, arguments: ["INT", "TERM"])
    func `interrupted in the middle, nothing is left running`(signal: String) async throws {
        var run = TryRun(arguments: ["--envoy", EnvoyProgram.path])
        // Envoy lives for some 100 ms, so a busy machine may need several runs until the signal comes in that time.
        run.script = #"""
            set -m
            status=0
            until [ "$status" = \#(signal == "INT" ? 130 : 143) ]; do
                "$@" 2> /dev/null & group=$!
                until pgrep --pgroup "$group" --full -- --config-yaml > /dev/null || ! kill -0 "$group"; do :; done
                kill -\#(signal) -- "-$group"
                wait "$group"; status=$?
            done
            until ! pgrep --pgroup "$group" > /dev/null; do sleep 0.01; done
            echo "nothing is left"
            """#

        let outcome = try await run.run()

        #expect(outcome.status == 0, "\(outcome.log)")
        #expect(outcome.output.contains("nothing is left"))
    }

    @Test func `an ordinary user makes one pass for each user of the pod`() async throws {
        var run = TryRun(arguments: ["--json"])
        run.isForEverybody = true
        run.script = #"exec \#(Self.becomeNobody) "$@""#

        let outcome = try await run.run()

        let report = try outcome.report()
        #expect(outcome.status == 0 && report.isAsPlanned, "\(outcome.output) \(outcome.log)")
        #expect(report.users == "as an ordinary user, in 2 passes")
        #expect(report.connections.count == 13)
    }

    @Test func `an ordinary user without several ids cannot have a real Envoy, and is told why`() async throws {
        var run = TryRun(arguments: ["--envoy", "/bin/true"])
        run.script = #"exec \#(Self.becomeNobody) "$@""#

        let outcome = try await run.run()

        #expect(outcome.status == 1)
        #expect(outcome.log.contains("--envoy takes several users at once"), "\(outcome.log)")
    }

    @Test(.requiresEnvoy) func `an ordinary user with subordinate ids makes one pass, with a real Envoy too`()
        async throws
    {
        var run = TryRun(arguments: ["--json"])
        run.isForEverybody = true
        run.script = Self.privately(
            #"""
            echo nobody:100000:65536 > "$0/ids"
            for file in /etc/subuid /etc/subgid; do mount --bind "$0/ids" "$file"; done
            cp "\#(EnvoyProgram.path)" "$0/envoy"
            exec \#(Self.becomeNobody) "$@" --envoy "$0/envoy"
            """#
        )

        let outcome = try await run.run()

        let report = try outcome.report()
        #expect(outcome.status == 0 && report.isAsPlanned, "\(outcome.output) \(outcome.log)")
        #expect(report.users == "as an ordinary user, with subordinate ids")
        #expect(report.connections.count == 13 && report.counters.count == 4)
    }

    private static let becomeNobody = "setpriv --reuid nobody --regid nogroup --clear-groups --"

    /// Runs a script where what it mounts is seen by nobody else.
    private static func privately(_ script: String) -> String {
        "exec unshare --mount --propagation private bash -c '\(script)' \"$0\" \"$@\""
    }
}
