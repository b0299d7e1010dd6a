/// Why no plan can be made.
package enum PlanError: Error, Equatable, Sendable, CustomStringConvertible {
    case annotation(AnnotationError)

    /// Of `istio-iptables`.
    case flag(FlagError)

    /// `/etc/resolv.conf`, where the DNS servers are to be read from, cannot be read.
    case resolverConfigurationUnreadable
    case resolverConfigurationTooLong(bytes: Int, limit: Int)

    /// An address that is none.
    case address(ShortenedText)

    /// No address decides whether IPv6 is redirected. The number is how many there were, all on the host or the link.
    case noAddress(unusable: Int)

    /// Whether nobody who wrote the pod can help: addresses come from the runtime.
    package var isAboutAddresses: Bool {
        switch self {
        case .address, .noAddress: true
        case .annotation, .flag, .resolverConfigurationUnreadable, .resolverConfigurationTooLong: false
        }
    }

    package var description: String {
        switch self {
        case .annotation(let error): error.description
        case .flag(let error): error.description
        case .resolverConfigurationUnreadable:
            "/etc/resolv.conf cannot be read; DNS is captured without it with \(RedirectFlag.captureAllDNS.name)"
        case .resolverConfigurationTooLong(let bytes, let limit):
            "/etc/resolv.conf has \(bytes) bytes, more than \(limit)"
        case .address(let text): "\(text.description) is not an IP address"
        case .noAddress(let unusable):
            unusable == 0
                ? "the pod has no IP address"
                : "all \(unusable) IP addresses of the pod are loopback or link-local ones"
        }
    }
}

/// A setting that does not do what its author probably meant, and does no harm to the pod.
package enum PolicyWarning: Equatable, Sendable, CustomStringConvertible {
    /// A variable that is read as false.
    case notBoolean(variable: String, ShortenedText)

    /// `--istio-inbound-interception-mode` of `istio-iptables`, which upstream reads as `REDIRECT`.
    case notInterceptionMode(ShortenedText)

    /// DNS was to be captured, and `/etc/resolv.conf` names no server.
    case noDNSServers

    /// The list of groups whose connections are redirected is empty.
    case noOwnerGroups

    package var description: String {
        switch self {
        case .notBoolean(let variable, let value):
            "\(variable): \(value.description) is not a boolean and counts as false; "
                + "expected \(ValueForm.boolean.expectation)"
        case .notInterceptionMode(let value):
            "\(RedirectFlag.interceptionMode.name): \(value.description) counts as REDIRECT; "
                + "expected \(ValueForm.interceptionModeFlag.expectation)"
        case .noDNSServers: "DNS is not captured: /etc/resolv.conf names no server"
        case .noOwnerGroups: "nothing is redirected on the way out: \(RedirectFlag.ownerGroups.name) is empty"
        }
    }
}

extension RedirectPlan {
    /// Ports of the sidecar itself, which answer without TLS: merged metrics, health, Envoy's metrics.
    static let sidecarPorts: [UInt16] = [15_020, 15_021, 15_090]

    /// The plan for a pod that is to be redirected.
    ///
    /// The first bad annotation in the order of `Annotation` is the one that is reported.
    init(
        pod: Pod,
        addresses: [String],
        backend: Backend,
        warnings: inout [PolicyWarning]
    ) throws(PlanError) {
        self.init(backend: backend)
        do throws(AnnotationError) {
            try readAnnotations(AnnotationReader(annotations: pod.annotations))
        } catch {
            throw .annotation(error)
        }

        let proxy = Pod.Proxy(pod)
        let environment = proxy?.environment ?? [:]
        dns = isEnabled(.dnsCapture, in: environment, &warnings) ? .all : .off
        dropsInvalid = isEnabled(.invalidDrop, in: environment, &warnings)
        let isDualStack = isEnabled(.dualStack, in: environment, &warnings)
        redirectsIPv6 = try Self.redirectsIPv6(addresses: addresses, isDualStack: isDualStack)

        // A proxy that runs as root is told apart by its group: root is also everybody else.
        proxyUsers = [nonZero(proxy?.user) ?? Self.defaultProxyID]
        proxyGroups = [nonZero(proxy?.group) ?? Self.defaultProxyID]
    }

