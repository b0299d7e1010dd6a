internal import Agent
internal import LinuxKernel

/// A program of the user's, such as `kubectl`: found in `PATH`, called with a list of arguments, never through a shell.
package struct ExternalProgram: Sendable {
    /// As people call it: `kubectl`.
    package let name: String

    private let path: String
    private let environment: [String: String]

    /// - Parameters:
    ///   - name: Of the file in one of the folders of `PATH`.
    ///   - environment: Of this process; the program gets the same.
    /// - Throws: That there is no such program, and what to do.
    package init(_ name: String, environment: [String: String]) throws(Failure) {
        let folders = (environment["PATH"] ?? "").split(separator: ":").map(String.init)
        guard let path = folders.map({ "\($0)/\(name)" }).first(where: ExecutableFile.isPresent) else {
            throw Failure("\(name) is not in PATH: install it, or name its folder in PATH")
        }
        self.name = name
        self.path = path
        self.environment = environment
    }

    /// As ``init(_:environment:)`` with the environment of this process.
    package init(_ name: String) throws(Failure) {
        let environment: [String: String]
        do throws(KernelError) {
            environment = try ProcessEnvironment.all()
        } catch {
            throw Failure("read the environment: \(error.description)")
        }
        try self.init(name, environment: environment)
    }

    /// What a program that has ended left.
    package struct Outcome: Sendable {
        package let status: Int
        package let output: [UInt8]
        package let error: String
    }

    /// Runs the program to its end, whatever its status.
    ///
    /// - Parameters:
    ///   - arguments: After the program's own name.
    ///   - input: Its standard input.
    ///   - seconds: When it is killed.
    /// - Returns: Its status, and what it wrote.
    /// - Throws: That it could not be started, was killed, took too long, or wrote more than is kept.
    package func outcome(
        _ arguments: [String],
        input: [UInt8] = [],
        seconds: Int = usualSeconds
    ) throws(Failure) -> Outcome {
        let child = ChildProcess(
            path,
            arguments,
            environment: environment.map { "\($0.key)=\($0.value)" }.sorted(),
            standardInput: input,
            deadlineMilliseconds: seconds * 1_000,
            outputByteLimit: Self.outputBytes
        )
        let ended: ChildProcess.Outcome
        do throws(KernelError) {
            ended = try child.run()
        } catch {
            throw Failure("\(call(arguments)): \(error.description)")
        }
        guard !ended.isTruncated else {
            throw Failure("\(call(arguments)): wrote more than \(Self.outputBytes) bytes")
        }
        switch ended.ending {
        case .exit(let status):
            let error = String(decoding: ended.standardError, as: UTF8.self)
            return Outcome(status: status, output: ended.standardOutput, error: error)
        case .signal(let number): throw Failure("\(call(arguments)): was ended by signal \(number)")
        case .deadline: throw Failure("\(call(arguments)): took longer than \(seconds) s")
        }
    }

    /// Runs the program, and gives what it wrote to standard output.
    ///
    /// - Throws: As ``outcome(_:input:seconds:)``, and what it said where its status is not 0.
    package func run(
        _ arguments: [String],
        input: [UInt8] = [],
        seconds: Int = usualSeconds
    ) throws(Failure) -> [UInt8] {
        let ended = try outcome(arguments, input: input, seconds: seconds)
        guard ended.status == 0 else {
            let words = Self.sentences(ended.error).suffix(Self.lastWords)
            throw Failure(
                "\(call(arguments)): exit status \(ended.status): \(words.isEmpty ? "it said nothing" : words)"
            )
        }
        return ended.output
    }

    /// What the program said, on one line, without the log of Kubernetes' client library.
    ///
    /// `kubectl` and `helm` write that log (klog: `E1126 13:10:01.467663  9244 file.go:265] text`) once for each try, and
    /// then say the same to people.
    private static func sentences(_ error: String) -> String {
        let lines = error.split(whereSeparator: \.isNewline)
        let said = lines.filter { line in line.prefixMatch(of: /[IWEF]\d{4} \d\d:\d\d:\d\d\./) == nil }
        return (said.isEmpty ? lines : said).joined(separator: "; ")
    }

    private func call(_ arguments: [String]) -> String { ([name] + arguments.prefix(8)).joined(separator: " ") }

    package struct Failure: Error, Equatable, CustomStringConvertible {
        package let description: String

        package init(_ description: String) { self.description = description }
    }

    /// A call to a server on a bad day.
    package static let usualSeconds = 60

    /// A pod list of a node with its largest pods, and far more than a person reads.
    private static let outputBytes = 64 * 1_024 * 1_024
    private static let lastWords = 2_000
}
