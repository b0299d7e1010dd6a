package import Foundation
package import Testing

/// Other projects' files, which are not in this repository: the folder that `UPSTREAM_FIXTURES` names, or
/// `../shared/recordings` beside the repository.
package enum UpstreamFixtures {
    private static let promised = ProcessInfo.processInfo.environment["UPSTREAM_FIXTURES"]

    package static let folder: URL = {
        if let promised { return URL(filePath: promised) }
        return URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../../shared/recordings")
            .standardized
    }()

    /// Where they were promised and are not there, suites run and fail.
    fileprivate static let isThere =
        promised != nil || FileManager.default.fileExists(atPath: folder.path(percentEncoded: false))

    /// The files of one set, such as `chart`, in order; none where there are no fixtures.
    package static func names(in set: String) -> [String] {
        // A folder that was promised and is not there shows in the tests, which count the files.
        let names = try? FileManager.default.contentsOfDirectory(
            atPath: folder.appending(path: set).path(percentEncoded: false)
        )
        return (names ?? []).sorted()
    }

    /// A file of one of the sets: `install/calico.conflist`.
    package static func bytes(_ path: String) throws -> [UInt8] {
        Array(try Data(contentsOf: folder.appending(path: path)))
    }
}

extension Trait where Self == ConditionTrait {
    /// Skips the test, aloud, where upstream's fixtures are not.
    package static var requiresUpstreamFixtures: Self {
        .enabled(if: UpstreamFixtures.isThere, "no upstream fixtures")
    }
}
