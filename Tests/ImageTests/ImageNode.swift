import CNIProtocol
import Foundation
import HTTPTestSupport
import LinuxKernel
import TestSupport
import Testing

/// A node on which the image runs as the official chart says: the files of the image as root, the node's folders mounted,
/// the chart's capabilities, and no other program anywhere.
final class ImageNode: Sendable {
    let folder = URL(filePath: "/tmp/image-node-\(UInt32.random(in: .min ... .max))")
    private let name = "image-\(UInt32.random(in: .min ... .max))"

    /// The unpacked image: scripts/check-image makes it.
    static let image = ProcessInfo.processInfo.environment["IMAGE_ROOT"]

    static let primary = """
        {
          "cniVersion": "1.0.0", "name": "pods",
          "plugins": [ {"type": "bridge"} ]
        }

        """

    init(_ certificates: TestCertificates) async throws {
        let image = try #require(Self.image)
        for name in ["host/opt/cni/bin", "host/etc/cni/net.d", "host/var/run/istio-cni", "account", "bundle"] {
            try FileManager.default.createDirectory(at: folder.appending(path: name), withIntermediateDirectories: true)
        }
        // A copy, since the runtime makes the places of the mounts in it.
        try FileManager.default.copyItem(at: URL(filePath: image), to: folder.appending(path: "root"))
        try Data(Self.primary.utf8).write(to: folder.appending(path: "host/etc/cni/net.d/10-pods.conflist"))
        try Data("token".utf8).write(to: folder.appending(path: "account/token"))
        try Data(try certificates.authority).write(to: folder.appending(path: "account/ca.crt"))
        try Data("istio-system".utf8).write(to: folder.appending(path: "account/namespace"))
    }

    deinit {
        // Under /tmp, which is cleared anyway.
        try? FileManager.default.removeItem(at: folder)
    }

    func path(_ name: String) -> String { folder.appending(path: name).path(percentEncoded: false) }

    /// The configuration that the runtime loads.
    func list() throws -> JSONValue {
        try JSONValue(parsing: Array(Data(contentsOf: folder.appending(path: "host/etc/cni/net.d/10-pods.conflist"))))
    }

    /// Runs the container until `body` returns.
    func whileRunning(_ container: ChartContainer, port: Int, _ body: () async throws -> Void) async throws {
        let configuration = container.runtimeConfiguration(
            root: path("root"),
            host: path("host"),
            account: path("account"),
            variables: ["KUBERNETES_SERVICE_HOST": "127.0.0.1", "KUBERNETES_SERVICE_PORT": "\(port)"]
        )
        try Data(configuration.bytes()).write(to: folder.appending(path: "bundle/config.json"))
        var runtime = BackgroundProgram(
            "/usr/bin/env",
            ["runc", "--root", path("state"), "run", "--bundle", path("bundle"), name],
            environment: ["PATH=/usr/sbin:/usr/bin:/sbin:/bin"]
        )
        runtime.endsWithParent = false
        let log = try MemoryFile()
        let process = try runtime.start(error: log)
        defer { stop(process) }
        do {
            try await eventually("the agent is ready") { try await isReady() }
            try await body()
        } catch {
            Issue.record("\(error)\n\(Self.text(log))")
            throw error
        }
    }

    private func stop(_ process: borrowing BackgroundProcess) {
        let kill = ChildProcess(
            "/usr/bin/env",
            ["runc", "--root", path("state"), "kill", name, "KILL"],
            environment: ["PATH=/usr/sbin:/usr/bin:/sbin:/bin"],
            deadlineMilliseconds: 10_000
        )
        // The container may have ended by itself; a test that cares has said so already.
        _ = try? kill.run()
        process.end(milliseconds: 5_000)
    }

    private static func text(_ log: borrowing MemoryFile) -> String {
        String(decoding: (try? log.contents(byteLimit: 1_048_576)) ?? [], as: UTF8.self)
    }

    private func isReady() async throws -> Bool {
        let request = ChildProcess(
            "/usr/bin/curl",
            ["--silent", "--output", "/dev/null", "--write-out", "%{http_code}", "http://127.0.0.1:8000/readyz"],
            deadlineMilliseconds: 5_000
        )
        return try await onThread { try request.run().standardOutput } == Array("200".utf8)
    }

    /// Calls the plugin that is on the node, as a runtime does, where the node's run directory is `/var/run/istio-cni`.
    func add(
        _ pod: String,
        uid: String,
        address: String,
        in namespace: borrowing NetworkNamespace
    ) async throws -> String {
        let list = try list()
        let entry = try #require(list["plugins"]?.array?.last)
        let result = """
            {"cniVersion":"1.0.0","interfaces":[{"name":"eth0","sandbox":"/pod"}],\
            "ips":[{"address":"\(address)/24","interface":0}]}
            """
        var members = entry.members ?? []
        members.append(JSONMember("cniVersion", .string("1.0.0")))
        members.append(JSONMember("prevResult", try JSONValue(parsing: Array(result.utf8))))
        members.removeAll { $0.name == "name" }
        members.append(JSONMember("name", .string("pods")))
        let inside =
            "mount -t tmpfs tmpfs /run && mkdir /run/istio-cni && mount --bind \"$0\" /run/istio-cni && exec \"$1\""
        let call = ChildProcess(
            "/usr/bin/unshare",
            ["--mount", "--propagation", "private", "sh", "-c", inside]
                + [path("host/var/run/istio-cni"), path("host/opt/cni/bin/istio-cni")],
            environment: [
                "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "CNI_COMMAND=ADD", "CNI_CONTAINERID=\(uid)", "CNI_IFNAME=eth0",
                "CNI_NETNS=/proc/\(getpid())/fd/\(namespace.rawDescriptor)", "CNI_PATH=/opt/cni/bin",
                "CNI_ARGS=IgnoreUnknown=1;K8S_POD_NAMESPACE=shop;K8S_POD_NAME=\(pod);K8S_POD_UID=\(uid)",
            ],
            standardInput: JSONValue.object(members).bytes(),
            deadlineMilliseconds: 60_000
        )
        let ended = try await onThread { try call.run() }
        let output = String(decoding: ended.standardOutput + ended.standardError, as: UTF8.self)
        #expect(ended.isSuccess, "\(output)")
        return output
    }
}
