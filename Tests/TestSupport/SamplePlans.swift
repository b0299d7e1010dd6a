package import Redirect

/// Plans that between them use every kind of rule.
package enum SamplePlans {
    package static let all: [String: RedirectPlan] = [
        "defaults": RedirectPlan(
            inboundPorts: .all(except: [15_020, 15_021, 15_090]),
            excludedOutboundPorts: [15_020]
        ),
        "dual-stack-dns": RedirectPlan(redirectsIPv6: true, dns: .all),
        "tproxy-dual-stack": RedirectPlan(
            interceptionMode: .transparentProxy,
            redirectsIPv6: true,
            inboundPorts: .all(except: [15_020, 15_021, 15_090]),
            dropsInvalid: true
        ),
        "tproxy-ports": RedirectPlan(interceptionMode: .transparentProxy, inboundPorts: .only([80, 443])),
        "ranges": RedirectPlan(
            redirectsIPv6: true,
            outboundRanges: .only(ranges("10.0.0.5/8", "fd00::/8", "10.96.0.0/12", "127.0.0.0/8")),
            excludedOutboundRanges: ranges("192.168.0.0/16", "192.169.0.0/16", "2001:db8::/32", "192.168.4.0/24"),
            includedOutboundPorts: [9090, 80],
            excludedInterfaces: ["net1"],
            virtualInterfaces: ["eth1", "eth2"]
        ),
        "dns-servers": RedirectPlan(
            redirectsIPv6: true,
            inboundPorts: .none,
            dns: .servers([IPAddress(.ipv4, bits: 0x7F00_0035), IPAddress(.ipv6, bits: 0x35)]),
            ownerGroups: .only([202, 1000])
        ),
        "lists": RedirectPlan(
            redirectsIPv6: true,
            outboundRanges: .only(ranges("10.0.0.5/8", "fd00::/8", "10.96.0.0/12", "0.0.0.0/0", "172.16.0.0/13")),
            excludedOutboundRanges: ranges("192.168.0.0/16", "2001:db8::/33", "2001:db9::/32", "::/0", "9.0.0.0/7"),
            excludedOutboundPorts: [1, 2, 65_535],
            includedOutboundPorts: [9090, 80],
            excludedInterfaces: ["net1", "net2"],
            virtualInterfaces: ["eth1", "eth2"]
        ),
    ]

    package static let names = all.keys.sorted()

    package static func ranges(_ texts: String...) -> [AddressRange] { texts.compactMap { AddressRange($0) } }
}
