import CNIProtocol
import Testing

@Suite struct JSONReaderTests {
    @Test(
        arguments: [
            ("null", .null), (" true ", .bool(true)), ("false", .bool(false)), ("-0.10e+05", .number("-0.10e+05")),
            (#""a\u0041\n\/""#, .string("aA\n/")), (#""\ud83d\ude00é😀""#, .string("😀é😀")),
            ("[]", .array([])), ("{ }", .object([])), ("[1,[2]]", .array([.number("1"), .array([.number("2")])])),
            (
                #"{"b":1,"a":2,"b":3}"#,
                .object([.init("b", .number("1")), .init("a", .number("2")), .init("b", .number("3"))])
            ),
        ] as [(String, JSONValue)]
    )
    func `a document is read as it was written`(text: String, expected: JSONValue) throws {
        let value = try JSONValue(parsing: Array(text.utf8))

        #expect(value == expected)
    }

    @Test(arguments: [#""\ud800""#, #""\udc00""#, #""\ud800\u0041""#, #""\ud800\ud83d\ude00""#])
    func `half of a surrogate pair becomes the replacement character`(text: String) throws {
        let value = try JSONValue(parsing: Array(text.utf8))

        #expect(value.string?.unicodeScalars.first == "\u{FFFD}")
        #expect(value.string?.unicodeScalars.dropFirst().first != "\u{FFFD}")
    }

    @Test(arguments: [
        ("", 0), (" ", 1), ("{", 1), ("[1,]", 3), ("[1 2]", 3), (#"{"a"}"#, 4), (#"{"a":}"#, 5), (#"{"a":1,}"#, 7),
        ("{a:1}", 1), ("01", 1), ("-", 1), ("1.", 2), ("1e", 2), ("1e+", 3), ("+1", 0), (".5", 0), ("nul", 3),
        ("nulL", 3), ("truefalse", 4), ("1 2", 2), (#""a"#, 2), (#""\x""#, 2), (#""\u12G4""#, 5), ("\"\n\"", 1),
        ("\u{FEFF}1", 0), ("'a'", 0), ("NaN", 0), ("\u{0}", 0), ("1\u{0}", 1), ("[\u{0}", 1), ("\"\u{0}\"", 1),
    ])
    func `what is not JSON is refused where it stops being JSON`(text: String, offset: Int) {
        let error = #expect(throws: JSONError.self) { try JSONValue(parsing: Array(text.utf8)) }

        #expect(error?.offset == offset)
        #expect(error?.expected.isEmpty == false)
    }

    @Test(
        arguments: [
            [0x80], [0xC0, 0x80], [0xC1, 0xBF], [0xC3], [0xE0, 0x9F, 0xBF], [0xED, 0xA0, 0x80], [0xE2, 0x82],
            [0xF0, 0x8F, 0xBF, 0xBF], [0xF4, 0x90, 0x80, 0x80], [0xF5, 0x80, 0x80, 0x80], [0xFF],
            [0xF0, 0x9F, 0x98, 0x28],
        ] as [[UInt8]]
    )
    func `a string that is not UTF-8 is refused`(bytes: [UInt8]) {
        let quote = UInt8(ascii: "\"")

        #expect(throws: JSONError(offset: 1, expected: "UTF-8")) { try JSONValue(parsing: [quote] + bytes + [quote]) }
    }

    static let document = Array(#"{"é€😀":[-1.5e+3,"\ud83d\ude00",true,null,{"a":"\n"}]}"#.utf8)

    @Test(arguments: 0..<document.count)
    func `a document that is cut anywhere is refused`(count: Int) {
        let error = #expect(throws: JSONError.self) { try JSONValue(parsing: Array(Self.document.prefix(count))) }

        #expect(error.map { $0.offset <= count } == true)
    }

    @Test func `every character survives`() throws {
        let scalars = (1...0x10_FFFF as ClosedRange<UInt32>).lazy.compactMap(Unicode.Scalar.init)
        let text = String(String.UnicodeScalarView(scalars))

        let value = try JSONValue(parsing: JSONValue.string(text).bytes(), limits: .init(bytes: 5_000_000))

        #expect(value.string?.utf8.elementsEqual(text.utf8) == true)
    }

    @Test func `nesting is refused one past the limit`() throws {
        let deepest = String(repeating: "[", count: 64) + String(repeating: "]", count: 64)

        _ = try JSONValue(parsing: Array(deepest.utf8))

        #expect(throws: JSONError(offset: 64, expected: "no more than 64 levels of nesting")) {
            try JSONValue(parsing: Array("[\(deepest)]".utf8))
        }
    }

    @Test func `a document is refused one byte past the limit`() throws {
        let limits = JSONLimits(bytes: 4)

        _ = try JSONValue(parsing: Array("null".utf8), limits: limits)

        #expect(throws: JSONError(offset: 4, expected: "no more than 4 bytes")) {
            try JSONValue(parsing: Array("false".utf8), limits: limits)
        }
    }

    @Test func `a document is refused one value past the limit`() throws {
        let limits = JSONLimits(values: 3)

        _ = try JSONValue(parsing: Array("[1,2]".utf8), limits: limits)

        #expect(throws: JSONError(offset: 5, expected: "no more than 3 values")) {
            try JSONValue(parsing: Array("[1,2,3]".utf8), limits: limits)
        }
    }

    @Test func `the bytes of a top-level member are known`() throws {
        let text = #" { "a" : {"x": [1, 2 ]} , "b":1.50 }"#

        let document = try JSONDocument(Array(text.utf8))

        let pieces = document.memberRanges.map { range in String(decoding: document.bytes[range], as: UTF8.self) }
        #expect(pieces == [#"{"x": [1, 2 ]}"#, "1.50"])
    }
}

extension JSONLimits {
    fileprivate init(bytes: Int = 1_024, values: Int = 1_024) {
        self.init()
        self.bytes = bytes
        self.values = values
    }
}
