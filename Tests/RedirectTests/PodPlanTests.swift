import Conformance
import Testing

@testable import Redirect

/// Annotations, variables, users and addresses of a pod, and what becomes of them in its plan.
@Suite(.tags(.s32)) struct PodPlanTests {
    @Test func `a pod without annotations has upstream's defaults`() throws {
        let (plan, warnings) = try redirection(of: .injected())

        #expect(
            plan
                == RedirectPlan(
                    inboundPorts: .all(except: [15_020, 15_021, 15_090]),
                    excludedOutboundPorts: [15_020]
                )
        )
        #expect(warnings.isEmpty)
    }

    @Test(arguments: [("REDIRECT", RedirectPlan.InterceptionMode.redirect), ("TPROXY", .transparentProxy)])
    func `interceptionMode is the inbound mode`(value: String, expected: RedirectPlan.InterceptionMode) throws {
        #expect(try Self.plan(.interceptionMode, value).interceptionMode == expected)
    }

    @Test(arguments: [
        ("*", RedirectPlan.OutboundRanges.all),
        ("", .only([])),
        ("10.0.0.5/8", .only([Self.range("10.0.0.5/8")])),
        ("10.0.0.0/8,fd00::/8", .only([Self.range("10.0.0.0/8"), Self.range("fd00::/8")])),
        ("0.0.0.0/0,::/0", .only([Self.range("0.0.0.0/0"), Self.range("::/0")])),
    ])
    func `includeOutboundIPRanges is all, nothing or a list`(
        value: String,
        expected: RedirectPlan.OutboundRanges
    ) throws {
        #expect(try Self.plan(.includeOutboundIPRanges, value).outboundRanges == expected)
    }

    @Test(arguments: [("", []), ("127.0.0.0/8,::1/128", ["127.0.0.0/8", "::1/128"])])
    func `excludeOutboundIPRanges is a list`(value: String, expected: [String]) throws {
        #expect(
            try Self.plan(.excludeOutboundIPRanges, value).excludedOutboundRanges.map(\.asWritten) == expected
        )
    }

    @Test(
        arguments: [
            ("", [15_020, 15_021, 15_090]),
            (" \t", [15_020, 15_021, 15_090]),
            ("3306", [3306, 15_020, 15_021, 15_090]),
            (" 80 , 443 ", [80, 443, 15_020, 15_021, 15_090]),
            ("15021,80,80", [15_021, 80, 15_020, 15_090]),
            ("0,65535,0080", [0, 65_535, 80, 15_020, 15_021, 15_090]),
        ] as [(String, [UInt16])]
    )
    func `the sidecar's own ports are never redirected in`(value: String, expected: [UInt16]) throws {
        #expect(try Self.plan(.excludeInboundPorts, value).inboundPorts == .all(except: expected))
    }

    @Test(arguments: [("", []), (" ", []), ("80", [80]), ("80, 0443", [80, 443])] as [(String, [UInt16])])
    func `a list in includeInboundPorts stands alone`(value: String, expected: [UInt16]) throws {
        #expect(try Self.plan(.includeInboundPorts, value).inboundPorts == .only(expected))
    }

    @Test func `excludeInboundPorts is checked even where it has no effect`() {
        let pod = Pod.injected(annotations: [
            Annotation.includeInboundPorts.name: "80", Annotation.excludeInboundPorts.name: "x",
        ])

        #expect(throws: PlanError.self) { try Decision(pod: pod, addresses: ["10.0.0.1"], backend: .nftables) }
    }

    @Test(arguments: [("", []), ("\u{A0}", []), ("53", [53]), ("1,\n2", [1, 2])] as [(String, [UInt16])])
    func `outbound ports are lists`(value: String, expected: [UInt16]) throws {
        #expect(try Self.plan(.excludeOutboundPorts, value).excludedOutboundPorts == expected)
        #expect(try Self.plan(.includeOutboundPorts, value).includedOutboundPorts == expected)
    }

    /// The names that upstream's own tests of its validator have, and a blank list, which upstream refuses.
    @Test(arguments: [
        ("", []), ("  ", []), ("eth0", ["eth0"]), ("eth0,eth1,lo", ["eth0", "eth1", "lo"]), ("eth_0", ["eth_0"]),
        ("eth-0", ["eth-0"]), ("eth0.1", ["eth0.1"]), ("a23456789012345", ["a23456789012345"]),
        (" eth0 , eth1\t", ["eth0", "eth1"]), ("E", ["E"]),
    ])
    func `interfaces are lists of names`(value: String, expected: [String]) throws {
        #expect(try Self.plan(.excludeInterfaces, value).excludedInterfaces == expected)
        #expect(try Self.plan(.rerouteVirtualInterfaces, value).virtualInterfaces == expected)
        #expect(try Self.plan(.kubevirtInterfaces, value).virtualInterfaces == expected)
    }

    @Test(arguments: ["", "net1"])
    func `the old name of the virtual interfaces is not even read beside the new one`(value: String) throws {
        let pod = Pod.injected(annotations: [
            Annotation.rerouteVirtualInterfaces.name: value, Annotation.kubevirtInterfaces.name: "0bad",
        ])

        #expect(try redirection(of: pod).plan.virtualInterfaces == (value.isEmpty ? [] : [value]))
    }

    static let notPorts = [
        "*", " * ", "80,", ",80", "80,,81", ",", "65536", "-1", "+1", "1.5", "0x50", "80-90", "http", "80 81", "١",
        "80;443", "99999999999999999999", "80,*",
    ]
    static let notRanges = [
        " ", "10.0.0.0", "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/+8", "10.0.0.0/08", "10.0.0.0/8 ",
        " 10.0.0.0/8", "10.0.0.0/8, 10.1.0.0/16", "10.0.0.0/8,", "10.0.0/8", "10.0.0.00/8", "256.0.0.0/8",
        "10.0.0.0/255.0.0.0", "fd00::/129", "fd00:::/8", "fe80::1%eth0/64", "fd00::g/8", "*,10.0.0.0/8", "/8",
        "1:2:3:4:5:6:7/8", "1:2:3:4:5:6:7:8:9/8", "1::2::3/8", "12345::/8", "::1.2.3/8", "1.2.3.4::/8",
    ]
    static let notInterfaces = [
        "0eth", "_eth", "-eth", ".eth", "eth 0", "eth0;reboot", "eth0|x", "eth0`x`", "eth0$x", "eth0,", ",eth0",
        "eth0,,eth1", "eth0/1", "eth0:1", "eth0@if2", "eth0+", "+", "*", "a234567890123456", "eth0 -j ACCEPT", "éth0",
        "eth0\u{301}", "eth\n0",
    ]

    /// What every annotation refuses, and nothing is put in its place.
    static let refused: [(Annotation, [String])] = [
        (.interceptionMode, ["", "redirect", "Tproxy", " REDIRECT", "NONE ", "none", "BOTH"]),
        (.includeOutboundIPRanges, notRanges + [" *", "**"]),
        (.excludeOutboundIPRanges, notRanges + ["*"]),
        (.excludeInboundPorts, notPorts),
        (.includeInboundPorts, notPorts.filter { $0 != "*" }),
        (.excludeOutboundPorts, notPorts),
        (.includeOutboundPorts, notPorts),
        (.excludeInterfaces, notInterfaces),
        (.rerouteVirtualInterfaces, notInterfaces),
        (.kubevirtInterfaces, notInterfaces),
    ]

    @Test(arguments: refused)
    func `a bad value is refused under its annotation's name`(annotation: Annotation, values: [String]) throws {
        for value in values {
            guard case .annotation(let error) = refusal(annotation, value) else {
                Issue.record("\(annotation.name) took \(value.debugDescription)")
                continue
            }
            #expect(error.annotation == annotation)
            #expect(error.description.hasPrefix("\(annotation.name): \""))
            #expect(error.description.hasSuffix("; expected \(annotation.form.expectation)"))
        }
    }

    @Test func `annotations are read in the order of their definition`() {
        let read = Self.refused.map(\.0).filter { annotation in annotation != .kubevirtInterfaces }
        var annotations = [String: String](uniqueKeysWithValues: read.map { ($0.name, "\u{7}") })
        var reported: [Annotation] = []

        for _ in read {
            do throws(PlanError) {
                _ = try Decision(pod: .injected(annotations: annotations), addresses: [], backend: .nftables)
            } catch {
                guard case .annotation(let error) = error else { continue }
                reported.append(error.annotation)
                annotations[error.annotation.name] = error.annotation.defaultValue
            }
        }

        #expect(reported == Annotation.allCases.filter(read.contains))
    }

    @Test(arguments: [
        (Annotation.status, "whatever"), (.statusPort, "no port"), (.inject, "maybe"),
    ])
    func `some annotations say nothing about the rules`(annotation: Annotation, value: String) throws {
        #expect(try Self.plan(annotation, value) == redirection(of: .injected()).plan)
    }

    @Test(arguments: [
        ("true", true, 0), ("1", true, 0), ("T", true, 0), ("false", false, 0), ("0", false, 0), ("", false, 1),
        ("yes", false, 1), ("tRue", false, 1),
    ])
    func `variables are booleans, and never stop a pod`(value: String, expected: Bool, warningCount: Int) throws {
        for variable in ProxyVariable.allCases where variable != .disableEnvoy {
            let pod = Pod.injected(environment: [variable.name: value])

            let (plan, warnings) = try redirection(of: pod, addresses: ["10.0.0.1", "fd00::1"])

            #expect((plan.dns == .all) == (expected && variable == .dnsCapture))
            #expect(plan.dropsInvalid == (expected && variable == .invalidDrop))
            #expect(plan.redirectsIPv6 == (expected && variable == .dualStack))
            #expect(warnings.count == warningCount)
            #expect(warnings.allSatisfy { $0.description.hasPrefix(variable.name + ": ") })
        }
    }

    @Test(
        .tags(.s33f),
        arguments: [
            (nil, nil, 1337, 1337), (0, 1337, 1337, 1337), (0, 0, 1337, 1337),
            (1_000_670_000, nil, 1_000_670_000, 1337),
            (nil, 5, 1337, 5), (7, 8, 7, 8),
        ] as [(UInt32?, UInt32?, UInt32, UInt32)]
    )
    func `user and group are the proxy's own, unless that is root`(
        user: UInt32?,
        group: UInt32?,
        expectedUser: UInt32,
        expectedGroup: UInt32
    ) throws {
        let plan = try redirection(of: .injected(user: user, group: group)).plan

        #expect(plan.proxyUsers == [expectedUser])
        #expect(plan.proxyGroups == [expectedGroup])
    }

    private static func plan(_ annotation: Annotation, _ value: String) throws -> RedirectPlan {
        try redirection(of: .injected(annotations: [annotation.name: value])).plan
    }

    private static func range(_ text: String) -> AddressRange {
        AddressRange(text) ?? .loopbackIPv6
    }
}

