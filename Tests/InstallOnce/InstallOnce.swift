import Agent
import Foundation
import LinuxKernel

/// A process that installs once, or uninstalls, below one directory: what `KillPointTests` kills.
///
/// `InstallOnce install|uninstall ROOT chained|owned|standalone`. Status 0: done; 3: not ready, with the reason on
/// standard error.
@main
struct InstallOnce {
    static func main() async throws {
        let arguments = CommandLine.arguments
        guard arguments.count == 4 else { exit(2) }
        let settings = InstallSettings(root: arguments[2], way: arguments[3])
        switch arguments[1] {
        case "install": try await install(settings)
        case "uninstall": uninstall(settings)
        default: exit(2)
        }
    }

    private static func install(_ settings: InstallSettings) async throws {
        var pauses = InstallPauses()
        pauses.waitMilliseconds = 5
        pauses.firstRetryMilliseconds = 5
        pauses.longestRetryMilliseconds = 10
        let state = InstallState()
        let installer = try Installer(settings, pauses: pauses, state: state, role: { .writer })
        let task = Task { try await installer.run() }
        // One operation that fails is over at the next attempt.
        while !state.report.isReady && state.report.failures < 5 {
            try await Task.sleep(for: .milliseconds(2))
        }
        task.cancel()
        try await task.value
        guard !state.report.isReady else { return }
        end(state.report.reasons.joined(separator: "; "))
    }

    private static func uninstall(_ settings: InstallSettings) {
        do {
            _ = try Uninstaller(settings).run()
        } catch {
            end("\(error)")
        }
    }

    private static func end(_ reason: String) {
        FileHandle.standardError.write(Data("\(reason)\n".utf8))
        exit(3)
    }
}

extension InstallSettings {
    fileprivate init(root: String, way: String) {
        self.init()
        configurationDirectory = "\(root)/net.d"
        binaryDirectory = "\(root)/bin"
        binarySource = "\(root)/image/istio-cni"
        entry.runDirectory = "\(root)/run"
        entry.excludedNamespaces = ["kube-system"]
        ownsConfiguration = way == "owned"
        isChained = way != "standalone"
    }
}
