import CNIProtocol
import Conformance
import Testing

@testable import Operator

/// When a DaemonSet counts as rolled out.
@Suite struct AgentRolloutTests {
    @Test(
        .tags(.s18),
        arguments: [
            ("desired: 2, ready: 2, updated: 2, observed: 3", "RollingUpdate", true),
            ("desired: 2, ready: 1, updated: 2, observed: 3", "RollingUpdate", false),
            ("desired: 2, ready: 2, updated: 1, observed: 3", "RollingUpdate", false),
            // The numbers are those of the version before.
            ("desired: 2, ready: 2, updated: 2, observed: 2", "RollingUpdate", false),
            ("desired: 2, ready: 2, updated: 0, observed: 3", "OnDelete", true),
            ("desired: 0, ready: 0, updated: 0, observed: 3", "RollingUpdate", true),
        ]
    )
    func `it is done once every node is ready with the version that was asked for`(
        numbers: String,
        strategy: String,
        isDone: Bool
    ) throws {
        let given = try #require(try YAMLDocuments.read("{\(numbers)}").first)
        let status = [
            ("desired", "desiredNumberScheduled"), ("ready", "numberReady"), ("updated", "updatedNumberScheduled"),
            ("observed", "observedGeneration"),
        ].map { JSONMember($0.1, given[$0.0] ?? .null) }
        let daemonSet = JSONValue.object([JSONMember("status", .object(status))])
            .setting(path: ["metadata", "generation"], .integer(3))
            .setting(path: ["spec", "updateStrategy", "type"], .string(strategy))

        #expect(AgentRollout(daemonSet, pods: []).isDone == isDone)
    }

    @Test func `a DaemonSet that no controller has seen is not done`() {
        #expect(!AgentRollout(.object([]), pods: []).isDone)
    }

    @Test(arguments: [
        (
            "{status: {containerStatuses: [{state: {waiting: {reason: ErrImagePull, message: none}}}]}}",
            "ErrImagePull: none"
        ),
        (
            "{status: {conditions: [{type: PodScheduled, status: 'False', reason: Unschedulable, message: no room}]}}",
            "Unschedulable: no room"
        ),
        ("{status: {reason: Evicted, message: DiskPressure}}", "Evicted: DiskPressure"),
        ("{status: {conditions: [{type: Ready, status: 'False'}]}}", "runs, and is not ready"),
    ])
    func `a node that is not ready is told with the reason`(pod: String, reason: String) throws {
        let pod = try #require(try YAMLDocuments.read(pod).first).setting(path: ["spec", "nodeName"], .string("one"))

        let waiting = AgentRollout(.object([]), pods: [pod]).waiting

        #expect(waiting == [AgentRollout.Node(name: "one", reason: reason)])
    }

    @Test func `a pod that waits for its node is told with the node that it waits for`() throws {
        let pod = try #require(
            try YAMLDocuments.read(
                """
                spec: {affinity: {nodeAffinity: {requiredDuringSchedulingIgnoredDuringExecution: {nodeSelectorTerms: [
                  {matchFields: [{key: metadata.name, operator: In, values: [two]}]}]}}}}
                """
            ).first
        )

        #expect(PodOnNode.name(pod) == "two")
    }

    @Test(
        arguments: [
            ("{}", nil, nil),
            ("{containerStatuses: [{state: {terminated: {exitCode: 0}}}]}", "", true),
            (
                "{containerStatuses: [{state: {waiting: {}}, lastState: {terminated: {exitCode: 1, message: 'left: a'}}}]}",
                "left: a", true
            ),
            ("{initContainerStatuses: [{state: {terminated: {exitCode: 1}}}]}", "exit status 1", true),
        ] as [(String, String?, Bool?)]
    )
    func `the end of a look at a node is read from its pod, also after a restart`(
        status: String,
        problem: String?,
        isSeen: Bool?
    ) throws {
        let status = try #require(try YAMLDocuments.read(status).first)
        let pod = JSONValue.object([JSONMember("status", status)]).setting(path: ["spec", "nodeName"], .string("one"))

        let result = NodeCheck.result(pod)

        #expect(result?.isSeen == isSeen)
        #expect(result.map { $0.problem ?? "" } == problem)
    }
}
