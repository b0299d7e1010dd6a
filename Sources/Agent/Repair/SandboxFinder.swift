package import LinuxKernel
internal import Redirect

/// Finds the network namespaces of pods: one pass over all processes for all that are looked for.
///
/// A namespace is a pod's if a process in it is in the pod's control group, and an interface of it has one of the pod's
/// addresses. Neither alone will do: addresses are used again, and a process may be anywhere. The host's namespace is
/// never one.
package struct SandboxFinder: Sendable {
    /// The host's `/proc`.
    package let processDirectory: String

    /// Where the runtime mounts namespaces; one may have no process between two starts of a container.
    package let namespaceDirectory: String

    /// A node allows some 10,000 processes; the limit keeps a pass short.
    private static let mostProcesses = 131_072

    /// A mount for each pod of a node.
    private static let mostMounts = 2 * PodDirectory.mostPods

    package init(processDirectory: String = "/host/proc", namespaceDirectory: String = "/host/var/run/netns") {
        self.processDirectory = processDirectory
        self.namespaceDirectory = namespaceDirectory
    }

    /// Whether there is anything to look at: the chart mounts the host's `/proc` only for some settings.
    package var canLook: Bool {
        do throws(KernelError) {
            return try !ProcessEntry.numbers(in: processDirectory, limit: Self.mostProcesses).isEmpty
        } catch {
            return error.errno == .tooBig
        }
    }

    /// Looks for all pods of a query; the answers are by `metadata.uid`.
    ///
    /// - Throws: That the list of processes cannot be read. What goes wrong with one process is said in its answer.
    package func find(_ query: SandboxQuery) throws(KernelError) -> [String: SandboxFinding] {
        var census = try takeCensus(query)
        var findings: [String: SandboxFinding] = [:]
        for target in query.wanted { findings[target.uid] = findByProcess(target, &census) }
        for target in query.wanted {
            guard case .notFound = findings[target.uid] else { continue }
            findings[target.uid] = findElsewhere(target, &census)
        }
        return findings
    }

    // MARK: - Who is where

    /// Which processes of pods there are, and in which namespaces.
    private struct Census {
        var residents: [NetworkNamespace.Identity: [Resident]] = [:]
        var hostNamespaces: Set<NetworkNamespace.Identity> = []

        /// Each namespace is entered once.
        var addresses: [NetworkNamespace.Identity: Set<IPAddress>] = [:]

        /// Why the last process that could not be looked into could not.
        var failure: KernelError?
    }

    private struct Resident {
        let process: Int32
        let startTicks: UInt64
        let controlGroups: [UInt8]
        let owner: SandboxQuery.Owner
    }

    private func takeCensus(_ query: SandboxQuery) throws(KernelError) -> Census {
        var census = Census()
        // The agent's own, which is the host's where it runs on the host's network.
        census.hostNamespaces.insert(try NetworkNamespace.current().identity())
        for process in try ProcessEntry.numbers(in: processDirectory, limit: Self.mostProcesses) {
            do throws(KernelError) {
                let entry = try ProcessEntry(process, in: processDirectory)
                let namespace = try entry.networkIdentity()
                // The host's first process; where it may not be looked at, nothing depends on it.
                if process == 1 { census.hostNamespaces.insert(namespace) }
                guard !census.hostNamespaces.contains(namespace) else { continue }
                let controlGroups = try entry.controlGroups()
                guard let owner = owner(controlGroups, query) else { continue }
                if owner.isOnHostNetwork { census.hostNamespaces.insert(namespace) }
                let resident = Resident(
                    process: process,
                    startTicks: try entry.startTicks(),
                    controlGroups: controlGroups,
                    owner: owner
                )
                census.residents[namespace, default: []].append(resident)
            } catch {
                if !error.meansThatItEnded { census.failure = error }
            }
        }
        for namespace in census.hostNamespaces { census.residents[namespace] = nil }
        return census
    }

    /// Nil for a process outside of all pods, and for one whose control groups make no sense.
    private func owner(_ file: [UInt8], _ query: SandboxQuery) -> SandboxQuery.Owner? {
        do throws(CgroupPath.Failure) {
            return query.owner(try CgroupPath(file))
        } catch {
            return nil
        }
    }

    // MARK: - Which of them is it

    private func findByProcess(_ target: SandboxQuery.Target, _ census: inout Census) -> SandboxFinding {
        var candidates: [(namespace: NetworkNamespace.Identity, resident: Resident, isShared: Bool)] = []
        for (namespace, residents) in census.residents {
            let own = residents.filter { resident in resident.owner.uid == target.uid }
            guard let oldest = own.min(by: { left, right in left.startTicks < right.startTicks }) else { continue }
            candidates.append((namespace, oldest, own.count != residents.count))
        }
        candidates.sort { left, right in left.resident.startTicks < right.resident.startTicks }

        var finding = SandboxFinding.notFound
        for candidate in candidates {
            let process = candidate.resident.process
            guard !candidate.isShared else {
                finding = .shared(process: process)
                continue
            }
            do throws(KernelError) {
                let namespace = try open(candidate.resident, candidate.namespace)
                guard try addresses(candidate.namespace, of: namespace, &census).isDisjoint(with: target.addresses)
                else {
                    return .found(Sandbox(namespace, process: process))
                }
                finding = .addressDiffers(process: process)
            } catch {
                finding = error.meansThatItEnded ? finding : .unreadable(error)
            }
        }
        return finding
    }

    /// Opens the namespace that a process was seen in, if that process is still there, the same, and of the same pod.
    ///
    /// The handle of its directory comes first, then the namespace, then the control groups again: at that moment the
    /// process of the handle still lives.
    private func open(
        _ resident: Resident,
        _ identity: NetworkNamespace.Identity
    ) throws(KernelError) -> NetworkNamespace {
        let entry = try ProcessEntry(resident.process, in: processDirectory)
        let namespace = try entry.networkNamespace()
        let isNamespace = try namespace.isNetworkNamespace()
        let opened = try namespace.identity()
        let startTicks = try entry.startTicks()
        let controlGroups = try entry.controlGroups()
        guard isNamespace, opened == identity, startTicks == resident.startTicks,
            controlGroups == resident.controlGroups
        else { throw KernelError("look at process \(resident.process) again", .noSuchProcess) }
        return namespace
    }

    private func addresses(
        _ identity: NetworkNamespace.Identity,
        of namespace: borrowing NetworkNamespace,
        _ census: inout Census
    ) throws(KernelError) -> Set<IPAddress> {
        if let known = census.addresses[identity] { return known }
        var addresses: Set<IPAddress> = []
        for entry in try RouteSocket(in: namespace).addresses() {
            let bits = entry.address.reduce(UInt128(0)) { bits, byte in bits << 8 | UInt128(byte) }
            addresses.insert(IPAddress(entry.family == .ipv4 ? .ipv4 : .ipv6, bits: bits).unmapped)
        }
        census.addresses[identity] = addresses
        return addresses
    }

    // MARK: - Where else is its address

    /// Looks for the address: in a mount without a process, which is then the pod's, or with another pod, which is not.
    private func findElsewhere(_ target: SandboxQuery.Target, _ census: inout Census) -> SandboxFinding {
        guard !target.addresses.isEmpty else { return .notFound }
        for (identity, residents) in census.residents {
            guard let resident = residents.first else { continue }
            do throws(KernelError) {
                let namespace = try open(resident, identity)
                if try addresses(identity, of: namespace, &census).isDisjoint(with: target.addresses) { continue }
                return .addressIsElsewhere(process: resident.process, podUID: resident.owner.uid)
            } catch {
                if !error.meansThatItEnded { census.failure = error }
            }
        }
        do throws(KernelError) {
            if let sandbox = try findMount(target, &census) { return .found(sandbox) }
        } catch {
            // Only some charts mount the directory.
            if error.errno != .noSuchEntry { census.failure = error }
        }
        return census.failure.map { failure in .unreadable(failure) } ?? .notFound
    }

    private func findMount(_ target: SandboxQuery.Target, _ census: inout Census) throws(KernelError) -> Sandbox? {
        for name in try Directory.names(in: namespaceDirectory, limit: Self.mostMounts) {
            do throws(KernelError) {
                let namespace = try NetworkNamespace(at: "\(namespaceDirectory)/\(name)")
                guard try namespace.isNetworkNamespace() else { continue }
                let identity = try namespace.identity()
                guard !census.hostNamespaces.contains(identity), census.residents[identity] == nil else { continue }
                if try addresses(identity, of: namespace, &census).isDisjoint(with: target.addresses) { continue }
                return Sandbox(namespace, process: nil)
            } catch {
                // One that was unmounted just now is no reason to look at no other.
                if error.errno != .noSuchEntry { census.failure = error }
            }
        }
        return nil
    }
}

extension KernelError {
    /// Whether the process in question is no more, which is no failure.
    fileprivate var meansThatItEnded: Bool { errno == .noSuchEntry || errno == .noSuchProcess }
}
