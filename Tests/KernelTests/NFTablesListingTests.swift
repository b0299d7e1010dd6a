import LinuxKernel
import TestSupport
import Testing

/// What we write, `nft` must read as its own, and the other way round.
@Suite(.requiresNetworkNamespaces) struct NFTablesListingTests {
    @Test(arguments: statements)
    func `our rule is the one that nft makes of its text`(statement: Statement) async throws {
        let ours = try NetworkNamespace.makeNew()
        let socket = try NFTablesSocket(in: ours)
        var batch = NFTablesBatch()
        batch.addTable("mesh")
        batch.addChain("target", to: "mesh")
        batch.addChain("rules", to: "mesh", base: statement.base)
        for set in Self.sets { batch.addSet(set, to: "mesh") }
        batch.addRule(statement.expressions, to: "rules", in: "mesh")
        try socket.commit(batch)

        let theirs = try NetworkNamespace.makeNew()
        let listing = try await ours.listRuleset()
        _ = try await theirs.command(
            "nft",
            "-f",
            "-",
            input: """
                add table inet mesh
                add chain inet mesh target
                add chain inet mesh rules { type \(statement.base.kind.rawValue) hook \(statement.base.hook.name) priority \(statement.base.priority.rawValue); }
                \(Self.setScript)
                add rule inet mesh rules \(statement.text)
                """
        )
        let expected = try await theirs.listRuleset()

        #expect(listing == expected)
        let written = try socket.installedTables(named: ["mesh"]).first?.chains.last?.rules.map(\.expressions)
        let made = try NFTablesSocket(in: theirs).installedTables(named: ["mesh"])
        #expect(written == [statement.expressions])
        #expect(made.first?.chains.last?.rules.map(\.expressions) == [statement.expressions])
        #expect(made.first?.sets == Self.sets)
    }

    struct Statement: Sendable, CustomTestStringConvertible {
        let text: String
        let expressions: [NFTablesExpression]
        var base = NFTablesBaseChain(.nat, at: .output, priority: .destinationNAT)

        var testDescription: String { text }
    }

    static let sets = [
        NFTablesSet(
            "ports",
            of: .inetService,
            isInterval: true,
            elements: [.init(.port(80)), .init(from: .port(8000), through: .port(9000)), .init(.port(65535))]
        ),
        NFTablesSet(
            "v4",
            of: .ipv4Address,
            isInterval: true,
            elements: [
                .init(from: [10, 0, 0, 0], through: [10, 255, 255, 255]), .init([192, 168, 1, 1]),
                .init(from: [240, 0, 0, 0], through: [255, 255, 255, 255]),
            ]
        ),
        NFTablesSet(
            "v6",
            of: .ipv6Address,
            isInterval: true,
            elements: [.init(from: [0xFD] + zeros(15), through: [0xFD] + [UInt8](repeating: 255, count: 15))]
        ),
        NFTablesSet("nics", of: .interfaceName, isInterval: false, elements: [.init(.interfaceName("eth0"))]),
        NFTablesSet(
            "uids",
            of: .user,
            isInterval: false,
            elements: [.init(.hostOrder(UInt32(1337)))]
        ),
        NFTablesSet("gids", of: .group, isInterval: false, elements: [.init(.hostOrder(UInt32(1000)))]),
    ]

    static let setScript = """
        add set inet mesh ports { type inet_service; flags interval; }
        add element inet mesh ports { 80, 8000-9000, 65535 }
        add set inet mesh v4 { type ipv4_addr; flags interval; }
        add element inet mesh v4 { 10.0.0.0/8, 192.168.1.1, 240.0.0.0/4 }
        add set inet mesh v6 { type ipv6_addr; flags interval; }
        add element inet mesh v6 { fd00::/8 }
        add set inet mesh nics { type ifname; }
        add element inet mesh nics { "eth0" }
        add set inet mesh uids { type uid; }
        add element inet mesh uids { 1337 }
        add set inet mesh gids { type gid; }
        add element inet mesh gids { 1000 }
        """

    static func zeros(_ count: Int) -> [UInt8] { [UInt8](repeating: 0, count: count) }

    static let mangleIn = NFTablesBaseChain(.filter, at: .prerouting, priority: .mangle)
    static let mangleOut = NFTablesBaseChain(.route, at: .output, priority: .mangle)
    static let raw = NFTablesBaseChain(.filter, at: .output, priority: .raw)

    static let ipv4: [NFTablesExpression] = .networkProtocol(.ipv4)
    static let ipv6: [NFTablesExpression] = .networkProtocol(.ipv6)
    static let tcp: [NFTablesExpression] = .transportProtocol(6)
    static let udp: [NFTablesExpression] = .transportProtocol(17)

