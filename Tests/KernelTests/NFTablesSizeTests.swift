import TestSupport
import Testing

@testable import LinuxKernel

@Suite(.requiresNetworkNamespaces) struct NFTablesSizeTests {
    /// Ranges of four addresses with gaps of twelve.
    private static func ranges(_ count: Int, prefix: [UInt8]) -> [NFTablesSet.Element] {
        (0..<count).map { index in
            let first = UInt32(index) * 16
            let bytes = { (value: UInt32) in prefix + [UInt8].hostOrder(value.bigEndian) }
            return NFTablesSet.Element(from: bytes(first), through: bytes(first + 3))
        }
    }

    private static func batch(of set: NFTablesSet) -> NFTablesBatch {
        var batch = NFTablesBatch()
        batch.replaceTable("mesh")
        batch.addSet(set, to: "mesh")
        return batch
    }

    /// 10,000 is the most that a plan can hold (D-16).
    @Test(arguments: [1_000, 10_000])
    func `thousands of IPv4 ranges go in at once and read back the same`(count: Int) throws {
        let socket = try NFTablesSocket(in: try NetworkNamespace.makeNew())
        let set = NFTablesSet(
            "ranges",
            of: .ipv4Address,
            isInterval: true,
            elements: Self.ranges(count, prefix: [])
        )

        try socket.commit(Self.batch(of: set))
        let sets = try socket.installedTables(named: ["mesh"]).first?.sets

        #expect(sets == [set])
    }

    @Test func `thousands of IPv6 ranges go in at once and read back the same`() throws {
        let socket = try NFTablesSocket(in: try NetworkNamespace.makeNew())
        let set = NFTablesSet(
            "ranges",
            of: .ipv6Address,
            isInterval: true,
            elements: Self.ranges(4_000, prefix: [UInt8](repeating: 0x20, count: 12))
        )

        try socket.commit(Self.batch(of: set))
        let sets = try socket.installedTables(named: ["mesh"]).first?.sets

        #expect(sets == [set])
    }

    @Test func `a refusal late in a large batch is named, and nothing remains`() throws {
        let socket = try NFTablesSocket(in: try NetworkNamespace.makeNew())
        var ranges = Self.ranges(5_000, prefix: [])
        ranges.append(.init(from: [0, 1, 0, 1], through: [0, 1, 0, 9]))
        let set = NFTablesSet("ranges", of: .ipv4Address, isInterval: true, elements: ranges)

        let error = refusal { () throws(KernelError) in try socket.commit(Self.batch(of: set)) }
        let names = try socket.tableNames()

        #expect(error?.operation == "add element inet mesh ranges")
        #expect(names == [])
    }

    @Test func `a thousand refusals do not fill the socket`() throws {
        let socket = try NFTablesSocket(in: try NetworkNamespace.makeNew())
        var refused = NFTablesBatch()
        for number in 1...5_000 { refused.deleteTable("table-\(number)") }

        let error = refusal { () throws(KernelError) in try socket.commit(refused) }
        var next = NFTablesBatch()
        next.addTable("mesh")
        try socket.commit(next)
        let names = try socket.tableNames()

        #expect(error == KernelError("delete table inet table-1", .noSuchEntry))
        #expect(names == ["mesh"])
    }

    /// Issue 2, acceptance 9: the kernel refuses changes to a table with an owner to all others.
    @Test func `a table that another socket owns cannot be replaced, and says so`() throws {
        let namespace = try NetworkNamespace.makeNew()
        let owner = try NFTablesSocket(in: namespace)
        let socket = try NFTablesSocket(in: namespace)
        try owner.netlink.send(Self.tableWithOwner("istio-proxy-nat"), operation: "own a table")
        var batch = NFTablesBatch()
        batch.addTable("another")
        batch.replaceTable("istio-proxy-nat")

        let error = refusal { () throws(KernelError) in try socket.commit(batch) }
        let tables = try socket.installedTables(named: ["istio-proxy-nat", "another"])

        #expect(error?.operation == "add table inet istio-proxy-nat")
        #expect(error?.errno == .notPermitted)
        #expect(tables.map(\.name) == ["istio-proxy-nat"])
        #expect(tables.first?.isOwned == true)
    }

    /// A batch that makes a table with `NFT_TABLE_F_OWNER`, which no batch of ours does.
    private static func tableWithOwner(_ name: String) -> [UInt8] {
        var writer = NetlinkWriter()
        for (type, sequence) in zip([0x10, 10 << 8, 0x11] as [UInt16], UInt32(0)...) {
            writer.message(type, flags: 1, sequence: sequence) { writer in
                writer.appendFamilyHeader(family: sequence == 1 ? 1 : 0, resource: sequence == 1 ? 0 : 10)
                guard sequence == 1 else { return }
                writer.attribute(1, string: name)
                writer.attribute(2, bigEndian: 2)
            }
        }
        return writer.bytes
    }
}
