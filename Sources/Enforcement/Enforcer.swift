package import LinuxKernel
package import Redirect

/// Makes a plan true in a namespace, tells whether it still is, and undoes it.
///
/// Rules, routes and addresses of others in the namespace are left alone. One writer at a time: every change is made
/// under `flock(2)` on the namespace itself.
package struct Enforcer: Sendable {
    /// How long to wait for other writers, in milliseconds: one that runs iptables on a busy node may take seconds.
    package var lockWaitMilliseconds: Int

    let programs: IPTablesPrograms

    package init(lockWaitMilliseconds: Int = 30_000, programs: IPTablesPrograms = IPTablesPrograms()) {
        self.lockWaitMilliseconds = lockWaitMilliseconds
        self.programs = programs
    }

    /// Makes `plan` true, whatever an earlier plan or half of one left behind, with either back-end.
    ///
    /// - Throws: ``EnforcementError``; then nothing of this call remains, but after ``EnforcementError/notUndone(_:_:)``.
    package func apply(
        _ plan: RedirectPlan,
        in namespace: borrowing NetworkNamespace
    ) throws(EnforcementError) {
        let lock = try lock(namespace)
        let sockets = try open(namespace)
        let before = try refusing { () throws(KernelError) in try RedirectionTraces(sockets.rules) }
        let routing = LocalRouting(plan)
        let added = try add(routing, through: sockets.routes)
        do throws(EnforcementError) {
            switch plan.backend {
            case .nftables:
                let batch = NFTablesBatch(RuleSet(plan), replacing: before.ownTables)
                try refusing { () throws(KernelError) in try sockets.rules.commit(batch) }
                guard before.hasIPTablesChains else { break }
                try Self.replace(isUndone: before.ownTables.isEmpty) { () throws(EnforcementError) in
                    try IPTablesBackend(programs).remove(from: lock)
                } undo: { () throws(EnforcementError) in
                    try delete(Table.Name.allCases, through: sockets.rules)
                }
            case .iptables:
                try IPTablesBackend(programs).apply(RuleSet(plan), in: lock, isFresh: before.isFresh)
                try Self.replace(isUndone: !before.hasIPTablesChains) { () throws(EnforcementError) in
                    try delete(before.ownTables, through: sockets.rules)
                } undo: { () throws(EnforcementError) in
                    try IPTablesBackend(programs).remove(from: lock)
                }
            }
        } catch {
            // The first failure is the one to report; what cannot be undone either is harmless without rules.
            for step in added { try? step.remove(through: sockets.routes) }
            throw error
        }
        if !before.isFresh {
            try removeStale(keeping: routing, plan, through: sockets.routes)
        }
        _ = lock
    }

    /// Removes what ``apply(_:in:)`` adds, for whichever plan and by whichever back-end.
    package func remove(
        _ plan: RedirectPlan,
        from namespace: borrowing NetworkNamespace
    ) throws(EnforcementError) {
        let lock = try lock(namespace)
        let sockets = try open(namespace)
        let before = try refusing { () throws(KernelError) in try RedirectionTraces(sockets.rules) }
        if before.hasIPTablesChains || plan.backend == .iptables {
            try IPTablesBackend(programs).remove(from: lock)
        }
        try delete(before.ownTables, through: sockets.rules)
        for step in LocalRouting.all(plan.transparentProxy).reversed() {
            try refusing { () throws(KernelError) in try step.remove(through: sockets.routes) }
        }
        _ = lock
    }

    /// What in the namespace differs from `plan`.
    package func drift(
        from plan: RedirectPlan,
        in namespace: borrowing NetworkNamespace
    ) throws(EnforcementError) -> Drift {
        let sockets = try open(namespace)
        var differences: [String] = []
        switch plan.backend {
        case .nftables:
            let names = Table.Name.allCases.map { $0.nftablesName }
            let tables = try refusing { () throws(KernelError) in
                try sockets.rules.installedTables(named: names)
            }
            differences += RuleSet(plan).differences(from: tables)
        case .iptables:
            differences += try IPTablesBackend(programs).differences(from: RuleSet(plan), in: namespace)
        }
        for step in LocalRouting(plan).steps {
            let isPresent = try refusing { () throws(KernelError) in try step.isPresent(sockets.routes) }
            if !isPresent { differences.append("\(step.description) is missing") }
        }
        return Drift(differences: differences)
    }

    /// Which redirection is in force, by whomever and for whichever plan.
    package func evidence(in namespace: borrowing NetworkNamespace) throws(EnforcementError) -> RedirectionEvidence {
        let sockets = try open(namespace)
        do throws(KernelError) {
            return try RedirectionEvidence(namespace, sockets.rules)
        } catch {
            throw .refused(error)
        }
    }

    /// What is there of redirection, in force or not.
    package func traces(in namespace: borrowing NetworkNamespace) throws(EnforcementError) -> RedirectionTraces {
        let sockets = try open(namespace)
        return try refusing { () throws(KernelError) in try RedirectionTraces(sockets.rules) }
    }
}