    static let statements: [Statement] = [
        Statement(text: "counter return", expressions: [.counter, .verdict(.return)]),
        Statement(text: "counter jump target", expressions: [.counter, .verdict(.jump("target"))]),
        Statement(text: "goto target", expressions: [.verdict(.goto("target"))]),
        Statement(
            text: "oifname \"lo\" accept",
            expressions: [
                .meta(.outputInterfaceName), .compare(.equal, .interfaceName("lo")), .verdict(.accept),
            ]
        ),
        Statement(
            text: "oifname @nics drop",
            expressions: [
                .meta(.outputInterfaceName), .lookup(set: "nics", inverted: false), .verdict(.drop),
            ]
        ),
        Statement(
            text: "iifname \"a-name-15-bytes\" counter",
            expressions: [
                .meta(.inputInterfaceName), .compare(.equal, .interfaceName("a-name-15-bytes")), .counter,
            ],
            base: mangleIn
        ),
        Statement(
            text: "meta nfproto ipv6 counter",
            expressions: ipv6 + [.counter]
        ),
        Statement(
            text: "ip daddr != 127.0.0.1 tcp dport != 15008 meta skuid 1337 counter goto target",
            expressions: ipv4 + .address(.ipv4, isSource: false, .notEqual, [127, 0, 0, 1], prefixLength: 32)
                + tcp + [
                    .payload(.destinationPort), .compare(.notEqual, .port(15008)),
                    .meta(.socketUser), .compare(.equal, .hostOrder(UInt32(1337))),
                    .counter, .verdict(.goto("target")),
                ]
        ),
        Statement(
            text: "ip saddr 10.0.0.0/8 counter",
            expressions: ipv4 + .address(.ipv4, isSource: true, .equal, [10, 1, 2, 3], prefixLength: 8) + [.counter]
        ),
        Statement(
            text: "ip daddr 10.128.0.0/9 counter",
            expressions: ipv4 + .address(.ipv4, isSource: false, .equal, [10, 129, 0, 1], prefixLength: 9)
                + [.counter]
        ),
        Statement(
            text: "ip6 saddr ::6 counter",
            expressions: ipv6 + .address(.ipv6, isSource: true, .equal, zeros(15) + [6], prefixLength: 128)
                + [.counter]
        ),
        Statement(
            text: "ip6 daddr != fd00::/64 counter",
            expressions: ipv6 + .address(.ipv6, isSource: false, .notEqual, [0xFD] + zeros(15), prefixLength: 64)
                + [.counter]
        ),
        Statement(
            text: "ip6 daddr fc00::/7 counter",
            expressions: ipv6 + .address(.ipv6, isSource: false, .equal, [0xFD] + zeros(15), prefixLength: 7)
                + [.counter]
        ),
        Statement(
            text: "ip daddr @v4 counter",
            expressions: ipv4 + [.payload(.destination(.ipv4)), .lookup(set: "v4", inverted: false), .counter]
        ),
        Statement(
            text: "ip6 daddr != @v6 counter",
            expressions: ipv6 + [.payload(.destination(.ipv6)), .lookup(set: "v6", inverted: true), .counter]
        ),
        Statement(
            text: "tcp dport @ports counter return",
            expressions: tcp + [
                .payload(.destinationPort), .lookup(set: "ports", inverted: false), .counter, .verdict(.return),
            ]
        ),
        Statement(
            text: "udp sport 15053 meta skgid 1337 counter ct zone set 2",
            expressions: udp + [
                .payload(.sourcePort), .compare(.equal, .port(15053)),
                .meta(.socketGroup), .compare(.equal, .hostOrder(UInt32(1337))), .counter,
            ] + .setZone(2),
            base: raw
        ),
        Statement(
            text: "meta skuid @uids meta skgid != @gids counter",
            expressions: [
                .meta(.socketUser), .lookup(set: "uids", inverted: false),
                .meta(.socketGroup), .lookup(set: "gids", inverted: true), .counter,
            ]
        ),
        Statement(text: "meta l4proto tcp redirect to :15001", expressions: tcp + .redirect(toPort: 15001)),
        Statement(
            text: "ip daddr != 127.0.0.1 meta l4proto tcp tproxy ip to :15006 meta mark set 1337 counter accept",
            expressions: ipv4 + .address(.ipv4, isSource: false, .notEqual, [127, 0, 0, 1], prefixLength: 32)
                + tcp + .transparentProxy(.ipv4, toPort: 15006) + .setMark(1337) + [.counter, .verdict(.accept)],
            base: mangleIn
        ),
        Statement(
            text: "meta l4proto tcp ip6 daddr != ::1 tproxy ip6 to :15006",
            expressions: tcp + ipv6 + .address(.ipv6, isSource: false, .notEqual, zeros(15) + [1], prefixLength: 128)
                + .transparentProxy(.ipv6, toPort: 15006),
            base: mangleIn
        ),
        Statement(
            text: "meta l4proto tcp ct state related,established counter",
            expressions: tcp + .connection(in: [.established, .related]) + [.counter]
        ),
        Statement(
            text: "ct state invalid drop",
            expressions: .connection(in: .invalid) + [.verdict(.drop)],
            base: mangleIn
        ),
        Statement(
            text: "meta mark 1337 ct mark set meta mark",
            expressions: [
                .meta(.mark), .compare(.equal, .hostOrder(UInt32(1337))), .meta(.mark), .setConntrack(.mark),
            ],
            base: mangleIn
        ),
        Statement(
            text: "ct mark 1337 counter meta mark set ct mark",
            expressions: [
                .conntrack(.mark), .compare(.equal, .hostOrder(UInt32(1337))), .counter,
                .conntrack(.mark), .setMetaMark,
            ],
            base: mangleOut
        ),
    ]
}
