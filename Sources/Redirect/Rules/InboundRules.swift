extension RedirectRules {
    /// What happens to connections that arrive at the pod.
    mutating func addInbound() {
        let ports = plan.ports
        if isTransparent { addInboundExceptions() }
        add(.nat, .istioInbound, [.transport(.tcp), Self.port(ports.tunnel)], .return, .tunnelPort)
        add(.nat, .istioRedirect, [.transport(.tcp)], .redirect(ports.outbound), .outboundToProxy)
        add(.nat, .istioInRedirect, [.transport(.tcp)], .redirect(ports.inbound), .inboundToProxy)

        guard plan.inboundPorts != .none else { return }
        if isTransparent { addDivert() }
        add(inboundTable, .prerouting, [.transport(.tcp)], .jump(.istioInbound), .everyInboundConnection)
        switch plan.inboundPorts {
        case .all(let excluded): addInboundPorts(except: excluded)
        case .only(let included): addInboundPorts(only: included)
        }
    }

    private mutating func addInboundPorts(except excluded: [UInt16]) {
        if !excluded.isEmpty {
            let ports = Match.destinationPort(MatchList("excluded-inbound-ports", excluded))
            add(inboundTable, .istioInbound, [.transport(.tcp), ports], .return, .excludedInboundPort)
        }
        if isTransparent {
            let known: [Match] = [.transport(.tcp), .connectionState([.related, .established])]
            add(.mangle, .istioInbound, known, .jump(.istioDivert), .knownConnection)
            add(.mangle, .istioInbound, [.transport(.tcp)], .jump(.istioTProxy), .inboundToProxy)
        } else {
            add(.nat, .istioInbound, [.transport(.tcp)], .jump(.istioInRedirect), .inboundToProxy)
        }
    }

    private mutating func addInboundPorts(only included: [UInt16]) {
        let ports: [Match] = [
            .transport(.tcp), .destinationPort(MatchList("included-inbound-ports", included)),
        ]
        if isTransparent {
            let known = ports + [.connectionState([.related, .established])]
            add(.mangle, .istioInbound, known, .jump(.istioDivert), .knownConnection, expandsWithNext: true)
            add(.mangle, .istioInbound, ports, .jump(.istioTProxy), .includedInboundPort)
        } else {
            add(.nat, .istioInbound, ports, .jump(.istioInRedirect), .includedInboundPort)
        }
    }
}

// MARK: - TPROXY

extension RedirectRules {
    /// What must not be taken for a connection to the pod: upstream inserts these at the head of the chain.
    private mutating func addInboundExceptions() {
        let mark = plan.transparentProxy.mark
        add(.mangle, .istioInbound, [.transport(.tcp), .mark(mark)], .return, .transparentMark)
        let loopback = Match.inputInterface(Self.loopback)
        for family in families {
            let matches: [Match] = [.source(passthrough(family)), loopback, .transport(.tcp)]
            add(.mangle, .istioInbound, matches, .return, .passthroughSource)
        }
        let fromApplication: [Match] = [
            loopback, .transport(.tcp), .markOutside(RedirectPlan.TransparentProxy.outboundMark),
        ]
        add(.mangle, .istioInbound, fromApplication, .return, .applicationOnLoopback)
    }

    private mutating func addDivert() {
        let mark = plan.transparentProxy.mark
        add(.mangle, .istioDivert, [], .setMark(mark), .transparentMark)
        add(.mangle, .istioDivert, [], .accept, .knownConnection)
        for family in families {
            let matches: [Match] = [.destinationOutside(loopback(family)), .transport(.tcp)]
            let takeOver = Action.transparentProxy(port: plan.ports.inbound, mark: mark)
            add(.mangle, .istioTProxy, matches, takeOver, .inboundToProxy)
            // The TPROXY target of iptables drops by itself (`net/netfilter/xt_TPROXY.c`); the
            // expression of nf_tables goes on (`net/netfilter/nft_tproxy.c`), past the proxy.
            addImplied(.mangle, .istioTProxy, matches, .drop, .noTransparentListener)
        }
    }

    /// The marks by which routing finds what belongs to the proxy.
    mutating func addTransparentProxy() {
        guard isTransparent else { return }
        let mark = plan.transparentProxy.mark
        let loopback = Match.outputInterface(Self.loopback)
        add(.mangle, .prerouting, [.transport(.tcp), .mark(mark)], .saveMark, .transparentMark)
        add(.mangle, .output, [loopback, .transport(.tcp), .mark(mark)], .return, .transparentMark)
        let owners = plan.proxyUsers.map { Match.user($0) } + plan.proxyGroups.map { Match.group($0) }
        for owner in owners {
            for family in families {
                let matches: [Match] = [.destinationOutside(self.loopback(family)), loopback, .transport(.tcp), owner]
                let setMark = Action.setMark(RedirectPlan.TransparentProxy.outboundMark)
                add(.mangle, .output, matches, setMark, .proxyCallsItself)
            }
        }
        add(.mangle, .output, [.transport(.tcp), .connectionMark(mark)], .restoreMark, .transparentMark)
    }
}
