import CNIProtocol

/// An object of a message, read member by member; each refusal names the path of its field.
struct MessageReader {
    let path: String
    let value: JSONValue

    /// Reads a whole message.
    init(_ bytes: [UInt8], path: String) throws(MessageError) {
        do throws(JSONError) {
            value = try JSONValue(parsing: bytes)
        } catch {
            throw MessageError(path, .unreadable(error.description))
        }
        self.path = path
        guard value.members != nil else { throw MessageError(path, .notA("an object")) }
    }

    private init(_ value: JSONValue, path: String) throws(MessageError) {
        guard value.members != nil else { throw MessageError(path, .notA("an object")) }
        self.value = value
        self.path = path
    }

    func field(_ name: String) -> String { "\(path).\(name)" }

    /// Refuses members other than these, and any of these that is there twice.
    func requireOnly(_ names: [String]) throws(MessageError) {
        var unseen = names
        for member in value.members ?? [] {
            guard let index = unseen.firstIndex(of: member.name) else { throw MessageError(path, .unknownMember) }
            unseen.remove(at: index)
        }
    }

    func member(_ name: String) throws(MessageError) -> JSONValue {
        guard let member = value[name] else { throw MessageError(field(name), .missing) }
        return member
    }

    func object(_ name: String) throws(MessageError) -> MessageReader {
        try MessageReader(member(name), path: field(name))
    }

    /// A text of at most `limit` bytes; `fallback` stands in for an absent one.
    func text(_ name: String, limit: Int, default fallback: String? = nil) throws(MessageError) -> String {
        if let fallback, value[name] == nil { return fallback }
        guard let text = try member(name).string else { throw MessageError(field(name), .notA("a string")) }
        guard text.utf8.count <= limit else { throw MessageError(field(name), .tooLong(limit: limit)) }
        return text
    }

    /// A text that says something.
    func filledText(_ name: String, limit: Int) throws(MessageError) -> String {
        let text = try text(name, limit: limit)
        guard !text.isEmpty else { throw MessageError(field(name), .notA("filled in")) }
        return text
    }

    func flag(_ name: String) throws(MessageError) -> Bool {
        guard let flag = try member(name).bool else { throw MessageError(field(name), .notA("true or false")) }
        return flag
    }

    func integer(_ name: String, in range: ClosedRange<Int>) throws(MessageError) -> Int {
        try Self.integer(member(name), in: range, field: field(name))
    }

    static func integer(_ value: JSONValue, in range: ClosedRange<Int>, field: String) throws(MessageError) -> Int {
        guard let integer = value.integer, range.contains(integer) else {
            throw MessageError(field, .notA("a number \(range.lowerBound)-\(range.upperBound)"))
        }
        return integer
    }

    /// The elements of an array, each read by `read`, which is given the path of the element.
    func elements<Element>(
        _ name: String,
        limit: Int,
        _ read: (JSONValue, String) throws(MessageError) -> Element
    ) throws(MessageError) -> [Element] {
        guard let array = try member(name).array else { throw MessageError(field(name), .notA("an array")) }
        guard array.count <= limit else { throw MessageError(field(name), .tooMany(limit: limit)) }
        var elements: [Element] = []
        elements.reserveCapacity(array.count)
        for (index, element) in array.enumerated() {
            elements.append(try read(element, "\(field(name))[\(index)]"))
        }
        return elements
    }

    /// An array of texts of at most `textLimit` bytes each.
    func texts(_ name: String, limit: Int, textLimit: Int) throws(MessageError) -> [String] {
        try elements(name, limit: limit) { element, path throws(MessageError) in
            guard let text = element.string else { throw MessageError(path, .notA("a string")) }
            guard text.utf8.count <= textLimit else { throw MessageError(path, .tooLong(limit: textLimit)) }
            return text
        }
    }
}
