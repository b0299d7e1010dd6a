package import CNIProtocol

/// The text of one CNI configuration file, in which our entry can be put and taken out, and every other byte stays.
///
/// What is refused here is what libcni refuses to load: a byte order mark too, since Go's `encoding/json` takes none.
package struct ConfigurationText: Equatable, Sendable {
    package let bytes: [UInt8]
    let document: JSONDocument

    /// The longest file, in bytes: real ones have a few thousand.
    package static let longestBytes = 1_024 * 1_024

    package init(_ bytes: [UInt8]) throws(ConfigurationProblem) {
        self.bytes = bytes
        do throws(JSONError) {
            document = try JSONDocument(Self.readable(bytes))
        } catch {
            throw .noJSON(error)
        }
        guard document.value.members != nil else { throw .noObject(document.value.kind) }
    }

    /// The same text, byte by byte, with `?` for all that is not ASCII where it is not UTF-8.
    ///
    /// Go reads such text, so a runtime does; our reader of JSON does not.
    private static func readable(_ bytes: [UInt8]) -> [UInt8] {
        guard String(validating: bytes, as: UTF8.self) == nil else { return bytes }
        return bytes.map { byte in byte < 0x80 ? byte : UInt8(ascii: "?") }
    }

    // MARK: What it says

    var value: JSONValue { document.value }

    /// The `plugins` of a list; nil where there are none.
    var plugins: [JSONValue]? { value["plugins"]?.array }

    /// Whether this is one plugin, ours: the file of an agent that chains nothing.
    package var isStandaloneEntry: Bool { plugins == nil && value.pluginType == PluginEntry.type }

    /// Where in `plugins` our entries are.
    package var entryIndices: [Int] {
        (plugins ?? []).indices.filter { index in plugins?[index].pluginType == PluginEntry.type }
    }

    /// The types of the plugins that are not ours, in order.
    var otherTypes: [String] {
        let types = plugins?.map { plugin in plugin.pluginType } ?? [value.pluginType]
        return types.filter { type in type != PluginEntry.type }
    }

    /// Why a runtime would not load this as a list; nil if it would (`ConfListFromBytes` of libcni).
    var problemAsList: ConfigurationProblem? {
        guard let name = value["name"], name.string != nil else { return .noName }
        if let version = value["cniVersion"], version.string == nil { return .badVersion(version.kind) }
        guard let plugins, !plugins.isEmpty else { return .noPlugins }
        for (index, plugin) in plugins.enumerated() where plugin.pluginType.isEmpty { return .noType(of: index) }
        return nil
    }

    /// Why a runtime would not load this as a single plugin; nil if it would (`ConfFromBytes` of libcni).
    var problemAsSingle: ConfigurationProblem? { value.pluginType.isEmpty ? .noTypeAtAll : nil }

    // MARK: Where it says so

    /// Where the elements of `plugins` are.
    private var elementRanges: [Range<Int>] {
        guard let range = pluginsRange else { return [] }
        return Self.elementRanges(of: range, in: document.bytes)
    }

    private var pluginsRange: Range<Int>? {
        guard plugins != nil, let index = value.members?.index(of: "plugins") else { return nil }
        return document.memberRanges[index]
    }

    /// The elements of an array in a document that has been parsed: commas outside strings and brackets part them.
    private static func elementRanges(of array: Range<Int>, in bytes: [UInt8]) -> [Range<Int>] {
        var ranges: [Range<Int>] = []
        var start: Int?
        var end = array.lowerBound
        var depth = 0
        var isInString = false
        var offset = array.lowerBound + 1
        while offset < array.upperBound - 1 {
            let byte = bytes[offset]
            defer { offset += 1 }
            if isInString {
                if byte == UInt8(ascii: "\\") { offset += 1 }
                if byte == UInt8(ascii: "\"") { isInString = false }
                end = offset + 1
                continue
            }
            switch byte {
            case 0x20, 0x09, 0x0A, 0x0D: continue
            case UInt8(ascii: ",") where depth == 0:
                if let start { ranges.append(start..<end) }
                start = nil
                continue
            case UInt8(ascii: "{"), UInt8(ascii: "["): depth += 1
            case UInt8(ascii: "}"), UInt8(ascii: "]"): depth -= 1
            case UInt8(ascii: "\""): isInString = true
            default: break
            }
            if start == nil { start = offset }
            end = offset + 1
        }
        if let start { ranges.append(start..<end) }
        return ranges
    }

    // MARK: Editing

    /// The text with exactly one entry of ours, the last; the same bytes where that is so already.
    package func settingEntry(_ entry: JSONValue) throws(ConfigurationProblem) -> [UInt8] {
        let indices = entryIndices
        if let plugins, indices == [plugins.count - 1], plugins[indices[0]].canonical == entry.canonical {
            return bytes
        }
        return try ConfigurationText(removingEntries()).appending(entry)
    }

    /// The text without any entry of ours: what was there before `settingEntry`.
    package func removingEntries() -> [UInt8] {
        let ours = Set(entryIndices)
        guard !ours.isEmpty else { return bytes }
        let ranges = elementRanges
        let kept = ranges.indices.filter { index in !ours.contains(index) }
        guard let first = kept.first, let last = kept.last else {
            return bytes.replacing(ranges[0].lowerBound..<ranges[ranges.count - 1].upperBound, with: [])
        }
        var result = bytes
        // From the end, so that what is still to be done stays where it is.
        result.removeSubrange(ranges[last].upperBound..<ranges[ranges.count - 1].upperBound)
        for index in (first...last).reversed() where ours.contains(index) {
            result.removeSubrange(ranges[index - 1].upperBound..<ranges[index].upperBound)
        }
        result.removeSubrange(ranges[0].lowerBound..<ranges[first].lowerBound)
        return result
    }

    private func appending(_ entry: JSONValue) -> [UInt8] {
        guard let range = pluginsRange else { return bytes }
        guard let last = elementRanges.last else {
            return bytes.replacing(range.lowerBound + 1..<range.lowerBound + 1, with: entry.bytes())
        }
        let style = EntryStyle(of: last, in: document.bytes)
        return bytes.replacing(
            last.upperBound..<last.upperBound,
            with: [UInt8(ascii: ",")] + style.separator + style.render(entry)
        )
    }

    /// A list of the one plugin that this is, in its own text, and of our entry.
    ///
    /// The network's name stays, since addresses in use are kept under it; the version too, but lists need 0.3.1.
    package func asList(entry: JSONValue) throws(ConfigurationProblem) -> [UInt8] {
        let name = bytesOfMember("name") { value in value.string?.isEmpty == false } ?? Array(Self.namelessNetwork.utf8)
        var version = CNIVersion.v031.rawValue
        if let text = value["cniVersion"]?.string, let known = CNIVersion(rawValue: text), known > .v031 {
            version = text
        }
        var text = Array("{\n  \"cniVersion\": \"\(version)\",\n  \"name\": ".utf8)
        text += name
        text += Array(",\n  \"plugins\": [\n    ".utf8)
        text += bytes.trimmingBlanks()
        text += Array("\n  ]\n}\n".utf8)
        return try ConfigurationText(text).appending(entry)
    }

    /// What upstream calls every network that it makes a list of.
    private static let namelessNetwork = "\"k8s-pod-network\""

    private func bytesOfMember(_ name: String, _ isUsable: (JSONValue) -> Bool) -> [UInt8]? {
        guard let members = value.members, let index = members.index(ofAnyCase: name), isUsable(members[index].value)
        else { return nil }
        return Array(bytes[document.memberRanges[index]])
    }
}

