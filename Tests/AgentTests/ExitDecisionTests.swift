import Agent
import CNIProtocol
import Testing

/// Architecture, decision 11, as a table.
@Suite struct ExitDecisionTests {
    static let daemonSet = #"{"spec":{"template":{"spec":{"nodeSelector":{"os":"linux"}}}}}"#
    static let deletedDaemonSet = #"{"metadata":{"deletionTimestamp":"2026-11-26T00:00:00Z"}}"#
    static let ownPod = #"{"spec":{"nodeSelector":{"os":"linux"}}}"#
    static let node = #"{"metadata":{"name":"n1","labels":{"os":"linux","zone":"7"}}}"#
    static let otherNode = #"{"metadata":{"name":"n1","labels":{"os":"other"}}}"#

    enum Canned {
        case found(String)
        case notFound, unauthorized, forbidden, unclear

        func reply() throws -> ExitDecision.Reply {
            switch self {
            case .found(let text): .found(try JSONValue(parsing: Array(text.utf8)))
            case .notFound: .notFound
            case .unauthorized: .unauthorized
            case .forbidden: .forbidden
            case .unclear: .unclear("no answer within 2 s")
            }
        }
    }

    static let cases: [(replies: [Canned], keeps: Bool)] = [
        ([.found(daemonSet), .found(node)], true),
        ([.found(deletedDaemonSet)], false),
        ([.notFound], false),
        ([.unauthorized], false),
        ([.unclear], true),
        ([.found(daemonSet), .found(otherNode)], false),
        ([.found(daemonSet), .notFound], true),
        ([.found(daemonSet), .forbidden], true),
        ([.found(daemonSet), .unauthorized], true),
        ([.found(daemonSet), .unclear], true),
        ([.forbidden, .found(ownPod), .found(node)], true),
        ([.forbidden, .found(ownPod), .found(otherNode)], false),
        ([.forbidden, .found(ownPod), .unclear], true),
        ([.forbidden, .notFound], true),
        ([.forbidden, .unauthorized], false),
        ([.forbidden, .forbidden], false),
        ([.forbidden, .unclear], true),
    ]

    @Test(arguments: cases.indices)
    func `the plugin is removed only where the API server says so`(index: Int) throws {
        let (replies, keeps) = Self.cases[index]
        var decision = ExitDecision()
        var step = decision.first

        for reply in replies {
            guard case .ask = step else {
                Issue.record("nothing was asked for \(reply): \(step)")
                return
            }
            step = decision.received(try reply.reply())
        }

        switch step {
        case .ask(let question): Issue.record("one question too many: \(question)")
        case .keep: #expect(keeps)
        case .remove: #expect(!keeps)
        }
    }

    /// The terms of a required node affinity, and whether a node `n1` with `os: linux` and `zone: 7` matches.
    static let affinities: [(terms: String, keeps: Bool)] = [
        (#"[{"matchExpressions":[{"key":"os","operator":"In","values":["linux","b"]}]}]"#, true),
        (#"[{"matchExpressions":[{"key":"os","operator":"In","values":["b"]}]}]"#, false),
        (#"[{"matchExpressions":[{"key":"os","operator":"NotIn","values":["linux"]}]}]"#, false),
        (#"[{"matchExpressions":[{"key":"none","operator":"NotIn","values":["linux"]}]}]"#, true),
        (#"[{"matchExpressions":[{"key":"os","operator":"Exists"}]}]"#, true),
        (#"[{"matchExpressions":[{"key":"os","operator":"DoesNotExist"}]}]"#, false),
        (#"[{"matchExpressions":[{"key":"zone","operator":"Gt","values":["6"]}]}]"#, true),
        (#"[{"matchExpressions":[{"key":"zone","operator":"Lt","values":["6"]}]}]"#, false),
        (#"[{"matchExpressions":[{"key":"os","operator":"Gt","values":["6"]}]}]"#, false),
        (#"[{"matchFields":[{"key":"metadata.name","operator":"In","values":["n1"]}]}]"#, true),
        (#"[{"matchFields":[{"key":"metadata.name","operator":"In","values":["n2"]}]}]"#, false),
        // Terms are alternatives, requirements are not.
        (
            #"[{"matchExpressions":[{"key":"os","operator":"DoesNotExist"}]},"#
                + #"{"matchExpressions":[{"key":"os","operator":"Exists"}]}]"#, true
        ),
        (
            #"[{"matchExpressions":[{"key":"os","operator":"Exists"},{"key":"os","operator":"DoesNotExist"}]}]"#, false
        ),
        ("[{}]", false),
        ("[]", false),
        // What nobody knows never removes.
        (#"[{"matchExpressions":[{"key":"os","operator":"Like","values":["l*"]}]}]"#, true),
    ]

    @Test(arguments: affinities.indices)
    func `the affinity that is required counts as Kubernetes means it`(index: Int) throws {
        let (terms, keeps) = Self.affinities[index]
        let affinity = #"{"nodeAffinity":{"requiredDuringSchedulingIgnoredDuringExecution":{"nodeSelectorTerms":"#
        let text = #"{"spec":{"template":{"spec":{"affinity":\#(affinity)\#(terms)}}}}}}}"#
        var decision = ExitDecision()

        _ = decision.received(try Canned.found(text).reply())
        let step = decision.received(try Canned.found(Self.node).reply())

        if case .keep = step { #expect(keeps) } else { #expect(!keeps) }
    }
}
