internal import CNIProtocol
package import LinuxKernel
internal import Logging

/// The pods of a directory, one in each `.json` file, as they were last read.
package struct PodFiles: Sendable {
    package let directory: String

    private let annotations: Set<String>

    /// By the file's name; a broken file keeps the pod that it had before.
    private var pods: [String: NodePod] = [:]
    private let logger = Logger(label: LogScope.agent)

    /// The longest file: etcd takes no request over 1.5 MiB, so no real pod is longer.
    package static let longestFileBytes = 1_536 * 1_024

    /// The most entries of the directory, other files included.
    private static let mostEntries = 2 * PodDirectory.mostPods

    package init(directory: String, keeping annotations: Set<String>) {
        self.directory = directory
        self.annotations = annotations
    }

    /// Reads every file anew.
    package mutating func readAll() throws(KernelError) {
        let names = try Directory.names(in: directory, limit: Self.mostEntries).filter(Self.isPodFile)
        if names.count > PodDirectory.mostPods {
            logger.error(
                "there are more pods than the agent takes; the rest is left out",
                metadata: ["pods": "\(names.count)", "limit": "\(PodDirectory.mostPods)"]
            )
        }
        let kept = Set(names.prefix(PodDirectory.mostPods))
        pods = pods.filter { name, _ in kept.contains(name) }
        for name in kept { read(name) }
    }

    /// Reads the files of these names anew; those that are gone take their pods with them.
    package mutating func read(_ names: Set<String>) throws(KernelError) {
        // `..data` of a mounted ConfigMap is a link that all its files go through.
        guard names.allSatisfy({ name in !name.hasPrefix("..") }) else { return try readAll() }
        for name in names where Self.isPodFile(name) { read(name) }
    }

    /// The pods in the order of their files; of two with one name the later file's counts.
    package var all: [NodePod] { pods.sorted { left, right in left.key < right.key }.map { file in file.value } }

    private static func isPodFile(_ name: String) -> Bool { name.hasSuffix(".json") && !name.hasPrefix(".") }

    private mutating func read(_ name: String) {
        let metadata: Logger.Metadata = ["file": "\(directory)/\(name)"]
        do throws(KernelError) {
            let bytes = try File.read("\(directory)/\(name)", byteLimit: Self.longestFileBytes)
            guard pods[name] != nil || pods.count < PodDirectory.mostPods else {
                logger.error("there are more pods than the agent takes; this one is left out", metadata: metadata)
                return
            }
            do throws(PodError) {
                pods[name] = try NodePod(json: bytes, keeping: annotations)
            } catch {
                report(error.description, metadata, isKept: pods[name] != nil)
            }
        } catch {
            guard error.errno != .noSuchEntry else {
                pods[name] = nil
                return
            }
            report(error.description, metadata, isKept: pods[name] != nil)
        }
    }

    private func report(_ reason: String, _ metadata: Logger.Metadata, isKept: Bool) {
        var metadata = metadata
        metadata["reason"] = "\(reason)"
        metadata["kept"] = isKept ? "the last good version" : "nothing"
        logger.error("file holds no pod that can be read", metadata: metadata)
    }
}
