import Testing

@testable import Redirect

@Suite struct AddressRangeTests {
    @Test func `host bits do not change which addresses a range holds`() throws {
        let range = try #require(AddressRange(IPAddress(.ipv4, bits: 0x0A00_0005), prefixLength: 8))

        #expect(range.first.bits == 0x0A00_0000)
        #expect(range.last.bits == 0x0AFF_FFFF)
        #expect(range.contains(IPAddress(.ipv4, bits: 0x0A01_0203)))
        #expect(!range.contains(IPAddress(.ipv4, bits: 0x0B00_0000)))
    }

    @Test func `a range of all IPv6 addresses ends at the last one`() throws {
        let range = try #require(AddressRange(IPAddress(.ipv6, bits: 0), prefixLength: 0))

        #expect(range.last.bits == UInt128.max)
    }

    @Test(arguments: [-1, 33])
    func `a prefix that the family does not have is refused`(length: Int) {
        #expect(AddressRange(IPAddress(.ipv4, bits: 0), prefixLength: length) == nil)
    }
}
