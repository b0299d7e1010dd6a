internal import Kubernetes
internal import Redirect

/// Which fields a pod must have: `metadata.namespace!=shop,status.phase=Running`.
///
/// As the API server means it (Kubernetes, "Field Selectors"): every term must hold, so none selects everything. Fields
/// of pods that the agent does not keep are refused, `spec.restartPolicy` among them.
package struct FieldSelector: Equatable, Sendable {
    private var terms: [Term] = []

    private struct Term: Equatable, Sendable {
        let field: Field
        let value: String
        let isWanted: Bool
    }

    fileprivate enum Field: String, CaseIterable {
        case name = "metadata.name"
        case namespace = "metadata.namespace"
        case nodeName = "spec.nodeName"
        case phase = "status.phase"
    }

    /// Selects everything.
    package init() {}

    package init(_ text: String) throws(SelectorError) {
        try SelectorError.checkLength(of: text)
        // As the API server does: nothing between two commas is no term.
        for part in text.split(separator: ",") {
            guard terms.count < SelectorError.mostTerms else { throw .tooManyTerms }
            terms.append(try Self.term(part))
        }
    }

    private static func term(_ text: Substring) throws(SelectorError) -> Term {
        // Bytes and not `Character`s: a sign and what combines with it are one of those.
        let bytes = text.utf8
        guard let equals = bytes.firstIndex(of: UInt8(ascii: "=")) else {
            throw .unexpected(found: String(text), expected: "FIELD=VALUE, FIELD==VALUE or FIELD!=VALUE")
        }
        var name = bytes[..<equals]
        var rest = bytes[equals...].dropFirst()
        let isWanted = name.last != UInt8(ascii: "!")
        if !isWanted {
            name = name.dropLast()
        } else if rest.first == UInt8(ascii: "=") {
            rest = rest.dropFirst()
        }
        guard let field = Field(rawValue: String(decoding: name, as: UTF8.self)) else {
            throw .unexpected(found: String(decoding: name, as: UTF8.self), expected: "one of \(fields)")
        }
        let value = String(decoding: rest, as: UTF8.self)
        guard field.accepts(value) else { throw .unexpected(found: value, expected: field.valueForm) }
        return Term(field: field, value: value, isWanted: isWanted)
    }

    /// Whether a pod of this node is selected; pods do not keep the node's name.
    package func selects(_ pod: NodePod, onNode nodeName: String) -> Bool {
        terms.allSatisfy { term in
            let value =
                switch term.field {
                case .name: pod.pod.name
                case .namespace: pod.pod.namespace
                case .nodeName: nodeName
                case .phase: pod.phase.rawValue
                }
            return (value == term.value) == term.isWanted
        }
    }

    private static let fields = Field.allCases.map { field in field.rawValue }.joined(separator: ", ")

    /// Completes "expected ...".
    package static let expectation =
        "terms of Kubernetes' field selectors with commas between them: a=b, a==b or a!=b, where a is one of \(fields)"
}

extension FieldSelector.Field {
    fileprivate func accepts(_ value: String) -> Bool {
        switch self {
        // Nothing has an empty name, which is an answer: all pods, or none.
        case .name, .namespace, .nodeName: value.isEmpty || ResourcePath.isName(value)
        case .phase: NodePod.Phase(rawValue: value) != nil
        }
    }

    fileprivate var valueForm: String {
        switch self {
        case .name, .namespace, .nodeName: "a name of Kubernetes"
        case .phase: "one of " + NodePod.Phase.allCases.map { phase in phase.rawValue }.joined(separator: ", ")
        }
    }
}
