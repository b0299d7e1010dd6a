import Foundation
import LinuxKernel
import Synchronization

/// Times whole processes of the plugin against a program that does nothing, turn about in one run.
///
/// The machine is noisy, so what counts are the ratios.
@main
enum AddBenchmark {
    static func main() throws {
        let programs = try Programs(CommandLine.arguments)
        let node = try BenchmarkNode(agent: programs.agent)
        defer { node.stop() }

        var floor: [Double] = []
        var mesh: [Double] = []
        var outside: [Double] = []
        for round in 0..<programs.rounds {
            progress("round \(round + 1) of \(programs.rounds)")
            let sandbox = try NetworkNamespace.makeNew()
            floor.append(try timed { try run(ChildProcess(programs.empty, deadlineMilliseconds: 10_000)) })
            mesh.append(try timed { try run(node.add(programs.plugin, pod: "mesh", sandbox.rawDescriptor)) })
            outside.append(try timed { try run(node.add(programs.plugin, pod: "outside", sandbox.rawDescriptor)) })
        }
        progress("100 at once")
        let burst = try burst(node, programs)
        progress("memory")
        let memory = try peakMemory(node, programs)

        let base = median(floor)
        print("| What | p50 | p99 | times the floor |")
        print("|---|---|---|---|")
        row("a static program that does nothing", floor, base)
        row("ADD of a mesh pod", mesh, base)
        row("ADD of a pod outside the mesh", outside, base)
        print("| 100 ADDs of mesh pods at once | \(milliseconds(burst)) in all | | |")
        print("| peak memory of one plugin process | \(memory) KiB | | |")
    }

    /// The time of 100 ADDs, each for a namespace of its own, begun together.
    private static func burst(_ node: BenchmarkNode, _ programs: Programs) throws -> Double {
        let sandboxes = try (0..<100).map { _ in SharedNamespace(try NetworkNamespace.makeNew()) }
        return try timed {
            let group = DispatchGroup()
            let failures = Failures()
            for sandbox in sandboxes {
                group.enter()
                Thread.detachNewThread {
                    do {
                        try run(node.add(programs.plugin, pod: "mesh", sandbox.namespace.rawDescriptor))
                    } catch {
                        failures.note("\(error)")
                    }
                    group.leave()
                }
            }
            group.wait()
            try failures.throwIfAny()
        }
    }

    /// The most memory that one plugin process held, in KiB, as `wait4(2)` tells a parent that is small itself.
    private static func peakMemory(_ node: BenchmarkNode, _ programs: Programs) throws -> Int {
        let sandbox = try NetworkNamespace.makeNew()
        var call = node.add(programs.plugin, pod: "mesh", sandbox.rawDescriptor)
        call.arguments = ["-f", "%M", call.path]
        call.path = "/usr/bin/time"
        let outcome = try run(call)
        let lines = String(decoding: outcome.standardError, as: UTF8.self).split(separator: "\n")
        guard let last = lines.last, let kibibytes = Int(last) else {
            throw BenchmarkFailure("time(1) said \(lines)")
        }
        return kibibytes
    }

    private static func row(_ name: String, _ times: [Double], _ base: Double) {
        let ratio = String(format: "%.1f", median(times) / base)
        print("| \(name) | \(milliseconds(median(times))) | \(milliseconds(percentile(times, 0.99))) | \(ratio) |")
    }

    private static func milliseconds(_ seconds: Double) -> String { String(format: "%.2f ms", seconds * 1_000) }

    private static func progress(_ text: String) {
        guard isatty(STDERR_FILENO) == 1 else { return }
        FileHandle.standardError.write(Data("\r\(text)   ".utf8))
    }
}

/// Runs one program, which must succeed.
@discardableResult
func run(_ process: ChildProcess) throws -> ChildProcess.Outcome {
    let outcome = try process.run()
    guard outcome.isSuccess else {
        throw BenchmarkFailure("\(process.path): \(String(decoding: outcome.standardOutput, as: UTF8.self))")
    }
    return outcome
}

func timed(_ body: () throws -> some Any) rethrows -> Double {
    let start = Clock.monotonicMicroseconds()
    _ = try body()
    return Double(Clock.monotonicMicroseconds() - start) / 1_000_000
}

func median(_ times: [Double]) -> Double { percentile(times, 0.5) }

func percentile(_ times: [Double], _ part: Double) -> Double {
    let sorted = times.sorted()
    return sorted.isEmpty ? 0 : sorted[min(sorted.count - 1, Int(Double(sorted.count) * part))]
}

struct BenchmarkFailure: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }
}

/// What went wrong on other threads.
final class Failures: Sendable {
    private let lines = Mutex<[String]>([])

    func note(_ line: String) { lines.withLock { $0.append(line) } }

    func throwIfAny() throws {
        if let first = lines.withLock({ $0.first }) { throw BenchmarkFailure(first) }
    }
}

/// A namespace that several threads use; a copyable handle to one that is not.
final class SharedNamespace: Sendable {
    let namespace: NetworkNamespace

    init(_ namespace: consuming NetworkNamespace) { self.namespace = namespace }
}
