internal import ArgumentParser
internal import Foundation
internal import Operator
internal import Redirect

/// Which pod, and what is not said by the pod itself.
struct PodOptions: ParsableArguments {
    @Option(
        name: .shortAndLong,
        help: ArgumentHelp("The pod or its workload, in YAML or JSON; - reads standard input.", valueName: "file")
    )
    var file: String?

    @Argument(
        help: ArgumentHelp(
            "A pod of the cluster, asked of kubectl; with -f, which pod of the file.",
            valueName: "namespace/pod"
        )
    )
    var pod: String?

    @Option(
        help: ArgumentHelp(
            "An address of the pod; once for each. Without, those of its status, or samples.",
            valueName: "address"
        )
    )
    var address: [String] = []

    @Option(help: ArgumentHelp("A namespace that the agent leaves alone; once for each.", valueName: "namespace"))
    var excludeNamespace: [String] = ["kube-system"]

    @Option(help: ArgumentHelp("The namespace of the agent.", valueName: "namespace"))
    var agentNamespace = "istio-system"

    @OptionGroup var cluster: ClusterOptions

    func validate() throws {
        guard file != nil || pod != nil else { throw ValidationError("name a pod: -f FILE, or NAMESPACE/POD") }
        if let pod, FileManager.default.fileExists(atPath: pod) {
            throw ValidationError("\(pod) is a file: -f \(pod)")
        }
    }

    /// The one pod with everything that follows.
    func explained() throws -> ExplainedPod { try ExplainedPod(source().readOne(), circumstances) }

    func source() throws -> PodSource { try file.map { .file($0, pod: pod) } ?? .cluster(pod ?? "", cluster.kubectl()) }

    var circumstances: ExplainedPod.Circumstances {
        var circumstances = ExplainedPod.Circumstances()
        circumstances.addresses = address
        circumstances.excludedNamespaces = excludeNamespace
        circumstances.agentNamespace = agentNamespace
        return circumstances
    }
}

/// How `kubectl` is called.
struct ClusterOptions: ParsableArguments {
    @Option(help: ArgumentHelp("A kubeconfig other than the usual one.", valueName: "file"))
    var kubeconfig: String?

    @Option(help: ArgumentHelp("A context of the kubeconfig other than the current one.", valueName: "name"))
    var context: String?

    func kubectl() throws -> Kubectl {
        Kubectl(try ExternalProgram("kubectl"), kubeconfig: kubeconfig, context: context)
    }
}
