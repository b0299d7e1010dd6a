internal import Foundation
internal import LinuxKernel
internal import Redirect

/// A real Envoy as the pod's proxy, under the proxy's user.
struct RunningEnvoy {
    private let program: HelperProgram
    private let owner: ProcessOwner

    /// Starts Envoy in the pod, and waits until it serves.
    init(
        _ path: String,
        _ plan: RedirectPlan,
        owner: ProcessOwner,
        hasIPv6: Bool,
        in pod: borrowing NetworkNamespace
    ) throws(TryError) {
        // Started through a descriptor: the proxy's user need not be able to reach the file, say one below /root.
        guard let file = FileHandle(forReadingAtPath: path) else {
            throw TryError("\(path) cannot be opened; /run is the demo's own, so Envoy cannot be below it")
        }
        defer { withExtendedLifetime(file) {} }
        var program = BackgroundProgram(
            "/proc/self/fd/\(file.fileDescriptor)",
            Self.arguments + ["--config-yaml", EnvoyConfiguration(plan, hasIPv6: hasIPv6).text],
            environment: [SystemPrograms.searchPath]
        )
        program.owner = owner
        // To take connections to any address it needs CAP_NET_ADMIN (`IP_TRANSPARENT`, ip(7)).
        program.keepsCapabilities = plan.interceptionMode == .transparentProxy
        self.owner = owner
        self.program = try HelperProgram("Envoy", program, network: pod.rawDescriptor)
        try self.program.waitUntilReady { () throws(KernelError) in try ask("ready", in: pod).contains("\r\nLIVE") }
    }

    /// What Envoy has counted so far, by name; what is 0 is left out.
    func counters(in pod: borrowing NetworkNamespace) throws(TryError) -> [String: Int] {
        let text = try explaining("ask Envoy for its counters") { () throws(KernelError) in
            try ask("stats?usedonly&filter=_cx_total$", in: pod)
        }
        var counters: [String: Int] = [:]
        for line in text.components(separatedBy: .newlines) {
            let parts = line.components(separatedBy: ": ")
            if parts.count == 2, let count = Int(parts[1]) { counters[parts[0]] = count }
        }
        return counters
    }

    func stop() { program.stop() }

    /// Asks the administration interface as the proxy's user, whom the rules let pass.
    private func ask(_ path: String, in pod: borrowing NetworkNamespace) throws(KernelError) -> String {
        let owner = owner
        return try pod.run { () throws(KernelError) in
            let socket = try InternetSocket(.tcp, .ipv4, owner: owner)
            let endpoint = SocketEndpoint([127, 0, 0, 1], port: EnvoyConfiguration.administrationPort)
            try socket.connect(to: endpoint, milliseconds: Self.answerMilliseconds)
            try socket.send(Array("GET /\(path) HTTP/1.1\r\nHost: envoy\r\nConnection: close\r\n\r\n".utf8))
            let answer = try socket.receiveToEnd(
                byteLimit: Self.longestAnswerBytes,
                milliseconds: Self.answerMilliseconds
            )
            return String(decoding: answer, as: UTF8.self)
        }
    }

    private static let arguments = ["--concurrency", "1", "--disable-hot-restart", "--log-level", "warn"]

    /// It is on this machine, and has nothing else to do.
    private static let answerMilliseconds = 3_000
    private static let longestAnswerBytes = 1_024 * 1_024
}
