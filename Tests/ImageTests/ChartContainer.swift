import CNIProtocol
import Foundation

/// The container of a rendered DaemonSet, as a kubelet and a runtime would start it on one node.
struct ChartContainer {
    let command: [String]
    let environment: [String: String]
    let capabilities: [String]
    let mounts: [Mount]

    struct Mount {
        let hostPath: String
        let path: String
        let isReadOnly: Bool
    }

    struct Incomplete: Error, CustomStringConvertible {
        let description: String
    }

    /// - Parameters:
    ///   - objects: What the chart rendered.
    ///   - fields: What the downward API says: `spec.nodeName` and its like.
    /// - Throws: ``Incomplete`` where something is not there that a kubelet needs.
    init(objects: [JSONValue], fields: [String: String]) throws {
        let daemonSet = objects.first { $0["kind"]?.string == "DaemonSet" }
        guard let pod = daemonSet?["spec"]?["template"]?["spec"], let container = pod["containers"]?.array?.first else {
            throw Incomplete(description: "there is no DaemonSet with a container")
        }
        command = (container["command"]?.strings ?? []) + (container["args"]?.strings ?? [])
        environment = Self.environment(container, objects, fields)
        let security = container["securityContext"]
        guard security?["capabilities"]?["drop"]?.strings == ["ALL"], security?["privileged"]?.bool == false else {
            throw Incomplete(description: "the container keeps capabilities that it does not name")
        }
        capabilities = security?["capabilities"]?["add"]?.strings ?? []
        mounts = try (container["volumeMounts"]?.array ?? []).map { mount in
            let volume = pod["volumes"]?.array?.first { $0["name"] == mount["name"] }
            guard let hostPath = volume?["hostPath"]?["path"]?.string, let path = mount["mountPath"]?.string else {
                throw Incomplete(description: "\(mount.text()) has no volume of the host")
            }
            return Mount(hostPath: hostPath, path: path, isReadOnly: mount["readOnly"]?.bool ?? false)
        }
    }

    private static func environment(
        _ container: JSONValue,
        _ objects: [JSONValue],
        _ fields: [String: String]
    ) -> [String: String] {
        var environment: [String: String] = [:]
        for source in container["envFrom"]?.array ?? [] {
            let name = source["configMapRef"]?["name"]
            let map = objects.first { $0["kind"]?.string == "ConfigMap" && $0["metadata"]?["name"] == name }
            environment.merge(map?["data"]?.stringsByName ?? [:]) { _, new in new }
        }
        for variable in container["env"]?.array ?? [] {
            let field = variable["valueFrom"]?["fieldRef"]?["fieldPath"]?.string
            // Without a limit of its own a container is told the node's memory.
            let usual = variable["valueFrom"]?["resourceFieldRef"] == nil ? "" : "8589934592"
            environment[variable["name"]?.string ?? ""] =
                variable["value"]?.string ?? field.flatMap { fields[$0] } ?? usual
        }
        return environment
    }

    /// The bundle's configuration for `runc` (OCI runtime specification 1.0).
    ///
    /// - Parameters:
    ///   - root: The image's files.
    ///   - host: The folder that stands for the node's `/`, but for its `/proc`.
    ///   - account: The service account's files.
    ///   - variables: What the kubelet sets beside the chart.
    /// - Returns: What `config.json` holds.
    func runtimeConfiguration(root: String, host: String, account: String, variables: [String: String]) -> JSONValue {
        let names = JSONValue.array(capabilities.map { .string("CAP_\($0)") })
        let sets = ["bounding", "effective", "permitted"].map { JSONMember($0, names) }
        let all = environment.merging(variables) { _, kubelet in kubelet }
        let bound = mounts.map { mount in
            Self.bind(
                mount.hostPath == "/proc" ? "/proc" : host + mount.hostPath,
                mount.path,
                isReadOnly: mount.isReadOnly
            )
        }
        let process = JSONValue.object([
            JSONMember("user", .object([JSONMember("uid", .integer(0)), JSONMember("gid", .integer(0))])),
            JSONMember("args", .array(command.map { .string($0) })),
            // What the image says of PATH, and nothing on the host.
            JSONMember(
                "env",
                .array((["PATH=/usr/local/bin"] + all.map { "\($0.key)=\($0.value)" }.sorted()).map { .string($0) })
            ),
            JSONMember("cwd", .string("/")), JSONMember("capabilities", .object(sets)),
        ])
        let proc = JSONValue.object([
            JSONMember("destination", .string("/proc")), JSONMember("type", .string("proc")),
            JSONMember("source", .string("proc")),
        ])
        let namespaces = ["mount", "pid", "ipc", "uts"].map { JSONValue.object([JSONMember("type", .string($0))]) }
        let accountPath = "/var/run/secrets/kubernetes.io/serviceaccount"
        return .object([
            JSONMember("ociVersion", .string("1.0.2")), JSONMember("process", process),
            JSONMember("root", .object([JSONMember("path", .string(root)), JSONMember("readonly", .bool(true))])),
            JSONMember("mounts", .array([proc] + bound + [Self.bind(account, accountPath, isReadOnly: true)])),
            JSONMember("linux", .object([JSONMember("namespaces", .array(namespaces))])),
        ])
    }

    private static func bind(_ source: String, _ destination: String, isReadOnly: Bool) -> JSONValue {
        .object([
            JSONMember("destination", .string(destination)), JSONMember("type", .string("bind")),
            JSONMember("source", .string(source)),
            JSONMember("options", .array(["rbind", isReadOnly ? "ro" : "rw"].map { .string($0) })),
        ])
    }
}
