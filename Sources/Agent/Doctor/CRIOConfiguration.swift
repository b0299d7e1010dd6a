internal import LinuxKernel

extension RuntimeConfiguration {
    /// Reads what CRI-O reads: its file, then its directory in the order of names, then its flags (`crio.conf(5)`,
    /// `crio.conf.d(5)`, `crio(8)`).
    init(crio process: NodeProcess, in tree: borrowing FileTree) throws(Problem) {
        var reader = TOMLFiles()
        var all = TOMLTable()
        let main = process.values(of: "--config", "-c").last ?? "/etc/crio/crio.conf"
        if let table = try reader.read(main, in: tree) { all.merge(table) }
        let directory = process.values(of: "--config-dir", "-d").last ?? "/etc/crio/crio.conf.d"
        for path in try TOMLFiles.list(directory, in: tree) {
            if let table = try reader.read(path, in: tree) { all.merge(table) }
        }
        files = reader.names
        let network = all["crio", "network"]?.table ?? TOMLTable()
        if let path = network["network_dir"]?.string, !path.isEmpty { configurationDirectory = path }
        if let list = network["plugin_dirs"]?.strings, !list.isEmpty { pluginDirectories = list }
        // An older name, which adds to the list.
        if let path = network["plugin_dir"]?.string, !path.isEmpty { pluginDirectories.append(path) }
        self.network = network["cni_default_network"]?.string ?? ""
        for (handler, value) in all["crio", "runtime", "runtimes"]?.table?.members ?? [:] {
            let table = value.table
            note(handler: handler, words: [table?["runtime_type"]?.string, table?["runtime_path"]?.string])
        }
        sandboxes.sort()
        if let path = process.values(of: "--cni-config-dir").last { configurationDirectory = path }
        let flags = process.values(of: "--cni-plugin-dir")
        if !flags.isEmpty { pluginDirectories = flags }
        if let name = process.values(of: "--cni-default-network").last { self.network = name }
    }

    /// Reads the flags of `cri-dockerd`, which has no file.
    init(dockerd process: NodeProcess) {
        if let path = process.values(of: "--cni-conf-dir").last { configurationDirectory = path }
        if let list = process.values(of: "--cni-bin-dir").last {
            pluginDirectories = list.split(separator: ",").map(String.init)
        }
    }
}
