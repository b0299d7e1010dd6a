import CNIProtocol
import Conformance
import Foundation
import HTTPTestSupport
import LinuxKernel
import TestSupport
import Testing

/// The image under the official chart with its default values: no iptables, no nft and no shell anywhere.
@Suite(.requiresUpstreamFixtures, .requiresImage, .serialized, .timeLimit(.minutes(5))) struct OfficialChartTests {
    @Test(.tags(.s1, .s2, .s11, .s18, .s23, .s30))
    func `the agent installs, an ADD redirects, and a pod that had slipped by is repaired`() async throws {
        let recording = try JSONValue(parsing: UpstreamFixtures.bytes("chart/default.json"))
        let container = try ChartContainer(
            objects: recording["objects"]?.array ?? [],
            fields: [
                "spec.nodeName": "node-1", "metadata.name": "istio-cni-node-x", "metadata.namespace": "istio-system",
            ]
        )
        #expect(container.command == ["install-cni", "--log_output_level=info"])
        let certificates = try await TestCertificates.make(for: ["IP:127.0.0.1"])
        let node = try await ImageNode(certificates)
        let slipped = try await RunningPod("10.77.0.3")
        let new = try NetworkNamespace.makeNew()

        try await ScriptedServer.run(certificates: certificates) { server in
            server.put(TestPod.object("slipped", uid: slipped.uid, status: try Self.status(slipped.address)))
            server.put(TestPod.object("new", uid: "u-new", status: try Self.status("10.77.0.4")))
            try await node.whileRunning(container, port: server.port) {
                try Self.expectInstalled(on: node)
                let answer = try await node.add("new", uid: "u-new", address: "10.77.0.4", in: new)
                let rules = try await new.listRuleset()
                #expect(rules.contains("redirect to :15006"), "\(answer)\n\(rules)")
                try await eventually("the pod that had slipped by is redirected") {
                    try await slipped.namespace.listRuleset().contains("redirect to :15006")
                }
            }
        }
        try certificates.remove()
    }

    private static func expectInstalled(on node: ImageNode) throws {
        let image = try #require(ImageNode.image)
        let installed = try Data(contentsOf: node.folder.appending(path: "host/opt/cni/bin/istio-cni"))
        #expect(installed == (try Data(contentsOf: URL(filePath: "\(image)/opt/cni/bin/istio-cni"))))
        let plugins = try node.list()["plugins"]?.array ?? []
        #expect(plugins.map { $0["type"]?.string } == ["bridge", "istio-cni"])
    }

    private static func status(_ address: String) throws -> JSONValue {
        try JSONValue(
            parsing: Array(
                #"{"phase":"Running","podIP":"\#(address)","podIPs":[{"ip":"\#(address)"}]}"#.utf8
            )
        )
    }
}

/// A pod whose ADD nobody saw: a process in a network namespace and in a control group of the pod's UID.
private final class RunningPod: Sendable {
    let uid = UUID().uuidString.lowercased()
    let address: String
    let namespace: NetworkNamespace
    private let process: BackgroundProcess
    private let group: URL

    init(_ address: String) async throws {
        self.address = address
        namespace = try NetworkNamespace.makeNew()
        _ = try await namespace.command("ip", "link", "set", "lo", "up")
        _ = try await namespace.command("ip", "addr", "add", "\(address)/32", "dev", "lo")
        var program = BackgroundProgram("/bin/sleep", ["600"])
        program.endsWithParent = false
        process = try program.start(network: namespace.rawDescriptor)
        let hierarchies = ["/sys/fs/cgroup/pids", "/sys/fs/cgroup"]
        let hierarchy = hierarchies.first { FileManager.default.fileExists(atPath: "\($0)/cgroup.procs") }
        group = URL(filePath: hierarchy ?? "/sys/fs/cgroup").appending(path: "kubepods-besteffort-pod\(uid)")
        try FileManager.default.createDirectory(at: group, withIntermediateDirectories: false)
        try Data("\(process.identifier)".utf8).write(to: group.appending(path: "cgroup.procs"))
    }

    deinit {
        process.end(milliseconds: 0)
        // `rmdir(2)`: a control group has files that cannot be removed. It goes with its last process, at the latest.
        _ = rmdir(group.path(percentEncoded: false))
    }
}

extension Trait where Self == ConditionTrait {
    /// Skips the test where the image is not unpacked; under `CI` it runs all the same, and fails.
    fileprivate static var requiresImage: Self {
        .enabled(
            if: ImageNode.image != nil || ProcessInfo.processInfo.environment["CI"] != nil,
            "IMAGE_ROOT names no unpacked image, which scripts/check-image makes"
        )
    }
}