    private mutating func readAnnotations(_ reader: AnnotationReader) throws(AnnotationError) {
        interceptionMode = try reader.interceptionMode()
        outboundRanges = try reader.ifAll(.includeOutboundIPRanges, .all) { reader, value throws(ValueError) in
            .only(try reader.ranges(value, .rangesOrAll))
        }
        excludedOutboundRanges = try reader.read(.excludeOutboundIPRanges) { reader, value throws(ValueError) in
            try reader.ranges(value)
        }
        let excludedInboundPorts = withoutDuplicates(try reader.ports(.excludeInboundPorts) + Self.sidecarPorts)
        inboundPorts = try reader.ifAll(.includeInboundPorts, .all(except: excludedInboundPorts)) {
            reader,
            value throws(ValueError) in .only(try reader.ports(value, .portsOrAll))
        }
        excludedOutboundPorts = try reader.ports(.excludeOutboundPorts)
        includedOutboundPorts = try reader.ports(.includeOutboundPorts)
        excludedInterfaces = try reader.interfaces(.excludeInterfaces)
        virtualInterfaces = try reader.interfaces(
            reader.has(.rerouteVirtualInterfaces) ? .rerouteVirtualInterfaces : .kubevirtInterfaces
        )
    }

    /// Whether the pod's addresses ask for IPv6: IPv4 counts before IPv6 whatever their order.
    ///
    /// Upstream looks at the first address of its interfaces, and the kernel lists IPv4 first; told that
    /// the pod is dual-stack it goes on to the first IPv6 address (`getLocalIP` of `istio-iptables`).
    package static func redirectsIPv6(addresses: [String], isDualStack: Bool) throws(PlanError) -> Bool {
        var families: Set<AddressFamily> = []
        for text in addresses {
            guard let address = IPAddress(text) ?? AddressRange(text)?.address else {
                throw .address(ShortenedText(text))
            }
            let unmapped = address.unmapped
            if unmapped.isLoopback || unmapped.isLinkLocal || unmapped.isLinkLocalMulticast { continue }
            families.insert(unmapped.family)
        }
        guard !families.isEmpty else { throw .noAddress(unusable: addresses.count) }
        return families.contains(.ipv6) && (isDualStack || !families.contains(.ipv4))
    }
}

/// Reads a pod's annotations, each with its default, and names the one that is refused.
private struct AnnotationReader {
    let annotations: [String: String]
    let values = ValueReader(emptyElements: .refused)

    func has(_ annotation: Annotation) -> Bool { annotations[annotation.name] != nil }

    func read<Value>(
        _ annotation: Annotation,
        _ parse: (ValueReader, String) throws(ValueError) -> Value
    ) throws(AnnotationError) -> Value {
        do throws(ValueError) {
            return try parse(values, annotations[annotation.name] ?? annotation.defaultValue ?? "")
        } catch {
            throw AnnotationError(annotation: annotation, reason: error)
        }
    }

    /// As `read`, but `*` stands for `all`.
    func ifAll<Value>(
        _ annotation: Annotation,
        _ all: Value,
        _ parse: (ValueReader, String) throws(ValueError) -> Value
    ) throws(AnnotationError) -> Value {
        try read(annotation) { reader, value throws(ValueError) in
            value == "*" ? all : try parse(reader, value)
        }
    }

    func ports(_ annotation: Annotation) throws(AnnotationError) -> [UInt16] {
        try read(annotation) { reader, value throws(ValueError) in try reader.ports(value) }
    }

    func interfaces(_ annotation: Annotation) throws(AnnotationError) -> [String] {
        try read(annotation) { reader, value throws(ValueError) in try reader.interfaces(value) }
    }

    func interceptionMode() throws(AnnotationError) -> RedirectPlan.InterceptionMode {
        try read(.interceptionMode) { _, value throws(ValueError) in
            guard let mode = RedirectPlan.InterceptionMode(rawValue: value) else {
                throw ValueError(value, .notAccepted, .interceptionMode)
            }
            return mode
        }
    }
}

private func isEnabled(
    _ variable: ProxyVariable,
    in environment: [String: String],
    _ warnings: inout [PolicyWarning]
) -> Bool {
    guard let text = environment[variable.name] else { return false }
    guard let value = Bool(goText: text) else {
        warnings.append(.notBoolean(variable: variable.name, ShortenedText(text)))
        return false
    }
    return value
}

private func nonZero(_ identifier: UInt32?) -> UInt32? {
    identifier == 0 ? nil : identifier
}

private func withoutDuplicates(_ ports: [UInt16]) -> [UInt16] {
    var seen: Set<UInt16> = []
    return ports.filter { port in seen.insert(port).inserted }
}
