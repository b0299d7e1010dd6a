internal import CNIProtocol

/// The fields of a document against what there is.
struct DocumentCheck {
    private let document: JSONValue
    private let schema: ValueSchema
    private let chart: ValueSchema

    init(_ document: JSONValue, chart: ValueSchema) throws(DocumentError) {
        self.document = document
        self.chart = chart
        schema = try DocumentSchema.make()
    }

    func findings() -> [DocumentError.Finding] {
        let spec = document["spec"] ?? .null
        return schema.findings(in: document, at: "")
            + ["values", "unvalidatedValues"].flatMap { values(spec[$0] ?? .null, at: "spec.\($0)") }
            + references(spec) + names(spec)
    }

    // MARK: Values of the charts

    private func values(_ values: JSONValue, at path: String) -> [DocumentError.Finding] {
        (values.members ?? []).flatMap { member -> [DocumentError.Finding] in
            let place = "\(path).\(member.name)"
            switch member.name {
            case "cni": return agent(member.value, at: place)
            case "global": return chart.property("global")?.findings(in: member.value, at: place) ?? []
            default:
                if DocumentSchema.otherValues.contains(member.name) { return [] }
                return [.init(path: place, problem: "no such field\(guess(member.name, path))")]
            }
        }
    }

    private func agent(_ values: JSONValue, at path: String) -> [DocumentError.Finding] {
        let found = chart.property("cni")?.findings(in: values, at: path) ?? []
        return found
            + ["affinity", "seccompProfile"].flatMap { name in
                schema.definition(name).findings(in: values[name] ?? .null, at: "\(path).\(name)")
            }
    }

    private func guess(_ name: String, _ path: String) -> String {
        if chart.property("cni")?.property(name) != nil { return "; did you mean \(path).cni.\(name)?" }
        let names = DocumentSchema.otherValues.union(["cni", "global"])
        return NearestName.of(name, among: names.sorted()).map { "; did you mean \($0)?" } ?? ""
    }

    // MARK: Texts of a form

    private func references(_ spec: JSONValue) -> [DocumentError.Finding] {
        let places: [[String]] = [
            [], ["components", "cni"], ["values", "global"], ["values", "cni"], ["unvalidatedValues", "global"],
            ["unvalidatedValues", "cni"],
        ]
        return places.flatMap { place in
            let path = (["spec"] + place).joined(separator: ".")
            var found: [DocumentError.Finding] = []
            if let hub = spec[path: place + ["hub"]]?.string, !hub.isEmpty, !Self.isRegistry(hub) {
                found.append(.init(path: "\(path).hub", problem: "\(hub) is no registry with a path"))
            }
            if let tag = spec[path: place + ["tag"]]?.string, !tag.isEmpty, !Self.isTag(tag) {
                found.append(.init(path: "\(path).tag", problem: "\(tag) is no tag of an image"))
            }
            return found
        }
    }

    private func names(_ spec: JSONValue) -> [DocumentError.Finding] {
        [
            ["revision"], ["values", "revision"], ["components", "cni", "namespace"],
            ["values", "global", "istioNamespace"],
        ].compactMap { place in
            guard let name = spec[path: place]?.string, !name.isEmpty, !Self.isLabel(name) else { return nil }
            let path = (["spec"] + place).joined(separator: ".")
            return .init(
                path: path,
                problem: "\(name) is no name: want small letters, digits and - between, at most 63"
            )
        }
    }

    /// RFC 1123, section 2.1, as Kubernetes has it.
    private static func isLabel(_ text: String) -> Bool {
        let isInner = { (byte: UInt8) in isSmallOrDigit(byte) || byte == UInt8(ascii: "-") }
        return (1...63).contains(text.utf8.count) && text.utf8.allSatisfy(isInner) && !text.hasPrefix("-")
            && !text.hasSuffix("-")
    }

    /// https://github.com/opencontainers/distribution-spec/blob/main/spec.md#pulling-manifests, "tag".
    private static func isTag(_ text: String) -> Bool {
        let isInner = { (byte: UInt8) in
            isSmallOrDigit(byte) || (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte) || "_.-".utf8.contains(byte)
        }
        return (1...128).contains(text.utf8.count) && text.utf8.allSatisfy(isInner) && !text.hasPrefix(".")
            && !text.hasPrefix("-")
    }

    private static func isRegistry(_ text: String) -> Bool {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        return parts.enumerated().allSatisfy { index, part in
            let isPlain = { (byte: UInt8) in
                isSmallOrDigit(byte) || "._-".utf8.contains(byte)
                    || (index == 0 && "[]:ABCDEFGHIJKLMNOPQRSTUVWXYZ".utf8.contains(byte))
            }
            return !part.isEmpty && part.utf8.allSatisfy(isPlain)
        }
    }

    private static func isSmallOrDigit(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte) || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
    }
}
