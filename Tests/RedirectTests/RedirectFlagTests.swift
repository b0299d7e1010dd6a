import Testing

@testable import Redirect

/// The flags and variables of `istio-iptables`, and what becomes of them in the plan.
@Suite struct RedirectFlagTests {
    typealias Arguments = [RedirectFlag: String]

    static var names: AccountNames {
        AccountNames(
            user: { name in ["envoy": 44, "istio-proxy": 55, "nobody": UInt32.max][name] },
            group: { name in ["java": 202, "ftp": 21, "envoy": 66][name] }
        )
    }

    /// A flag, its value, and what that makes of the plan without flags.
    struct Change: Sendable, CustomTestStringConvertible {
        let flag: RedirectFlag
        let value: String
        let apply: @Sendable (inout RedirectPlan) -> Void

        init(_ flag: RedirectFlag, _ value: String, _ apply: @escaping @Sendable (inout RedirectPlan) -> Void) {
            self.flag = flag
            self.value = value
            self.apply = apply
        }

        var testDescription: String { "\(flag.name)=\(value)" }
    }

    @Test func `without flags nothing is redirected but what arrives for the proxy`() throws {
        let (plan, warnings) = try Self.plan([:], names: AccountNames(user: { _ in nil }, group: { _ in nil }))

        #expect(plan == RedirectPlan(inboundPorts: .none, outboundRanges: .only([])))
        #expect(warnings.isEmpty)
    }

    @Test func `the injector's flags make the plan of its init container`() throws {
        let (plan, warnings) = try Self.plan([
            .outboundPort: "15001", .inboundPort: "15006", .proxyUsers: "1337", .interceptionMode: "REDIRECT",
            .includeOutboundIPRanges: "*", .excludeOutboundIPRanges: "", .includeInboundPorts: "*",
            .excludeInboundPorts: "15090,15021,15020",
        ])

        #expect(plan == RedirectPlan(inboundPorts: .all(except: [15_090, 15_021, 15_020])))
        #expect(warnings.isEmpty)
    }

    static let changes = [
        Change(.outboundPort, "1") { plan in plan.ports.outbound = 1 },
        Change(.inboundPort, "65535") { plan in plan.ports.inbound = 65_535 },
        Change(.tunnelPort, " 15009 ") { plan in plan.ports.tunnel = 15_009 },
        Change(.proxyGroups, "5,java") { plan in plan.proxyGroups = [5, 202] },
        Change(.interceptionMode, "TPROXY") { plan in plan.interceptionMode = .transparentProxy },
        Change(.interceptionMode, "") { _ in },
        Change(.includeInboundPorts, "*") { plan in plan.inboundPorts = .all(except: []) },
        Change(.includeInboundPorts, "80, 443,") { plan in plan.inboundPorts = .only([80, 443]) },
        Change(.excludeInboundPorts, "80") { _ in },
        Change(.excludeInterfaces, "eth1, eth2") { plan in plan.excludedInterfaces = ["eth1", "eth2"] },
        Change(.virtualInterfaces, "eth1") { plan in plan.virtualInterfaces = ["eth1"] },
        Change(.includeOutboundIPRanges, "*") { plan in plan.outboundRanges = .all },
        Change(.includeOutboundIPRanges, "127.0.0.1/32,") { plan in plan.outboundRanges = .only([.loopbackIPv4]) },
        Change(.excludeOutboundIPRanges, "::1/128") { plan in plan.excludedOutboundRanges = [.loopbackIPv6] },
        Change(.includeOutboundPorts, ",80") { plan in plan.includedOutboundPorts = [80] },
        Change(.excludeOutboundPorts, "80,80") { plan in plan.excludedOutboundPorts = [80, 80] },
        Change(.mark, "4294967295") { plan in plan.transparentProxy.mark = .max },
        Change(.routeTable, "100") { plan in plan.transparentProxy.routeTable = 100 },
        Change(.dropInvalid, "true") { plan in plan.dropsInvalid = true },
        Change(.captureAllDNS, "true") { _ in },
        Change(.dualStack, "T") { plan in plan.redirectsIPv6 = true },
        Change(.excludeOwnerGroups, "888,ftp") { plan in plan.ownerGroups = .all(except: [888, 21]) },
        Change(.ownerGroups, "java,202") { plan in plan.ownerGroups = .only([202, 202]) },
        Change(.loopbackRange, "127.0.0.1/8") { plan in
            plan.loopbackRange = AddressRange("127.0.0.1/8") ?? .loopbackIPv6
        },
    ]

