internal import LinuxKernel

/// The processes of the node that tell something about pod networks, found by their names.
struct NodeProcesses: Sendable {
    let directory: String
    private(set) var found: [NodeProcess] = []

    /// Why they cannot be listed.
    private(set) var problem: String?

    /// As the kernel keeps names: 15 bytes at most (`proc_pid_comm(5)`).
    private static let names: Set<String> = [
        "containerd", "crio", "cri-dockerd", "cilium-agent", "calico-node", "multus-daemon", "install-cni",
    ]

    /// A node allows some 10,000 processes.
    private static let mostProcesses = 131_072

    /// What the kernel allows for all arguments of a program is far more; those here have a dozen.
    private static let longestCommandBytes = 128 * 1_024

    init(_ directory: String) {
        self.directory = directory
        do throws(KernelError) {
            for number in try ProcessEntry.numbers(in: directory, limit: Self.mostProcesses) {
                if let process = read(number) { found.append(process) }
            }
        } catch {
            problem = error.description
        }
    }

    /// Nil for a process with another name, and for one that has ended since it was listed.
    private func read(_ number: Int32) -> NodeProcess? {
        let path = "\(directory)/\(number)"
        do throws(KernelError) {
            let name = try File.read("\(path)/comm", byteLimit: 64).filter { byte in byte != UInt8(ascii: "\n") }
            guard Self.names.contains(String(decoding: name, as: UTF8.self)) else { return nil }
            let words = try File.read("\(path)/cmdline", byteLimit: Self.longestCommandBytes).split(separator: 0)
            return NodeProcess(
                number: number,
                name: String(decoding: name, as: UTF8.self),
                arguments: words.dropFirst().map { word in String(decoding: word, as: UTF8.self) },
                root: "\(path)/root"
            )
        } catch {
            return nil
        }
    }

    func named(_ name: String) -> [NodeProcess] { found.filter { process in process.name == name } }
}

/// One process of the node.
struct NodeProcess: Equatable, Sendable {
    let number: Int32
    let name: String
    let arguments: [String]

    /// The root directory that it sees.
    let root: String

    /// The values of a flag, as Go's and other readers take them: `--flag value`, `--flag=value`.
    func values(of flags: String...) -> [String] {
        var values: [String] = []
        for (index, argument) in arguments.enumerated() {
            if flags.contains(argument), index + 1 < arguments.count { values.append(arguments[index + 1]) }
            for flag in flags where argument.hasPrefix("\(flag)=") {
                values.append(String(argument.dropFirst(flag.count + 1)))
            }
        }
        return values
    }
}
