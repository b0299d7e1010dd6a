internal import CNIProtocol
internal import Enforcement
internal import LinuxKernel

/// Who a call is about, in the words of its messages.
struct PodName {
    let namespace: String
    let name: String

    var description: String { "pod \(namespace)/\(name)" }
}

extension CNIError {
    /// The one place where a failure in the namespace becomes an error of the CNI specification.
    init(_ failure: EnforcementError, _ pod: PodName) {
        let details = failure.description
        switch failure {
        case .namespaceNotUsable:
            self.init(
                .namespaceNotUsable,
                "\(pod.description): its network namespace cannot be used; the runtime has to make a new sandbox",
                details: details
            )
        case .busy:
            self.init(
                .tryAgainLater,
                "\(pod.description): another process is changing its network namespace; the runtime tries again",
                details: details
            )
        case .refused(let error):
            self.init(
                .kernelRefusedRule,
                "\(pod.description) is not redirected: the kernel refused \"\(error.operation)\" (\(error.errno.description)); nothing was changed",
                details: details
            )
        case .programMissing:
            self.init(
                .backendMissing,
                "\(pod.description) is not redirected: iptables is asked for and not on this node; install it, or set REDIRECT_BACKEND=nftables on the agent",
                details: details
            )
        case .programFailed(let program, _):
            self.init(
                .kernelRefusedRule,
                "\(pod.description) is not redirected: \(program) failed; nothing was changed",
                details: details
            )
        case .notUndone:
            self.init(
                .kernelRefusedRule,
                "\(pod.description) is not redirected as planned: the change failed, and so did taking it back; the runtime has to make a new sandbox",
                details: details
            )
        }
    }
}
