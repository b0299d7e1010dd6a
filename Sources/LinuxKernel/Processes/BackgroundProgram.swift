internal import CLinuxKernel

/// A program to run beside this process, perhaps as another user or in namespaces of its own.
///
/// Unlike a ``ChildProcess`` it is not waited for, and writes where it is told.
package struct BackgroundProgram: Sendable {
    /// An absolute path: there is no search.
    package var path: String

    /// The arguments after the program's own name.
    package var arguments: [String]

    /// `NAME=value` each; nothing is inherited.
    package var environment: [String]

    /// The user that it runs as; nil for this process's own.
    ///
    /// The folders above it need not be open to that user: those of a checkout below root's home are not.
    package var owner: ProcessOwner?

    /// Whether it has the capabilities of this process, whoever its user is.
    package var keepsCapabilities = false

    /// Whether it is killed when the thread that starts it ends, however that ends (`PR_SET_PDEATHSIG`, `prctl(2)`).
    package var endsWithParent = true

    package init(_ path: String, _ arguments: [String] = [], environment: [String] = []) {
        self.path = path
        self.arguments = arguments
        self.environment = environment
    }

    /// Starts the program, inside a network namespace if one is given.
    ///
    /// - Parameters:
    ///   - network: A descriptor of the namespace (`NetworkNamespace.rawDescriptor`).
    ///   - output: Takes what it writes on standard output; without it, that goes where standard error goes.
    ///   - error: Takes what it writes on standard error; without it, that is shown as this process's own.
    /// - Returns: The running program.
    /// - Throws: The step that failed before the program was there.
    package func start(
        network: CInt? = nil,
        output: MemoryFile? = nil,
        error: MemoryFile? = nil
    ) throws(KernelError) -> BackgroundProcess {
        try start(
            network: network ?? -1,
            streams: Streams(
                input: nil,
                output: (output ?? error)?.descriptor.rawValue ?? STDERR_FILENO,
                error: error?.descriptor.rawValue ?? STDERR_FILENO
            ),
            namespaces: 0
        ) { _ throws(KernelError) in }
    }

    /// Starts the program in a new mount and network namespace, with an empty file system of its own at `/run`.
    ///
    /// - Parameters:
    ///   - input: Its standard input, from the beginning.
    ///   - output: Takes what it writes on standard output.
    ///   - mapUsers: Where given, there is a new user namespace too, and this writes the maps of the process whose id
    ///     it gets (`user_namespaces(7)`). Without a map, nothing can be done in there.
    /// - Returns: The running program.
    /// - Throws: The step that failed: ``Errno/notPermitted`` if this user may not make namespaces.
    package func startApart(
        input: MemoryFile,
        output: MemoryFile,
        mapUsers: ((Int32) throws(KernelError) -> Void)?
    ) throws(KernelError) -> BackgroundProcess {
        let flags = C_LINUX_CLONE_NEWNS | C_LINUX_CLONE_NEWNET
        try input.rewind()
        let streams = Streams(
            input: input.descriptor.rawValue,
            output: output.descriptor.rawValue,
            error: STDERR_FILENO
        )
        guard let mapUsers else {
            return try start(network: -1, streams: streams, namespaces: flags) { _ throws(KernelError) in }
        }
        return try start(
            network: -1,
            streams: streams,
            namespaces: flags | C_LINUX_CLONE_NEWUSER,
            whenMade: mapUsers
        )
    }

    private func start(
        network: CInt,
        streams: Streams,
        namespaces: CInt,
        whenMade: (Int32) throws(KernelError) -> Void
    ) throws(KernelError) -> BackgroundProcess {
        let nothing = try OwnedDescriptor("open /dev/null") { c_linux_open("/dev/null", O_RDWR | O_CLOEXEC, 0) }
        let report = try Pipe()
        let made = try Pipe()
        let mapped = try Pipe()
        let program = owner == nil ? OwnedDescriptor(adopting: -1) : reachableProgram
        let arguments = CStringList([path] + arguments)
        let environment = CStringList(environment)
        var request = c_linux_background_request(
            program: program.rawValue,
            arguments: arguments.pointers,
            environment: environment.pointers,
            standard_input: streams.input ?? nothing.rawValue,
            standard_output: streams.output,
            standard_error: streams.error,
            network_namespace: network,
            report: report.writer.rawValue,
            new_namespaces: namespaces,
            made: made.writer.rawValue,
            mapped: mapped.reader.rawValue,
            changes_user: owner == nil ? 0 : 1,
            user: owner?.user ?? 0,
            group: owner?.group ?? 0,
            keeps_capabilities: keepsCapabilities ? 1 : 0,
            ends_with_parent: endsWithParent ? 1 : 0
        )
        let process = BackgroundProcess(
            identifier: try systemCall("start \(path)") { c_linux_start_background(&request) },
            path: path
        )
        // The readers below end when the last writer is closed, so the parent must hold none.
        let madeReader = made.readerOnly()
        let reportReader = report.readerOnly()
        if namespaces != 0 {
            let byte = try DescriptorStream.read(madeReader.rawValue, operation: "wait for namespaces")
            if !byte.isEmpty {
                try whenMade(process.identifier)
                try DescriptorStream.writeAll([0], to: mapped.writer.rawValue, operation: "hand over namespaces")
            }
        }
        let failure = try DescriptorStream.read(reportReader.rawValue, operation: "start \(path)")
        guard let step = failure.integer(CInt.self, at: 0),
            let number = failure.integer(CInt.self, at: MemoryLayout<CInt>.size)
        else { return process }
        // It is about to end, and nobody else would fetch that (`waitpid(2)`). The failure is what the caller has to know.
        _ = try? process.wait(milliseconds: Self.failedMilliseconds)
        throw KernelError(operation(UInt32(bitPattern: step)), Errno(rawValue: number))
    }

    /// The program's file, opened with the rights of this process; none where that fails, and starting by the path says
    /// why.
    private var reachableProgram: OwnedDescriptor {
        do throws(KernelError) {
            return try OwnedDescriptor("open \(path)") { c_linux_open(path, O_RDONLY | O_CLOEXEC, 0) }
        } catch {
            return OwnedDescriptor(adopting: -1)
        }
    }

    private func operation(_ step: UInt32) -> String {
        switch step {
        case C_LINUX_BACKGROUND_NAMESPACES.rawValue: "make or enter namespaces for \(path)"
        case C_LINUX_BACKGROUND_MOUNTS.rawValue: "mount /run for \(path)"
        case C_LINUX_BACKGROUND_USER.rawValue: "become the user of \(path)"
        case C_LINUX_BACKGROUND_EXECUTE.rawValue: "execute \(path)"
        default: "prepare \(path)"
        }
    }

    /// A child that could not become the program only has to exit.
    private static let failedMilliseconds = 1_000

    private struct Streams {
        /// Nil for none.
        let input: CInt?
        let output: CInt
        let error: CInt
    }
}

