internal import Foundation

/// Takes out of text what must not be sent to others.
enum Secrets {
    static let mark = "(removed)"

    static func removed(from text: String) -> String {
        var text = withoutAppliedConfiguration(text)
        for pattern in secrets {
            text = text.replacingOccurrences(of: pattern, with: mark, options: .regularExpression)
        }
        for pattern in [variable, line, named] {
            text = text.replacingOccurrences(of: pattern, with: "$1\(mark)", options: .regularExpression)
        }
        return text
    }

    /// What is a secret wherever it stands.
    private static let secrets = [
        // A JSON Web Token: its header begins with `{"`.
        #"eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*"#,
        #"-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?-----END [A-Z ]*PRIVATE KEY-----"#,
        #"(?i)(?<=Bearer )[A-Za-z0-9._~+/=-]{8,}"#, #"(?i)(?<=Basic )[A-Za-z0-9+/=]{8,}"#,
        // The user of an address.
        #"(?<=://)[^/\s:@]+:[^/\s@]+(?=@)"#,
    ]

    private static let words = "(?:password|passwd|secret|token|api[_-]?key|credential|private[_-]?key)"

    /// The lines below one with the indentation of group 2 that are deeper: a text of several lines goes on there.
    private static let deeper = #"(?:\n\2[ \t]+[^\n]*)*"#

    /// `name: API_TOKEN` with `value: ...` in the next line, as Kubernetes writes variables.
    private static let variable =
        #"(?im)(name:[ \t]*"?[\w.-]*\#(words)[\w.-]*"?[ \t]*\n([ \t]*)value:[ \t]*)[^\n]+\#(deeper)"#

    /// `API_TOKEN:  ...` on a line of its own, as in YAML and in what `kubectl describe` says of variables: to its end.
    private static let line =
        #"(?im)^(([ \t]*)[\w.-]*\#(words)[\w.-]*:[ \t]+)[^\s{\[(][^\n]*\#(deeper)"#

    /// A key or variable whose name says that it is a secret, and its value on the same line.
    private static let named =
        #"(?im)("?\b[\w.-]*\#(words)[\w.-]*"?[ \t]*[:=][ \t]*)("[^"\n]*"|'[^'\n]*'|[^\s,}\[{|>][^\s,}]*)"#

    /// Without the annotation in which `kubectl apply` keeps a whole object: a line, and those below it that are deeper.
    private static func withoutAppliedConfiguration(_ text: String) -> String {
        var kept: [Substring] = []
        var depth: Int?
        for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
            let indent = line.prefix { $0 == " " }.count
            if let limit = depth, indent > limit || line.isEmpty { continue }
            depth = nil
            if line.contains("kubectl.kubernetes.io/last-applied-configuration") {
                depth = indent
                kept.append(line.prefix(indent) + "kubectl.kubernetes.io/last-applied-configuration: \(mark)")
            } else {
                kept.append(line)
            }
        }
        return kept.joined(separator: "\n")
    }
}
