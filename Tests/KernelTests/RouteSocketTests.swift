import TestSupport
import Testing

@testable import LinuxKernel

@Suite(.requiresNetworkNamespaces) struct RouteSocketTests {
    static let passthrough: [UInt8] = [UInt8](repeating: 0, count: 15) + [6]

    @Test func `a new namespace has no address until lo is up`() throws {
        let routes = try RouteSocket(in: try NetworkNamespace.makeNew())

        let before = try routes.addresses()
        try routes.setLoopbackUp()
        let after = try routes.addresses()

        #expect(before == [])
        #expect(
            after == [
                InterfaceAddress(
                    interfaceName: "lo",
                    family: .ipv4,
                    address: [127, 0, 0, 1],
                    prefixLength: 8,
                    scope: .host
                ),
                InterfaceAddress(
                    interfaceName: "lo",
                    family: .ipv6,
                    address: [UInt8](repeating: 0, count: 15) + [1],
                    prefixLength: 128,
                    scope: .host
                ),
            ]
        )
    }

    @Test func `an address on lo can be added once and removed once`() async throws {
        let namespace = try NetworkNamespace.makeNew()
        let routes = try RouteSocket(in: namespace)
        try routes.setLoopbackUp()

        try routes.addLoopbackAddress(Self.passthrough, prefixLength: 128)
        let listed = try await namespace.command("ip", "-6", "-o", "addr", "show", "dev", "lo")
        let again = refusal { () throws(KernelError) in
            try routes.addLoopbackAddress(Self.passthrough, prefixLength: 128)
        }
        try routes.removeLoopbackAddress(Self.passthrough, prefixLength: 128)
        let missing = refusal { () throws(KernelError) in
            try routes.removeLoopbackAddress(Self.passthrough, prefixLength: 128)
        }

        #expect(listed.contains("inet6 ::6/128 scope"))
        #expect(again?.operation == "add address ::6/128 on lo")
        #expect(again?.errno == .alreadyExists)
        #expect(missing?.errno == .addressNotAvailable)
    }

    @Test(arguments: InternetFamily.allCases)
    func `a mark rule is the one that ip lists, and can be added and removed once`(
        family: InternetFamily
    ) async throws {
        let namespace = try NetworkNamespace.makeNew()
        let routes = try RouteSocket(in: namespace)
        let rule = MarkRule(family, mark: 1337, table: 133, priority: 32_765)

        try routes.addMarkRule(rule)
        let listed = try await namespace.command("ip", family == .ipv4 ? "-4" : "-6", "rule", "list")
        let found = try routes.markRules(family)
        let again = refusal { () throws(KernelError) in try routes.addMarkRule(rule) }
        try routes.removeMarkRule(rule)
        let left = try routes.markRules(family)
        let missing = refusal { () throws(KernelError) in try routes.removeMarkRule(rule) }

        #expect(listed.contains("32765:\tfrom all fwmark 0x539 lookup 133\n"))
        #expect(found == [rule])
        #expect(again?.errno == .alreadyExists)
        #expect(left == [])
        #expect(missing?.errno == .noSuchEntry)
    }

    @Test func `a rule that looks at more than the mark is left out`() async throws {
        let namespace = try NetworkNamespace.makeNew()
        for selector in [["from", "10.0.0.0/8"], ["iif", "lo"], ["ipproto", "tcp"], ["not"], []] {
            let command = ["ip", "rule", "add"] + selector + ["fwmark", "1337", "lookup", "133"]
            _ = try await namespace.command("sh", "-c", command.joined(separator: " "))
        }

        let found = try RouteSocket(in: namespace).markRules(.ipv4)

        #expect(found.count == 1)
    }

    @Test(arguments: InternetFamily.allCases, [133, 70_000] as [UInt32])
    func `a local default route can be added and removed once`(
        family: InternetFamily,
        table: UInt32
    ) async throws {
        let namespace = try NetworkNamespace.makeNew()
        let routes = try RouteSocket(in: namespace)
        try routes.setLoopbackUp()

        try routes.addLocalDefaultRoute(family, table: table)
        let option = family == .ipv4 ? "-4" : "-6"
        let listed = try await namespace.command("ip", option, "route", "show", "table", "\(table)")
        let found = try routes.routes(family, table: table)
        let again = refusal { () throws(KernelError) in try routes.addLocalDefaultRoute(family, table: table) }
        try routes.removeLocalDefaultRoute(family, table: table)
        let left = try routes.routes(family, table: table)
        let missing = refusal { () throws(KernelError) in
            try routes.removeLocalDefaultRoute(family, table: table)
        }

        #expect(listed.hasPrefix("local default dev lo"))
        #expect(found == [.localDefault(family, table: table)])
        #expect(again?.errno == .alreadyExists)
        #expect(left == [])
        #expect(missing?.errno == .noSuchProcess)
    }

    @Test func `rules of the namespace are not those of another`() throws {
        let first = try NetworkNamespace.makeNew().openSockets()
        let second = try NetworkNamespace.makeNew().openSockets()

        try first.routes.addMarkRule(MarkRule(.ipv4, mark: 1, table: 2, priority: 3))

        let others = try second.routes.markRules(.ipv4)
        #expect(others == [])
    }
}
