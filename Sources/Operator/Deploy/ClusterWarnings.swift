internal import CNIProtocol

/// What on a cluster is known to fight the agent, or does not know of it yet.
struct ClusterWarnings {
    private let kubectl: Kubectl

    init(_ kubectl: Kubectl) { self.kubectl = kubectl }

    /// Control planes whose injector has another opinion about the agent than it should have.
    ///
    /// - Parameters:
    ///   - usesAgent: The opinion that is warned about.
    ///   - namespace: Where the control planes are.
    /// - Returns: Their revisions.
    /// - Throws: What `kubectl` could not read.
    func revisions(whereUsesAgent usesAgent: Bool, in namespace: String) throws(ExternalProgram.Failure) -> [String] {
        let list = try kubectl.json(["get", "configmaps", "--namespace", namespace])
        return (list["items"]?.array ?? []).compactMap { object in
            guard let name = object[path: ["metadata", "name"]]?.string, name.hasPrefix(Self.injector),
                let values = object[path: ["data", "values"]]?.string,
                Self.usesAgent(values) == usesAgent
            else { return nil }
            let suffix = name.dropFirst(Self.injector.count).drop { $0 == "-" }
            return suffix.isEmpty ? "default" : String(suffix)
        }
    }

    private static let injector = "istio-sidecar-injector"

    /// What the injector's values say; nil where they cannot be read.
    private static func usesAgent(_ values: String) -> Bool? {
        do throws(JSONError) {
            let parsed = try JSONValue(parsing: Array(values.utf8))
            return parsed[path: ["pilot", "cni", "enabled"]]?.bool ?? false
        } catch {
            return nil
        }
    }

    /// Settings of Cilium that take the agent's entry away, or balance before its rules see a connection.
    func cilium() throws(ExternalProgram.Failure) -> [String] {
        let object = try kubectl.object("configmap", "cilium-config", namespace: "kube-system")
        guard let data = object?["data"] else { return [] }
        var found: [String] = []
        if data["cni-exclusive"]?.string == "true" {
            found.append("Cilium removes other plugins' entries (cni-exclusive): set its value cni.exclusive=false")
        }
        let isHostOnly = data["bpf-lb-sock-hostns-only"]?.string == "true"
        let replacesProxy = ["strict", "true"].contains(data["kube-proxy-replacement"]?.string ?? "")
        if !isHostOnly, data["bpf-lb-sock"]?.string == "true" || replacesProxy {
            found.append(
                "Cilium balances at the socket, before redirection sees the service's address: "
                    + "set its value socketLB.hostNamespaceOnly=true"
            )
        }
        return found
    }

    /// The same of Calico's eBPF data plane.
    func calico() throws(ExternalProgram.Failure) -> [String] {
        let arguments = ["get", "felixconfigurations.crd.projectcalico.org", "default", "--output", "json"]
        let ended = try kubectl.outcome(arguments)
        // No Calico: the server does not know the kind.
        guard ended.status == 0 else { return [] }
        let spec: JSONValue
        do throws(JSONError) {
            spec = try JSONValue(parsing: ended.output)["spec"] ?? .null
        } catch {
            throw ExternalProgram.Failure("kubectl \(arguments.joined(separator: " ")): no JSON: \(error)")
        }
        guard spec["bpfEnabled"]?.bool == true else { return [] }
        let mode = spec["bpfConnectTimeLoadBalancing"]?.string
        guard mode != "Disabled" || spec["bpfConnectTimeLoadBalancingEnabled"]?.bool == true else { return [] }
        return [
            "Calico balances when a program connects, before redirection sees the service's address: set "
                + "bpfConnectTimeLoadBalancing: Disabled in FelixConfiguration default"
        ]
    }
}
