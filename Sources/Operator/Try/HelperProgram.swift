internal import LinuxKernel

/// A program that runs beside the demo, and whose last words are told if it fails.
struct HelperProgram {
    /// As in `the agent was not ready`.
    let name: String

    private let process: BackgroundProcess
    private let output: MemoryFile

    /// - Parameters:
    ///   - name: What to call it.
    ///   - program: The program; what it writes is kept.
    ///   - network: The network namespace that it runs in, if not this process's own.
    /// - Throws: What kept it from starting.
    init(_ name: String, _ program: BackgroundProgram, network: CInt? = nil) throws(TryError) {
        self.name = name
        (output, process) = try explaining("start \(name)") { () throws(KernelError) in
            let output = try MemoryFile()
            return (output, try program.start(network: network, error: output))
        }
    }

    /// Asks again and again whether it can be used.
    ///
    /// - Throws: That it ended, or is not ready in time, with its last words.
    func waitUntilReady(_ isReady: () throws(KernelError) -> Bool) throws(TryError) {
        let deadline = Clock.monotonicMilliseconds() + Self.startMilliseconds
        while true {
            var problem = "it does not say so"
            do throws(KernelError) {
                if try isReady() { return }
            } catch {
                problem = error.description
            }
            let ending = try explaining("watch \(name)") { () throws(KernelError) in
                try process.wait(milliseconds: Self.pauseMilliseconds)
            }
            if let ending { throw TryError("\(name) ended at once (\(ending)): \(lastWords)") }
            guard Clock.monotonicMilliseconds() < deadline else {
                throw TryError(
                    "\(name) was not ready within \(Self.startMilliseconds / 1_000) s: \(problem); it said: \(lastWords)"
                )
            }
        }
    }

    func stop() { process.end(milliseconds: Self.stopMilliseconds) }

    var lastWords: String {
        // What cannot be read is not shown; the error it belongs to is.
        let bytes = (try? output.contents(byteLimit: Self.outputBytes)) ?? []
        let text = String(decoding: bytes.suffix(Self.lastWordsBytes), as: UTF8.self)
        return text.isEmpty ? "nothing" : text
    }

    /// Much longer than it takes on a busy machine.
    private static let startMilliseconds = 15_000
    private static let pauseMilliseconds = 5
    private static let stopMilliseconds = 2_000
    private static let outputBytes = 16 * 1_024 * 1_024
    private static let lastWordsBytes = 1_000
}
