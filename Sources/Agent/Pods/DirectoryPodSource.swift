internal import LinuxKernel
internal import Logging
internal import NIOPosix
internal import ServiceLifecycle

/// Keeps the agent's pods as a directory has them (`--pod-source=directory:PATH`), with no API server.
package struct DirectoryPodSource: Service {
    package let directory: String
    package let pods: PodDirectory
    private let annotations: Set<String>
    private let heartbeat: Heartbeat?
    private let logger = Logger(label: LogScope.agent)

    /// How long one wait for a change blocks its thread, and so how long the agent's end can take.
    private static let waitMilliseconds = 250

    /// The pause where the directory cannot be read.
    private static let pauseSeconds = 1

    /// Makes a source whose pods keep the named annotations and labels beside those that decide about redirection.
    package init(
        directory: String,
        pods: PodDirectory,
        keeping annotations: Set<String> = [],
        heartbeat: Heartbeat? = nil
    ) {
        self.directory = directory
        self.pods = pods
        self.annotations = annotations
        self.heartbeat = heartbeat
    }

    package func run() async throws {
        var files = PodFiles(directory: directory, keeping: annotations)
        defer { heartbeat?.rest() }
        while !Task.isShuttingDownGracefully && !Task.isCancelled {
            heartbeat?.beat()
            do {
                try await follow(&files)
            } catch {
                logger.error(
                    "directory of pods cannot be read; the pods known so far are kept",
                    metadata: ["directory": "\(directory)", "error": "\(error)"]
                )
                // Cut short by the end of the agent, which the loop sees by itself.
                try? await cancelWhenGracefulShutdown { try await Task.sleep(for: .seconds(Self.pauseSeconds)) }
            }
        }
    }

    /// Reads all, then every change, until the directory goes away or the agent ends.
    private func follow(_ files: inout PodFiles) async throws {
        // The watch comes first, so that nothing changes unseen between the two.
        let watch = try DirectoryWatch(directory)
        try await update(&files, .everything)
        logger.info("pods are read", metadata: ["directory": "\(directory)", "pods": "\(pods.count)"])
        while !Task.isShuttingDownGracefully && !Task.isCancelled {
            heartbeat?.beat()
            let change = try await onThread { try watch.wait(milliseconds: Self.waitMilliseconds) }
            switch change {
            case .nothing: continue
            case .gone: throw KernelError("watch \(directory)", .noSuchEntry)
            case .files, .everything: try await update(&files, change)
            }
        }
    }

    private func update(_ files: inout PodFiles, _ change: DirectoryWatch.Change) async throws {
        let known = files
        files = try await onThread {
            var files = known
            if case .files(let names) = change {
                try files.read(names)
            } else {
                try files.readAll()
            }
            return files
        }
        pods.replaceAll(files.all)
    }

    /// Runs what blocks on a thread that may: those of Swift's tasks may not.
    private func onThread<Value: Sendable>(_ body: @escaping @Sendable () throws -> Value) async throws -> Value {
        try await NIOThreadPool.singleton.runIfActive(body)
    }
}
