internal import LinuxKernel

extension RuntimeConfiguration {
    /// Reads what a containerd of any version reads (`containerd-config.toml(5)`; docs/cri/config.md of containerd).
    ///
    /// Files that are imported come after the one that names them, and the last one that sets a key wins. So does
    /// containerd 2; containerd 1 replaces the whole section of a plugin (containerd/containerd#9982), and which of the
    /// two runs cannot be told from the files.
    ///
    /// Only imports that stand in a file are followed. containerd 2.2 has `/etc/containerd/conf.d/*.toml` among its
    /// defaults (containerd/containerd#12323), which it prints and never reads: `LoadConfig` follows those of each file, and
    /// is not called where there is none.
    init(containerd process: NodeProcess, in tree: borrowing FileTree) throws(Problem) {
        var pending = [process.values(of: "--config", "-c").last ?? "/etc/containerd/config.toml"]
        var reader = TOMLFiles()
        while !pending.isEmpty {
            let path = pending.removeFirst()
            guard let table = try reader.read(path, in: tree) else { continue }
            overlay(table)
            for pattern in table["imports"]?.strings ?? [] {
                pending += try Self.expand(pattern, besides: path, in: tree)
            }
        }
        files = reader.names
    }

    /// The names of the plugin in versions 1, 2 and 3 of the configuration.
    private static let plugins = ["cri", "io.containerd.grpc.v1.cri", "io.containerd.cri.v1.runtime"]

    private mutating func overlay(_ file: TOMLTable) {
        let disabled = file["disabled_plugins"]?.strings ?? []
        if Self.plugins.contains(where: disabled.contains) { servesKubelet = false }
        for name in Self.plugins {
            guard let plugin = file["plugins", name]?.table else { continue }
            if let directory = plugin["cni", "conf_dir"]?.string, !directory.isEmpty {
                configurationDirectory = directory
            }
            // The list is of containerd 2.1, and stands for the single one.
            if let directory = plugin["cni", "bin_dir"]?.string, !directory.isEmpty { pluginDirectories = [directory] }
            if let list = plugin["cni", "bin_dirs"]?.strings, !list.isEmpty { pluginDirectories = list }
            if let most = plugin["cni", "max_conf_num"]?.integer { mostFiles = most }
            if let path = plugin["cni", "conf_template"]?.string { template = path }
            for (handler, value) in plugin["containerd", "runtimes"]?.table?.members ?? [:] {
                note(handler: handler, words: [value.table?["runtime_type"]?.string])
            }
        }
        sandboxes = Set(sandboxes).sorted()
    }

    /// The files of one import: a path, or a directory and an ending after `*`.
    private static func expand(
        _ pattern: String,
        besides file: String,
        in tree: borrowing FileTree
    ) throws(Problem) -> [String] {
        let base = file[..<(file.lastIndex(of: "/") ?? file.startIndex)]
        let path = pattern.hasPrefix("/") ? pattern : "\(base)/\(pattern)"
        guard let star = path.lastIndex(of: "*"), let slash = path.lastIndex(of: "/"), slash < star else {
            return [path]
        }
        let start = path[..<star]
        let ending = path[path.index(after: star)...]
        return try TOMLFiles.list(String(path[..<slash]), in: tree).filter { name in
            name.hasPrefix(start) && name.hasSuffix(ending)
        }
    }
}
