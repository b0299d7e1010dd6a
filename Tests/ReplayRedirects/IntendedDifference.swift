import Foundation

/// Where this project means to differ from upstream (docs/architecture.md, decision 17), all of it.
///
/// A row looks at the pod alone and says the exact outcome. It is asked only about pods that upstream refuses, so no
/// row can change the rules of one that upstream starts.
struct IntendedDifference: Sendable {
    let reason: String
    let outcome: @Sendable ([String: String]) -> Outcome?

    enum Outcome: Equatable, Sendable {
        /// The ADD succeeds, and the namespace stays untouched.
        case leftAlone

        /// The ADD fails with this project's code for it, names one of these annotations, and the namespace stays
        /// untouched.
        case refused(naming: [String])

        /// All is as with these annotations.
        case asWith([String: String])
    }

    /// The code of a refused annotation (docs/errors.md); upstream has 999 for everything.
    static let badAnnotationCode = 101

    /// The first row that applies counts.
    static let all = [
        IntendedDifference(reason: "interceptionMode NONE means no redirection, as for the injector that writes it") {
            $0[AnnotationValue.interceptionMode] == "NONE" ? .leftAlone : nil
        },
        IntendedDifference(reason: "a bad annotation has a code of its own, 101 for 999, and is named") { annotations in
            guard !AnnotationValue.refused(annotations, { !$0.isWellFormed }).isEmpty else { return nil }
            // Which of several is named depends on the order in which they are read.
            return .refused(
                naming: AnnotationValue.refused(annotations) { !$0.isWellFormed || $0.isWildcardForNothing }
            )
        },
        IntendedDifference(reason: "* is refused where no wildcard makes sense, before a rule is made of it") {
            annotations in
            let wildcards = AnnotationValue.refused(annotations) { $0.isWildcardForNothing }
            return wildcards.isEmpty ? nil : .refused(naming: wildcards)
        },
        IntendedDifference(reason: "a list of blanks is an empty list") { annotations in
            let trimmed = annotations.mapValues { $0.allSatisfy(\.isWhitespace) ? "" : $0 }
            return trimmed == annotations ? nil : .asWith(trimmed)
        },
    ]
}

/// A value that decides about redirection, judged without any of this project's own policy.
struct AnnotationValue {
    let kind: Kind
    let text: String

    enum Kind {
        case mode
        case ranges(allowsAll: Bool)
        case ports(allowsAll: Bool)
        case interfaces
    }

    static let interceptionMode = "sidecar.istio.io/interceptionMode"
    private static let prefix = "traffic.sidecar.istio.io/"
    private static let virtualInterfaces = "istio.io/reroute-virtual-interfaces"

    private static let kinds: [String: Kind] = [
        interceptionMode: .mode,
        prefix + "includeOutboundIPRanges": .ranges(allowsAll: true),
        prefix + "excludeOutboundIPRanges": .ranges(allowsAll: false),
        prefix + "includeInboundPorts": .ports(allowsAll: true),
        prefix + "excludeInboundPorts": .ports(allowsAll: false),
        prefix + "excludeOutboundPorts": .ports(allowsAll: false),
        prefix + "includeOutboundPorts": .ports(allowsAll: false),
        prefix + "excludeInterfaces": .interfaces,
        prefix + "kubevirtInterfaces": .interfaces,
        virtualInterfaces: .interfaces,
    ]

    /// The annotations whose value `isRefused` says so about.
    static func refused(_ annotations: [String: String], _ isRefused: (AnnotationValue) -> Bool) -> [String] {
        annotations.compactMap { name, text in
            // The older name counts only without the newer one.
            if name == prefix + "kubevirtInterfaces", annotations[virtualInterfaces] != nil { return nil }
            guard let kind = kinds[name], isRefused(AnnotationValue(kind: kind, text: text)) else { return nil }
            return name
        }
    }

    var isWildcardForNothing: Bool {
        guard case .ports(allowsAll: false) = kind else { return false }
        return text == "*"
    }

    /// Whether it is of the right form, as far as upstream looks before it makes rules.
    var isWellFormed: Bool {
        let elements = text.split(separator: ",", omittingEmptySubsequences: false)
        let trimmed = elements.map { $0.trimmingCharacters(in: .whitespaces) }
        switch kind {
        case .mode: return text == "REDIRECT" || text == "TPROXY"
        case .ranges(let allowsAll):
            return text.isEmpty || (allowsAll && text == "*") || elements.allSatisfy(Self.isRange)
        case .ports:
            return isBlank || text == "*"
                || trimmed.allSatisfy { !$0.isEmpty && $0.utf8.allSatisfy(Self.isDigit) && UInt16($0) != nil }
        case .interfaces: return isBlank || trimmed.allSatisfy(Self.isInterface)
        }
    }

    private var isBlank: Bool { text.allSatisfy(\.isWhitespace) }

    private static func isDigit(_ byte: UInt8) -> Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }

    private static func isInterface(_ name: String) -> Bool {
        guard (1...15).contains(name.utf8.count), let first = name.unicodeScalars.first else { return false }
        let letters = CharacterSet(charactersIn: "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")
        let allowed = letters.union(CharacterSet(charactersIn: "0123456789_.-"))
        return letters.contains(first) && name.unicodeScalars.allSatisfy(allowed.contains)
    }

    private static func isRange(_ text: Substring) -> Bool {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 2, parts[1].utf8.allSatisfy(isDigit), let length = UInt8(parts[1]),
            parts[1] == "\(length)"
        else { return false }
        var bytes = [UInt8](repeating: 0, count: 16)
        if inet_pton(AF_INET, String(parts[0]), &bytes) == 1 { return length <= 32 }
        return inet_pton(AF_INET6, String(parts[0]), &bytes) == 1 && length <= 128
    }
}
