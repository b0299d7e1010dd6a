/// A table of TOML: names and values, in no order.
struct TOMLTable: Equatable, Sendable {
    private(set) var members: [String: TOMLValue] = [:]

    /// The value below a path of names, or nil.
    subscript(path: String...) -> TOMLValue? {
        var value = TOMLValue.table(self)
        for name in path {
            guard case .table(let table) = value, let next = table.members[name] else { return nil }
            value = next
        }
        return value
    }

    /// Sets a value below a path; a table that is there already gets what is new.
    ///
    /// - Returns: Whether it can be: not where something else than a table is in the way.
    mutating func set(_ path: ArraySlice<String>, to value: TOMLValue) -> Bool {
        guard let name = path.first else { return false }
        // Taken out, so that what is changed has one owner and is not copied.
        let old = members.removeValue(forKey: name)
        guard path.count > 1 else {
            members[name] = value
            return true
        }
        switch old {
        case nil:
            var table = TOMLTable()
            let isSet = table.set(path.dropFirst(), to: value)
            members[name] = .table(table)
            return isSet
        case .table(var table):
            let isSet = table.set(path.dropFirst(), to: value)
            members[name] = .table(table)
            return isSet
        case .array(var elements):
            // Below an array of tables the last one is meant.
            guard case .table(var last)? = elements.popLast() else { return false }
            let isSet = last.set(path.dropFirst(), to: value)
            members[name] = .array(elements + [.table(last)])
            return isSet
        default: return false
        }
    }

    /// Puts one more table into the array at a path (`[[path]]`).
    mutating func append(_ path: [String]) -> Bool {
        guard let name = path.first else { return false }
        guard path.count == 1 else {
            guard case .table(var table) = members[name] ?? .table(TOMLTable()) else { return false }
            let isSet = table.append(Array(path.dropFirst()))
            members[name] = .table(table)
            return isSet
        }
        guard case .array(let elements) = members[name] ?? .array([]) else { return false }
        members[name] = .array(elements + [.table(TOMLTable())])
        return true
    }

    /// Adds what another file says, which wins; tables are merged.
    mutating func merge(_ other: TOMLTable) {
        for (name, value) in other.members {
            if case .table(let theirs) = value, case .table(var ours)? = members[name] {
                ours.merge(theirs)
                members[name] = .table(ours)
            } else {
                members[name] = value
            }
        }
    }
}

enum TOMLValue: Equatable, Sendable {
    case bool(Bool)
    case integer(Int)
    case string(String)
    case array([TOMLValue])
    case table(TOMLTable)

    /// A number with a fraction, a time: kept as it was written.
    case other(String)

    var string: String? {
        if case .string(let text) = self { text } else { nil }
    }

    var integer: Int? {
        if case .integer(let number) = self { number } else { nil }
    }

    var bool: Bool? {
        if case .bool(let value) = self { value } else { nil }
    }

    var table: TOMLTable? {
        if case .table(let table) = self { table } else { nil }
    }

    /// The strings of an array; nil where it is none.
    var strings: [String]? {
        guard case .array(let elements) = self else { return nil }
        return elements.compactMap { element in element.string }
    }
}

/// Why some text is not the TOML that was expected.
struct TOMLError: Error, Equatable, CustomStringConvertible {
    let line: Int

    /// What should have been there.
    let expected: String

    var description: String { "line \(line): expected \(expected)" }
}
