/// What `istio-iptables` was called with.
///
/// Of upstream's flags only those that say what is redirected are here; what to do with the plan (`--dry-run`,
/// `--cleanup-only`, `--native-nftables` and their like) is the command's.
package struct RedirectFlags: Equatable, Sendable {
    private let arguments: [RedirectFlag: String]
    private let environment: [String: String]

    /// The most groups that may be redirected.
    ///
    /// iptables puts them into one rule, and takes 255 words of it: five for each group. Upstream allows 64 and then
    /// fails there; nf_tables has a set for them.
    package static func mostOwnerGroups(_ backend: RedirectPlan.Backend) -> Int {
        switch backend {
        case .iptables: 49
        case .nftables: 64
        }
    }

    /// The prefix lengths of a range of loopback addresses; 127.0.0.0/8 is all of them.
    static let loopbackPrefixLengths = 8...32

    /// - Parameters:
    ///   - arguments: What was typed, which wins; a boolean flag without a value has the value `true`.
    ///   - environment: The variables of the process.
    package init(arguments: [RedirectFlag: String], environment: [String: String]) {
        self.arguments = arguments
        self.environment = environment
    }

    /// Whether the DNS servers of `/etc/resolv.conf` count.
    ///
    /// - Throws: A boolean flag that is none.
    package func needsResolverConfiguration() throws(PlanError) -> Bool {
        var warnings: [PolicyWarning] = []
        do throws(FlagError) {
            return try dnsCapture(&warnings) == .servers([])
        } catch {
            throw .flag(error)
        }
    }
}

/// What a name stands for on this machine.
package struct AccountNames {
    /// The id of a user with this name, or nil (`getpwnam(3)`).
    package let user: (String) -> UInt32?

    /// The id of a group with this name, or nil (`getgrnam(3)`).
    package let group: (String) -> UInt32?

    package init(user: @escaping (String) -> UInt32?, group: @escaping (String) -> UInt32?) {
        self.user = user
        self.group = group
    }
}

extension RedirectPlan {
    /// The plan that `istio-iptables` puts in force.
    ///
    /// - Parameters:
    ///   - flags: What the command was called with.
    ///   - addresses: Those of the namespace, in any order, with or without a prefix length.
    ///   - backend: Goes into the plan as it is.
    ///   - names: Says what a user's or group's name stands for.
    ///   - resolverConfiguration: The text of `/etc/resolv.conf`, or nil where it cannot be read;
    ///     not looked at unless `RedirectFlags.needsResolverConfiguration()`.
    ///   - warnings: Gets what does not do what was probably meant.
    /// - Throws: The first flag that is refused, and why.
    package init(
        flags: RedirectFlags,
        addresses: [String],
        backend: Backend,
        names: AccountNames,
        resolverConfiguration: String?,
        warnings: inout [PolicyWarning]
    ) throws(PlanError) {
        self.init(backend: backend)
        let isDualStack: Bool
        do throws(FlagError) {
            ports.outbound = try flags.port(.outboundPort)
            ports.inbound = try flags.port(.inboundPort)
            ports.tunnel = try flags.port(.tunnelPort)
            (proxyUsers, proxyGroups) = try flags.proxyIdentifiers(names)
            interceptionMode = flags.interceptionMode(&warnings)
            inboundPorts = try flags.inboundPorts()
            excludedInterfaces = try flags.interfaces(.excludeInterfaces)
            outboundRanges = try flags.outboundRanges()
            excludedOutboundRanges = try flags.read(.excludeOutboundIPRanges) { reader, value throws(ValueError) in
                try reader.ranges(value)
            }
            includedOutboundPorts = try flags.ports(.includeOutboundPorts)
            excludedOutboundPorts = try flags.ports(.excludeOutboundPorts)
            virtualInterfaces = try flags.interfaces(.virtualInterfaces)
            transparentProxy.mark = try flags.number(.mark)
            transparentProxy.routeTable = try flags.number(.routeTable)
            dropsInvalid = try flags.boolean(.dropInvalid, &warnings)
            isDualStack = try flags.boolean(.dualStack, &warnings)
            ownerGroups = try flags.ownerGroups(names, limit: RedirectFlags.mostOwnerGroups(backend), &warnings)
            loopbackRange = try flags.loopbackRange()
            dns = try flags.dnsCapture(&warnings)
        } catch {
            throw .flag(error)
        }
        if dns == .servers([]) {
            let servers = try dnsServers(in: resolverConfiguration)
            dns = servers.isEmpty ? .off : .servers(servers)
            if servers.isEmpty { warnings.append(.noDNSServers) }
        }
        redirectsIPv6 = try Self.redirectsIPv6(addresses: addresses, isDualStack: isDualStack)
    }
}

