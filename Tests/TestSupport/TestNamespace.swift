import CLinuxKernel
import Foundation
package import LinuxKernel
package import Testing

extension NetworkNamespace {
    /// What `nft` itself says is in force here, without counter values.
    package func listRuleset() async throws -> String {
        try await command("nft", "list", "ruleset").replacing(" packets 0 bytes 0", with: "")
    }

    /// Runs a program here and returns its standard output.
    ///
    /// A failing program fails the test.
    package func command(_ name: String, _ arguments: String..., input: String = "") async throws -> String {
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/nsenter")
        process.arguments = ["--net=/proc/\(getpid())/fd/\(rawDescriptor)", name] + arguments
        let output = Pipe()
        let standardInput = Pipe()
        process.standardOutput = output
        process.standardInput = standardInput
        // Waits in a callback: a test that blocks would hold one of the few threads of all tests.
        let (status, text): (Int32, Data) = try await withCheckedThrowingContinuation { continuation in
            Thread.detachNewThread {
                do {
                    try process.run()
                    try standardInput.fileHandleForWriting.write(contentsOf: Data(input.utf8))
                    try standardInput.fileHandleForWriting.close()
                    let text = try output.fileHandleForReading.readToEnd() ?? Data()
                    process.waitUntilExit()
                    continuation.resume(returning: (process.terminationStatus, text))
                } catch {
                    continuation.resume(throwing: error)
                }
            }
        }
        try #require(status == 0, "\(name) \(arguments) in a namespace")
        return String(decoding: text, as: UTF8.self)
    }
}

/// The error that `body` throws, or nil.
package func refusal(of body: () throws(KernelError) -> Void) -> KernelError? {
    do throws(KernelError) {
        try body()
        return nil
    } catch {
        return error
    }
}

extension Trait where Self == ConditionTrait {
    /// Skips the test where namespaces cannot be made.
    ///
    /// Under `CI` it runs all the same, and fails:
    /// a green run there means that the kernel was asked.
    package static var requiresNetworkNamespaces: Self {
        .enabled(
            if: ProcessInfo.processInfo.environment["CI"] != nil || geteuid() == 0,
            "making a network namespace takes root, or `unshare -Urn`"
        )
    }
}
