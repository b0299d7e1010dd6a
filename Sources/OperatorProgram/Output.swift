internal import ArgumentParser
internal import CNIProtocol
internal import Foundation
internal import Operator

/// What a command says, and how it ends.
enum Output {
    /// Whether somebody looks who wants colour.
    static var hasColour: Bool {
        isatty(STDOUT_FILENO) == 1 && ProcessInfo.processInfo.environment["NO_COLOR"] == nil
    }

    static func write(_ text: String) { FileHandle.standardOutput.write(Data(text.utf8)) }

    static func write(_ value: JSONValue) { write(value.text(.indented) + "\n") }

    /// Says on standard error what is not as it might be, without an end.
    static func warn(_ text: String) { FileHandle.standardError.write(Data("warning: \(text)\n".utf8)) }

    /// Progress and results on standard output, warnings and questions on standard error.
    ///
    /// - Parameters:
    ///   - asks: Whether to ask at all; no answer is a no.
    ///   - saysOnError: Whether standard output is for something else.
    /// - Returns: What a long work talks through.
    static func conversation(asks: Bool, saysOnError: Bool = false) -> Conversation {
        Conversation(
            say: { line in
                let file = saysOnError ? FileHandle.standardError : FileHandle.standardOutput
                file.write(Data((line + "\n").utf8))
            },
            warn: { warn($0) },
            confirm: { question in
                guard asks else { return true }
                FileHandle.standardError.write(Data("\(question) (y/N) ".utf8))
                return ["y", "yes"].contains((readLine() ?? "").lowercased())
            }
        )
    }

    /// Ends the program as an outcome wants it.
    static func end(_ outcome: DeployOutcome) throws {
        switch outcome {
        case .done: return
        case .cancelled:
            write("Cancelled.\n")
            throw ExitCode.failure
        case .unfinished: throw ExitCode.failure
        }
    }

    /// Runs a command, and says on standard error why it could not be done; `status` is 2 for a command whose 1 is an answer.
    static func reporting(_ command: String, orExit status: Int32 = 1, _ body: () throws -> Void) throws {
        do {
            try body()
        } catch let exit as ExitCode {
            throw exit
        } catch {
            FileHandle.standardError.write(Data("istio-cnictl \(command): \(error)\n".utf8))
            throw ExitCode(status)
        }
    }
}