// MARK: - One flag at a time

extension RedirectFlags {
    private func value(_ flag: RedirectFlag) -> String {
        if let argument = arguments[flag] { return argument }
        for variable in flag.variables {
            if let value = environment[variable] { return value }
        }
        return flag.defaultValue
    }

    fileprivate func read<Value>(
        _ flag: RedirectFlag,
        _ parse: (ValueReader, String) throws(ValueError) -> Value
    ) throws(FlagError) -> Value {
        try read(flag, value(flag), parse)
    }

    private func read<Value>(
        _ flag: RedirectFlag,
        _ value: String,
        _ parse: (ValueReader, String) throws(ValueError) -> Value
    ) throws(FlagError) -> Value {
        do throws(ValueError) {
            return try parse(ValueReader(emptyElements: .dropped), value)
        } catch {
            throw FlagError(flag: flag, reason: error)
        }
    }

    fileprivate func port(_ flag: RedirectFlag) throws(FlagError) -> UInt16 {
        try read(flag) { reader, value throws(ValueError) in
            let port: UInt16 = try reader.number(value, flag.form)
            guard port != 0 else { throw ValueError(value, .notAccepted, flag.form) }
            return port
        }
    }

    fileprivate func number(_ flag: RedirectFlag) throws(FlagError) -> UInt32 {
        try read(flag) { reader, value throws(ValueError) in try reader.number(value, flag.form) }
    }

    /// A typed value that is no boolean is refused; as upstream does, a variable's only counts as absent.
    fileprivate func boolean(_ flag: RedirectFlag, _ warnings: inout [PolicyWarning]) throws(FlagError) -> Bool {
        if let argument = arguments[flag] {
            guard let value = Bool(goText: argument) else {
                throw FlagError(flag: flag, reason: ValueError(argument, .notAccepted, flag.form))
            }
            return value
        }
        for variable in flag.variables {
            guard let text = environment[variable] else { continue }
            if let value = Bool(goText: text) { return value }
            warnings.append(.notBoolean(variable: variable, ShortenedText(text)))
        }
        return false
    }

    /// What is asked for; the servers are still to be read.
    fileprivate func dnsCapture(_ warnings: inout [PolicyWarning]) throws(FlagError) -> RedirectPlan.DNSCapture {
        let capturesAll = try boolean(.captureAllDNS, &warnings)
        guard try boolean(.redirectDNS, &warnings) else { return .off }
        return capturesAll ? .all : .servers([])
    }

    fileprivate func ports(_ flag: RedirectFlag) throws(FlagError) -> [UInt16] {
        try read(flag) { reader, value throws(ValueError) in try reader.ports(value) }
    }

    fileprivate func interfaces(_ flag: RedirectFlag) throws(FlagError) -> [String] {
        try read(flag) { reader, value throws(ValueError) in try reader.interfaces(value) }
    }

    fileprivate func interceptionMode(_ warnings: inout [PolicyWarning]) -> RedirectPlan.InterceptionMode {
        let text = value(.interceptionMode)
        if let mode = RedirectPlan.InterceptionMode(rawValue: text) { return mode }
        if !text.isEmpty { warnings.append(.notInterceptionMode(ShortenedText(text))) }
        return .redirect
    }

