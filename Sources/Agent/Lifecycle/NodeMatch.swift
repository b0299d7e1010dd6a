internal import CNIProtocol

/// Whether a pod may run on a node, by its `nodeSelector` and the affinity that is required for scheduling.
///
/// Kubernetes, "Assigning Pods to Nodes": all of `nodeSelector`, and one of the terms of
/// `requiredDuringSchedulingIgnoredDuringExecution`. Taints say nothing here: the agent tolerates all.
enum NodeMatch: Equatable {
    case matches
    case differs(String)

    /// The pod says something that is unknown here.
    case unclear(String)

    init(placement: JSONValue, node: JSONValue) {
        let labels = node["metadata"]?["labels"]?.stringsByName ?? [:]
        for (name, value) in (placement["nodeSelector"]?.stringsByName ?? [:]).sorted(by: { $0.key < $1.key })
        where labels[name] != value {
            self = .differs("its label \(name) is not \(value)")
            return
        }
        let required = placement["affinity"]?["nodeAffinity"]?["requiredDuringSchedulingIgnoredDuringExecution"]
        guard let required, !required.isNull else {
            self = .matches
            return
        }
        let fields = ["metadata.name": node["metadata"]?["name"]?.string ?? ""]
        var unclear: String?
        for term in required["nodeSelectorTerms"]?.array ?? [] {
            switch Self.term(term, labels: labels, fields: fields) {
            case .matches:
                self = .matches
                return
            case .differs: continue
            case .unclear(let what): unclear = what
            }
        }
        self = unclear.map { what in .unclear(what) } ?? .differs("no term of the required node affinity matches it")
    }

    /// All requirements of a term must hold; a term without any matches nothing.
    private static func term(_ term: JSONValue, labels: [String: String], fields: [String: String]) -> NodeMatch {
        let expressions = (term["matchExpressions"]?.array ?? []).map { requirement in (requirement, labels) }
        let requirements = expressions + (term["matchFields"]?.array ?? []).map { requirement in (requirement, fields) }
        guard !requirements.isEmpty else { return .differs("an empty term") }
        var unclear: String?
        for (requirement, values) in requirements {
            switch holds(requirement, values) {
            case .some(true): continue
            case .some(false): return .differs(requirement["key"]?.string ?? "")
            case nil: unclear = "operator \(requirement["operator"]?.string ?? "(none)")"
            }
        }
        return unclear.map { what in .unclear(what) } ?? .matches
    }

    /// Whether one requirement holds; nil if its operator is unknown.
    private static func holds(_ requirement: JSONValue, _ values: [String: String]) -> Bool? {
        guard let key = requirement["key"]?.string else { return nil }
        let wanted = requirement["values"]?.strings ?? []
        let value = values[key]
        switch requirement["operator"]?.string {
        case "In": return value.map { value in wanted.contains(value) } ?? false
        case "NotIn": return value.map { value in !wanted.contains(value) } ?? true
        case "Exists": return value != nil
        case "DoesNotExist": return value == nil
        case "Gt": return compare(value, wanted) { $0 > $1 }
        case "Lt": return compare(value, wanted) { $0 < $1 }
        default: return nil
        }
    }

    /// `Gt` and `Lt` compare whole numbers; anything else does not match.
    private static func compare(_ value: String?, _ wanted: [String], _ isInOrder: (Int, Int) -> Bool) -> Bool {
        guard let value, let left = Int(value), wanted.count == 1, let right = Int(wanted[0]) else { return false }
        return isInOrder(left, right)
    }
}
