import CNIProtocol
import TestSupport
import Testing

@testable import Kubernetes

/// What comes from the network is read or refused, and never ends the agent.
@Suite struct KubernetesFuzzTests {
    @Test func `damaged lists give the same items as a JSON reader, or an error`() {
        var inputs = Mutations(of: [ListDecoderTests.list], words: ["\"items\":", "\"metadata\":"], seed: 11)
        var generator = SeededGenerator(seed: 12)
        var accepted = 0

        for _ in 0..<Fuzzing.executions {
            let bytes = inputs.next()
            guard let items = Self.decode(bytes, &generator) else { continue }
            // What the reader refuses is refused item by item.
            guard let document = try? JSONValue(parsing: bytes), let members = document.members else { continue }
            guard members.filter({ member in member.name == "items" }).count < 2 else { continue }
            accepted += 1
            let expected = document["items"]?.array ?? []
            if items.compactMap({ item in try? JSONValue(parsing: item) }) != expected {
                Issue.record("\(String(decoding: bytes, as: UTF8.self))")
            }
        }

        // Damage must neither be overlooked nor be total, else this tests little.
        #expect((Fuzzing.executions / 100..<Fuzzing.executions).contains(accepted))
    }

    /// The items, or nil where it is no list, cut into random chunks.
    private static func decode(_ bytes: [UInt8], _ generator: inout SeededGenerator) -> [[UInt8]]? {
        var decoder = ListDecoder()
        var items: [[UInt8]] = []
        var start = 0
        do throws(StreamError) {
            while start < bytes.count {
                let end = Int.random(in: (start + 1)...bytes.count, using: &generator)
                items += try decoder.append(Array(bytes[start..<end]))
                start = end
            }
            _ = try decoder.finish()
            return items
        } catch {
            return nil
        }
    }

    @Test func `damaged events are read or refused`() {
        let good = [
            #"{"type":"ADDED","object":{"kind":"Pod","metadata":{"name":"a","resourceVersion":"7"}}}"#,
            #"{"type":"ERROR","object":{"kind":"Status","reason":"Expired","code":410,"details":{"causes":[{"reason":"x"}]}}}"#,
        ]
        var inputs = Mutations(of: good.map { Array($0.utf8) }, words: ["BOOKMARK", "DELETED"], seed: 13)
        var accepted = 0

        for _ in 0..<Fuzzing.executions where (try? WatchEvent(line: inputs.next())) != nil { accepted += 1 }

        #expect((Fuzzing.executions / 100..<Fuzzing.executions).contains(accepted))
    }

    @Test func `damaged answers are read or refused`() throws {
        let question = try DNSAnswerTests.question()
        let good = [
            DNSAnswerTests.header(2) + DNSAnswerTests.record(DNSAnswerTests.pointer, type: 1, [10, 0, 0, 1])
                + DNSAnswerTests.record(DNSAnswerTests.name, type: 1, [10, 0, 0, 2]),
            DNSAnswerTests.header(2, flags: [0x83, 0x80])
                + DNSAnswerTests.record(DNSAnswerTests.pointer, type: 5, [1, 0x62, 0xC0, 16])
                + DNSAnswerTests.record([1, 0x62] + DNSAnswerTests.name.dropFirst(4), type: 1, [10, 0, 0, 3]),
        ]
        var inputs = Mutations(of: good, seed: 14)
        var accepted = 0

        for _ in 0..<Fuzzing.executions where (try? DNSAnswer(inputs.next(), to: question)) != nil { accepted += 1 }

        #expect((Fuzzing.executions / 100..<Fuzzing.executions).contains(accepted))
    }
}