    @Test(arguments: changes)
    func `a flag changes one thing`(change: Change) throws {
        var expected = RedirectPlan(
            proxyUsers: [55],
            proxyGroups: [55],
            inboundPorts: .none,
            outboundRanges: .only([])
        )
        change.apply(&expected)

        #expect(try Self.plan([change.flag: change.value], addresses: ["10.0.0.1", "fd00::1"]).plan == expected)
    }

    /// Users, then groups, and what they are.
    @Test(
        arguments: [
            ("", "", [55], [55]),
            ("", "9", [55], [9]),
            ("3,4", "", [3, 4], [3, 4]),
            ("3,4", "1,2", [3, 4], [1, 2]),
            ("envoy", "", [44], [66]),
            ("envoy", "0", [44], [0]),
        ] as [(String, String, [UInt32], [UInt32])]
    )
    func `a group that is not given is that of the user`(
        users: String,
        groups: String,
        expectedUsers: [UInt32],
        expectedGroups: [UInt32]
    ) throws {
        let plan = try Self.plan([.proxyUsers: users, .proxyGroups: groups]).plan

        #expect(plan.proxyUsers == expectedUsers)
        #expect(plan.proxyGroups == expectedGroups)
    }

    @Test func `ENVOY_USER names the proxy's user`() throws {
        #expect(try Self.plan([:], environment: ["ENVOY_USER": "envoy"]).plan.proxyUsers == [44])
        #expect(try Self.plan([:], environment: ["ENVOY_USER": "nobody-knows"]).plan.proxyUsers == [1337])
    }

    static let refused: [(RedirectFlag, [String])] = [
        (.outboundPort, ["", "0", "65536", "-1", "http", "80,81", "*"]),
        (.inboundPort, ["0", "x"]),
        (.tunnelPort, ["0", "x"]),
        (.proxyUsers, [",", "unknown", "-1", "1000-2000", "4294967295", "4294967296", "nobody", "*", "1,,x"]),
        (.proxyGroups, [",", "unknown", "4294967295", "*"]),
        (.includeInboundPorts, ["80,*", "65536", "8000:9000"]),
        (.excludeInboundPorts, ["*", "x", "80, ,81"]),
        (.excludeInterfaces, ["eth+", "eth0 -j ACCEPT", "*"]),
        (.virtualInterfaces, ["0eth"]),
        (.includeOutboundIPRanges, ["10.0.0.0", "10.0.0.0/8, 10.1.0.0/16", "*,10.0.0.0/8", " "]),
        (.excludeOutboundIPRanges, ["*", "10.0.0.0/33"]),
        (.includeOutboundPorts, ["*"]),
        (.excludeOutboundPorts, ["*", "-1"]),
        (.mark, ["", "0x539", "-1", "4294967296"]),
        (.routeTable, ["main", ""]),
        (.redirectDNS, ["", "yes"]),
        (.captureAllDNS, ["2"]),
        (.dropInvalid, [" true"]),
        (.dualStack, ["on"]),
        (.ownerGroups, ["unknown", "*,1", groups(65)]),
        (.excludeOwnerGroups, ["unknown", "*"]),
        (
            .loopbackRange,
            [
                "", "127.0.0.1", "192.168.1.1/24", "10.0.0.1/7", "172.16.0.1/40", "127.0.0.1/7", "::1/128",
                "127.0.0.1/33", "::ffff:127.0.0.1/104", " 127.0.0.1/32",
            ]
        ),
    ]

    @Test func `every flag that can be wrong has bad values here`() {
        let tested = Set(Self.refused.map(\.0))

        // A mode that is none counts as REDIRECT, and a user's name may be anything.
        #expect(Set(RedirectFlag.allCases).subtracting(tested) == [.interceptionMode, .proxyUserName])
    }

    @Test(arguments: refused)
    func `a bad value is refused under its flag's name`(flag: RedirectFlag, values: [String]) throws {
        for value in values {
            let error = #expect(throws: PlanError.self, "\(flag.name) \(value)") { try Self.plan([flag: value]) }

            guard case .flag(let refusal) = error else { continue }
            #expect(refusal.flag == flag)
            #expect(refusal.description.hasPrefix("\(flag.name): \""))
            #expect(refusal.description.hasSuffix("; expected \(flag.form.expectation)"))
        }
    }

