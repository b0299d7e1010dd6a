import CNIProtocol
import Foundation
import HTTPTestSupport
import Kubernetes
import Logging
import Synchronization
import Testing

/// What a client needs while much comes in, in a process of its own.
@Suite struct MemoryTests {
    /// What the process grew by at most, in KiB, with the server in the same process and without optimisation.
    static let ceilingKiB = 32 * 1_024

    /// 10,000 pods of 5 KB.
    static let podCount = 10_000

    @Test func `a list of 50 MB takes a few MB`() async {
        let result = await #expect(processExitsWith: .success, observing: [\.standardOutputContent]) {
            try await ScriptedServer.runWithClient { server, client in
                server.script([.stream(MemoryTests.list)])
                let before = try MemoryTests.peakKiB()
                let names = Mutex(0)

                let metadata = try await client.list(.pods(onNode: "n"), .anyAge) { bytes in
                    // What a consumer does: read it, and keep little.
                    let pod = try? JSONValue(parsing: bytes)
                    if pod?["metadata"]?["name"] != nil { names.withLock { count in count += 1 } }
                }

                let grown = try MemoryTests.peakKiB() - before
                #expect(metadata.version == "7")
                #expect(names.withLock { $0 } == MemoryTests.podCount)
                #expect(grown < MemoryTests.ceilingKiB, "grown by \(grown) KiB")
                print("list of 50 MB: peak memory grew by \(grown) KiB")
            }
        }
        Self.repeatOutput(of: result)
    }

    @Test func `a watch of 50 MB takes a few MB`() async {
        let result = await #expect(processExitsWith: .success, observing: [\.standardOutputContent]) {
            try await ScriptedServer.runWithClient { server, client in
                server.script([.stream { index in index < MemoryTests.podCount ? MemoryTests.line(index) : nil }])
                let before = try MemoryTests.peakKiB()
                let changes = Mutex(0)

                try await client.watch(.pods(onNode: "n"), from: "1", seconds: 300) {
                } event: { event in
                    if case .changed = event { changes.withLock { count in count += 1 } }
                }

                let grown = try MemoryTests.peakKiB() - before
                #expect(changes.withLock { $0 } == MemoryTests.podCount)
                #expect(grown < MemoryTests.ceilingKiB, "grown by \(grown) KiB")
                print("watch of 50 MB: peak memory grew by \(grown) KiB")
            }
        }
        Self.repeatOutput(of: result)
    }

    /// Prints what the other process printed.
    private static func repeatOutput(of result: ExitTest.Result?) {
        for line in String(decoding: result?.standardOutputContent ?? [], as: UTF8.self).split(separator: "\n")
        where line.contains("peak memory") { print(line) }
    }

    /// Piece by piece: the beginning, the pods, the end.
    @Sendable static func list(_ index: Int) -> [UInt8]? {
        switch index {
        case 0: Array(#"{"kind":"PodList","metadata":{"resourceVersion":"7"},"items":["#.utf8)
        case 1...podCount: (index == 1 ? [] : [UInt8(ascii: ",")]) + pod(index)
        case podCount + 1: Array("]}".utf8)
        default: nil
        }
    }

    static func line(_ index: Int) -> [UInt8] {
        Array(#"{"type":"ADDED","object":"#.utf8) + pod(index) + Array("}\n".utf8)
    }

    /// A pod of 5 KB, most of it fields that nobody reads.
    static func pod(_ index: Int) -> [UInt8] {
        let field = #""f:metadata":{"f:annotations":{".":{},"f:sidecar.istio.io/status":{}}}"#
        let fields = [String](repeating: "{\(field)}", count: 64).joined(separator: ",")
        return Array(
            #"{"metadata":{"name":"p\#(index)","resourceVersion":"\#(index)","managedFields":[\#(fields)]}}"#.utf8
        )
    }

    /// `VmHWM` of `proc_pid_status(5)`.
    static func peakKiB() throws -> Int {
        let status = try String(contentsOfFile: "/proc/self/status", encoding: .utf8)
        let line = status.split(separator: "\n").first { $0.hasPrefix("VmHWM:") }
        return try #require(line?.split(whereSeparator: { !$0.isNumber }).first.flatMap { Int($0) })
    }
}
