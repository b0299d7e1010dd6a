internal import CNIProtocol
internal import Foundation
internal import LinuxKernel
internal import Redirect

/// `istio-cnictl try`: a pod, redirected in namespaces of its own, and where its connections land.
package struct TryCommand {
    package var pod: PodSource
    package var extraUser: UInt32?

    /// The program that is the pod's proxy; nil for a stand-in.
    package var envoy: String?
    package var keepsNamespaces: Bool

    package init(pod: PodSource, extraUser: UInt32?, envoy: String?, keepsNamespaces: Bool) {
        self.pod = pod
        self.extraUser = extraUser
        self.envoy = envoy
        self.keepsNamespaces = keepsNamespaces
    }

    /// The subcommand by which this program calls itself inside the namespaces.
    package static let innerCommand = "try-inside"

    /// Runs the demo, in as many passes as there are users to be had.
    package func run() throws(TryError) -> TryReport {
        let pod = try readPod()
        let envoy = try envoyProgram()
        let program = try ownProgram()
        var report = TryReport(pod: "\(pod.namespace)/\(pod.name)")
        let users = UserSource.available(
            for: [pod.proxyUser, AttemptList.applicationUser] + (extraUser.map { [$0] } ?? [])
        )
        if envoy != nil, case .oneByOne = users {
            throw TryError(
                "--envoy takes several users at once, the proxy's and the application's: run as root, or have "
                    + "newuidmap (uidmap) and subordinate ids in /etc/subuid and /etc/subgid"
            )
        }
        if let explanation = users.explanation { report.notes.append(explanation) }
        report.users = users.description
        for pass in users.passes {
            Progress.say("namespaces (\(pass.description))")
            let request = DemonstrationRequest(
                pod: pod.json.text(),
                programs: URL(filePath: program).deletingLastPathComponent().path(percentEncoded: false),
                envoy: envoy,
                onlyUser: pass.onlyUser,
                users: pass.description,
                extraUser: extraUser,
                keepsNamespaces: keepsNamespaces,
                hasUserNamespace: pass.isUserNamespace
            )
            report.add(try demonstrate(request, pass, program))
            if report.failure != nil { break }
        }
        return report
    }

    private func readPod() throws(TryError) -> PodManifest {
        do throws(PodSource.Failure) {
            return try pod.readOne()
        } catch {
            throw TryError(error.description)
        }
    }

    private func envoyProgram() throws(TryError) -> String? {
        guard let envoy else { return nil }
        let path = URL(filePath: envoy).standardizedFileURL.path(percentEncoded: false)
        guard ExecutableFile.isPresent(path) else {
            throw TryError("there is no program \(path); scripts/install-envoy gets an Envoy and prints its path")
        }
        return path
    }

    private func ownProgram() throws(TryError) -> String {
        do {
            return try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
        } catch {
            throw TryError("cannot find this program's own file: \(error.localizedDescription)")
        }
    }

    private func demonstrate(
        _ request: DemonstrationRequest,
        _ pass: UserSource.Pass,
        _ program: String
    ) throws(TryError) -> TryReport {
        let environment = ProcessInfo.processInfo.environment.map { "\($0.key)=\($0.value)" }
        var inner = BackgroundProgram(program, [Self.innerCommand], environment: environment)
        inner.keepsCapabilities = pass.onlyUser != nil
        let answer: [UInt8]
        let ending: ChildProcess.Ending?
        do {
            let input = try MemoryFile(Array(JSONEncoder().encode(request)))
            let output = try MemoryFile()
            let process = try inner.startApart(input: input, output: output, mapUsers: pass.mapUsers)
            ending = try process.wait(milliseconds: Self.deadlineMilliseconds)
            if ending == nil { process.end(milliseconds: 0) }
            answer = try output.contents(byteLimit: Self.longestAnswerBytes)
        } catch {
            throw TryError("no namespaces for \(pass.description): \(error)")
        }
        do {
            return try JSONDecoder().decode(TryReport.self, from: Data(answer))
        } catch {
            let reason = ending.map { "\($0)" } ?? "killed after \(Self.deadlineMilliseconds / 1_000) s"
            throw TryError("the demo ended without a report: \(reason)")
        }
    }

    /// Every step has a shorter deadline of its own.
    private static let deadlineMilliseconds = 120_000
    private static let longestAnswerBytes = 16 * 1_024 * 1_024
}
