package import CNIProtocol
package import Redirect

/// The JSON form of a plan, version 1.
///
/// It is read strictly: each member must be there once and no other, because a member that is passed
/// over would be a connection that is not redirected.
package enum PlanFormat {
    /// The versions that are read here, the one that is written first.
    package static let versions = [RedirectPlan.version]

    private static let names = [
        "version", "backend", "interceptionMode", "redirectsIPv6", "ports", "proxyUsers", "proxyGroups",
        "inboundPorts", "outboundRanges", "excludedOutboundRanges", "excludedOutboundPorts",
        "includedOutboundPorts", "excludedInterfaces", "virtualInterfaces", "dns", "dropsInvalid", "ownerGroups",
        "loopbackRange", "transparentProxy",
    ]

    /// Reads a plan by itself, as it is kept in a file.
    package static func read(_ bytes: [UInt8]) throws(MessageError) -> RedirectPlan {
        try read(MessageReader(bytes, path: "plan"))
    }

    static func read(_ reader: MessageReader) throws(MessageError) -> RedirectPlan {
        let version = try reader.integer("version", in: 1...1_000_000)
        guard versions.contains(version) else {
            throw MessageError(reader.field("version"), .unknownVersion(version))
        }
        try reader.requireOnly(names)
        guard let backend = RedirectPlan.Backend(rawValue: try reader.text("backend", limit: 32)) else {
            throw MessageError(reader.field("backend"), .notA("nftables or iptables"))
        }
        let modeText = try reader.text("interceptionMode", limit: 32)
        guard let mode = RedirectPlan.InterceptionMode(rawValue: modeText) else {
            throw MessageError(reader.field("interceptionMode"), .notA("REDIRECT or TPROXY"))
        }
        return RedirectPlan(
            backend: backend,
            interceptionMode: mode,
            redirectsIPv6: try reader.flag("redirectsIPv6"),
            ports: try reader.object("ports").proxyPorts(),
            proxyUsers: try reader.proxyIdentifiers("proxyUsers"),
            proxyGroups: try reader.proxyIdentifiers("proxyGroups"),
            inboundPorts: try reader.inboundPorts("inboundPorts"),
            outboundRanges: try reader.outboundRanges("outboundRanges"),
            excludedOutboundRanges: try reader.ranges("excludedOutboundRanges"),
            excludedOutboundPorts: try reader.ports("excludedOutboundPorts"),
            includedOutboundPorts: try reader.ports("includedOutboundPorts"),
            excludedInterfaces: try reader.interfaces("excludedInterfaces"),
            virtualInterfaces: try reader.interfaces("virtualInterfaces"),
            dns: try reader.dnsCapture("dns"),
            dropsInvalid: try reader.flag("dropsInvalid"),
            ownerGroups: try reader.ownerGroups("ownerGroups"),
            loopbackRange: try reader.loopbackRange("loopbackRange"),
            transparentProxy: try reader.object("transparentProxy").transparentProxy()
        )
    }

    /// The plan in the version that is written.
    package static func value(of plan: RedirectPlan) -> JSONValue {
        .object([
            JSONMember("version", .integer(RedirectPlan.version)),
            JSONMember("backend", .string(plan.backend.rawValue)),
            JSONMember("interceptionMode", .string(plan.interceptionMode.rawValue)),
            JSONMember("redirectsIPv6", .bool(plan.redirectsIPv6)),
            JSONMember(
                "ports",
                .object([
                    JSONMember("outbound", .integer(Int(plan.ports.outbound))),
                    JSONMember("inbound", .integer(Int(plan.ports.inbound))),
                    JSONMember("tunnel", .integer(Int(plan.ports.tunnel))),
                    JSONMember("dns", .integer(Int(plan.ports.dns))),
                ])
            ),
            JSONMember("proxyUsers", numbers(plan.proxyUsers)),
            JSONMember("proxyGroups", numbers(plan.proxyGroups)),
            JSONMember("inboundPorts", value(of: plan.inboundPorts)),
            JSONMember("outboundRanges", value(of: plan.outboundRanges)),
            JSONMember("excludedOutboundRanges", ranges(plan.excludedOutboundRanges)),
            JSONMember("excludedOutboundPorts", numbers(plan.excludedOutboundPorts)),
            JSONMember("includedOutboundPorts", numbers(plan.includedOutboundPorts)),
            JSONMember("excludedInterfaces", .array(plan.excludedInterfaces.map { name in .string(name) })),
            JSONMember("virtualInterfaces", .array(plan.virtualInterfaces.map { name in .string(name) })),
            JSONMember("dns", value(of: plan.dns)),
            JSONMember("dropsInvalid", .bool(plan.dropsInvalid)),
            JSONMember("ownerGroups", value(of: plan.ownerGroups)),
            JSONMember("loopbackRange", .string(plan.loopbackRange.asWritten)),
            JSONMember(
                "transparentProxy",
                .object([
                    JSONMember("mark", .integer(Int(plan.transparentProxy.mark))),
                    JSONMember("routeTable", .integer(Int(plan.transparentProxy.routeTable))),
                ])
            ),
        ])
    }

    private static func numbers(_ numbers: [some FixedWidthInteger]) -> JSONValue {
        .array(numbers.map { number in .integer(Int(number)) })
    }

    private static func ranges(_ ranges: [AddressRange]) -> JSONValue {
        .array(ranges.map { range in .string(range.asWritten) })
    }

    private static func value(of ports: RedirectPlan.InboundPorts) -> JSONValue {
        switch ports {
        case .all(let except): .object([JSONMember("except", numbers(except))])
        case .only(let ports): .object([JSONMember("only", numbers(ports))])
        }
    }

    private static func value(of destinations: RedirectPlan.OutboundRanges) -> JSONValue {
        switch destinations {
        case .all: .string("all")
        case .only(let only): .object([JSONMember("only", ranges(only))])
        }
    }

    private static func value(of dns: RedirectPlan.DNSCapture) -> JSONValue {
        switch dns {
        case .off: .string("off")
        case .all: .string("all")
        case .servers(let servers):
            .object([JSONMember("servers", .array(servers.map { server in .string(server.description) }))])
        }
    }

    private static func value(of groups: RedirectPlan.OwnerGroups) -> JSONValue {
        switch groups {
        case .all(let except): .object([JSONMember("except", numbers(except))])
        case .only(let groups): .object([JSONMember("only", numbers(groups))])
        }
    }
}

