import Foundation
import LinuxKernel
import Operator
import TestSupport
import Testing

/// One run of the built `istio-cnictl try`.
struct TryRun {
    var example = "reviews"
    var arguments: [String] = []

    /// A shell script that runs the program as `"$@"`, with the folder of the programs in `$0`.
    var script = #"exec "$@""#

    /// Whether the user that the script becomes must be able to reach the programs, in a clone below /root too.
    var isForEverybody = false

    struct Outcome: Sendable {
        let status: Int?
        let output: String
        let log: String

        /// What `--json` prints.
        func report() throws -> TryReport {
            try #require(status != nil && !output.isEmpty, "\(log)")
            return try JSONDecoder().decode(TryReport.self, from: Data(output.utf8))
        }
    }

    func run() async throws -> Outcome {
        let folder = try ProgramFolder(isForEverybody: isForEverybody)
        // A copy: an ordinary user need not be able to reach a clone below /root.
        let manifest = try Data(contentsOf: Self.repository.appending(path: "examples/\(example).yaml"))
        try manifest.write(to: URL(filePath: "\(folder.path)/pod.yaml"))
        let process = ChildProcess(
            "/bin/bash",
            ["-c", script, folder.path, "\(folder.path)/istio-cnictl", "try", "--pod", "\(folder.path)/pod.yaml"]
                + arguments,
            environment: ["PATH=/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/"],
            deadlineMilliseconds: 120_000
        )
        // On a thread of its own: a test that blocks would hold one of the few threads of all tests.
        let outcome = try await withCheckedThrowingContinuation { continuation in
            Thread.detachNewThread { continuation.resume(with: Result { try process.run() }) }
        }
        let status: Int? = if case .exit(let status) = outcome.ending { status } else { nil }
        return Outcome(
            status: status,
            output: String(decoding: outcome.standardOutput, as: UTF8.self),
            log: String(decoding: outcome.standardError, as: UTF8.self)
        )
    }

    private static let repository = URL(filePath: #filePath).deletingLastPathComponent()
        .appending(path: "../..").standardized
}

/// The programs as `make build` puts them side by side.
private final class ProgramFolder {
    private let folder: URL

    init(isForEverybody: Bool) throws {
        folder = URL(filePath: "/tmp").appending(path: "try-\(UUID().uuidString)")
        let files = FileManager.default
        try files.createDirectory(at: folder, withIntermediateDirectories: true)
        let built = URL(filePath: "/proc/self/exe").resolvingSymlinksInPath().deletingLastPathComponent()
        for program in ["istio-cnictl", "istio-cni", "install-cni"] {
            // The first finds the others beside its own file, so it must be a file here.
            let isCopied = isForEverybody || program == "istio-cnictl"
            let (source, target) = (built.appending(path: program), folder.appending(path: program))
            try isCopied
                ? files.copyItem(at: source, to: target)
                : files.createSymbolicLink(at: target, withDestinationURL: source)
        }
        try files.createSymbolicLink(
            atPath: folder.appending(path: "istio-iptables").path(percentEncoded: false),
            withDestinationPath: "install-cni"
        )
    }

    deinit {
        // What is left is in /tmp.
        try? FileManager.default.removeItem(at: folder)
    }

    var path: String { folder.path(percentEncoded: false) }
}
