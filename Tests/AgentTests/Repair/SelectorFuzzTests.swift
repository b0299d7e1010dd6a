import Agent
import Redirect
import TestSupport
import Testing

/// A selector decides which pods are left alone: it is read as it was meant, or refused.
@Suite struct SelectorFuzzTests {
    @Test func `damaged label selectors are refused, or ask for what stands in them`() {
        let good = ["app=cart,tier!=web", "a in (b,c),!d", "example.com/e notin (f, ),g", "h == i"]
        var inputs = Mutations(of: good.map { Array($0.utf8) }, words: ["!", "(", ")", " in ", "notin"], seed: 31)
        var accepted = 0

        for _ in 0..<Fuzzing.executions {
            let text = String(decoding: inputs.next(), as: UTF8.self)
            guard let selector = try? LabelSelector(text) else { continue }
            accepted += 1
            if !text.utf8.allSatisfy({ byte in byte < 0x80 }) || !selector.keys.allSatisfy({ text.contains($0) }) {
                Issue.record("\(text)")
            }
        }

        // Damage must neither be overlooked nor be total, else this tests little.
        #expect((Fuzzing.executions / 100..<Fuzzing.executions).contains(accepted))
    }

    @Test func `damaged field selectors are refused, or select what they name`() {
        let good = ["metadata.name=cart,status.phase!=Pending", "metadata.namespace==shop", "spec.nodeName=n,"]
        var inputs = Mutations(of: good.map { Array($0.utf8) }, words: ["!=", "==", "\u{600}!"], seed: 32)
        var accepted = 0

        for _ in 0..<Fuzzing.executions {
            let text = String(decoding: inputs.next(), as: UTF8.self)
            guard let selector = try? FieldSelector(text) else { continue }
            accepted += 1
            let isEmpty = text.utf8.allSatisfy { byte in byte == UInt8(ascii: ",") }
            if !text.utf8.allSatisfy({ byte in byte < 0x80 }) || (selector == FieldSelector()) != isEmpty {
                Issue.record("\(text)")
            }
        }

        #expect((Fuzzing.executions / 100..<Fuzzing.executions).contains(accepted))
    }

    @Test func `label selectors mean what they were written from`() throws {
        var generator = SeededGenerator(seed: 33)
        var selected = 0

        for _ in 0..<Fuzzing.executions {
            var labels: [String: String] = [:]
            for key in Self.keys where Bool.random(using: &generator) { labels[key] = Self.value(&generator) }
            let terms = (0..<Int.random(in: 0...3, using: &generator)).map { _ in Self.term(labels, &generator) }
            let words = terms.map(\.words).joined(separator: [","])
            let blanks = words.map { word in Bool.random(using: &generator) ? word : " \(word)\t" }
            let expected = terms.allSatisfy(\.holds)

            if try LabelSelector(blanks.joined()).selects(labels) != expected {
                Issue.record("\(blanks.joined()) of \(labels)")
            }
            selected += expected ? 1 : 0
        }

        #expect((Fuzzing.executions / 100..<Fuzzing.executions).contains(selected))
    }

    private static let keys = ["a", "in", "example.com/b"]

    private static func value(_ generator: inout SeededGenerator) -> String {
        ["", "x", "notin"].randomElement(using: &generator) ?? ""
    }

    /// One term, and whether it holds for a pod with these labels.
    private static func term(
        _ labels: [String: String],
        _ generator: inout SeededGenerator
    ) -> (words: [String], holds: Bool) {
        let key = keys.randomElement(using: &generator) ?? ""
        let (one, other) = (value(&generator), value(&generator))
        let label = labels[key]
        return switch Int.random(in: 0..<7, using: &generator) {
        case 0: ([key], label != nil)
        case 1: (["!", key], label == nil)
        case 2: ([key, "=", one], label == one)
        case 3: ([key, "==", one], label == one)
        case 4: ([key, "!=", one], label != one)
        case 5: ([key, " in ", "(", one, ",", other, ")"], label == one || label == other)
        default: ([key, " notin ", "(", one, ")"], label != one)
        }
    }

    @Test func `field selectors mean what they were written from`() throws {
        var generator = SeededGenerator(seed: 34)
        let fields = ["metadata.name": "x", "metadata.namespace": "y", "spec.nodeName": "z", "status.phase": "Failed"]
        let pod = NodePod(Pod(namespace: "y", name: "x", uid: "u"), phase: .failed)
        var selected = 0

        for _ in 0..<Fuzzing.executions {
            var terms: [String] = []
            var expected = true
            for _ in 0..<Int.random(in: 0...3, using: &generator) {
                guard let (field, actual) = fields.randomElement(using: &generator) else { continue }
                let values = field == "status.phase" ? ["Failed", "Unknown"] : ["x", "y", "z", ""]
                let value = values.randomElement(using: &generator) ?? ""
                let sign = ["=", "==", "!="].randomElement(using: &generator) ?? "="
                terms.append(field + sign + value)
                expected = expected && (value == actual) == (sign != "!=")
            }

            if try FieldSelector(terms.joined(separator: ",")).selects(pod, onNode: "z") != expected {
                Issue.record("\(terms)")
            }
            selected += expected ? 1 : 0
        }

        #expect((Fuzzing.executions / 100..<Fuzzing.executions).contains(selected))
    }
}