/// Which of a pod's addresses decide whether IPv6 is redirected.
@Suite struct PodAddressTests {
    /// Addresses, then whether IPv6 is redirected without and with `ISTIO_DUAL_STACK`.
    @Test(arguments: [
        (["10.0.0.1/24"], false, false),
        (["fd00::1/64"], true, true),
        (["10.0.0.1", "fd00::1"], false, true),
        (["fd00::1", "10.0.0.1"], false, true),
        (["fe80::1/64", "10.0.0.1"], false, false),
        (["127.0.0.1/8", "169.254.1.1/16", "224.0.0.1", "::1", "fe80::1", "ff02::1", "fd00::1"], true, true),
        (["::ffff:10.0.0.1"], false, false),
        (["::ffff:127.0.0.1", "fd00::1"], true, true),
    ])
    func `IPv4 counts before IPv6, and only what others can reach`(
        addresses: [String],
        alone: Bool,
        dualStack: Bool
    ) throws {
        #expect(try RedirectPlan.redirectsIPv6(addresses: addresses, isDualStack: false) == alone)
        #expect(try RedirectPlan.redirectsIPv6(addresses: addresses, isDualStack: true) == dualStack)
    }

    @Test(arguments: [([], 0), (["127.0.0.1/8", "::1/128", "fe80::1/64"], 3)])
    func `a pod without an address that others can reach is refused`(addresses: [String], unusable: Int) {
        #expect(throws: PlanError.noAddress(unusable: unusable)) {
            try RedirectPlan.redirectsIPv6(addresses: addresses, isDualStack: false)
        }
    }

    @Test(arguments: ["", "eth0", "10.0.0.1/33", "10.0.0.1 ", "fe80::1%eth0"])
    func `what is no address is refused`(text: String) {
        #expect(throws: PlanError.address(ShortenedText(text))) {
            try RedirectPlan.redirectsIPv6(addresses: ["10.0.0.1", text], isDualStack: false)
        }
    }
}
