internal import CLinuxKernel

/// A program to run, with everything that it is given; nothing is inherited.
package struct ChildProcess: Hashable, Sendable {
    /// An absolute path: there is no search.
    package var path: String

    /// The arguments after the program's own name.
    package var arguments: [String]

    /// `NAME=value` each.
    package var environment: [String]

    package var standardInput: [UInt8]

    /// When the program, with all that it has started in its process group, is killed.
    package var deadlineMilliseconds: Int

    /// How much of standard output, and of standard error, is kept; the rest is read and dropped.
    package var outputByteLimit: Int

    package init(
        _ path: String,
        _ arguments: [String] = [],
        environment: [String] = [],
        standardInput: [UInt8] = [],
        deadlineMilliseconds: Int,
        outputByteLimit: Int = 1_048_576
    ) {
        self.path = path
        self.arguments = arguments
        self.environment = environment
        self.standardInput = standardInput
        self.deadlineMilliseconds = deadlineMilliseconds
        self.outputByteLimit = outputByteLimit
    }

    /// How a program ended.
    package struct Outcome: Hashable, Sendable {
        package let ending: Ending
        package let standardOutput: [UInt8]
        package let standardError: [UInt8]

        /// Whether either output was longer than the limit.
        package let isTruncated: Bool

        /// Whether the program ended by itself with status 0.
        package var isSuccess: Bool { ending == .exit(0) }
    }

    package enum Ending: Hashable, Sendable {
        case exit(Int)
        case signal(Int)

        /// It was killed at the deadline.
        case deadline
    }

    /// Runs the program to its end.
    ///
    /// - Throws: The step that failed before the program was there: ``Errno/noSuchEntry`` if there is no
    ///   such program.
    package func run() throws(KernelError) -> Outcome {
        try run(network: -1, user: -1)
    }

    /// Runs the program inside a network namespace.
    ///
    /// `iptables` works only from within the user namespace that owns the network namespace, so the child
    /// enters that first where it is another one. Its file system stays the caller's. It keeps `namespace` open, so a
    /// lock that is held through this handle lasts until the child has ended, even if the caller is killed.
    package func run(in namespace: borrowing NetworkNamespace) throws(KernelError) -> Outcome {
        let owner = try namespace.ownerToEnter()
        // A child starts where its parent is; to enter once more takes a right that an init container lacks.
        let network = try namespace.isOwn() ? -1 : namespace.descriptor.rawValue
        return try run(network: network, user: owner.rawValue)
    }

    private func run(network: CInt, user: CInt) throws(KernelError) -> Outcome {
        let input = try inputFile()
        let output = try Pipe()
        let error = try Pipe()
        let report = try Pipe()
        let arguments = CStringList([path] + arguments)
        let environment = CStringList(environment)
        var request = c_linux_spawn_request(
            arguments: arguments.pointers,
            environment: environment.pointers,
            standard_input: input.rawValue,
            standard_output: output.writer.rawValue,
            standard_error: error.writer.rawValue,
            user_namespace: user,
            network_namespace: network,
            report: report.writer.rawValue
        )
        let child = try systemCall("start \(path)") { c_linux_spawn(&request) }
        // The readers below end when the last writer is closed, so the parent must hold none.
        var exchange = ChildExchange(
            child: child,
            output: output.readerOnly(),
            error: error.readerOnly(),
            report: report.readerOnly(),
            byteLimit: outputByteLimit
        )
        return try exchange.finish(path, deadline: Clock.monotonicMilliseconds() + deadlineMilliseconds)
    }

    /// Standard input as a file in memory, from which the child reads at its own pace.
    private func inputFile() throws(KernelError) -> OwnedDescriptor {
        let file = try OwnedDescriptor("make standard input") { c_linux_memory_file("standard input") }
        try DescriptorStream.writeAll(standardInput, to: file.rawValue, operation: "write standard input")
        try systemCall("rewind standard input") { lseek(file.rawValue, 0, CInt(SEEK_SET)) }
        return file
    }
}

extension NetworkNamespace {
    /// The user namespace that a child must enter before this one, or a descriptor of -1 for none.
    fileprivate func ownerToEnter() throws(KernelError) -> OwnedDescriptor {
        do throws(KernelError) {
            let owner = try owningUserNamespace()
            if try owner.differsFromOwn() { return owner.taken() }
        } catch {
            // The owner is an ancestor of our own user namespace, which nobody can enter.
            guard error.errno == .notPermitted else { throw error }
        }
        return OwnedDescriptor(adopting: -1)
    }
}

/// Two ends of a pipe that close at exec.
struct Pipe: ~Copyable {
    let reader: OwnedDescriptor
    let writer: OwnedDescriptor

    init() throws(KernelError) {
        var ends: [CInt] = [-1, -1]
        try systemCall("make pipe") { c_linux_pipe(&ends) }
        reader = OwnedDescriptor(adopting: ends[0])
        writer = OwnedDescriptor(adopting: ends[1])
    }

    /// Closes the other end.
    consuming func readerOnly() -> OwnedDescriptor { reader }
}

/// A list of C strings that ends with null, as `execve(2)` takes them.
struct CStringList: ~Copyable {
    let pointers: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>
    private let count: Int

    init(_ texts: [String]) {
        count = texts.count
        pointers = .allocate(capacity: texts.count + 1)
        for (index, text) in texts.enumerated() { pointers[index] = strdup(text) }
        pointers[count] = nil
    }

    deinit {
        for index in 0..<count { free(pointers[index]) }
        pointers.deallocate()
    }
}
