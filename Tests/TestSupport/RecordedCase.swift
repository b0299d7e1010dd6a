package import Foundation
package import Redirect

/// One pod of `Tests/Recordings/redirect/cases.jsonl`, and what upstream's plugin made of it.
package struct RecordedCase: Sendable, CustomStringConvertible {
    package let id: String

    /// `v4`, `v6` or `dual`.
    package let family: String
    package let pod: Pod
    package let podDocument: Data
    package let expected: Expectation

    /// The same with upstream's nf_tables back-end.
    package let expectedNFTables: Expectation

    package var description: String { id }

    /// What the sandbox looked like after one ADD.
    package struct Expectation: Decodable, Sendable {
        package let exit: Int

        /// What upstream printed where it refused the pod.
        package let error: Refusal?
        package let iptables: [String]
        package let ip6tables: [String]
        package let rule4: [String]
        package let rule6: [String]
        package let table133v4: [String]
        package let table133v6: [String]
        package let lo: [String]

        /// As `nft -s list ruleset` prints it.
        package let nft: String

        enum CodingKeys: String, CodingKey {
            case exit, error, iptables, ip6tables, rule4, rule6, lo, nft
            case table133v4 = "table133_4"
            case table133v6 = "table133_6"
        }

        package struct Refusal: Decodable, Sendable {
            package let msg: String
        }
    }

    /// The addresses of eth0, as `prevResult` has them.
    package var addresses: [String] {
        switch family {
        case "v4": ["10.1.0.2/24"]
        case "v6": ["fd10::2/64"]
        default: ["10.1.0.2/24", "fd10::2/64"]
        }
    }

    package static let file = URL(filePath: #filePath)
        .deletingLastPathComponent().appending(path: "../Recordings/redirect/cases.jsonl").standardized

    /// Every case of the file, in its order.
    package static func all(in file: URL = file) throws -> [RecordedCase] {
        try Data(contentsOf: file).split(separator: UInt8(ascii: "\n")).map { line in
            let decoded = try JSONDecoder().decode(Line.self, from: line)
            let document = try JSONSerialization.jsonObject(with: line) as? [String: Any]
            let pod = try JSONSerialization.data(withJSONObject: document?["pod"] ?? [:])
            return RecordedCase(
                id: decoded.id,
                family: decoded.family,
                pod: Pod(decoded.pod),
                podDocument: pod,
                expected: decoded.expect.iptables,
                expectedNFTables: decoded.expect.nftables
            )
        }
    }
}

private struct Line: Decodable {
    let id: String
    let family: String
    let pod: PodDocument
    let expect: Expected

    struct Expected: Decodable {
        let iptables: RecordedCase.Expectation
        let nftables: RecordedCase.Expectation
    }
}

private struct PodDocument: Decodable {
    let metadata: Metadata
    let spec: Specification

    struct Metadata: Decodable {
        let name: String
        let namespace: String
        let annotations: [String: String]?
        let labels: [String: String]?
    }

    struct Specification: Decodable {
        let initContainers: [Container]?
        let containers: [Container]
    }

    struct Container: Decodable {
        let name: String
        let args: [String]?
        let env: [Variable]?
        let securityContext: SecurityContext?
    }

    struct Variable: Decodable {
        let name: String
        let value: String?
    }

    struct SecurityContext: Decodable {
        let runAsUser: UInt32?
        let runAsGroup: UInt32?
    }
}

extension Pod {
    fileprivate init(_ document: PodDocument) {
        let containers = (document.spec.initContainers ?? []) + document.spec.containers
        self.init(
            namespace: document.metadata.namespace,
            name: document.metadata.name,
            annotations: document.metadata.annotations ?? [:],
            labels: document.metadata.labels ?? [:],
            containers: containers.map { container in
                let variables = (container.env ?? []).map { ($0.name, $0.value ?? "") }
                return Container(
                    name: container.name,
                    arguments: container.args ?? [],
                    environment: Dictionary(variables) { _, later in later },
                    user: container.securityContext?.runAsUser,
                    group: container.securityContext?.runAsGroup
                )
            }
        )
    }
}
