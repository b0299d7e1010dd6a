internal import Foundation
internal import LinuxKernel

/// How the demo comes by several users: rules tell the proxy from the application by its user.
enum UserSource {
    /// This process may be anybody.
    case root

    /// A user namespace in which the ids of `/etc/subuid` are somebody.
    case subordinate([String])

    /// One user namespace for each user, with that user only, one after the other.
    case oneByOne([UInt32])

    /// One run of the demo.
    struct Pass {
        var description: String

        /// The only user that there is; nil where all are.
        var onlyUser: UInt32?

        /// Writes the maps of a new user namespace; nil for none.
        var mapUsers: ((Int32) throws(KernelError) -> Void)?

        var isUserNamespace: Bool { mapUsers != nil }
    }

    static func available(for users: [UInt32]) -> UserSource {
        let maps = (try? String(contentsOfFile: "/proc/self/uid_map", encoding: .utf8)) ?? ""  // As if there were none.
        if OwnProcess.effectiveUser == 0, users.allSatisfy({ UserMap(maps).holds($0) }) { return .root }
        if let tools = Self.subordinateTools() { return .subordinate(tools) }
        var distinct: [UInt32] = []
        for user in users where !distinct.contains(user) { distinct.append(user) }
        return .oneByOne(distinct)
    }

    var description: String {
        switch self {
        case .root: "as root"
        case .subordinate: "as an ordinary user, with subordinate ids"
        case .oneByOne(let users): "as an ordinary user, in \(users.count) passes"
        }
    }

    var explanation: String? {
        guard case .oneByOne(let users) = self else { return nil }
        let list = users.map { "\($0)" }.joined(separator: ", ")
        return "one user id can be had at a time (no newuidmap, or no line in /etc/subuid), so there is one pass each "
            + "for the uids \(list)"
    }

    var passes: [Pass] {
        switch self {
        case .root: [Pass(description: description)]
        case .subordinate(let tools):
            [Pass(description: description, mapUsers: { process throws(KernelError) in try Self.map(process, tools) })]
        case .oneByOne(let users):
            users.map { user in
                Pass(
                    description: "as an ordinary user, who is uid \(user) here",
                    onlyUser: user,
                    mapUsers: { process throws(KernelError) in try Self.map(process, to: user) }
                )
            }
        }
    }

    // MARK: - Maps (user_namespaces(7))

    /// An ordinary user may map itself, to any one id, once the namespace has given up `setgroups(2)`.
    private static func map(_ process: Int32, to user: UInt32) throws(KernelError) {
        let files = [
            ("setgroups", "deny"), ("gid_map", "\(user) \(getegid()) 1"), ("uid_map", "\(user) \(geteuid()) 1"),
        ]
        for (name, text) in files {
            let path = "/proc/\(process)/\(name)"
            do {
                try Data(text.utf8).write(to: URL(filePath: path))
            } catch {
                throw KernelError("write \(path)", .notPermitted, explanation: error.localizedDescription)
            }
        }
    }

    /// `newuidmap` and `newgidmap` with their arguments after the process: this user as root, and the subordinate ids.
    private static func subordinateTools() -> [String]? {
        guard let users = SystemPrograms.find("newuidmap"), let groups = SystemPrograms.find("newgidmap") else {
            return nil
        }
        let own = [NSUserName(), "\(geteuid())"]
        guard let userRange = SubordinateRange.find(in: "/etc/subuid", names: own),
            let groupRange = SubordinateRange.find(in: "/etc/subgid", names: own)
        else { return nil }
        return [
            users, "0 \(geteuid()) 1 \(userRange.mapArguments)", groups, "0 \(getegid()) 1 \(groupRange.mapArguments)",
        ]
    }

    private static func map(_ process: Int32, _ tools: [String]) throws(KernelError) {
        for index in stride(from: 0, to: tools.count, by: 2) {
            let arguments = ["\(process)"] + tools[index + 1].split(separator: " ").map(String.init)
            let outcome = try ChildProcess(tools[index], arguments, deadlineMilliseconds: 5_000).run()
            guard outcome.isSuccess else {
                let reason = String(decoding: outcome.standardError, as: UTF8.self)
                throw KernelError("map user ids with \(tools[index])", .notPermitted, explanation: reason)
            }
        }
    }
}

/// Which ids are somebody in a user namespace, as `/proc/self/uid_map` lists them.
struct UserMap: Equatable {
    private let ranges: [Range<UInt64>]

    init(_ text: String) {
        ranges = text.split(separator: "\n").compactMap { line in
            let numbers = line.split(separator: " ").compactMap { UInt64($0) }
            return numbers.count == 3 ? numbers[0]..<(numbers[0] + numbers[2]) : nil
        }
    }

    func holds(_ user: UInt32) -> Bool { ranges.contains { $0.contains(UInt64(user)) } }
}

/// A user's line of `/etc/subuid` (`subuid(5)`).
struct SubordinateRange: Equatable {
    var first: UInt32
    var count: UInt32

    /// The ids from 1 on.
    var mapArguments: String { "1 \(first) \(count)" }

    static func find(in path: String, names: [String]) -> SubordinateRange? {
        // Many systems have no such file.
        let text = (try? String(contentsOfFile: path, encoding: .utf8)) ?? ""
        for line in text.split(separator: "\n") {
            let fields = line.split(separator: ":")
            // Less than that many would not hold the users of the demo.
            guard fields.count == 3, names.contains(String(fields[0])), let first = UInt32(fields[1]),
                let count = UInt32(fields[2]), count >= 2_000
            else { continue }
            return SubordinateRange(first: first, count: count)
        }
        return nil
    }
}
