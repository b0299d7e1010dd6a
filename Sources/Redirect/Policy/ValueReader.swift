/// Reads the comma-separated values of annotations and flags.
struct ValueReader {
    /// The longest value.
    ///
    /// Kubernetes allows 256 KiB for all annotations of a pod together.
    static let longestBytes = 64 * 1_024

    /// The longest list.
    ///
    /// Each element may become a kernel object.
    static let mostElements = 10_000

    /// What is done with an element that is empty, as after a trailing comma.
    enum EmptyElements {
        /// Annotations: a slip of the pen is not guessed at.
        case refused

        /// Flags: the injector itself writes them.
        case dropped
    }

    let emptyElements: EmptyElements

    func ports(_ value: String, _ form: ValueForm = .ports) throws(ValueError) -> [UInt16] {
        try list(value, form) { element in UInt16(digits: element.trimmed) }
    }

    /// Blanks are refused here as upstream does, even around a whole value.
    func ranges(_ value: String, _ form: ValueForm = .ranges) throws(ValueError) -> [AddressRange] {
        try list(value, form, trims: false) { element in AddressRange(element) }
    }

    func interfaces(_ value: String) throws(ValueError) -> [String] {
        try list(value, .interfaces) { element in interfaceName(element.trimmed) }
    }

    /// Reads user or group ids; `resolve` is asked for what is not a number.
    ///
    /// The largest number is no id: the kernel's `INVALID_UID`.
    func identifiers(
        _ value: String,
        _ form: ValueForm,
        resolve: (String) -> UInt32?
    ) throws(ValueError) -> [UInt32] {
        try list(value, form) { element in
            let name = element.trimmed
            let identifier = UInt32(digits: name) ?? resolve(String(name))
            return identifier == .max ? nil : identifier
        }
    }

    func number<Number: FixedWidthInteger>(_ value: String, _ form: ValueForm) throws(ValueError) -> Number {
        guard let number = Number(digits: value[...].trimmed) else { throw ValueError(value, .notAccepted, form) }
        return number
    }

    /// The elements in their order, with duplicates.
    ///
    /// `trims` says whether a value of nothing but blanks is an empty list.
    private func list<Element>(
        _ value: String,
        _ form: ValueForm,
        trims: Bool = true,
        read: (Substring) -> Element?
    ) throws(ValueError) -> [Element] {
        let bytes = value.utf8.count
        guard bytes <= Self.longestBytes else {
            throw ValueError(value, .tooLong(bytes: bytes, limit: Self.longestBytes), form)
        }
        guard value != "*" else { throw ValueError(value, .wildcard, form) }
        guard !(trims ? value[...].trimmed : value[...]).isEmpty else { return [] }

        // Split as bytes: as a `Character`, a comma with a combining mark after it is not a comma.
        let texts = value.utf8.split(separator: UInt8(ascii: ","), omittingEmptySubsequences: false)
        guard texts.count <= Self.mostElements else {
            throw ValueError(value, .tooManyElements(count: texts.count, limit: Self.mostElements), form)
        }
        var elements: [Element] = []
        elements.reserveCapacity(texts.count)
        for (index, utf8) in texts.enumerated() {
            if utf8.isEmpty && emptyElements == .dropped { continue }
            let text = Substring(utf8)
            guard !(trims ? text.trimmed : text).isEmpty else {
                throw ValueError(value, .emptyElement(number: index + 1), form)
            }
            guard let element = read(text) else {
                guard texts.count > 1 else { throw ValueError(value, .notAccepted, form) }
                throw ValueError(value, .elementNotAccepted(ShortenedText(text), number: index + 1), form)
            }
            elements.append(element)
        }
        return elements
    }

    /// The injector's own rule, which is stricter than the kernel's (`dev_valid_name`).
    ///
    /// A name is written into text that `iptables-restore` reads, so it holds neither blank nor sign.
    private func interfaceName(_ text: Substring) -> String? {
        guard (1...15).contains(text.utf8.count), let first = text.utf8.first, first.isLatinLetter else { return nil }
        let isName = text.utf8.allSatisfy { byte in
            byte.isLatinLetter || byte.isDecimalDigit || byte == UInt8(ascii: "_") || byte == UInt8(ascii: ".")
                || byte == UInt8(ascii: "-")
        }
        return isName ? String(text) : nil
    }
}

extension Bool {
    /// Reads a boolean as Go does (`strconv.ParseBool`), which is how the whole mesh reads them.
    package init?(goText text: String) {
        switch text {
        case "1", "t", "T", "true", "TRUE", "True": self = true
        case "0", "f", "F", "false", "FALSE", "False": self = false
        default: return nil
        }
    }
}

extension FixedWidthInteger {
    /// Reads decimal digits, and nothing else: no sign.
    ///
    /// Leading zeros are accepted, as Go does (`strconv.ParseUint`).
    init?(digits text: Substring) {
        guard !text.isEmpty else { return nil }
        var value: Self = 0
        for byte in text.utf8 {
            guard byte.isDecimalDigit else { return nil }
            let (product, overflowed) = value.multipliedReportingOverflow(by: 10)
            let (sum, carried) = product.addingReportingOverflow(Self(byte - UInt8(ascii: "0")))
            guard !overflowed, !carried else { return nil }
            value = sum
        }
        self = value
    }
}

extension Substring {
    /// Without blanks around it: those of Unicode, as for Go's `strings.TrimSpace`.
    fileprivate var trimmed: Substring {
        var scalars = unicodeScalars
        while let first = scalars.first, first.properties.isWhitespace { scalars.removeFirst() }
        while let last = scalars.last, last.properties.isWhitespace { scalars.removeLast() }
        return Substring(scalars)
    }
}

extension UInt8 {
    fileprivate var isDecimalDigit: Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(self) }
    fileprivate var isLatinLetter: Bool { (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(self | 0x20) }
}
