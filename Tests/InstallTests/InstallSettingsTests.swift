import Agent
import CNIProtocol
import Testing

/// From the agent's configuration to what is installed.
@Suite struct InstallSettingsTests {
    @Test func `without anything set they are the defaults`() throws {
        let read = InstallSettings(try AgentConfiguration(arguments: [.podSource: "directory:/pods"], environment: [:]))

        #expect(read == InstallSettings())
    }

    @Test func `every setting arrives`() throws {
        let environment = [
            "MOUNTED_CNI_NET_DIR": "/net.d", "MOUNTED_CNI_BIN_DIR": "/bin.d", "CNI_CONF_NAME": "10-a.conflist",
            "ISTIO_OWNED_CNI_CONFIG": "true", "ISTIO_OWNED_CNI_CONFIG_FILENAME": "01-mesh.conflist",
            "CNI_CONF_GROUP_READ": "true", "CNI_AGENT_RUN_DIR": "/run/x", "EXCLUDE_NAMESPACES": "a,b",
            "POD_NAMESPACE": "istio-system", "NATIVE_NFTABLES": "true", "NODE_NAME": "n1", "AGENT_WAIT_SECONDS": "7",
        ]

        let read = InstallSettings(
            try AgentConfiguration(
                arguments: [.podSource: "directory:/pods", .logLevels: "cni-plugin:debug"],
                environment: environment
            )
        )

        #expect(read.configurationDirectory == "/net.d")
        #expect(read.binaryTarget == "/bin.d/istio-cni")
        #expect(read.configurationName == "10-a.conflist")
        #expect(read.ownsConfiguration)
        #expect(read.ownedName == "01-mesh.conflist")
        #expect(read.fileMode == 0o640)
        #expect(read.upstreamKubeconfig == "/run/x/istio-cni-kubeconfig")
        let entry = read.entry.value
        #expect(entry["exclude_namespaces"]?.strings == ["a", "b"])
        #expect(entry["pod_namespace"] == .string("istio-system"))
        #expect(entry["native_nftables"] == .bool(true))
        #expect(entry["node_name"] == .string("n1"))
        #expect(entry["agent_wait_seconds"] == .integer(7))
        #expect(entry["plugin_log_level"] == .string("debug"))
        #expect(entry["ambient_enabled"] == .bool(false))
    }
}
