import Kubernetes
import Testing

@Suite struct LineDecoderTests {
    static let stream = Array("{\"type\":\"ADDED\"}\n\n{\"type\":\"BOOKMARK\"}\n".utf8)

    @Test(arguments: 0...stream.count)
    func `lines do not depend on where the chunks were cut`(cut: Int) throws {
        var decoder = LineDecoder()

        let lines = try decoder.append(Array(Self.stream[..<cut])) + decoder.append(Array(Self.stream[cut...]))

        #expect(lines.map { String(decoding: $0, as: UTF8.self) } == [#"{"type":"ADDED"}"#, #"{"type":"BOOKMARK"}"#])
        #expect(!decoder.isInsideLine)
    }

    @Test func `a line without an end is kept, and known to be one`() throws {
        var decoder = LineDecoder()

        #expect(try decoder.append(Array("{".utf8)).isEmpty)
        #expect(decoder.isInsideLine)
    }

    @Test func `a line over the limit is refused`() throws {
        var decoder = LineDecoder()
        _ = try decoder.append([UInt8](repeating: UInt8(ascii: " "), count: LineDecoder.longestLineBytes))

        #expect(throws: StreamError("a line of the watch has more than 4194304 bytes")) {
            try decoder.append([UInt8(ascii: " ")])
        }
    }
}
