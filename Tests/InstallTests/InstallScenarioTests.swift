import Agent
import CNIProtocol
import Conformance
import Foundation
import LinuxKernel
import TestSupport
import Testing

/// Upstream's own scenarios (TestInstall, TestCreateCNIConfigFile), with its files.
@Suite(.requiresUpstreamFixtures, .timeLimit(.minutes(5))) struct InstallScenarioTests {
    struct Scenario: CustomTestStringConvertible, Sendable {
        let testDescription: String

        /// Names on the node, and the fixtures that they hold.
        let files: [String: String]

        /// `CNI_CONF_NAME`.
        var name = ""

        /// The file that must hold the entry.
        let result: String

        /// The fixture that it must equal as a value; nil where this project keeps name and version instead.
        var expected: String?
    }

    static let scenarios = [
        Scenario(
            testDescription: "named list",
            files: ["00-calico.conflist": "calico.conflist", "01-x.conf": "minikube_cni.conf"],
            name: "00-calico.conflist",
            result: "00-calico.conflist",
            expected: "10-calico.conflist-istioconfig"
        ),
        Scenario(
            testDescription: "named single plugin",
            files: ["00-minikube_cni.conf": "minikube_cni.conf", "01-calico.conflist": "calico.conflist"],
            name: "00-minikube_cni.conf",
            result: "00-minikube_cni.conflist"
        ),
        Scenario(
            testDescription: "list first",
            files: ["00-calico.conflist": "calico.conflist", "01-minikube_cni.conf": "minikube_cni.conf"],
            result: "00-calico.conflist",
            expected: "10-calico.conflist-istioconfig"
        ),
        Scenario(
            testDescription: "single plugin first",
            files: ["00-minikube_cni.conf": "minikube_cni.conf", "01-calico.conflist": "calico.conflist"],
            result: "00-minikube_cni.conflist"
        ),
        Scenario(
            testDescription: "no JSON first, then a single plugin",
            files: ["00-non_json.conf": "non_json.conf", "01-minikube_cni.conf": "minikube_cni.conf"],
            result: "01-minikube_cni.conflist"
        ),
        Scenario(
            testDescription: "no JSON first, then a list",
            files: ["00-non_json.conf": "non_json.conf", "01-calico.conflist": "calico.conflist"],
            result: "01-calico.conflist",
            expected: "10-calico.conflist-istioconfig"
        ),
        Scenario(
            testDescription: "no type first",
            files: ["00-bad.conf": "bad_minikube_cni.conf", "01-minikube_cni.conf": "minikube_cni.conf"],
            result: "01-minikube_cni.conflist"
        ),
        Scenario(
            testDescription: "no name, then plugins misspelt, then a list",
            files: [
                "00-noname.conflist": "noname_calico.conflist", "01-noplugins.conflist": "noplugins_calico.conflist",
                "02-calico.conflist": "calico.conflist",
            ],
            result: "02-calico.conflist",
            expected: "10-calico.conflist-istioconfig"
        ),
        Scenario(
            testDescription: "no name, then plugins misspelt, then a single plugin",
            files: [
                "00-noname.conflist": "noname_calico.conflist", "01-noplugins.conflist": "noplugins_calico.conflist",
                "02-minikube_cni.conf": "minikube_cni.conf",
            ],
            result: "02-minikube_cni.conflist"
        ),
        Scenario(
            testDescription: "a single plugin is named, and its list is there",
            files: ["00-calico.conflist": "calico.conflist"],
            name: "00-calico.conf",
            result: "00-calico.conflist",
            expected: "10-calico.conflist-istioconfig"
        ),
        Scenario(
            testDescription: "a list is named, and a single plugin is there",
            files: ["00-minikube_cni.conf": "minikube_cni.conf"],
            name: "00-minikube_cni.conflist",
            result: "00-minikube_cni.conflist"
        ),
        Scenario(
            testDescription: "without a version",
            files: ["00-calico.conflist": "nover_calico.conflist"],
            result: "00-calico.conflist"
        ),
    ]

    static func node(_ files: [String: String]) throws -> NodeDirectory {
        var node = try NodeDirectory(try files.mapValues { name in try UpstreamFixtures.bytes("install/\(name)") })
        node.settings.entry.logLevel = "debug"
        node.settings.entry.excludedNamespaces = ["istio-system"]
        return node
    }

    @Test(.tags(.s7, .s11), arguments: scenarios)
    func `installed, healed and uninstalled`(scenario: Scenario) async throws {
        var node = try Self.node(scenario.files)
        node.settings.configurationName = scenario.name
        let before = try node.contents()

        try await node.run(isKept: true) { state in
            try await eventually("installed") { state.report.isReady }
            let installed = try node.contents()
            #expect(try node.plugin() == NodeDirectory.plugin)
            if let expected = scenario.expected {
                try Self.expect(installed[scenario.result] ?? [], equals: expected)
            }
            // As upstream's test does it: the entry goes, and must come back.
            let text = try ConfigurationText(installed[scenario.result] ?? [])
            try node.write(text.removingEntries(), to: scenario.result)
            try await eventually("healed") { try node.contents() == installed }
        }
        try await node.uninstall()

        let after = try node.contents()
        #expect(after.keys.sorted() == before.keys.sorted())
        #expect(after == before)
        #expect(try node.plugin() == NodeDirectory.plugin, "decision 12")
        #expect(try Directory.names(in: node.settings.binaryDirectory, limit: 10) == ["istio-cni"])
        node.cleanUp()
    }

    /// Upstream's entry is ours without the keys of decisions 9 and 10, and with another run directory.
    private static func expect(_ bytes: [UInt8], equals fixture: String) throws {
        let ours: Set<String> = ["capabilities", "node_name", "agent_wait_seconds", "cni_agent_run_dir"]
        func shared(_ bytes: [UInt8]) throws -> JSONValue {
            let value = try JSONValue(parsing: bytes).sorted
            guard case .object(var members) = value, let index = members.firstIndex(where: { $0.name == "plugins" })
            else {
                return value
            }
            let plugins = (members[index].value.array ?? []).map { plugin in
                guard plugin["type"] == .string("istio-cni") else { return plugin }
                return JSONValue.object((plugin.members ?? []).filter { !ours.contains($0.name) })
            }
            members[index].value = .array(plugins)
            return .object(members)
        }
        let expected = try shared(try UpstreamFixtures.bytes("install/\(fixture)"))
        #expect(try shared(bytes) == expected)
    }

    @Test(.tags(.s14), arguments: ["10-x.conf", ""])
    func `a primary that comes late is waited for`(name: String) async throws {
        var node = try Self.node([:])
        node.settings.configurationName = name
        let list = try UpstreamFixtures.bytes("install/calico.conflist")
        // A list under the name of a single plugin, if it is named: as upstream's scenario has it.
        let file = name.isEmpty ? "10-x.conflist" : name

        try await node.run(isKept: true) { state in
            try await eventually("the plugin is there, the entry is not") {
                try node.plugin() != nil && state.report.reasons.first?.contains("yet") == true
            }
            #expect(state.report.isReady == false)
            try node.write(list, to: file)
            try await eventually("installed") { state.report.isReady }

            #expect(try node.types("10-x.conflist")?.last == "istio-cni")
        }
        try await node.uninstall()

        #expect(try node.contents() == [file: list])
        node.cleanUp()
    }

    @Test(.tags(.s22), arguments: ["", "custom.conf", "custom.conflist"])
    func `an entry that stands alone is upstream's, with the keys of this project`(name: String) async throws {
        var node = try Self.node(["10-calico.conflist": "calico.conflist"])
        node.settings.isChained = false
        node.settings.configurationName = name
        let file = name.isEmpty ? "YYY-istio-cni.conf" : name
        let before = try node.contents()

        try await node.run(isKept: true) { state in
            try await eventually("installed") { state.report.isReady }
            try node.remove(file)
            try await eventually("healed") { try node.names().contains(file) && state.report.isReady }
        }

        let ours = try JSONValue(parsing: try node.bytes(file)).members ?? []
        let theirs = try JSONValue(parsing: try UpstreamFixtures.bytes("install/YYY-istio-cni.conf")).members ?? []
        #expect(ours.map(\.name) == theirs.map(\.name) + ["capabilities", "node_name", "agent_wait_seconds"])
        #expect(try node.mode(file) == 0o600)
        try await node.uninstall()
        #expect(try node.contents() == before)
        node.cleanUp()
    }

    @Test(
        .tags(.s35),
        arguments: [
            ("unit-list.conflist", "unit-list.conflist.golden"),
            ("unit-list-no-istio.conflist", "unit-list.conflist.golden"),
            ("unit-list-with-istio.conflist", "unit-list-with-istio.conflist.golden"),
        ]
    )
    func `the entry is put where upstream puts it`(input: String, golden: String) throws {
        var entry = PluginEntry()
        entry.runDirectory = "/path/to/kubeconfig"
        entry.logLevel = "debug"
        entry.podNamespace = "my-namespace"
        let text = try ConfigurationText(try UpstreamFixtures.bytes("install/\(input)"))

        try Self.expect(try text.settingEntry(entry.value), equals: golden)
    }
}

extension JSONValue {
    /// The members of every object in the order of their names.
    var sorted: JSONValue {
        switch self {
        case .array(let elements): .array(elements.map(\.sorted))
        case .object(let members):
            .object(members.map { JSONMember($0.name, $0.value.sorted) }.sorted { $0.name < $1.name })
        default: self
        }
    }
}