// MARK: Fields of a plan

extension MessageReader {
    fileprivate func proxyPorts() throws(MessageError) -> RedirectPlan.ProxyPorts {
        try requireOnly(["outbound", "inbound", "tunnel", "dns"])
        return RedirectPlan.ProxyPorts(
            outbound: try listeningPort("outbound"),
            inbound: try listeningPort("inbound"),
            tunnel: try listeningPort("tunnel"),
            dns: try listeningPort("dns")
        )
    }

    private func listeningPort(_ name: String) throws(MessageError) -> UInt16 {
        UInt16(try integer(name, in: 1...65_535))
    }

    fileprivate func ports(_ name: String) throws(MessageError) -> [UInt16] {
        try elements(name, limit: MessageLimits.planElements) { element, path throws(MessageError) in
            UInt16(try MessageReader.integer(element, in: 0...65_535, field: path))
        }
    }

    private func identifiers(_ name: String) throws(MessageError) -> [UInt32] {
        try elements(name, limit: MessageLimits.planElements) { element, path throws(MessageError) in
            UInt32(try MessageReader.integer(element, in: 0...Int(UInt32.max), field: path))
        }
    }

    fileprivate func proxyIdentifiers(_ name: String) throws(MessageError) -> [UInt32] {
        let identifiers = try identifiers(name)
        guard !identifiers.isEmpty else { throw MessageError(field(name), .notA("filled in")) }
        return identifiers
    }