    @Test(arguments: ["redirect", "NONE", "tproxy"])
    func `a mode that is none counts as REDIRECT, with a warning`(mode: String) throws {
        let (plan, warnings) = try Self.plan([.interceptionMode: mode])

        #expect(plan.interceptionMode == .redirect)
        #expect(warnings == [.notInterceptionMode(ShortenedText(mode))])
    }

    /// Upstream's own table: 64 groups may be included, and any number excluded.
    @Test func `64 groups are redirected, and 1,000 excluded`() throws {
        let included = try Self.plan([.ownerGroups: Self.groups(64)]).plan.ownerGroups
        let excluded = try Self.plan([.excludeOwnerGroups: Self.groups(1_000)]).plan.ownerGroups

        #expect(included == .only((1...64).map { UInt32($0) }))
        #expect(excluded == .all(except: (1...1_000).map { UInt32($0) }))
    }

    @Test func `iptables takes 49 groups in its one rule, and more are refused by number`() throws {
        let included = try Self.plan([.ownerGroups: Self.groups(49)], backend: .iptables).plan.ownerGroups
        let error = #expect(throws: PlanError.self) {
            try Self.plan([.ownerGroups: Self.groups(50)], backend: .iptables)
        }

        #expect(included == .only((1...49).map { UInt32($0) }))
        #expect(error?.description.contains("has 50 elements, more than 49") == true)
    }

    @Test func `excluded groups are not read beside a list of included ones`() throws {
        let groups = try Self.plan([.ownerGroups: "1", .excludeOwnerGroups: "unknown"]).plan.ownerGroups

        #expect(groups == .only([1]))
    }

    @Test func `an empty list of groups redirects nobody, with a warning`() throws {
        let (plan, warnings) = try Self.plan([:], environment: ["ISTIO_OUTBOUND_OWNER_GROUPS": ""])

        #expect(plan.ownerGroups == .only([]))
        #expect(warnings == [.noOwnerGroups])
    }

    private static func groups(_ count: Int) -> String {
        (1...count).map(String.init).joined(separator: ",")
    }

    static func plan(
        _ arguments: Arguments,
        environment: [String: String] = [:],
        addresses: [String] = ["10.0.0.1"],
        backend: RedirectPlan.Backend = .nftables,
        names: AccountNames = names,
        resolverConfiguration: String? = nil
    ) throws(PlanError) -> (plan: RedirectPlan, warnings: [PolicyWarning]) {
        var warnings: [PolicyWarning] = []
        let plan = try RedirectPlan(
            flags: RedirectFlags(arguments: arguments, environment: environment),
            addresses: addresses,
            backend: backend,
            names: names,
            resolverConfiguration: resolverConfiguration,
            warnings: &warnings
        )
        return (plan, warnings)
    }
}

/// Where a flag's value comes from.
@Suite struct RedirectFlagSourceTests {
    @Test func `names, letters and variables are not shared`() {
        let letters = RedirectFlag.allCases.compactMap(\.short)
        let variables = RedirectFlag.allCases.flatMap(\.variables)

        #expect(Set(letters).count == letters.count)
        #expect(Set(variables).count == variables.count)
        #expect(RedirectFlag.ownerGroups.name == "ISTIO_OUTBOUND_OWNER_GROUPS")
        #expect(RedirectFlag.outboundPort.name == "--envoy-port")
    }

    /// Upstream's rule, with one exception: the variable of the outbound port is never read.
    @Test(arguments: RedirectFlag.allCases.filter { $0.flag != nil && $0 != .outboundPort })
    func `a flag's last variable is its name in capitals`(flag: RedirectFlag) throws {
        let expected = flag.rawValue.uppercased().map { $0 == "-" ? "_" : $0 }

        #expect(flag.variables.last == String(expected))
    }

    @Test func `a variable stands in for a flag`() throws {
        let plan = try RedirectFlagTests.plan([:], environment: ["INBOUND_CAPTURE_PORT": "1", "ENVOY_PORT": "2"]).plan

        #expect(plan.ports.inbound == 1)
        #expect(plan.ports.outbound == 15_001)
    }

    @Test func `a flag beats its variable, even when it is empty`() throws {
        let plan = try RedirectFlagTests.plan(
            [.includeInboundPorts: "", .inboundPort: "3"],
            environment: ["ISTIO_INBOUND_PORTS": "*", "INBOUND_CAPTURE_PORT": "4"]
        ).plan

        #expect(plan.inboundPorts == .none)
        #expect(plan.ports.inbound == 3)
    }

