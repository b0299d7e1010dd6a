internal import CNIProtocol

/// Cuts a list of objects (`{"metadata":{...},"items":[...]}`) into its items while it arrives.
///
/// So a list of 50 MB is never in memory: one item is. The decoder finds where values end; what is in them is
/// for a JSON reader, which also refuses what this lets pass.
package struct ListDecoder: Sendable {
    /// The largest item that is read, in bytes: etcd takes no request over 1.5 MiB by default.
    package static let largestItemBytes = 2 * 1_024 * 1_024

    /// The most items of one list: a node runs some hundred pods.
    package static let mostItems = 10_000

    /// The largest member beside `items`, in bytes: `metadata` of a list is a version and a token.
    package static let largestMemberBytes = 64 * 1_024

    /// The largest list, in bytes: 10,000 items of 25 KiB.
    package static let largestListBytes = 256 * 1_024 * 1_024

    /// What may come next, outside of a value.
    private enum Place {
        case start
        case firstMember
        case member
        case colon
        case value
        case memberEnd
        case firstItem
        case item
        case itemEnd
        case end
    }

    private enum Collected {
        case name
        case member
        case item
    }

    private var place = Place.start
    private var collected: Collected?
    private var scanner = ValueScanner()
    private var bytes: [UInt8] = []
    private var memberName: [UInt8] = []
    private var metadata: [UInt8] = []
    private var itemCount = 0
    private var byteCount = 0
    private let byteLimit: Int

    package init(byteLimit: Int = ListDecoder.largestListBytes) { self.byteLimit = byteLimit }

    /// Takes the next chunk and returns the items that it completes, each as its bytes.
    package mutating func append(_ chunk: [UInt8]) throws(StreamError) -> [[UInt8]] {
        byteCount += chunk.count
        guard byteCount <= byteLimit else { throw StreamError("the list has more than \(byteLimit) bytes") }
        var items: [[UInt8]] = []
        var index = 0
        while index < chunk.count {
            if let collected {
                let (count, isComplete) = scanner.scan(chunk, from: index)
                try collect(chunk[index..<(index + count)], as: collected)
                index += count
                if isComplete, let item = try complete(collected) { items.append(item) }
            } else {
                try step(chunk[index])
                // The first byte of a value belongs to it.
                if collected == nil { index += 1 }
            }
        }
        return items
    }

    /// What the list says about itself, once all of it is there.
    package func finish() throws(StreamError) -> ListMetadata {
        guard case .end = place else { throw StreamError("the list ends after \(byteCount) bytes, in the middle") }
        return try ListMetadata(metadata)
    }

    private mutating func collect(_ piece: ArraySlice<UInt8>, as collected: Collected) throws(StreamError) {
        let (limit, what) =
            switch collected {
            case .item: (Self.largestItemBytes, "item \(itemCount) of the list")
            case .name, .member: (Self.largestMemberBytes, "a member of the list")
            }
        guard bytes.count + piece.count <= limit else { throw StreamError("\(what) has more than \(limit) bytes") }
        bytes += piece
    }

    /// Puts a whole value where it belongs, and returns it if it is an item.
    private mutating func complete(_ kind: Collected) throws(StreamError) -> [UInt8]? {
        let value = bytes
        bytes = []
        collected = nil
        switch kind {
        case .name:
            memberName = value
            place = .colon
        case .member:
            if memberName == Self.metadataName { metadata = value }
            place = .memberEnd
        case .item:
            itemCount += 1
            place = .itemEnd
            return value
        }
        return nil
    }

    private static let metadataName = Array(#""metadata""#.utf8)
    private static let itemsName = Array(#""items""#.utf8)

    /// Takes one byte of what is between values.
    private mutating func step(_ byte: UInt8) throws(StreamError) {
        switch (place, byte) {
        case (_, 0x20), (_, 0x09), (_, 0x0A), (_, 0x0D): return
        case (.start, UInt8(ascii: "{")): place = .firstMember
        case (.firstMember, UInt8(ascii: "}")), (.memberEnd, UInt8(ascii: "}")): place = .end
        case (.firstMember, UInt8(ascii: "\"")), (.member, UInt8(ascii: "\"")): begin(.name)
        case (.colon, UInt8(ascii: ":")): place = .value
        case (.value, UInt8(ascii: "[")) where memberName == Self.itemsName: place = .firstItem
        case (.value, _) where Self.beginsValue(byte): begin(.member)
        case (.memberEnd, UInt8(ascii: ",")): place = .member
        case (.firstItem, UInt8(ascii: "]")), (.itemEnd, UInt8(ascii: "]")): place = .memberEnd
        case (.firstItem, _) where Self.beginsValue(byte), (.item, _) where Self.beginsValue(byte):
            guard itemCount < Self.mostItems else {
                throw StreamError("the list has more than \(Self.mostItems) items")
            }
            begin(.item)
        case (.itemEnd, UInt8(ascii: ",")): place = .item
        default: throw StreamError("the answer is no list of objects: byte \(byte) where \(expected) should be")
        }
    }

    /// Whether a value can begin with this byte, which the scanner then passes over in any case.
    private static func beginsValue(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "{"), UInt8(ascii: "["), UInt8(ascii: "\""), UInt8(ascii: "-"): true
        case UInt8(ascii: "0")...UInt8(ascii: "9"): true
        case UInt8(ascii: "t"), UInt8(ascii: "f"), UInt8(ascii: "n"): true
        default: false
        }
    }

    private mutating func begin(_ kind: Collected) {
        collected = kind
        scanner = ValueScanner()
    }

    private var expected: String {
        switch place {
        case .start: "an object"
        case .firstMember, .member: "a member's name"
        case .colon: "a colon"
        case .value, .firstItem, .item: "a value"
        case .memberEnd: "a comma or the end of the object"
        case .itemEnd: "a comma or the end of the items"
        case .end: "nothing"
        }
    }
}

