/// A JSON value as it was written: numbers as text, members in order, duplicates kept.
///
/// Nothing is rounded or reordered, so what one program writes can be handed to the next unchanged.
package enum JSONValue: Equatable, Sendable {
    case null
    case bool(Bool)

    /// The digits as written (`1e3`, `1.10`), in the grammar of RFC 8259 section 6.
    case number(String)

    case string(String)
    case array([JSONValue])
    case object([JSONMember])

    /// A whole number.
    package static func integer(_ value: Int) -> JSONValue { .number(String(value)) }
}

/// One name and value of an object.
package struct JSONMember: Equatable, Sendable {
    package var name: String
    package var value: JSONValue

    package init(_ name: String, _ value: JSONValue) {
        self.name = name
        self.value = value
    }
}

extension JSONValue {
    /// The value of a member, or nil where this is no object or has no such member.
    ///
    /// Names are compared byte by byte; of duplicates the last counts, as in most readers.
    package subscript(name: String) -> JSONValue? {
        guard case .object(let members) = self, let index = members.index(of: name) else { return nil }
        return members[index].value
    }

    package var isNull: Bool {
        if case .null = self { true } else { false }
    }

    package var bool: Bool? {
        if case .bool(let value) = self { value } else { nil }
    }

    package var string: String? {
        if case .string(let value) = self { value } else { nil }
    }

    /// A number that is written as a whole number (`3`, not `3.0` or `3e0`) and fits.
    package var integer: Int? {
        if case .number(let text) = self { Int(text) } else { nil }
    }

    package var array: [JSONValue]? {
        if case .array(let elements) = self { elements } else { nil }
    }

    package var members: [JSONMember]? {
        if case .object(let members) = self { members } else { nil }
    }

    /// The elements of an array of strings, or nil where anything in it is something else.
    package var strings: [String]? {
        guard case .array(let elements) = self else { return nil }
        var strings: [String] = []
        strings.reserveCapacity(elements.count)
        for element in elements {
            guard case .string(let string) = element else { return nil }
            strings.append(string)
        }
        return strings
    }

    /// The members of an object of strings, or nil where anything in it is something else.
    package var stringsByName: [String: String]? {
        guard case .object(let members) = self else { return nil }
        var strings: [String: String] = [:]
        strings.reserveCapacity(members.count)
        for member in members {
            guard case .string(let string) = member.value else { return nil }
            strings[member.name] = string
        }
        return strings
    }

    /// What this is, with its article, for a sentence about what was expected instead.
    package var kind: String {
        switch self {
        case .null: "null"
        case .bool: "a boolean"
        case .number: "a number"
        case .string: "a string"
        case .array: "an array"
        case .object: "an object"
        }
    }
}

extension [JSONMember] {
    /// Where the member with exactly this name is; the last, if there are several.
    package func index(of name: String) -> Int? {
        lastIndex { member in member.name.hasSameBytes(as: name) }
    }

    /// Where the member with this name is, as Go's `encoding/json` finds it: exactly, else in any case of letters.
    package func index(ofAnyCase name: String) -> Int? {
        index(of: name) ?? lastIndex { member in member.name.hasSameLetters(as: name) }
    }
}

extension String {
    /// Whether both are the same bytes: `==` also takes U+212A, the Kelvin sign, for the letter K.
    func hasSameBytes(as other: String) -> Bool {
        utf8.count == other.utf8.count && utf8.elementsEqual(other.utf8)
    }

    /// Whether both are the same but for the case of ASCII letters.
    func hasSameLetters(as other: String) -> Bool {
        utf8.count == other.utf8.count
            && utf8.elementsEqual(other.utf8) { left, right in left.lowercasedASCII == right.lowercasedASCII }
    }
}

extension UInt8 {
    var isDigit: Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(self) }

    var isASCIILetter: Bool { (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(lowercasedASCII) }

    var lowercasedASCII: UInt8 {
        (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(self) ? self | 0x20 : self
    }
}
