import Foundation
import LinuxKernel
import TestSupport
import Testing

@Suite struct OwnProcessTests {
    @Test func `a trap writes the prepared answer and exits with 1`() async throws {
        let result = try #require(
            await #expect(processExitsWith: .exitCode(1), observing: [\.standardOutputContent]) {
                try OwnProcess.answerCrashes(with: Array("an error".utf8))
                try OwnProcess.answerCrashes(with: Array("{\"code\":999}".utf8))
                let empty: [Int] = []
                print(empty[Int(OwnProcess.identifier)])
            }
        )

        #expect(String(decoding: result.standardOutputContent, as: UTF8.self).hasSuffix("{\"code\":999}"))
    }

    @Test func `a stack that overflows gets the answer too`() async throws {
        let result = try #require(
            await #expect(processExitsWith: .exitCode(1), observing: [\.standardOutputContent]) {
                try OwnProcess.answerCrashes(with: Array("overflow".utf8))
                // The handler's stack belongs to the thread that asked for it.
                print(Self.depth(of: Int(OwnProcess.identifier)))
            }
        )

        #expect(String(decoding: result.standardOutputContent, as: UTF8.self).hasSuffix("overflow"))
    }

    /// Never ends, and is no tail call.
    private static func depth(of number: Int) -> Int { number == 0 ? 0 : 1 + depth(of: number | 1) }

    @Test func `a write to a pipe that nobody reads is an error`() async {
        await #expect(processExitsWith: .success) {
            try OwnProcess.ignoreBrokenPipes()
            var ends: [Int32] = [0, 0]
            try #require(pipe(&ends) == 0)
            close(ends[0])
            dup2(ends[1], STDOUT_FILENO)

            let error = refusal { () throws(KernelError) in try OwnProcess.writeStandardOutput([1]) }

            #expect(error == KernelError("write standard output", .brokenPipe))
        }
    }

    @Test func `standard input is read to its end, its limit or its deadline`() async {
        await #expect(processExitsWith: .success) {
            var ends: [Int32] = [0, 0]
            try #require(pipe(&ends) == 0)
            dup2(ends[0], STDIN_FILENO)
            write(ends[1], "12345", 5)

            let late = refusal { () throws(KernelError) in
                _ = try OwnProcess.readStandardInput(byteLimit: 10, deadlineMilliseconds: 20)
            }
            write(ends[1], "12345", 5)
            let tooBig = refusal { () throws(KernelError) in
                _ = try OwnProcess.readStandardInput(byteLimit: 4, deadlineMilliseconds: 1_000)
            }
            write(ends[1], "12345", 5)
            close(ends[1])
            let text = try OwnProcess.readStandardInput(byteLimit: 5, deadlineMilliseconds: 1_000)

            #expect(late?.errno == .timedOut)
            #expect(tooBig?.errno == .tooBig)
            #expect(text == Array("12345".utf8))
        }
    }

    @Test func `only variables that are set are read`() {
        setenv("KERNEL_TESTS_SET", "value", 1)

        let values = OwnProcess.environment(["KERNEL_TESTS_SET", "KERNEL_TESTS_UNSET"])

        #expect(values == ["KERNEL_TESTS_SET": "value"])
    }

    @Test func `code that was given back is read again when it is needed`() throws {
        let before = try Self.residentFilePages()

        try OwnProcess.releaseCode()
        let after = try Self.residentFilePages()

        #expect(after < before)
        #expect("still here".uppercased() == "STILL HERE")
    }

    /// `RssFile` of `proc_pid_status(5)`, in KiB.
    private static func residentFilePages() throws -> Int {
        let text = String(decoding: try File.read("/proc/self/status", byteLimit: 65_536), as: UTF8.self)
        let line = try #require(text.split(separator: "\n").first { $0.hasPrefix("RssFile:") })
        return try #require(line.split(separator: " ").compactMap { Int($0) }.first)
    }
}
