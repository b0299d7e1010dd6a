package import Redirect

/// Whose sandboxes are looked for, and what is known of all other pods of the node.
package struct SandboxQuery: Sendable {
    /// In the order in which the answers are wanted.
    package let wanted: [Target]

    /// Which pod of this node a UID belongs to: a static pod has two.
    private let owners: [PodUID: String]

    /// Those of pods on the host's network: a namespace that they are in is the host's.
    private let hostNetworkOwners: Set<String>

    /// One pod whose sandbox is looked for.
    package struct Target: Equatable, Sendable {
        /// `metadata.uid`.
        package let uid: String

        /// `status.podIPs`, as far as they tell one sandbox from another.
        package let addresses: Set<IPAddress>
    }

    /// - Parameters:
    ///   - wanted: Those to find.
    ///   - all: All pods of the node, these included.
    package init(_ wanted: [NodePod], among all: [NodePod]) {
        var owners: [PodUID: String] = [:]
        for pod in all {
            for uid in Self.uids(of: pod) { owners[uid] = pod.pod.uid }
        }
        self.owners = owners
        hostNetworkOwners = Set(all.filter { pod in pod.isOnHostNetwork }.map { pod in pod.pod.uid })
        self.wanted = wanted.map { pod in
            let addresses = pod.addresses.compactMap { text in IPAddress(text)?.unmapped }
            let telling = addresses.filter { address in !address.isLoopback && !address.isLinkLocal }
            return Target(uid: pod.pod.uid, addresses: Set(telling))
        }
    }

    /// By which UIDs the runtime may know a pod.
    static func uids(of pod: NodePod) -> [PodUID] {
        let texts = [pod.pod.uid] + Pod.uidAnnotations.compactMap { name in pod.pod.annotations[name] }
        return texts.compactMap { text in PodUID(text) }
    }

    /// The pod of this node that a process is of, as its control groups say.
    ///
    /// The outermost one that is known here: a pod cannot make its processes another's by a group with a pod's name,
    /// and an agent inside of a pod knows nothing of those outside.
    func owner(_ path: CgroupPath) -> Owner? {
        for uid in path.pods {
            if let owner = owners[uid] { return Owner(uid: owner, isOnHostNetwork: hostNetworkOwners.contains(owner)) }
        }
        return path.pods.last.map { uid in Owner(uid: uid.description, isOnHostNetwork: false) }
    }

    /// Whose a process is.
    struct Owner: Hashable {
        let uid: String
        let isOnHostNetwork: Bool
    }
}
