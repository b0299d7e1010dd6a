internal import LinuxKernel

/// What a container runtime says in its own files about CNI.
struct RuntimeConfiguration: Equatable, Sendable {
    /// Every file that was read, in order.
    var files: [String] = []
    var configurationDirectory = "/etc/cni/net.d"
    var pluginDirectories = ["/opt/cni/bin"]

    /// How many files of the directory are loaded, each as a network of its own; 0 stands for all.
    var mostFiles = 1

    /// A template from which the runtime writes a configuration itself.
    var template = ""

    /// The only network that is used, by its name; "" for the first.
    var network = ""

    /// Handlers that run a pod in a kernel of its own.
    var sandboxes: [String] = []

    /// Whether this runtime serves a kubelet at all.
    var servesKubelet = true

    /// Why they cannot be read.
    enum Problem: Error, Equatable, CustomStringConvertible {
        case root(KernelError)
        case file(KernelError)
        case text(file: String, TOMLError)
        case tooManyFiles(String)

        var description: String {
            switch self {
            case .root(let error), .file(let error): error.description
            case .text(let file, let error): "\(file), \(error.description)"
            case .tooManyFiles(let file): "\(file) imports more than \(TOMLFiles.most) files"
            }
        }
    }

    /// Kernels of their own, by what stands in the name of a handler, its type or its program.
    private static let sandboxWords = ["kata", "runsc", "gvisor", "firecracker"]

    mutating func note(handler: String, words: [String?]) {
        let all = ([handler] + words.compactMap { word in word }).joined(separator: " ").lowercased()
        if Self.sandboxWords.contains(where: all.contains) { sandboxes.append(handler) }
    }
}

/// Reads TOML files of a node, each once.
struct TOMLFiles {
    /// The most files of one runtime.
    static let most = 100

    private(set) var names: [String] = []

    /// Nil where there is no such file, or it was read before.
    mutating func read(_ path: String, in tree: borrowing FileTree) throws(RuntimeConfiguration.Problem) -> TOMLTable? {
        guard !names.contains(path) else { return nil }
        guard names.count < Self.most else { throw .tooManyFiles(path) }
        let bytes: [UInt8]?
        do throws(KernelError) {
            bytes = try tree.read(path, byteLimit: TOMLReader.longestBytes)
        } catch {
            throw .file(error)
        }
        guard let bytes else { return nil }
        names.append(path)
        do throws(TOMLError) {
            return try TOMLReader.read(bytes)
        } catch {
            throw .text(file: path, error)
        }
    }

    /// The files of a directory that end so, in order.
    static func list(
        _ directory: String,
        in tree: borrowing FileTree
    ) throws(RuntimeConfiguration.Problem) -> [String] {
        do throws(KernelError) {
            return try tree.names(in: directory, limit: 10_000).map { name in "\(directory)/\(name)" }
        } catch {
            throw .file(error)
        }
    }
}
