internal import CNIProtocol

/// What of the agent is on a cluster.
package struct AgentCluster: Sendable {
    package let kubectl: Kubectl
    package let helm: Helm

    package init(kubectl: Kubectl, helm: Helm) {
        self.kubectl = kubectl
        self.helm = helm
    }

    static let daemonSet = "istio-cni-node"

    package func server() throws(ExternalProgram.Failure) -> ServerVersion {
        let answer = try kubectl.json(["version"])
        guard let text = answer[path: ["serverVersion", "gitVersion"]]?.string else {
            throw ExternalProgram.Failure("kubectl version: says nothing of the server")
        }
        return ServerVersion(text)
    }

    /// Every agent's DaemonSet, whoever made it.
    func daemonSets() throws(ExternalProgram.Failure) -> [JSONValue] {
        let list = try kubectl.json([
            "get", "daemonsets", "--all-namespaces", "--selector", "k8s-app=\(Self.daemonSet)",
        ])
        return list["items"]?.array ?? []
    }

    /// The pods of a DaemonSet, by its label `k8s-app`.
    func pods(of name: String, in namespace: String) throws(ExternalProgram.Failure) -> [JSONValue] {
        let list = try kubectl.json(["get", "pods", "--namespace", namespace, "--selector", "k8s-app=\(name)"])
        return list["items"]?.array ?? []
    }

    /// Why an installation into a namespace would not work, or would make a second agent.
    func obstacle(namespace: String) throws(ExternalProgram.Failure) -> Refusal? {
        for release in try helm.releases() {
            if release.namespace != namespace {
                return Refusal(
                    description:
                        "the agent is in namespace \(release.namespace) already, and is one for the whole cluster: "
                        + "set components.cni.namespace: \(release.namespace), or uninstall that one first"
                )
            }
            if let refusal = Self.unfinished(release) { return refusal }
        }
        for object in try daemonSets() {
            let owner = Owner(object)
            if owner != Owner(release: ReleasePlan.release, namespace: namespace) {
                return Refusal(description: "\(owner.sentence(object)); docs/install.md says how to take it over")
            }
        }
        return nil
    }

    /// A release on which another Helm works, or was ended in the middle.
    private static func unfinished(_ release: Helm.Release) -> Refusal? {
        let name = "\(ReleasePlan.release) -n \(release.namespace)"
        let remedy: String
        switch release.status {
        // There is nothing before it to go back to.
        case "pending-install", "uninstalling": remedy = "helm uninstall \(name)"
        case let status where status.hasPrefix("pending"): remedy = "helm rollback \(name)"
        default: return nil
        }
        return Refusal(
            description:
                "the release is \(release.status): another helm works on it, or was killed; if none does: \(remedy)"
        )
    }

    /// Which Helm release an object belongs to.
    struct Owner: Equatable {
        let release: String?
        let namespace: String?

        init(release: String?, namespace: String?) {
            self.release = release
            self.namespace = namespace
        }

        init(_ object: JSONValue) {
            let annotations = object[path: ["metadata", "annotations"]] ?? .null
            release = annotations["meta.helm.sh/release-name"]?.string
            namespace = annotations["meta.helm.sh/release-namespace"]?.string
        }

        func sentence(_ object: JSONValue) -> String {
            let place = object[path: ["metadata", "namespace"]]?.string ?? "?"
            let beginning = "DaemonSet \(AgentCluster.daemonSet) in namespace \(place)"
            guard let release, let namespace else { return "\(beginning) was not made by Helm, so not by this program" }
            return "\(beginning) belongs to Helm release \(release) in namespace \(namespace)"
        }
    }
}
