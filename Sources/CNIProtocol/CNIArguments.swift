/// What a Kubernetes runtime says about the pod in `CNI_ARGS`; everything is "" where it was not said.
///
/// `K=V` pairs joined by `;`, as the reference library reads them (`types.LoadArgs`). podman sends the name only.
package struct CNIArguments: Equatable, Sendable {
    package private(set) var podName = ""
    package private(set) var podNamespace = ""

    /// The pod's `metadata.uid`; for a static pod the hash of its manifest.
    package private(set) var podUID = ""

    /// `K8S_POD_INFRA_CONTAINER_ID`: the same as `CNI_CONTAINERID`, from most runtimes.
    package private(set) var sandboxID = ""

    /// Nothing was said: not Kubernetes.
    package init() {}

    /// Reads `CNI_ARGS`; all errors are code 4 and name the pair.
    ///
    /// A pair must have exactly one `=`. Unknown names are refused unless `IgnoreUnknown` is true; of the same name
    /// twice the last counts.
    package init(_ text: String) throws(CNIError) {
        guard !text.isEmpty else { return }
        var ignoresUnknown = false
        var firstUnknown: String?
        for pair in text.utf8.split(separator: UInt8(ascii: ";"), omittingEmptySubsequences: false) {
            let parts = pair.split(separator: UInt8(ascii: "="), maxSplits: 2, omittingEmptySubsequences: false)
            guard parts.count == 2 else { throw Self.error("is not NAME=VALUE", String(Substring(pair))) }
            let value = String(Substring(parts[1]))
            switch String(Substring(parts[0])) {
            case "K8S_POD_NAME": podName = value
            case "K8S_POD_NAMESPACE": podNamespace = value
            case "K8S_POD_UID": podUID = value
            case "K8S_POD_INFRA_CONTAINER_ID": sandboxID = value
            case "IgnoreUnknown":
                guard let flag = Self.flag(value) else {
                    throw Self.error("is none of 1, true, 0 and false", String(Substring(pair)))
                }
                ignoresUnknown = flag
            default: firstUnknown = firstUnknown ?? String(Substring(pair))
            }
        }
        if let firstUnknown, !ignoresUnknown {
            throw Self.error("is not known, and IgnoreUnknown is not set", firstUnknown)
        }
    }

    private static func flag(_ text: String) -> Bool? {
        if text == "1" || text.hasSameLetters(as: "true") { return true }
        if text == "0" || text.hasSameLetters(as: "false") { return false }
        return nil
    }

    private static func error(_ problem: String, _ pair: String) -> CNIError {
        CNIError(.invalidEnvironment, "CNI_ARGS: the pair \(CNIError.quoting(pair)) \(problem)")
    }
}