extension Enforcer {
    /// Keeps other writers out until the returned handle ends, and every program that was run through it.
    private func lock(_ namespace: borrowing NetworkNamespace) throws(EnforcementError) -> NetworkNamespace {
        do throws(KernelError) {
            // A lock belongs to an open file: a second one, so that it ends with this call.
            let handle = try NetworkNamespace(at: "/proc/self/fd/\(namespace.rawDescriptor)")
            try handle.lock(waitMilliseconds: lockWaitMilliseconds)
            return handle
        } catch {
            throw error.errno == .timedOut ? .busy(error) : .namespaceNotUsable(error)
        }
    }

    private func open(_ namespace: borrowing NetworkNamespace) throws(EnforcementError) -> NetworkSockets {
        do throws(KernelError) {
            return try namespace.openSockets()
        } catch {
            throw .namespaceNotUsable(error)
        }
    }

    /// Adds what is missing.
    ///
    /// - Returns: What was not there before.
    private func add(
        _ routing: LocalRouting,
        through socket: borrowing RouteSocket
    ) throws(EnforcementError) -> [LocalRouting.Step] {
        var added: [LocalRouting.Step] = []
        do throws(KernelError) {
            for step in routing.steps where try step.add(through: socket) {
                added.append(step)
            }
            return added
        } catch {
            // The first failure is the one to report.
            for step in added { try? step.remove(through: socket) }
            throw .refused(error)
        }
    }

    /// Removes what the new rules have just replaced.
    ///
    /// Where that fails the new rules go again, so that what was in force before still is, and alone. New rules that
    /// replaced earlier ones of their own back-end stay: the pod must not be left with less than it had.
    static func replace(
        isUndone: Bool,
        _ removal: () throws(EnforcementError) -> Void,
        undo: () throws(EnforcementError) -> Void
    ) throws(EnforcementError) {
        do throws(EnforcementError) {
            try removal()
        } catch {
            let failure = error
            guard isUndone else { throw failure }
            do throws(EnforcementError) {
                try undo()
            } catch {
                throw .notUndone(failure, error)
            }
            throw failure
        }
    }

    private func delete(
        _ tables: [Table.Name],
        through socket: borrowing NFTablesSocket
    ) throws(EnforcementError) {
        try refusing { () throws(KernelError) in try socket.commit(NFTablesBatch(deleting: tables)) }
    }

    private func removeStale(
        keeping routing: LocalRouting,
        _ plan: RedirectPlan,
        through socket: borrowing RouteSocket
    ) throws(EnforcementError) {
        for step in LocalRouting.all(plan.transparentProxy) where !routing.steps.contains(step) {
            try refusing { () throws(KernelError) in try step.remove(through: socket) }
        }
    }

    private func refusing<Value>(_ body: () throws(KernelError) -> Value) throws(EnforcementError) -> Value {
        do throws(KernelError) {
            return try body()
        } catch {
            throw .refused(error)
        }
    }
}

/// What differs between a plan and a namespace.
package struct Drift: Equatable, Sendable {
    /// A line each, in the words of the back-end's tool; empty if the plan is in force.
    package let differences: [String]

    package var isEmpty: Bool { differences.isEmpty }
}
