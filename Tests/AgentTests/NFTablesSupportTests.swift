import Agent
import Foundation
import TestSupport
import Testing

@Suite struct NFTablesSupportTests {
    private let folder: URL

    init() throws {
        folder = URL(filePath: "/tmp").appending(path: "support-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    }

    private var file: URL { folder.appending(path: NFTablesSupport.fileName) }

    private func support(boot: String = "b1", version: String = "1") -> NFTablesSupport {
        NFTablesSupport(
            runDirectory: folder.path(percentEncoded: false),
            bootIdentifier: Array(boot.utf8),
            version: version
        )
    }

    /// How often the kernel is asked by an agent that starts.
    private func probes(_ support: NFTablesSupport, missing: String? = nil) -> Int {
        var count = 0
        let answer = support.missing {
            count += 1
            return missing
        }
        #expect(answer == (count == 0 ? nil : missing))
        return count
    }

    @Test func `an agent that starts again in the same boot does not probe again`() {
        #expect(probes(support()) == 1)
        #expect(probes(support()) == 0)
    }

    @Test func `another boot or another version of the agent probes again`() {
        #expect(probes(support()) == 1)
        #expect(probes(support(boot: "b2")) == 1)
        #expect(probes(support(boot: "b2", version: "2")) == 1)
        #expect(probes(support()) == 1)
    }

    @Test func `what nf_tables lacks is not kept, since a module may be loaded`() {
        #expect(probes(support(), missing: "sets") == 1)
        #expect(probes(support(), missing: "sets") == 1)
        #expect(probes(support()) == 1)
        #expect(probes(support()) == 0)
    }

    @Test(
        arguments: [
            "", "{", #"{"boot":"b1"}"#, #"{"boot":"b1","version":"1","takesEveryRule":false}"#,
            String(repeating: " ", count: 10_000),
        ]
    )
    func `a file that is not whole, or of somebody else, is replaced`(text: String) throws {
        try Data(text.utf8).write(to: file)

        #expect(probes(support()) == 1)
        #expect(probes(support()) == 0)
    }

    @Test func `where the file cannot be, or the boot is not known, each start probes`() throws {
        try FileManager.default.createDirectory(at: file, withIntermediateDirectories: true)
        #expect(probes(support()) == 1)
        #expect(probes(support()) == 1)

        try FileManager.default.removeItem(at: file)
        #expect(probes(support(boot: "")) == 1)
        #expect(probes(support(boot: "")) == 1)
    }

    @Test func `the kernel names its boot, always alike`() {
        let identifier = NFTablesSupport.currentBootIdentifier

        #expect(identifier.count == 36)
        #expect(NFTablesSupport.currentBootIdentifier == identifier)
    }

    @Test(.requiresNetworkNamespaces) func `the run directory need not be there yet`() {
        let support = NFTablesSupport(runDirectory: folder.appending(path: "run").path(percentEncoded: false))

        #expect(support.missing() == nil)
        #expect(probes(support) == 0)
    }
}
