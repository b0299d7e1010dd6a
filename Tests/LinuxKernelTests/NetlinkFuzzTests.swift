import TestSupport
import Testing

@testable import LinuxKernel

/// Damaged replies of the kernel.
///
/// Each is read, or refused as a bad message. None traps, and none hangs.
@Suite struct NetlinkFuzzTests {
    @Test func `a damaged reply is read or refused as a bad message`() {
        var mutations = Mutations(of: Self.replies, seed: 42)
        var refused = 0
        for _ in 0..<Fuzzing.executions {
            let error = refusal { () throws(KernelError) in try Self.readAll(mutations.next()) }
            if let error {
                refused += 1
                #expect(error.operation == "ask")
            }
        }

        // Both happen, or the damage is too small or too great to test anything.
        #expect(refused > Fuzzing.executions / 20)
        #expect(refused < Fuzzing.executions)
    }

    /// Reads the bytes as every kind of reply.
    static func readAll(_ bytes: [UInt8]) throws(KernelError) {
        var reader = NetlinkReader(bytes[...], operation: "ask")
        var list = NetlinkList(sequence: 1, operation: "ask")
        while let message = try reader.nextMessage() {
            if try NetlinkAcknowledgement(message, operation: "ask") != nil { continue }
            try list.add(message)
            try readRules(message)
            try readRoutes(message)
        }
    }

    private static func readRules(_ message: NetlinkMessage) throws(KernelError) {
        guard message.type >> 8 == 10 else { return }
        let attributes = try NFTablesSocket.attributes(of: message, "ask")
        switch message.type {
        case chainType: _ = try NFTablesBaseChain(attributes)
        case ruleType: _ = NFTablesRuleText.text(of: try InstalledRule(attributes).expressions)
        case elementType:
            let boundaries = try NFTablesSet.boundaries(in: attributes, byteCount: 2)
            let elements = NFTablesSet.elements(from: boundaries, isInterval: true, byteCount: 2)
            _ = NFTablesSet("ports", of: .inetService, isInterval: true, elements: elements).boundaries
        default: return
        }
    }

    private static func readRoutes(_ message: NetlinkMessage) throws(KernelError) {
        guard message.type < 64 else { return }
        guard message.type != addressType else {
            let entry = try RouteEntry(message, headerByteCount: 8, operation: "ask")
            _ = InterfaceAddress(entry, names: [1: "lo"])
            return
        }
        let entry = try RouteEntry(message, headerByteCount: 12, operation: "ask")
        for family in InternetFamily.allCases {
            _ = try MarkRule(entry, family)
            _ = try Route(entry, family)
        }
    }

    /// `RTM_NEWADDR`; `RTM_NEWROUTE` and `RTM_NEWRULE` have a longer header.
    private static let addressType: UInt16 = 20

    /// `NFT_MSG_NEWCHAIN`, `NFT_MSG_NEWRULE` and `NFT_MSG_NEWSETELEM` of the subsystem nf_tables, 10.
    private static let chainType: UInt16 = 10 << 8 | 3
    private static let ruleType: UInt16 = 10 << 8 | 6
    private static let elementType: UInt16 = 10 << 8 | 12

    /// Replies have the form of requests, so what we write serves as what the kernel answers.
    static let replies: [[UInt8]] = {
        var rules = NetlinkWriter()
        rules.message(ruleType, flags: 2, sequence: 1) { writer in
            writer.appendFamilyHeader(family: 1, resource: 0)
            writer.attribute(1, string: "mesh")
            writer.attribute(2, string: "output")
            writer.nested(4) { writer in
                for expression in expressions { expression.write(to: &writer) }
            }
        }
        rules.message(chainType, flags: 2, sequence: 1) { writer in
            writer.appendFamilyHeader(family: 1, resource: 0)
            writer.nested(4) { writer in
                writer.attribute(1, bigEndian: 3)
                writer.attribute(2, bigEndian: 100)
            }
            writer.attribute(7, string: "nat")
        }
        var elements = NetlinkWriter()
        elements.message(elementType, flags: 2, sequence: 1) { writer in
            writer.appendFamilyHeader(family: 1, resource: 0)
            NFTablesSet.write(ports.boundaries[...], to: &writer)
        }
        var routes = NetlinkWriter()
        for type in [addressType, 24, 32] {
            routes.message(type, flags: 2, sequence: 1) { writer in
                writer.append(UInt8(2))
                let rest: [UInt8] = [8, 0, 0, 133, 3, 254, 2, 1, 0, 0, 0]
                for byte in rest.prefix(type == addressType ? 7 : 11) { writer.append(byte) }
                for attribute in 1...15 as ClosedRange<UInt16> { writer.attribute(attribute, bytes: [10, 0, 0, 1]) }
            }
        }
        var refusal = NetlinkWriter()
        refusal.message(2, flags: 0x300, sequence: 1) { writer in
            writer.append(Int32(-2))
            for word in [24, 0, 1, 0] as [UInt32] { writer.append(word) }
            writer.attribute(1, string: "a sentence")
        }
        return [rules.bytes, elements.bytes, routes.bytes, refusal.bytes, rules.bytes + routes.bytes]
    }()

    private static let ports = NFTablesSet(
        "ports",
        of: .inetService,
        isInterval: true,
        elements: [.init(.port(0)), .init(from: .port(80), through: .port(90)), .init(.port(65_535))]
    )

    private static let expressions: [NFTablesExpression] = {
        let parts: [[NFTablesExpression]] = [
            .networkProtocol(.ipv6),
            .address(.ipv6, isSource: true, .equal, [UInt8](repeating: 7, count: 16), prefixLength: 7),
            .transportProtocol(6),
            [.payload(.destinationPort), .lookup(set: "ports", inverted: true)],
            .connection(in: [.established, .related]),
            .setMark(1_337),
            .setZone(1),
            .transparentProxy(.ipv4, toPort: 15_006),
            [.counter],
            .redirect(toPort: 15_001),
            [.meta(.outputInterfaceName), .compare(.notEqual, .interfaceName("lo")), .verdict(.jump("output"))],
        ]
        return parts.flatMap { $0 }
    }()
}
