internal import LinuxKernel

/// What the agent costs its node, under the names that every Prometheus client uses.
struct ProcessStatistics: Equatable {
    var residentBytes = 0
    var virtualBytes = 0
    var processorSeconds = 0.0
    var openDescriptors = 0
    var mostDescriptors = 0
    var startSeconds = 0.0

    var metrics: [(name: String, kind: String, help: String, value: Double)] {
        [
            ("process_resident_memory_bytes", "gauge", "Resident memory size in bytes.", Double(residentBytes)),
            ("process_virtual_memory_bytes", "gauge", "Virtual memory size in bytes.", Double(virtualBytes)),
            ("process_cpu_seconds_total", "counter", "User and system CPU time in seconds.", processorSeconds),
            ("process_open_fds", "gauge", "Open file descriptors.", Double(openDescriptors)),
            ("process_max_fds", "gauge", "The most file descriptors that may be open.", Double(mostDescriptors)),
            ("process_start_time_seconds", "gauge", "Start of the process, in seconds since 1970.", startSeconds),
        ]
    }

    /// Reads those of this process.
    ///
    /// - Parameter bootSeconds: When the machine started, in seconds since 1970.
    /// - Throws: Where `/proc` is not what it should be.
    init(bootSeconds: Int) throws(KernelError) {
        self.init(
            status: String(decoding: try File.read("/proc/self/status", byteLimit: Self.longestFile), as: UTF8.self),
            stat: String(decoding: try File.read("/proc/self/stat", byteLimit: Self.longestFile), as: UTF8.self),
            limits: String(decoding: try File.read("/proc/self/limits", byteLimit: Self.longestFile), as: UTF8.self),
            bootSeconds: bootSeconds
        )
        openDescriptors = try Directory.names(in: "/proc/self/fd", limit: Self.mostListed).count
    }

    /// Reads the texts of `proc_pid_status(5)`, `proc_pid_stat(5)` and `proc_pid_limits(5)`; what is missing is 0.
    init(status: String, stat: String, limits: String, bootSeconds: Int) {
        residentBytes = Self.kilobytes("VmRSS:", in: status) * 1_024
        virtualBytes = Self.kilobytes("VmSize:", in: status) * 1_024
        // The name, the second field, may hold blanks and parentheses; what follows its last one is field 3.
        let fields = (stat.split(separator: ")").last ?? "").split(separator: " ")
        let ticks = [14, 15, 22].map { number in fields.count > number - 3 ? Int(fields[number - 3]) ?? 0 : 0 }
        processorSeconds = Double(ticks[0] + ticks[1]) / Self.ticksPerSecond
        startSeconds = Double(bootSeconds) + Double(ticks[2]) / Self.ticksPerSecond
        for line in limits.split(separator: "\n") where line.hasPrefix("Max open files") {
            mostDescriptors = line.split(separator: " ").dropFirst(3).first.flatMap { word in Int(word) } ?? 0
        }
    }

    /// When the machine started, from `proc_stat(5)`; it does not change.
    static func bootSeconds() throws(KernelError) -> Int {
        let text = String(decoding: try File.read("/proc/stat", byteLimit: longestMachineFile), as: UTF8.self)
        let line = text.split(separator: "\n").first { line in line.hasPrefix("btime ") }
        return line?.split(separator: " ").last.flatMap { word in Int(word) } ?? 0
    }

    private static func kilobytes(_ name: String, in status: String) -> Int {
        let line = status.split(separator: "\n").first { line in line.hasPrefix(name) }
        return line?.split { character in character == " " || character == "\t" }.dropFirst().first
            .flatMap { word in Int(word) } ?? 0
    }

    /// `USER_HZ`, which is 100 on every machine that Swift runs on (`sysconf(3)`).
    private static let ticksPerSecond = 100.0

    /// Some 1,500 bytes on this kernel.
    private static let longestFile = 64 * 1_024

    /// Its line of interrupts grows with the machine.
    private static let longestMachineFile = 16 * 1_024 * 1_024

    /// Beyond `fs.nr_open`'s default no process gets.
    private static let mostListed = 1_048_576
}
