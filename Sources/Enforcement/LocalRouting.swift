internal import LinuxKernel
internal import Redirect

/// What a plan needs beside its rules: an address on `lo`, and for TPROXY routes that lead marked packets here.
struct LocalRouting: Equatable {
    /// In the order in which they are added.
    let steps: [Step]

    enum Step: Hashable {
        /// From here the proxy speaks to the application over IPv6; 127.0.0.6 is on `lo` by itself.
        case passthroughAddress
        case markRule(MarkRule)
        case localRoute(InternetFamily, table: UInt32)
    }

    init(_ plan: RedirectPlan) {
        var steps: [Step] = plan.redirectsIPv6 ? [.passthroughAddress] : []
        if plan.interceptionMode == .transparentProxy, plan.inboundPorts != .none {
            for family in [InternetFamily.ipv4, .ipv6] where family == .ipv4 || plan.redirectsIPv6 {
                steps += Self.transparentProxySteps(plan.transparentProxy, family)
            }
        }
        self.steps = steps
    }

    /// Everything that any plan with these marks could have added.
    static func all(_ proxy: RedirectPlan.TransparentProxy) -> [Step] {
        var steps = [Step.passthroughAddress]
        for family in [InternetFamily.ipv4, .ipv6] { steps += transparentProxySteps(proxy, family) }
        return steps
    }

    /// Just before the main table; given, so that adding it twice is seen (`EEXIST`).
    private static let markRulePriority: UInt32 = 32_765

    private static func transparentProxySteps(
        _ proxy: RedirectPlan.TransparentProxy,
        _ family: InternetFamily
    ) -> [Step] {
        let rule = MarkRule(family, mark: proxy.mark, table: proxy.routeTable, priority: markRulePriority)
        return [.markRule(rule), .localRoute(family, table: proxy.routeTable)]
    }

    private static let passthroughBytes = AddressRange.passthroughIPv6.address.bytes
    private static let passthroughPrefixLength = 128
}

extension LocalRouting.Step {
    /// Adds it.
    ///
    /// - Parameter socket: A socket of the pod's namespace.
    /// - Returns: Whether it was not there before.
    /// - Throws: What the kernel refused.
    func add(through socket: borrowing RouteSocket) throws(KernelError) -> Bool {
        do throws(KernelError) {
            switch self {
            case .passthroughAddress:
                try socket.addLoopbackAddress(
                    LocalRouting.passthroughBytes,
                    prefixLength: LocalRouting.passthroughPrefixLength
                )
            case .markRule(let rule): try socket.addMarkRule(rule)
            case .localRoute(let family, let table): try socket.addLocalDefaultRoute(family, table: table)
            }
            return true
        } catch {
            guard error.errno == .alreadyExists else { throw error }
            return false
        }
    }

    /// Removes it; what is not there need not be removed.
    func remove(through socket: borrowing RouteSocket) throws(KernelError) {
        do throws(KernelError) {
            switch self {
            case .passthroughAddress:
                try socket.removeLoopbackAddress(
                    LocalRouting.passthroughBytes,
                    prefixLength: LocalRouting.passthroughPrefixLength
                )
            case .markRule(let rule): try socket.removeMarkRule(rule)
            case .localRoute(let family, let table): try socket.removeLocalDefaultRoute(family, table: table)
            }
        } catch {
            switch error.errno {
            case .noSuchEntry, .noSuchProcess, .addressNotAvailable: return
            default: throw error
            }
        }
    }

    /// Whether it is there.
    func isPresent(_ socket: borrowing RouteSocket) throws(KernelError) -> Bool {
        switch self {
        case .passthroughAddress:
            for address in try socket.addresses() where address.interfaceName == "lo" {
                if address.address == LocalRouting.passthroughBytes { return true }
            }
            return false
        case .markRule(let rule):
            // Upstream lets the kernel choose the priority.
            for other in try socket.markRules(rule.family) {
                if other.mark == rule.mark, other.mask == rule.mask, other.table == rule.table { return true }
            }
            return false
        case .localRoute(let family, let table):
            return try socket.routes(family, table: table).contains(.localDefault(family, table: table))
        }
    }

    /// The step in the words of `ip`.
    var description: String {
        switch self {
        case .passthroughAddress: "address ::6/128 on lo"
        case .markRule(let rule):
            "ip\(rule.family == .ipv4 ? "" : " -6") rule fwmark \(rule.mark) lookup \(rule.table)"
        case .localRoute(let family, let table):
            "ip\(family == .ipv4 ? "" : " -6") route local default dev lo table \(table)"
        }
    }
}
