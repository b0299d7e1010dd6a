package import LinuxKernel

/// Why the plugin cannot be put on the node, or taken off it.
package enum InstallError: Error, Equatable, CustomStringConvertible {
    /// A flag whose value cannot be the name of a file.
    case badName(flag: String, name: String, problem: String)

    /// The agent's own image lacks the plugin.
    case noPlugin(String)

    /// The kernel refused something that concerns the binary.
    case binary(KernelError)

    /// The kernel refused something that concerns a configuration.
    case configuration(KernelError)

    /// Another program has written a file since it was read: nothing is lost, and it is read again.
    case changedMeanwhile(String)

    /// The agent of this node is running, and would put back what is taken away.
    case agentRuns(lock: String)

    package var description: String {
        switch self {
        case .badName(let flag, let name, let problem): "--\(flag) is '\(name)': it \(problem)"
        case .noPlugin(let path):
            "the agent's image has no plugin at \(path): correct the image or --cni-bin-source-dir"
        case .binary(let error): error.description + Self.remedy(error.errno, directory: "cniBinDir")
        case .configuration(let error): error.description + Self.remedy(error.errno, directory: "cniConfDir")
        case .changedMeanwhile(let file): "\(file) was written by another program just now; it is read again"
        case .agentRuns(let lock):
            "the agent of this node runs (it holds \(lock)) and would put everything back: "
                + "delete the DaemonSet istio-cni-node first"
        }
    }

    private static func remedy(_ errno: Errno, directory: String) -> String {
        switch errno {
        case .readOnlyFileSystem: "; set \(directory) or global.platform of the chart to where this node keeps its own"
        case .noSuchEntry: "; set \(directory) or global.platform of the chart, and look at the mounts of the agent"
        case .noSpace: "; free space on the node"
        default: ""
        }
    }
}
