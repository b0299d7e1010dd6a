/// Writes a rule in the words of `nft`, for people: errors, differences, explanations.
package struct NFTablesRuleText {
    private var words: [String] = []

    /// What the register holds, in words.
    private var register = ""

    /// A `meta nfproto ipv4` or `meta l4proto tcp` that the next field may make superfluous.
    private var dependency: Dependency?

    /// The text of a rule, such as `tcp dport @excluded-ports counter return`.
    package static func text(of expressions: [NFTablesExpression]) -> String {
        var text = NFTablesRuleText()
        for expression in expressions { text.append(expression) }
        text.flushDependency()
        return text.words.joined(separator: " ")
    }

    private struct Dependency {
        let text: String

        /// `tcp` or `udp`, or empty.
        let transport: String
    }

    private mutating func append(_ expression: NFTablesExpression) {
        switch expression {
        case .meta(let key): load(key.text)
        case .conntrack(let key): load("ct \(key.text)")
        case .payload(let field): loadField(field)
        case .bitwise(let mask, _): register += " & 0x\(hexadecimal(mask))"
        case .compare(let comparison, let bytes): compare(comparison, bytes)
        case .lookup(let set, let inverted): words.append("\(register) \(inverted ? "!= " : "")@\(set)")
        case .immediate(let bytes):
            flushDependency()
            register = bytes.count == 2 ? "\(bigEndian(bytes))" : "0x\(hexadecimal(bytes.reversed()))"
        case .counter: act("counter")
        case .verdict(let verdict): act(verdict.text)
        case .redirect: act("redirect to :\(register)")
        case .transparentProxy(let family): act("tproxy \(family.text) to :\(register)")
        case .setMetaMark: act("meta mark set \(register)")
        case .setConntrack(let key): act("ct \(key.text) set \(register)")
        case .other(let name): act("(\(name))")
        }
    }

    private mutating func load(_ text: String) {
        flushDependency()
        register = text
    }

    /// A field of a header says by itself which protocol it is of.
    private mutating func loadField(_ field: NFTablesExpression.PayloadField) {
        let transport = dependency?.transport ?? ""
        switch field {
        case .source(let family), .sourcePrefix(let family, _): register = "\(family.text) saddr"
        case .destination(let family), .destinationPrefix(let family, _): register = "\(family.text) daddr"
        case .sourcePort: register = "\(transport.isEmpty ? "th" : transport) sport"
        case .destinationPort: register = "\(transport.isEmpty ? "th" : transport) dport"
        }
        switch field {
        case .sourcePort, .destinationPort: if transport.isEmpty { flushDependency() }
        default: if !transport.isEmpty { flushDependency() }
        }
        dependency = nil
    }

    private mutating func compare(_ comparison: NFTablesExpression.Comparison, _ bytes: [UInt8]) {
        let value = valueText(bytes)
        let text = "\(register) \(comparison == .notEqual ? "!= " : "")\(value)"
        let isDependency = register == "meta nfproto" || register == "meta l4proto"
        guard isDependency, comparison == .equal else {
            words.append(text)
            return
        }
        flushDependency()
        dependency = Dependency(text: text, transport: register == "meta l4proto" ? value : "")
    }

    /// The bytes as what the register holds: an address, a name, a port or a number.
    private func valueText(_ bytes: [UInt8]) -> String {
        if register.hasSuffix("ifname") {
            return "\"\(String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self))\""
        }
        if register.hasSuffix("nfproto"), let byte = bytes.first {
            return InternetFamily(rawValue: byte).map { $0 == .ipv4 ? "ipv4" : "ipv6" } ?? "\(byte)"
        }
        if register.hasSuffix("l4proto"), let byte = bytes.first {
            return byte == 6 ? "tcp" : byte == 17 ? "udp" : "\(byte)"
        }
        if register.hasSuffix("port") { return "\(bigEndian(bytes))" }
        if register.hasSuffix("addr") {
            let family: InternetFamily = register.hasPrefix("ip6") ? .ipv6 : .ipv4
            let isWhole = bytes.count == family.addressByteCount
            let padded = bytes + [UInt8](repeating: 0, count: max(0, family.addressByteCount - bytes.count))
            return InternetAddressText.text(of: padded) + (isWhole ? "" : "/\(bytes.count * 8)")
        }
        if register.hasPrefix("meta sk") { return "\(bigEndian(bytes.reversed()))" }
        return "0x\(hexadecimal(register.hasPrefix("ip") ? bytes : bytes.reversed()))"
    }

    private mutating func act(_ text: String) {
        flushDependency()
        words.append(text)
    }

    private mutating func flushDependency() {
        if let dependency { words.append(dependency.text) }
        dependency = nil
    }

    private func bigEndian(_ bytes: [UInt8]) -> UInt64 {
        bytes.prefix(8).reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
    }

    private func hexadecimal(_ bytes: [UInt8]) -> String {
        bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }
}

extension NFTablesExpression.MetaKey {
    fileprivate var text: String {
        switch self {
        case .networkProtocol: "meta nfproto"
        case .transportProtocol: "meta l4proto"
        case .inputInterfaceName: "iifname"
        case .outputInterfaceName: "oifname"
        case .socketUser: "meta skuid"
        case .socketGroup: "meta skgid"
        case .mark: "meta mark"
        }
    }
}

extension NFTablesExpression.ConntrackKey {
    fileprivate var text: String {
        switch self {
        case .state: "state"
        case .mark: "mark"
        case .zone: "zone"
        }
    }
}

extension NFTablesVerdict {
    fileprivate var text: String {
        switch self {
        case .accept: "accept"
        case .drop: "drop"
        case .return: "return"
        case .jump(let chain): "jump \(chain)"
        case .goto(let chain): "goto \(chain)"
        }
    }
}

extension InternetFamily {
    fileprivate var text: String { self == .ipv4 ? "ip" : "ip6" }
}

/// Writes addresses in the usual way: `10.0.0.1`, and IPv6 as RFC 5952 says.
package enum InternetAddressText {
    /// The text of an address of 4 or 16 bytes.
    package static func text(of bytes: [UInt8]) -> String {
        guard bytes.count == 16 else { return bytes.map { "\($0)" }.joined(separator: ".") }

        let groups = (0..<8).map { UInt16(bytes[2 * $0]) << 8 | UInt16(bytes[2 * $0 + 1]) }
        let zeros = longestZeroRun(groups)
        let text = { (part: ArraySlice<UInt16>) in part.map { String($0, radix: 16) }.joined(separator: ":") }
        guard zeros.count >= 2 else { return text(groups[...]) }
        return "\(text(groups[..<zeros.lowerBound]))::\(text(groups[zeros.upperBound...]))"
    }

    private static func longestZeroRun(_ groups: [UInt16]) -> Range<Int> {
        var longest = 0..<0
        var start = 0
        for index in 0...groups.count {
            if index < groups.count, groups[index] == 0 { continue }
            if index - start > longest.count { longest = start..<index }
            start = index + 1
        }
        return longest
    }
}