    fileprivate func ranges(_ name: String) throws(MessageError) -> [AddressRange] {
        try elements(name, limit: MessageLimits.planElements) { element, path throws(MessageError) in
            guard let text = element.string, let range = AddressRange(text) else {
                throw MessageError(path, .notA("an address range"))
            }
            return range
        }
    }

    /// Names as `interfaceName` of the policy makes them: one goes into text that `iptables-restore` reads.
    fileprivate func interfaces(_ name: String) throws(MessageError) -> [String] {
        try elements(name, limit: MessageLimits.planElements) { element, path throws(MessageError) in
            guard let text = element.string, isInterfaceName(text) else {
                throw MessageError(path, .notA("an interface name"))
            }
            return text
        }
    }

    private func isInterfaceName(_ text: String) -> Bool {
        guard (1...15).contains(text.utf8.count), let first = text.utf8.first else { return false }
        let letters = UInt8(ascii: "a")...UInt8(ascii: "z")
        let digits = UInt8(ascii: "0")...UInt8(ascii: "9")
        return letters.contains(first | 0x20)
            && text.utf8.allSatisfy { byte in
                letters.contains(byte | 0x20) || digits.contains(byte) || byte == UInt8(ascii: "_")
                    || byte == UInt8(ascii: ".") || byte == UInt8(ascii: "-")
            }
    }

    fileprivate func inboundPorts(_ name: String) throws(MessageError) -> RedirectPlan.InboundPorts {
        let choice = try object(name)
        if try choice.isExcept() { return .all(except: try choice.ports("except")) }
        return .only(try choice.ports("only"))
    }

    fileprivate func ownerGroups(_ name: String) throws(MessageError) -> RedirectPlan.OwnerGroups {
        let choice = try object(name)
        if try choice.isExcept() { return .all(except: try choice.identifiers("except")) }
        return .only(try choice.identifiers("only"))
    }

    /// Whether this is `{"except":...}`, where the other possibility is `{"only":...}`.
    private func isExcept() throws(MessageError) -> Bool {
        let isExcept = value["except"] != nil
        try requireOnly([isExcept ? "except" : "only"])
        return isExcept
    }

    fileprivate func outboundRanges(_ name: String) throws(MessageError) -> RedirectPlan.OutboundRanges {
        if let word = try member(name).string {
            guard word == "all" else { throw MessageError(field(name), .notA("all, or an object with only")) }
            return .all
        }
        let choice = try object(name)
        try choice.requireOnly(["only"])
        return .only(try choice.ranges("only"))
    }

    fileprivate func dnsCapture(_ name: String) throws(MessageError) -> RedirectPlan.DNSCapture {
        switch try member(name).string {
        case "off": return .off
        case "all": return .all
        case .some: throw MessageError(field(name), .notA("off, all, or an object with servers"))
        case nil: break
        }
        let choice = try object(name)
        try choice.requireOnly(["servers"])
        return .servers(
            try choice.elements("servers", limit: MessageLimits.planElements) { element, path throws(MessageError) in
                guard let text = element.string, let server = IPAddress(text) else {
                    throw MessageError(path, .notA("an IP address"))
                }
                return server
            }
        )
    }

    fileprivate func loopbackRange(_ name: String) throws(MessageError) -> AddressRange {
        guard
            let text = try member(name).string, let range = AddressRange(text),
            range.family == .ipv4, range.first.isLoopback, range.last.isLoopback
        else { throw MessageError(field(name), .notA("a range within 127.0.0.0/8")) }
        return range
    }

    fileprivate func transparentProxy() throws(MessageError) -> RedirectPlan.TransparentProxy {
        try requireOnly(["mark", "routeTable"])
        return RedirectPlan.TransparentProxy(
            mark: UInt32(try integer("mark", in: 0...Int(UInt32.max))),
            routeTable: UInt32(try integer("routeTable", in: 0...Int(UInt32.max)))
        )
    }
}