/// Finds where one JSON value ends, without understanding it.
private struct ValueScanner: Sendable {
    private var depth = 0
    private var isInString = false
    private var isEscaped = false

    /// How many bytes from `start` on belong to the value, and whether it ends with them.
    mutating func scan(_ chunk: [UInt8], from start: Int) -> (count: Int, isComplete: Bool) {
        var index = start
        while index < chunk.count {
            let byte = chunk[index]
            if isInString {
                index += 1
                if isEscaped {
                    isEscaped = false
                } else if byte == UInt8(ascii: "\\") {
                    isEscaped = true
                } else if byte == UInt8(ascii: "\"") {
                    isInString = false
                    if depth == 0 { return (index - start, true) }
                }
                continue
            }
            switch byte {
            case UInt8(ascii: "\""): isInString = true
            case UInt8(ascii: "{"), UInt8(ascii: "["): depth += 1
            case UInt8(ascii: "}"), UInt8(ascii: "]"):
                // The end of what is around a number or a word.
                guard depth > 0 else { return (index - start, true) }
                depth -= 1
                if depth == 0 { return (index + 1 - start, true) }
            case UInt8(ascii: ","), 0x20, 0x09, 0x0A, 0x0D:
                if depth == 0 { return (index - start, true) }
            default: break
            }
            index += 1
        }
        return (index - start, false)
    }
}

/// What a list says about itself.
package struct ListMetadata: Equatable, Sendable {
    /// The moment that the list shows.
    package let version: ResourceVersion

    /// Where the next page begins, or nil after the last.
    package let continuation: String?

    fileprivate init(_ bytes: [UInt8]) throws(StreamError) {
        let metadata: JSONValue
        do throws(JSONError) {
            metadata = try JSONValue(parsing: bytes)
        } catch {
            throw StreamError("metadata of the list is no JSON: \(error.description)")
        }
        guard let version = metadata["resourceVersion"]?.string, !version.isEmpty else {
            throw StreamError("metadata.resourceVersion of the list is missing")
        }
        self.version = ResourceVersion(version)
        let token = metadata["continue"]?.string ?? ""
        continuation = token.isEmpty ? nil : token
    }
}
