import LinuxKernel
import Testing

@Suite struct NFTablesRuleTextTests {
    static let zeros = [UInt8](repeating: 0, count: 15)

    @Test(
        arguments: [
            (
                .transportProtocol(6) + [
                    .payload(.destinationPort), .lookup(set: "excluded-ports", inverted: false), .counter,
                    .verdict(.return),
                ],
                "tcp dport @excluded-ports counter return"
            ),
            (
                [.meta(.outputInterfaceName), .compare(.equal, .interfaceName("lo"))] + .networkProtocol(.ipv6)
                    + .address(.ipv6, isSource: false, .notEqual, zeros + [1], prefixLength: 128)
                    + .transportProtocol(6) + [.payload(.destinationPort), .compare(.notEqual, .port(15_008))]
                    + [.meta(.socketUser), .compare(.equal, .hostOrder(UInt32(1_337))), .verdict(.jump("in"))],
                "oifname \"lo\" ip6 daddr != ::1 tcp dport != 15008 meta skuid 1337 jump in"
            ),
            (
                .transportProtocol(6) + [.counter] + .redirect(toPort: 15_001),
                "meta l4proto tcp counter redirect to :15001"
            ),
            (
                .networkProtocol(.ipv4) + .address(.ipv4, isSource: true, .equal, [10, 0, 0, 0], prefixLength: 8),
                "ip saddr 10.0.0.0/8"
            ),
            (.transportProtocol(17) + .setMark(1_337), "meta l4proto udp meta mark set 0x00000539"),
            ([.other("log"), .verdict(.drop)], "(log) drop"),
        ] as [([NFTablesExpression], String)]
    )
    func `a rule reads as nft would write it`(expressions: [NFTablesExpression], text: String) {
        #expect(NFTablesRuleText.text(of: expressions) == text)
    }

    @Test(
        arguments: [
            ([10, 0, 0, 1], "10.0.0.1"),
            (zeros + [0], "::"),
            (zeros + [6], "::6"),
            ([0xFD] + zeros, "fd00::"),
            ([0, 1, 0, 0, 0, 2, 0, 0, 0, 0, 0, 3, 0, 4, 0, 5], "1:0:2::3:4:5"),
            ([0, 1, 0, 0, 0, 2, 0, 3, 0, 4, 0, 5, 0, 6, 0, 7], "1:0:2:3:4:5:6:7"),
        ] as [([UInt8], String)]
    )
    func `an address is written as RFC 5952 says`(bytes: [UInt8], text: String) {
        #expect(InternetAddressText.text(of: bytes) == text)
    }
}
