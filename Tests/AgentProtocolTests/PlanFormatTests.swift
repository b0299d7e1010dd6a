import AgentProtocol
import CNIProtocol
import Conformance
import Foundation
import Redirect
import Testing

@Suite(.tags(.s25)) struct PlanFormatTests {
    static let everything = RedirectPlan(
        backend: .iptables,
        interceptionMode: .transparentProxy,
        redirectsIPv6: true,
        ports: RedirectPlan.ProxyPorts(outbound: 1, inbound: 2, tunnel: 3, dns: 65_535),
        proxyUsers: [1337, 0],
        proxyGroups: [4_294_967_295],
        inboundPorts: .only([80, 8080]),
        outboundRanges: .only(["10.0.0.5/8", "fd00::1/8"].compactMap { text in AddressRange(text) }),
        excludedOutboundRanges: ["192.168.0.0/16"].compactMap { text in AddressRange(text) },
        excludedOutboundPorts: [0, 22],
        includedOutboundPorts: [443],
        excludedInterfaces: ["net1"],
        virtualInterfaces: ["k6t-eth0"],
        dns: .servers(["10.96.0.10", "fd00::a"].compactMap { text in IPAddress(text) }),
        dropsInvalid: true,
        ownerGroups: .only([7]),
        loopbackRange: AddressRange("127.0.0.0/8") ?? .loopbackIPv4,
        transparentProxy: RedirectPlan.TransparentProxy(mark: 1, routeTable: 2)
    )

    @Test(arguments: [
        RedirectPlan(), everything, RedirectPlan(inboundPorts: .all(except: [15_020]), dns: .all),
        RedirectPlan(inboundPorts: .none, outboundRanges: .only([]), ownerGroups: .all(except: [9])),
    ])
    func `a plan comes back as it was sent`(plan: RedirectPlan) throws {
        let answer = AddAnswer.redirect(plan)

        #expect(try AddAnswer(answer.bytes()) == answer)
        #expect(try PlanFormat.read(PlanFormat.value(of: plan).bytes()) == plan)
    }

    /// Agents and plugins of this version are on nodes: neither the files nor this test ever change, and a new
    /// version gets files of its own.
    @Test(arguments: [("plan-1-defaults.json", RedirectPlan()), ("plan-1-everything.json", everything)])
    func `version 1 is what the golden file says`(name: String, plan: RedirectPlan) throws {
        let file = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Golden/\(name)")
        let text = PlanFormat.value(of: plan).text(.indented) + "\n"
        if ProcessInfo.processInfo.environment["UPDATE_GOLDEN"] != nil {
            try Data(text.utf8).write(to: file)
            Issue.record("wrote \(name): look at the difference, then run again")
        }

        let golden = [UInt8](try Data(contentsOf: file))

        #expect(text == String(decoding: golden, as: UTF8.self))
        #expect(try PlanFormat.read(golden) == plan)
    }

    @Test(arguments: [
        ("version", "2", "plan.version is 2, which is not known here"),
        ("version", "\"1\"", "plan.version is not a number 1-1000000"),
        ("backend", "\"ipvs\"", "plan.backend is not nftables or iptables"),
        ("interceptionMode", "\"NONE\"", "plan.interceptionMode is not REDIRECT or TPROXY"),
        ("redirectsIPv6", "1", "plan.redirectsIPv6 is not true or false"),
        ("proxyUsers", "[]", "plan.proxyUsers is not filled in"),
        ("proxyGroups", "[-1]", "plan.proxyGroups[0] is not a number 0-4294967295"),
        ("inboundPorts", "{\"only\":[65536]}", "plan.inboundPorts.only[0] is not a number 0-65535"),
        ("inboundPorts", "{\"only\":[],\"except\":[]}", unknown("plan.inboundPorts")),
        ("outboundRanges", "\"some\"", "plan.outboundRanges is not all, or an object with only"),
        ("outboundRanges", "{\"only\":[\"10.0.0.0\"]}", "plan.outboundRanges.only[0] is not an address range"),
        ("excludedOutboundRanges", "[\"10.0.0.0/33\"]", "plan.excludedOutboundRanges[0] is not an address range"),
        ("excludedInterfaces", "[\"eth0 -j ACCEPT\"]", "plan.excludedInterfaces[0] is not an interface name"),
        ("dns", "\"on\"", "plan.dns is not off, all, or an object with servers"),
        ("dns", "{\"servers\":[\"a\"]}", "plan.dns.servers[0] is not an IP address"),
        ("loopbackRange", "\"10.0.0.0/8\"", "plan.loopbackRange is not a range within 127.0.0.0/8"),
        ("loopbackRange", "\"127.0.0.0/7\"", "plan.loopbackRange is not a range within 127.0.0.0/8"),
        (
            "ports", "{\"outbound\":0,\"inbound\":1,\"tunnel\":2,\"dns\":3}",
            "plan.ports.outbound is not a number 1-65535"
        ),
        ("transparentProxy", "{\"mark\":1}", "plan.transparentProxy.routeTable is missing"),
    ])
    func `a bad value is refused by the name of its field`(name: String, value: String, refusal: String) throws {
        var members = try #require(PlanFormat.value(of: RedirectPlan()).members)
        let index = try #require(members.index(of: name))
        members[index].value = try JSONValue(parsing: Array(value.utf8))

        let error = #expect(throws: MessageError.self) { try PlanFormat.read(JSONValue.object(members).bytes()) }

        #expect(error?.description == refusal)
    }

    @Test func `each member has to be there, once, and no other`() throws {
        let members = try #require(PlanFormat.value(of: RedirectPlan()).members)

        for index in members.indices {
            var fewer = members
            let name = fewer.remove(at: index).name
            #expect(throws: MessageError("plan.\(name)", .missing)) {
                try PlanFormat.read(JSONValue.object(fewer).bytes())
            }
        }
        for extra in [members[3], JSONMember("excludesEverything", .bool(true))] {
            #expect(throws: MessageError("plan", .unknownMember)) {
                try PlanFormat.read(JSONValue.object(members + [extra]).bytes())
            }
        }
    }

    @Test func `a list is refused one past its limit`() throws {
        func read(_ count: Int) throws -> RedirectPlan {
            let plan = RedirectPlan(excludedOutboundPorts: [UInt16](repeating: 1, count: count))
            return try PlanFormat.read(PlanFormat.value(of: plan).bytes())
        }

        #expect(try read(MessageLimits.planElements).excludedOutboundPorts.count == MessageLimits.planElements)
        #expect(throws: MessageError("plan.excludedOutboundPorts", .tooMany(limit: MessageLimits.planElements))) {
            try read(MessageLimits.planElements + 1)
        }
    }

    private static func unknown(_ field: String) -> String {
        MessageError(field, .unknownMember).description
    }
}
