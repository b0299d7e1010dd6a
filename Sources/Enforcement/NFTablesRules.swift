internal import LinuxKernel
internal import Redirect

extension NFTablesBatch {
    /// The changes that make `rules` the whole of our tables, whatever was in them.
    ///
    /// A table that `rules` does not need is deleted, so that an earlier plan leaves nothing behind. What is not there
    /// is not deleted to be sure: a deletion of nothing still costs some 10 ms, which the kernel waits for when the
    /// socket closes (`nft_rcv_nl_event` in `net/netfilter/nf_tables_api.c`).
    ///
    /// - Parameters:
    ///   - rules: What is wanted.
    ///   - present: Those of our tables that are there.
    init(_ rules: RuleSet, replacing present: [Table.Name]) {
        self.init(deleting: present)
        for table in rules.tables { add(table) }
    }

    /// The changes that delete our tables.
    init(deleting tables: [Table.Name]) {
        self.init()
        for name in tables { deleteTableIfPresent(name.nftablesName) }
    }

    private mutating func add(_ table: Table) {
        let name = table.name.nftablesName
        addTable(name)
        for set in table.sets { addSet(NFTablesSet(set), to: name) }
        // All chains first: a rule may jump to a chain that comes later.
        for chain in table.chains {
            addChain(chain.name.rawValue, to: name, base: NFTablesBaseChain(chain, in: table.name))
        }
        for chain in table.chains {
            for rule in chain.rules { addRule(rule.nftablesExpressions, to: chain.name.rawValue, in: name) }
        }
    }
}

extension NFTablesBaseChain {
    /// Where a chain meets packets, or nil if only other chains lead there.
    init?(_ chain: Chain, in table: Table.Name) {
        let hook: Hook
        switch chain.name {
        case .prerouting: hook = .prerouting
        case .output: hook = .output
        default: return nil
        }
        let kind: Kind =
            switch chain.hookType(in: table) {
            case .nat: .nat
            case .filter: .filter
            case .route: .route
            }
        self.init(kind, at: hook, priority: Priority(rawValue: table.priority))
    }
}

extension NFTablesSet {
    init(_ set: ValueSet) {
        switch set.elements {
        case .ports(let ports):
            self.init(set.name, of: .inetService, isInterval: false, elements: ports.map { Element(.port($0)) })
        case .interfaces(let names):
            let elements = names.map { Element(.interfaceName($0)) }
            self.init(set.name, of: .interfaceName, isInterval: false, elements: elements)
        case .ranges(let family, let intervals):
            let type: KeyType = family == .ipv4 ? .ipv4Address : .ipv6Address
            let elements = intervals.map { Element(from: $0.first.bytes, through: $0.last.bytes) }
            self.init(set.name, of: type, isInterval: true, elements: elements)
        }
    }
}

extension Rule {
    /// The rule as the kernel keeps it.
    var nftablesExpressions: [NFTablesExpression] {
        var expressions: [NFTablesExpression] = []
        for match in matches { expressions += match.nftablesExpressions }
        return expressions + action.nftablesExpressions(family ?? .ipv4)
    }
}

extension Match {
    fileprivate var nftablesExpressions: [NFTablesExpression] {
        switch self {
        case .family(let family): .networkProtocol(InternetFamily(family))
        case .transport(let transport): .transportProtocol(transport.number)
        case .inputInterface(let list): [.meta(.inputInterfaceName), list.test { .interfaceName($0) }]
        case .outputInterface(let list): [.meta(.outputInterfaceName), list.test { .interfaceName($0) }]
        case .source(let list): list.addressTest(isSource: true)
        case .destination(let list): list.addressTest(isSource: false)
        case .destinationOutside(let range): range.test(isSource: false, .notEqual)
        case .sourcePort(let port): [.payload(.sourcePort), .compare(.equal, .port(port))]
        case .destinationPort(let list): [.payload(.destinationPort), list.test { .port($0) }]
        case .destinationPortOutside(let ports):
            ports.flatMap { [.payload(.destinationPort), .compare(.notEqual, .port($0))] }
        case .user(let user): [.meta(.socketUser), .compare(.equal, .hostOrder(user))]
        case .userOutside(let user): [.meta(.socketUser), .compare(.notEqual, .hostOrder(user))]
        case .group(let group): [.meta(.socketGroup), .compare(.equal, .hostOrder(group))]
        case .groupOutside(let groups):
            groups.flatMap { [.meta(.socketGroup), .compare(.notEqual, .hostOrder($0))] }
        case .connectionState(let states): .connection(in: ConntrackState(states))
        case .mark(let mark): [.meta(.mark), .compare(.equal, .hostOrder(mark))]
        case .markOutside(let mark): [.meta(.mark), .compare(.notEqual, .hostOrder(mark))]
        case .connectionMark(let mark): [.conntrack(.mark), .compare(.equal, .hostOrder(mark))]
        }
    }
}

extension MatchList {
    /// A comparison with the one value, or a look into the set.
    fileprivate func test(_ bytes: (Value) -> [UInt8]) -> NFTablesExpression {
        values.count == 1 ? .compare(.equal, bytes(values[0])) : .lookup(set: name, inverted: false)
    }
}

extension MatchList<AddressRange> {
    fileprivate func addressTest(isSource: Bool) -> [NFTablesExpression] {
        if values.count == 1 { return values[0].test(isSource: isSource, .equal) }
        let family = InternetFamily(values[0].family)
        let load = NFTablesExpression.payload(isSource ? .source(family) : .destination(family))
        return .networkProtocol(family) + [load, .lookup(set: name, inverted: false)]
    }
}

extension AddressRange {
    fileprivate func test(isSource: Bool, _ comparison: NFTablesExpression.Comparison) -> [NFTablesExpression] {
        let family = InternetFamily(family)
        // A range of all addresses is a condition on the family only.
        guard prefixLength > 0 else { return .networkProtocol(family) }
        return .networkProtocol(family)
            + .address(family, isSource: isSource, comparison, first.bytes, prefixLength: prefixLength)
    }
}

extension Action {
    fileprivate func nftablesExpressions(_ family: AddressFamily) -> [NFTablesExpression] {
        switch self {
        case .accept: [.counter, .verdict(.accept)]
        case .drop: [.counter, .verdict(.drop)]
        case .return: [.counter, .verdict(.return)]
        case .jump(let chain): [.counter, .verdict(.jump(chain.rawValue))]
        case .redirect(let port): [.counter] + .redirect(toPort: port)
        case .transparentProxy(let port, let mark):
            .transparentProxy(InternetFamily(family), toPort: port) + .setMark(mark) + [.counter, .verdict(.accept)]
        case .setMark(let mark): [.counter] + .setMark(mark)
        case .saveMark: [.counter, .meta(.mark), .setConntrack(.mark)]
        case .restoreMark: [.counter, .conntrack(.mark), .setMetaMark]
        case .setZone(let zone): [.counter] + .setZone(zone)
        }
    }
}

extension InternetFamily {
    init(_ family: AddressFamily) {
        switch family {
        case .ipv4: self = .ipv4
        case .ipv6: self = .ipv6
        }
    }
}

extension ConntrackState {
    fileprivate init(_ states: [ConnectionState]) {
        self = []
        for state in states {
            switch state {
            case .new: insert(.new)
            case .established: insert(.established)
            case .related: insert(.related)
            case .invalid: insert(.invalid)
            }
        }
    }
}