    @Test func `a bad variable is refused as the flag would be`() {
        #expect(throws: PlanError.self) {
            try RedirectFlagTests.plan([:], environment: ["INBOUND_CAPTURE_PORT": "http"])
        }
    }

    /// The pod's own variable, the flag's, and what counts.
    @Test(
        arguments: [
            ("true", "false", true, 0), ("false", "true", false, 0), ("maybe", "true", true, 1), (nil, "1", true, 0),
            (nil, "maybe", false, 1), ("maybe", "maybe", false, 2), (nil, nil, false, 0),
        ] as [(String?, String?, Bool, Int)]
    )
    func `the proxy's variable beats the flag's, and a word that is no boolean is passed over`(
        first: String?,
        second: String?,
        expected: Bool,
        warningCount: Int
    ) throws {
        var environment: [String: String] = [:]
        environment["INVALID_DROP"] = first
        environment["DROP_INVALID"] = second

        let (plan, warnings) = try RedirectFlagTests.plan([:], environment: environment)

        #expect(plan.dropsInvalid == expected)
        #expect(warnings.count == warningCount)
    }
}

/// DNS capture of `istio-iptables`.
@Suite struct DNSFlagTests {
    static let on: RedirectFlagTests.Arguments = [.redirectDNS: "true"]

    @Test(arguments: [
        ("nameserver 10.0.0.10\n", ["10.0.0.10"]),
        ("nameserver 10.0.0.10", ["10.0.0.10"]),
        ("search a.b\r\nnameserver\t10.0.0.10 trailing\r\nnameserver fd00::a\r\n", ["10.0.0.10", "fd00::a"]),
        ("  nameserver 127.0.0.53\n", ["127.0.0.53"]),
        ("nameserver fe80::1%eth0\nnameserver x\nnameserver\nnameserver 10.0.0.10\n", ["10.0.0.10"]),
        ("#nameserver 10.0.0.1\n;nameserver 10.0.0.2\nnameserver 10.0.0.3\n", ["10.0.0.3"]),
    ])
    func `servers are those of resolv.conf`(text: String, expected: [String]) throws {
        let (plan, warnings) = try RedirectFlagTests.plan(Self.on, resolverConfiguration: text)

        #expect(plan.dns == .servers(expected.compactMap { IPAddress($0) }))
        #expect(warnings.isEmpty)
    }

    @Test(arguments: ["", "\n", "search a.b", "# nameserver 10.0.0.1", "nameserver", "nameservers 10.0.0.1"])
    func `without servers DNS is left alone, with a warning`(text: String) throws {
        let (plan, warnings) = try RedirectFlagTests.plan(Self.on, resolverConfiguration: text)

        #expect(plan.dns == .off)
        #expect(warnings == [.noDNSServers])
    }

    @Test func `resolv.conf that cannot be read is an error`() {
        #expect(throws: PlanError.resolverConfigurationUnreadable) { try RedirectFlagTests.plan(Self.on) }
    }

    @Test func `resolv.conf may have 64 KiB, and not a byte more`() throws {
        let line = "nameserver 10.0.0.10\n"
        let longest = line + String(repeating: "#", count: ValueReader.longestBytes - line.utf8.count)

        let plan = try RedirectFlagTests.plan(Self.on, resolverConfiguration: longest).plan

        #expect(plan.dns == .servers([IPAddress(.ipv4, bits: 0x0A00_000A)]))
        #expect(throws: PlanError.resolverConfigurationTooLong(bytes: 65_537, limit: 65_536)) {
            try RedirectFlagTests.plan(Self.on, resolverConfiguration: longest + "#")
        }
    }

    @Test(arguments: [
        ("false", "false", false, RedirectPlan.DNSCapture.off), ("false", "true", false, .off),
        ("true", "true", false, .all), ("true", "false", true, .servers([IPAddress(.ipv4, bits: 1)])),
    ])
    func `resolv.conf is looked at only where it counts`(
        redirect: String,
        all: String,
        isNeeded: Bool,
        expected: RedirectPlan.DNSCapture
    ) throws {
        let arguments: RedirectFlagTests.Arguments = [.redirectDNS: redirect, .captureAllDNS: all]

        let flags = RedirectFlags(arguments: arguments, environment: [:])
        let text = isNeeded ? "nameserver 0.0.0.1" : nil

        #expect(try flags.needsResolverConfiguration() == isNeeded)
        #expect(try RedirectFlagTests.plan(arguments, resolverConfiguration: text).plan.dns == expected)
    }
}