/// Whose rights a process has.
package struct ProcessOwner: Hashable, Sendable {
    package var user: UInt32
    package var group: UInt32

    package init(user: UInt32, group: UInt32) {
        self.user = user
        self.group = group
    }
}

/// A program that runs.
package struct BackgroundProcess: Sendable {
    package let identifier: Int32
    let path: String

    /// Waits for its end.
    ///
    /// - Returns: How it ended, or nil at the deadline. The end is told once.
    package func wait(milliseconds: Int) throws(KernelError) -> ChildProcess.Ending? {
        let deadline = Clock.monotonicMilliseconds() + milliseconds
        var status: CInt = 0
        var signal: CInt = 0
        while true {
            let hasEnded = try systemCall("wait for \(path)") { c_linux_wait(identifier, &status, &signal) }
            if hasEnded == 1 { return signal == 0 ? .exit(Int(status)) : .signal(Int(signal)) }
            guard Clock.monotonicMilliseconds() < deadline else { return nil }
            usleep(Self.pauseMicroseconds)
        }
    }

    /// Asks it to end (`SIGTERM`), and kills it after the deadline.
    package func end(milliseconds: Int) {
        // Both fail only where there is no such process any more, which is what is wanted.
        _ = kill(identifier, SIGTERM)
        guard (try? wait(milliseconds: milliseconds)) == .some(nil) else { return }
        _ = kill(identifier, SIGKILL)
        _ = try? wait(milliseconds: Self.deathMilliseconds)
    }

    /// A killed process ends at once, unless it hangs in the kernel.
    private static let deathMilliseconds = 1_000

    private static let pauseMicroseconds: useconds_t = 500
}

/// A file without a name, in memory, for what programs say to each other (`memfd_create(2)`).
package final class MemoryFile: Sendable {
    let descriptor: OwnedDescriptor

    package init(_ contents: [UInt8] = []) throws(KernelError) {
        descriptor = try OwnedDescriptor("make file in memory") { c_linux_memory_file("file") }
        try DescriptorStream.writeAll(contents, to: descriptor.rawValue, operation: "write file in memory")
    }

    /// Everything that has been written, from the beginning.
    ///
    /// It is read through a descriptor of its own: a writer that still runs keeps its position.
    package func contents(byteLimit: Int) throws(KernelError) -> [UInt8] {
        let reader = try OwnedDescriptor("open file in memory") {
            c_linux_open("/proc/self/fd/\(descriptor.rawValue)", O_RDONLY | O_CLOEXEC, 0)
        }
        return try DescriptorStream.readToEnd(
            reader.rawValue,
            byteLimit: byteLimit,
            deadline: nil,
            operation: "read file in memory"
        )
    }

    func rewind() throws(KernelError) {
        try systemCall("rewind file in memory") { lseek(descriptor.rawValue, 0, CInt(SEEK_SET)) }
    }
}