    fileprivate func inboundPorts() throws(FlagError) -> RedirectPlan.InboundPorts {
        let excluded = try ports(.excludeInboundPorts)
        return try read(.includeInboundPorts) { reader, value throws(ValueError) in
            value == "*" ? .all(except: excluded) : .only(try reader.ports(value, .portsOrAll))
        }
    }

    fileprivate func outboundRanges() throws(FlagError) -> RedirectPlan.OutboundRanges {
        try read(.includeOutboundIPRanges) { reader, value throws(ValueError) in
            value == "*" ? .all : .only(try reader.ranges(value, .rangesOrAll))
        }
    }

    /// Without a user the proxy runs as `$ENVOY_USER`, or 1337; without a group its group has the user's id.
    fileprivate func proxyIdentifiers(_ names: AccountNames) throws(FlagError) -> (users: [UInt32], groups: [UInt32]) {
        var users = value(.proxyUsers)
        if users.isEmpty { users = String(names.user(value(.proxyUserName)) ?? RedirectPlan.defaultProxyID) }
        let groups = value(.proxyGroups)
        return (
            try identifiers(.proxyUsers, users, names.user),
            try identifiers(.proxyGroups, groups.isEmpty ? users : groups, names.group)
        )
    }

    /// At least one, for a proxy without an id would be redirected to itself.
    private func identifiers(
        _ flag: RedirectFlag,
        _ value: String,
        _ resolve: (String) -> UInt32?
    ) throws(FlagError) -> [UInt32] {
        try read(flag, value) { reader, value throws(ValueError) in
            let identifiers = try reader.identifiers(value, flag.form, resolve: resolve)
            guard !identifiers.isEmpty else { throw ValueError(value, .noElement, flag.form) }
            return identifiers
        }
    }

    fileprivate func ownerGroups(
        _ names: AccountNames,
        limit: Int,
        _ warnings: inout [PolicyWarning]
    ) throws(FlagError) -> RedirectPlan.OwnerGroups {
        if value(.ownerGroups) == "*" {
            return try read(.excludeOwnerGroups) { reader, value throws(ValueError) in
                .all(except: try reader.identifiers(value, .groups, resolve: names.group))
            }
        }
        let groups = try read(.ownerGroups) { reader, value throws(ValueError) in
            let groups = try reader.identifiers(value, .groupsOrAll, resolve: names.group)
            guard groups.count <= limit else {
                throw ValueError(value, .tooManyElements(count: groups.count, limit: limit), .groupsOrAll)
            }
            return groups
        }
        if groups.isEmpty { warnings.append(.noOwnerGroups) }
        return .only(groups)
    }

    fileprivate func loopbackRange() throws(FlagError) -> AddressRange {
        try read(.loopbackRange) { _, value throws(ValueError) in
            guard
                let range = AddressRange(value), range.family == .ipv4, range.address.isLoopback,
                Self.loopbackPrefixLengths.contains(range.prefixLength)
            else { throw ValueError(value, .notAccepted, .loopbackRange) }
            return range
        }
    }
}

/// The servers of a `resolv.conf(5)`, in their order; what is no address is left out, as upstream does.
private func dnsServers(in resolverConfiguration: String?) throws(PlanError) -> [IPAddress] {
    guard let text = resolverConfiguration else { throw .resolverConfigurationUnreadable }
    let bytes = text.utf8.count
    guard bytes <= ValueReader.longestBytes else {
        throw .resolverConfigurationTooLong(bytes: bytes, limit: ValueReader.longestBytes)
    }
    var servers: [IPAddress] = []
    for line in text.utf8.split(separator: UInt8(ascii: "\n")) {
        let words = line.split { byte in
            byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t") || byte == UInt8(ascii: "\r")
        }
        guard words.count >= 2, Substring(words[0]) == "nameserver" else { continue }
        if let server = IPAddress(Substring(words[1])) { servers.append(server) }
    }
    return servers
}
