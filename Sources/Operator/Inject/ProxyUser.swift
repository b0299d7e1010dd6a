internal import CNIProtocol

/// The user and the group that a pod's proxy runs as.
struct ProxyUser: Equatable {
    var user = 1_337
    var group = 1_337

    /// What OpenShift sets aside for a namespace: the last ids of its ranges, which applications do not use.
    ///
    /// - Parameters:
    ///   - userRange: `openshift.io/sa.scc.uid-range`: `START/SIZE` or `START-END`.
    ///   - groupRange: `openshift.io/sa.scc.supplemental-groups`: several of them; the first counts.
    init?(userRange: String, groupRange: String?) {
        guard let user = Self.end(of: userRange), let group = Self.end(of: groupRange ?? userRange) else { return nil }
        self.user = user
        self.group = group
    }

    init() {}

    private static func end(of ranges: String) -> Int? {
        let range = ranges.split(separator: ",", maxSplits: 1).first ?? ""
        let isBlock = range.contains("/")
        let parts = range.split(separator: isBlock ? "/" : "-").map { Int($0) }
        guard parts.count == 2, let start = parts[0], let other = parts[1], start >= 0, other > 0 else { return nil }
        let (end, isTooLarge) = isBlock ? start.addingReportingOverflow(other - 1) : (other, other < start)
        return isTooLarge || end > Int(UInt32.max) ? nil : end
    }
}
