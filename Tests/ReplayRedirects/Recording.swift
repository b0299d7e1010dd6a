import Foundation

/// One line of a recording: a pod, and what upstream's plugin left in a fresh namespace after one ADD.
struct Recording: Sendable {
    let id: String

    /// Of eth0, as `prevResult` has them.
    let addresses: [String]
    let pod: PodDocument
    let expected: SandboxState

    static func all(in file: String) throws -> [Recording] {
        let data = try Data(contentsOf: URL(filePath: file))
        return try data.split(separator: UInt8(ascii: "\n")).map { line in try Recording(line) }
    }

    private init(_ line: Data) throws {
        let decoded = try JSONDecoder().decode(Line.self, from: line)
        guard let document = try JSONSerialization.jsonObject(with: line) as? [String: Any],
            let pod = document["pod"] as? [String: Any]
        else { throw ReplayError("a line of the recording has no pod") }
        id = decoded.id
        addresses =
            switch decoded.family {
            case "v4": ["10.1.0.2/24"]
            case "v6": ["fd10::2/64"]
            case "dual": ["10.1.0.2/24", "fd10::2/64"]
            default: throw ReplayError("\(decoded.id): family \(decoded.family) is none of v4, v6 and dual")
            }
        self.pod = try PodDocument(pod)
        expected = SandboxState(decoded.expect.iptables)
    }

    private struct Line: Decodable {
        let id: String
        let family: String
        let expect: Expected
    }

    private struct Expected: Decodable {
        let iptables: RecordedState
    }
}

/// A pod as the API server has it.
struct PodDocument: Sendable {
    let name: String
    let namespace: String
    let annotations: [String: String]
    let json: Data

    init(_ document: [String: Any]) throws {
        let metadata = document["metadata"] as? [String: Any]
        guard let name = metadata?["name"] as? String, let namespace = metadata?["namespace"] as? String else {
            throw ReplayError("a pod of the recording has no name or no namespace")
        }
        self.name = name
        self.namespace = namespace
        annotations = metadata?["annotations"] as? [String: String] ?? [:]
        json = try JSONSerialization.data(withJSONObject: document)
    }

    /// The same pod with another name and other annotations.
    func with(name: String, annotations: [String: String]) throws -> PodDocument {
        guard var document = try JSONSerialization.jsonObject(with: json) as? [String: Any],
            var metadata = document["metadata"] as? [String: Any]
        else { throw ReplayError("a pod is no object") }
        metadata["name"] = name
        metadata["annotations"] = annotations
        document["metadata"] = metadata
        return try PodDocument(document)
    }
}

/// `expect.iptables` of a recording.
struct RecordedState: Decodable {
    let exit: Int
    let error: Refusal?
    let iptables: [String]
    let ip6tables: [String]
    let rule4: [String]
    let rule6: [String]
    let table133v4: [String]
    let table133v6: [String]
    let lo: [String]

    struct Refusal: Decodable {
        let code: Int
        let msg: String
    }

    enum CodingKeys: String, CodingKey {
        case exit, error, iptables, ip6tables, rule4, rule6, lo
        case table133v4 = "table133_4"
        case table133v6 = "table133_6"
    }
}

struct ReplayError: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }
}
