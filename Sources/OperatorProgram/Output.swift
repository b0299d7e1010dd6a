internal import ArgumentParser
internal import CNIProtocol
internal import Foundation

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

    /// Runs a command, and says on standard error why it could not be done.
    static func reporting(_ command: String, _ body: () throws -> Void) throws {
        do {
            try body()
        } catch let exit as ExitCode {
            throw exit
        } catch {
            FileHandle.standardError.write(Data("istio-cnictl \(command): \(error)\n".utf8))
            throw ExitCode.failure
        }
    }
}
