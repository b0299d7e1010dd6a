internal import Kubernetes

/// Which labels a pod must have: `a=b,c!=d,e in (f,g),h notin (i),j,!k`.
///
/// As the API server means it (Kubernetes, "Labels and Selectors"): every term must hold, so none selects everything.
package struct LabelSelector: Equatable, Sendable {
    private var terms: [Term] = []

    fileprivate struct Term: Equatable, Sendable {
        let key: String
        let condition: Condition
    }

    fileprivate enum Condition: Equatable, Sendable {
        case present
        case absent
        case among(Set<String>)

        /// It holds for a label that is not there, too.
        case notAmong(Set<String>)
    }

    /// Selects everything.
    package init() {}

    package init(_ text: String) throws(SelectorError) {
        try SelectorError.checkLength(of: text)
        var reader = Reader(text)
        terms = try reader.terms()
    }

    /// The labels that it asks for, which pods must keep.
    package var keys: Set<String> { Set(terms.map { term in term.key }) }

    package func selects(_ labels: [String: String]) -> Bool {
        terms.allSatisfy { term in
            let value = labels[term.key]
            switch term.condition {
            case .present: return value != nil
            case .absent: return value == nil
            case .among(let values): return value.map { value in values.contains(value) } ?? false
            case .notAmong(let values): return value.map { value in !values.contains(value) } ?? true
            }
        }
    }

    /// Completes "expected ...".
    package static let expectation =
        "terms of Kubernetes' label selectors with commas between them: "
        + "a=b, a==b, a!=b, a in (b,c), a notin (b,c), a or !a"
}

/// Reads the words and symbols of a label selector, one after the other.
///
/// No word has a character of a symbol, so both are texts.
private struct Reader {
    private var tokens: ArraySlice<String>

    init(_ text: String) { tokens = Self.tokens(of: text)[...] }

    mutating func terms() throws(SelectorError) -> [LabelSelector.Term] {
        var terms: [LabelSelector.Term] = []
        guard !tokens.isEmpty else { return terms }
        repeat {
            guard terms.count < SelectorError.mostTerms else { throw .tooManyTerms }
            terms.append(try term())
        } while take(",")
        guard tokens.isEmpty else { throw unexpected("a comma or the end") }
        return terms
    }

    private mutating func term() throws(SelectorError) -> LabelSelector.Term {
        let isNegated = take("!")
        guard let key = tokens.first, Self.isKey(key) else { throw unexpected("the key of a label") }
        tokens.removeFirst()
        if isNegated { return .init(key: key, condition: .absent) }
        if tokens.isEmpty || tokens.first == "," { return .init(key: key, condition: .present) }
        if take("=") || take("==") { return .init(key: key, condition: .among([try value()])) }
        if take("!=") { return .init(key: key, condition: .notAmong([try value()])) }
        if take("in") { return .init(key: key, condition: .among(try values())) }
        if take("notin") { return .init(key: key, condition: .notAmong(try values())) }
        throw unexpected("=, ==, !=, in, notin, a comma or the end")
    }

    private mutating func values() throws(SelectorError) -> Set<String> {
        guard take("(") else { throw unexpected("(") }
        var values: Set<String> = []
        repeat { values.insert(try value()) } while take(",")
        guard take(")") else { throw unexpected("a comma or )") }
        return values
    }

    /// A value may be empty, and is where nothing stands for it.
    private mutating func value() throws(SelectorError) -> String {
        guard let value = tokens.first, value != ",", value != ")" else { return "" }
        guard Self.isName(value) else { throw unexpected("the value of a label") }
        tokens.removeFirst()
        return value
    }

    private mutating func take(_ token: String) -> Bool {
        guard tokens.first == token else { return false }
        tokens.removeFirst()
        return true
    }

    private func unexpected(_ expected: String) -> SelectorError {
        .unexpected(found: tokens.first ?? "", expected: expected)
    }

    // MARK: - Characters

    private static func tokens(of text: String) -> [String] {
        var tokens: [String] = []
        var rest = Array(text.utf8)[...]
        while let first = rest.first {
            let token: ArraySlice<UInt8>
            if isBlank(first) {
                token = rest.prefix(1)
            } else if isSymbol(first) {
                let pair = rest.prefix(2)
                token = pair.elementsEqual("==".utf8) || pair.elementsEqual("!=".utf8) ? pair : rest.prefix(1)
            } else {
                token = rest.prefix { byte in !isBlank(byte) && !isSymbol(byte) }
            }
            if !isBlank(first) { tokens.append(String(decoding: token, as: UTF8.self)) }
            rest = rest.dropFirst(token.count)
        }
        return tokens
    }

    private static func isBlank(_ byte: UInt8) -> Bool { " \t\r\n".utf8.contains(byte) }

    /// Those of `>` and `<` too, which Kubernetes reads and nothing here needs.
    private static func isSymbol(_ byte: UInt8) -> Bool { "=!(),<>".utf8.contains(byte) }

    /// A name, and before it perhaps a DNS subdomain and a slash.
    private static func isKey(_ text: String) -> Bool {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 2 else { return isName(text) }
        return ResourcePath.isName(String(parts[0])) && isName(String(parts[1]))
    }

    /// Letters, digits, and between those `-`, `_` and `.`.
    private static func isName(_ text: String) -> Bool {
        guard (1...longestNameBytes).contains(text.utf8.count), let first = text.utf8.first, let last = text.utf8.last
        else { return false }
        return isLetterOrDigit(first) && isLetterOrDigit(last)
            && text.utf8.allSatisfy { byte in isLetterOrDigit(byte) || "-_.".utf8.contains(byte) }
    }

    /// The longest value of a label, and name in a key, that Kubernetes takes.
    private static let longestNameBytes = 63

    private static func isLetterOrDigit(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"): true
        case UInt8(ascii: "0")...UInt8(ascii: "9"): true
        default: false
        }
    }
}
