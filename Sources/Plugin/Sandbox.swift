internal import AgentProtocol
internal import CNIProtocol
internal import Enforcement
internal import LinuxKernel
internal import Redirect

/// The pod and the network namespace that a call is about.
struct Sandbox {
    let attachment: CNIAttachment
    let reference: NamespaceReference
    let arguments: CNIArguments

    init(_ attachment: CNIAttachment, _ reference: NamespaceReference, _ arguments: String) throws(CNIError) {
        self.attachment = attachment
        self.reference = reference
        self.arguments = try CNIArguments(arguments)
    }

    var pod: PodName { PodName(namespace: arguments.podNamespace, name: arguments.podName) }

    /// What can be said without asking anybody.
    func earlyDecision(_ configuration: CNIConfiguration) -> EarlyDecision {
        EarlyDecision(
            podName: arguments.podName,
            podNamespace: arguments.podNamespace,
            annotations: configuration.podAnnotations,
            settings: EarlyDecision.Settings(
                agentNamespace: configuration.podNamespace,
                excludedNamespaces: configuration.excludedNamespaces,
                isAmbientEnabled: configuration.isAmbientEnabled
            )
        )
    }

    /// Opens the namespace, and makes sure by its descriptor that it is one, and not the host's.
    func open() throws(CNIError) -> NetworkNamespace {
        do throws(KernelError) {
            let namespace = try NetworkNamespace(at: reference.path)
            guard try namespace.isNetworkNamespace() else {
                throw KernelError("\(reference.path) is no network namespace", .invalidArgument)
            }
            let isHosts = try namespace.isOwn()
            guard !isHosts || reference.mayBeOwn else { throw Self.isHosts }
            return namespace
        } catch {
            throw notUsable(error)
        }
    }

    /// What ``open()`` finds where the runtime names the namespace that the plugin itself is in.
    private static let isHosts = KernelError("use the host's network namespace", .notPermitted)

    private func notUsable(_ failure: KernelError) -> CNIError {
        guard failure != Self.isHosts else {
            return CNIError(
                .invalidNamespace,
                "\(pod.description): CNI_NETNS is the plugin's own network namespace, the host's; nothing was changed",
                details: CNIError.quoting(reference.path)
            )
        }
        return CNIError(
            .namespaceNotUsable,
            "\(pod.description): CNI_NETNS \(CNIError.quoting(reference.path)) cannot be used; the runtime has to make a new sandbox",
            details: failure.description
        )
    }

    /// The pod's addresses: those of `prevResult`, and where there is none, of its interfaces.
    func addresses(
        _ result: CNIResult,
        in namespace: borrowing NetworkNamespace
    ) throws(CNIError) -> [String] {
        if result.hasPreviousResult { return result.podAddresses }
        do throws(KernelError) {
            let found = try RouteSocket(in: namespace).addresses()
            return found.map { InternetAddressText.text(of: $0.address) }
        } catch {
            throw CNIError(.namespaceNotUsable(error), pod)
        }
    }

    func request(_ addresses: [String], _ configuration: CNIConfiguration) -> AddRequest {
        AddRequest(
            podNamespace: arguments.podNamespace,
            podName: arguments.podName,
            podUID: arguments.podUID,
            containerID: attachment.containerID,
            ips: addresses,
            hasAnnotations: configuration.podAnnotations != nil
        )
    }

    /// Makes failures in the namespace errors that name the pod.
    func enforcing<Value>(_ body: () throws(EnforcementError) -> Value) throws(CNIError) -> Value {
        do throws(EnforcementError) {
            return try body()
        } catch {
            throw CNIError(error, pod)
        }
    }
}
