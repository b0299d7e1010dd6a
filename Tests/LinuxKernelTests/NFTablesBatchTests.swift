import Testing

@testable import LinuxKernel

@Suite struct NFTablesBatchTests {
    @Test func `a table is one message between begin and end, and the last change asks for an answer`() {
        var batch = NFTablesBatch()
        batch.addTable("redirect")

        #expect(
            batch.encoded().hexadecimal(groupedBy: 4)
                == """
                14000000 10000100 00000000 00000000
                0000000a
                24000000 000a0504 01000000 00000000
                01000000
                0d000100 72656469 72656374 00000000
                14000000 11000100 02000000 00000000
                0000000a
                """.split(whereSeparator: \.isWhitespace).joined(separator: " ")
        )
    }
}

extension [UInt8] {
    func hexadecimal(groupedBy size: Int) -> String {
        stride(from: 0, to: count, by: size).map { start in
            self[start..<Swift.min(start + size, count)]
                .map { (($0 < 16) ? "0" : "") + String($0, radix: 16) }.joined()
        }.joined(separator: " ")
    }
}
