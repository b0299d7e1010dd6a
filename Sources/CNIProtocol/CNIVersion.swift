/// A version of the CNI specification.
package enum CNIVersion: String, CaseIterable, Comparable, Sendable {
    case v010 = "0.1.0"
    case v020 = "0.2.0"
    case v030 = "0.3.0"
    case v031 = "0.3.1"
    case v040 = "0.4.0"
    case v100 = "1.0.0"
    case v110 = "1.1.0"

    /// What a configuration without a version means.
    package static let oldest = CNIVersion.v010
    package static let latest = CNIVersion.v110

    /// Versions whose results have the same shape.
    package enum Family: Sendable {
        /// 0.1.0 and 0.2.0: one IPv4 and one IPv6 configuration, in `ip4` and `ip6`.
        case single

        /// 0.3.0 to 0.4.0: lists of interfaces and addresses; each address says its `version`.
        case lists

        /// 1.0.0 and 1.1.0: the same lists, without `version`.
        case stable
    }

    package var family: Family {
        switch self {
        case .v010, .v020: .single
        case .v030, .v031, .v040: .lists
        case .v100, .v110: .stable
        }
    }

    package static func < (left: CNIVersion, right: CNIVersion) -> Bool { left.order < right.order }

    private var order: Int {
        switch self {
        case .v010: 0
        case .v020: 1
        case .v030: 2
        case .v031: 3
        case .v040: 4
        case .v100: 5
        case .v110: 6
        }
    }

    /// All versions, separated by commas.
    package static var list: String {
        var list = ""
        for version in allCases { list += (list.isEmpty ? "" : ", ") + version.rawValue }
        return list
    }
}

/// The answer to VERSION: which versions of the specification this plugin speaks.
package enum VersionReport {
    /// One line of JSON for standard output, with its newline.
    package static var bytes: [UInt8] {
        let versions = CNIVersion.allCases.map { version in JSONValue.string(version.rawValue) }
        let report = JSONValue.object([
            JSONMember("cniVersion", .string(CNIVersion.latest.rawValue)),
            JSONMember("supportedVersions", .array(versions)),
        ])
        return report.bytes() + [UInt8(ascii: "\n")]
    }
}
