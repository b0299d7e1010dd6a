internal import Agent
package import CNIProtocol

/// What is said about the pods of a file, those that cannot start included.
package struct ExplainedPods: Sendable {
    package let all: [Explanation]

    package enum Explanation: Sendable {
        case pod(ExplainedPod)
        case refused(ExplainedPod.Failure)
    }

    /// What is wrong, once all has been said.
    package struct Failure: Error, Equatable, CustomStringConvertible {
        package let description: String
    }

    package init(_ pods: [FoundPod], _ circumstances: ExplainedPod.Circumstances) {
        all = pods.map { pod in
            do {
                return .pod(try ExplainedPod(PodManifest(json: pod.json), circumstances))
            } catch let failure as ExplainedPod.Failure {
                return .refused(failure)
            } catch {
                return .refused(ExplainedPod.Failure(name: pod.name, problem: "\(error)"))
            }
        }
    }

    /// Nil where every pod can start.
    package var failure: Failure? {
        let refused = all.compactMap { explanation in
            if case .refused(let failure) = explanation { failure } else { nil }
        }
        guard let first = refused.first else { return nil }
        guard all.count > 1 else { return Failure(description: "\(first)") }
        let names = refused.map { $0.name }.joined(separator: ", ")
        return Failure(description: "\(refused.count) of \(all.count) pods cannot start: \(names)")
    }

    /// For people, a blank line between pods.
    ///
    /// Nothing for a single one that is refused: ``failure`` says it all.
    package func text(hasColour: Bool) -> String {
        let style = TextStyle(hasColour: hasColour)
        let texts = all.map { explanation in
            switch explanation {
            case .pod(let pod): return ExplainText(pod, hasColour: hasColour).text
            case .refused(let failure):
                guard all.count > 1 else { return "" }
                let (name, problem) = (
                    LineLogHandler.printable(failure.name), LineLogHandler.printable(failure.problem)
                )
                return "\(style.paint(name, .bold))\n\(style.paint("cannot start: \(problem)", .red))\n"
            }
        }
        return texts.joined(separator: "\n")
    }

    /// For programs: an object for a file of one pod, an array of them for one of several.
    package var value: JSONValue {
        let values = all.map { explanation in
            switch explanation {
            case .pod(let pod): return pod.value
            case .refused(let failure):
                return JSONValue.object([
                    JSONMember("pod", .string(failure.name)), JSONMember("decision", .string("refuse")),
                    JSONMember("error", .string(failure.problem)),
                ])
            }
        }
        return values.count == 1 ? values[0] : .array(values)
    }
}