/// Why a runtime would not load a file.
package enum ConfigurationProblem: Error, Equatable, Sendable, CustomStringConvertible {
    case noJSON(JSONError)
    case noObject(String)
    case noName
    case badVersion(String)
    case noPlugins
    case noType(of: Int)
    case noTypeAtAll
    case noFile
    case tooLong

    package var description: String {
        switch self {
        case .noJSON(let error): "no JSON \(error.description)"
        case .noObject(let kind): "\(kind), expected an object"
        case .noName: "name is missing"
        case .badVersion(let kind): "cniVersion is \(kind), expected a string"
        case .noPlugins: "plugins is missing or empty"
        case .noType(let index): "plugins[\(index)] has no type"
        case .noTypeAtAll: "type is missing"
        case .noFile: "no regular file"
        case .tooLong: "more than \(ConfigurationText.longestBytes) bytes"
        }
    }
}

extension JSONValue {
    /// The `type` of a plugin, found as Go finds it; "" where there is none.
    fileprivate var pluginType: String {
        guard let members, let index = members.index(ofAnyCase: "type") else { return "" }
        return members[index].value.string ?? ""
    }

    /// What a reader gets, whatever the order: members by name, and of duplicates the last.
    var canonical: JSONValue {
        switch self {
        case .array(let elements): return .array(elements.map { element in element.canonical })
        case .object(let members):
            var values: [String: JSONValue] = [:]
            for member in members { values[member.name] = member.value.canonical }
            let names = values.keys.sorted { left, right in left.utf8.lexicographicallyPrecedes(right.utf8) }
            return .object(names.map { name in JSONMember(name, values[name] ?? .null) })
        default: return self
        }
    }
}

extension [UInt8] {
    fileprivate func replacing(_ range: Range<Int>, with other: [UInt8]) -> [UInt8] {
        var result = self
        result.replaceSubrange(range, with: other)
        return result
    }

    fileprivate func trimmingBlanks() -> ArraySlice<UInt8> {
        let isBlank: (UInt8) -> Bool = { byte in byte == 0x20 || byte == 0x09 || byte == 0x0A || byte == 0x0D }
        guard let end = lastIndex(where: { byte in !isBlank(byte) }) else { return [] }
        return self[...end].drop(while: isBlank)
    }
}
