extension CNIError {
    /// A code of the specification (1 to 99), of its reference library (8 and 999), or of this project (from 100).
    ///
    /// Codes are kept for ever: people search for them. `docs/errors.md` has the same list, which a test compares.
    package enum Code: UInt32, CaseIterable, Sendable {
        /// The configuration asks for a version that this plugin or this command does not know.
        case incompatibleVersion = 1

        /// A field of the configuration is not supported; the details have its name and value.
        case unsupportedField = 2

        /// The runtime need not call DEL for this container.
        case unknownContainer = 3

        /// A `CNI_` variable is missing, or its value is not allowed.
        case invalidEnvironment = 4

        /// Standard input could not be read, or standard output not written.
        case inputOutputFailure = 5

        /// The configuration or `prevResult` is not JSON, or has a field of the wrong type.
        case undecodableContent = 6

        /// The configuration is JSON of the right shape, but what it says is not allowed.
        case invalidConfiguration = 7

        /// `CNI_NETNS` is the plugin's own network namespace (`ErrInvalidNetNS` of the reference library).
        case invalidNamespace = 8

        /// What was needed is not there yet; the runtime should call again.
        case tryAgainLater = 11

        /// STATUS: the plugin cannot serve ADD.
        case notAvailable = 50

        /// STATUS: as 50, and running containers may have limited connectivity.
        case limitedConnectivity = 51

        /// Nothing else describes it (`ErrInternal` of the reference library).
        case internalError = 999

        /// The kernel refused a rule, a route or an address.
        case kernelRefusedRule = 100

        /// An annotation of the pod has a value that cannot be obeyed.
        case badAnnotation = 101

        /// `CNI_NETNS` is no network namespace, or is gone.
        case namespaceNotUsable = 102

        /// Neither nf_tables nor iptables can be used, or not the one that was asked for.
        case backendMissing = 103

        /// CHECK: the rules in force are not those of the plan.
        case redirectionDiffers = 104

        /// The plugin itself crashed.
        case crashed = 105

        /// The addresses of the pod do not tell which families are to be redirected.
        case noUsableAddress = 106
    }
}

extension CNIError.Code {
    /// As in `docs/errors.md`, in kebab case; never changes.
    package var name: String {
        switch self {
        case .incompatibleVersion: "incompatible-version"
        case .unsupportedField: "unsupported-field"
        case .unknownContainer: "unknown-container"
        case .invalidEnvironment: "invalid-environment"
        case .inputOutputFailure: "input-output-failure"
        case .undecodableContent: "undecodable-content"
        case .invalidConfiguration: "invalid-configuration"
        case .invalidNamespace: "invalid-namespace"
        case .tryAgainLater: "try-again-later"
        case .notAvailable: "not-available"
        case .limitedConnectivity: "limited-connectivity"
        case .internalError: "internal-error"
        case .kernelRefusedRule: "kernel-refused-rule"
        case .badAnnotation: "bad-annotation"
        case .namespaceNotUsable: "namespace-not-usable"
        case .backendMissing: "backend-missing"
        case .redirectionDiffers: "redirection-differs"
        case .crashed: "crashed"
        case .noUsableAddress: "no-usable-address"
        }
    }

    /// What happened, as one sentence for an operator.
    package var meaning: String {
        switch self {
        case .incompatibleVersion:
            "The CNI configuration or its prevResult has a version that the plugin or the command does not know."
        case .unsupportedField:
            "The CNI configuration has a field that the plugin does not support."
        case .unknownContainer:
            "The container is not known."
        case .invalidEnvironment:
            "The container runtime called the plugin with a CNI_ variable missing or malformed."
        case .inputOutputFailure:
            "The plugin could not read its configuration or write its result."
        case .undecodableContent:
            "The CNI configuration or its prevResult is not JSON, or a field has the wrong type."
        case .invalidConfiguration:
            "The CNI configuration has a value that is not allowed."
        case .invalidNamespace:
            "CNI_NETNS is the network namespace of the host, where no rules may be written."
        case .tryAgainLater:
            "The node agent could not say in time whether the pod is to be redirected."
        case .notAvailable:
            "The plugin cannot serve pods."
        case .limitedConnectivity:
            "The plugin cannot serve pods, and running pods may have limited connectivity."
        case .internalError:
            "Something failed that no other code describes."
        case .kernelRefusedRule:
            "The kernel refused a rule, a route or an address that redirection needs; nothing was applied, unless the details say that it could not be taken back."
        case .badAnnotation:
            "An annotation of the pod has a value that cannot be obeyed."
        case .namespaceNotUsable:
            "CNI_NETNS is not a network namespace, or the namespace is gone."
        case .backendMissing:
            "The node has neither nf_tables nor iptables, or not the one that was asked for."
        case .redirectionDiffers:
            "The rules in the pod's namespace are not those that the pod needs."
        case .crashed:
            "The plugin crashed, which is a bug."
        case .noUsableAddress:
            "The plugin before this one gave the pod no address, or only addresses of the host or of one link."
        }
    }

    /// What to do about it, as one sentence for an operator.
    package var remedy: String {
        switch self {
        case .incompatibleVersion:
            "Set cniVersion in the configuration list to one of those in the details."
        case .unsupportedField:
            "Remove the field that the details name."
        case .unknownContainer:
            "Nothing: the runtime need not clean up."
        case .invalidEnvironment:
            "Correct the variable that the message names, in the runtime or in the plugin that delegates to this one."
        case .inputOutputFailure:
            "Look for a runtime that gave up waiting, in the log of the container runtime."
        case .undecodableContent:
            "Correct the field that the message names in the configuration list on the node."
        case .invalidConfiguration:
            "Correct the field that the message names in the configuration list on the node."
        case .invalidNamespace:
            "Find out why the runtime names its own namespace; CNI_NETNS_OVERRIDE=1 allows it."
        case .tryAgainLater:
            "Nothing if it passes, as the kubelet tries again; else look at the agent with the command in the message."
        case .notAvailable:
            "Look at the reason in the details."
        case .limitedConnectivity:
            "Look at the reason in the details."
        case .internalError:
            "Report it with the message and the details."
        case .kernelRefusedRule:
            "Read the refused change in the details, and look for another program that owns a table of this name."
        case .badAnnotation:
            "Correct the annotation that the message names, and create the pod again."
        case .namespaceNotUsable:
            "Nothing if the pod was being deleted; else look at the container runtime and the mounts of /var/run/netns."
        case .backendMissing:
            "Load the kernel module that the details name, or set REDIRECT_BACKEND of the agent to the other one."
        case .redirectionDiffers:
            "Create the pod again; the details say what differs."
        case .crashed:
            "Report it with the message; the kubelet tries again."
        case .noUsableAddress:
            "Look at the primary CNI plugin, which hands out the addresses, and at its log."
        }
    }
}
