import TestSupport
import Testing

@testable import LinuxKernel

@Suite struct NetlinkReaderTests {
    /// A message of type 2 with the attributes 1 (`ab`) and 3 (a list with attribute 5).
    static let message: [UInt8] = {
        var writer = NetlinkWriter()
        writer.message(2, flags: 3, sequence: 4) { writer in
            writer.attribute(1, string: "ab")
            writer.nested(3) { writer in writer.attribute(5, bigEndian: 6) }
        }
        return writer.bytes
    }()

    @Test func `what the writer wrote is read back`() throws {
        var reader = NetlinkReader(Self.message[...], operation: "ask")

        let message = try #require(try reader.nextMessage())
        var body = NetlinkReader(message.body, operation: "ask")
        let attributes = try body.attributes()
        let inner = try attributes.nested(3)?.bigEndian(5)
        let end = try reader.nextMessage()

        #expect((message.type, message.flags, message.sequence) == (2, 3, 4))
        #expect(attributes.string(1) == "ab")
        #expect(inner == 6)
        #expect(end == nil)
    }

    @Test(arguments: NetlinkFuzzTests.replies)
    func `a reply is read that is damaged elsewhere`(reply: [UInt8]) throws {
        try NetlinkFuzzTests.readAll(reply)
    }

    @Test(arguments: 1..<message.count)
    func `a message cut anywhere is refused, and says what was asked`(count: Int) {
        var reader = NetlinkReader(Self.message[..<count], operation: "list rules")

        let error = refusal { () throws(KernelError) in _ = try reader.nextMessage() }

        #expect(error?.description == "list rules: Bad message (a message has a wrong length)")
    }

    @Test(arguments: [0, 3, 15, UInt32.max])
    func `a message length that is too short or too long is refused`(length: UInt32) {
        let bytes = [UInt8].hostOrder(length) + [UInt8](repeating: 0, count: 40)
        var reader = NetlinkReader(bytes[...], operation: "ask")

        #expect(refusal { () throws(KernelError) in _ = try reader.nextMessage() }?.errno == .badMessage)
    }

    @Test(arguments: [0, 1, 3, 9, UInt16.max])
    func `an attribute length that is too short or too long is refused`(length: UInt16) {
        let bytes = [UInt8].hostOrder(length) + [1, 0, 0, 0, 0, 0]
        var reader = NetlinkReader(bytes[...], operation: "ask")

        #expect(refusal { () throws(KernelError) in _ = try reader.attributes() }?.errno == .badMessage)
    }

    @Test func `the last attribute may lack its padding`() throws {
        var reader = NetlinkReader([5, 0, 1, 0, 7], operation: "ask")

        let value = try reader.attributes()[1]

        #expect(value.map { [UInt8]($0) } == [7])
    }

    @Test func `a number of another size is refused, and the attribute is named`() throws {
        var reader = NetlinkReader([6, 0, 9, 0, 1, 2], operation: "ask")
        let attributes = try reader.attributes()

        let error = refusal { () throws(KernelError) in _ = try attributes.bigEndian(9) }

        #expect(error?.description == "ask: Bad message (attribute 9 has a wrong size)")
    }

    @Test func `a refusal has the kernel's sentence, whether it echoes the request or not`() throws {
        for isCapped in [true, false] {
            var writer = NetlinkWriter()
            // struct nlmsgerr: -EPERM, then the request's header, and unless capped its body of 8 bytes.
            writer.message(2, flags: isCapped ? 0x300 : 0x200, sequence: 7) { writer in
                writer.append(Int32(-1))
                writer.append(UInt32(24))
                writer.append(UInt32(0))
                writer.append(UInt32(7))
                writer.append(UInt32(0))
                if !isCapped { writer.append(UInt64(0)) }
                writer.attribute(1, string: "no")
            }
            var reader = NetlinkReader(writer.bytes[...], operation: "ask")
            let message = try #require(try reader.nextMessage())

            let answer = try #require(try NetlinkAcknowledgement(message, operation: "ask"))

            #expect((answer.sequence, answer.refusal, answer.explanation) == (7, .notPermitted, "no"))
        }
    }

    @Test func `a list that changed while it was read is not consistent, and one of another request is left out`()
        throws
    {
        func message(_ type: UInt16, flags: UInt16 = 0, sequence: UInt32) -> NetlinkMessage {
            NetlinkMessage(type: type, flags: flags, sequence: sequence, body: [0, 0, 0, 0])
        }
        var list = NetlinkList(sequence: 2, operation: "ask")

        try list.add(message(20, sequence: 1))
        try list.add(message(20, flags: 0x10, sequence: 2))
        try list.add(message(3, sequence: 1))
        let early = list.isComplete
        try list.add(message(3, sequence: 2))

        #expect(list.messages.count == 1)
        #expect(!early && list.isComplete && !list.isConsistent)
    }

    @Test func `a list that ends with an error throws it`() {
        var list = NetlinkList(sequence: 2, operation: "ask")
        let end = NetlinkMessage(type: 3, flags: 0, sequence: 2, body: [UInt8].hostOrder(UInt32(bitPattern: -2))[...])

        let error = refusal { () throws(KernelError) in try list.add(end) }

        #expect(error == KernelError("ask", .noSuchEntry))
    }
}
