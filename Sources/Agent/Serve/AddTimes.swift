internal import CNIProtocol
internal import Synchronization

/// How long the last ADDs took that the plugin reported, all phases together.
///
/// Of the last ones only, and so exact: the histogram for Prometheus counts all, and knows no more than its buckets.
final class AddTimes: Sendable {
    private let times = Mutex<(ring: [Int], next: Int)>(([], 0))

    /// So many ADDs are remembered: those of some minutes on a busy node, in 8 KB.
    static let capacity = 1_000

    func record(microseconds: Int) {
        times.withLock { times in
            if times.ring.count < Self.capacity {
                times.ring.append(microseconds)
            } else {
                times.ring[times.next] = microseconds
                times.next = (times.next + 1) % Self.capacity
            }
        }
    }

    /// The time that this share of the ADDs did not exceed, in microseconds; nil before the first.
    func quantile(_ share: Double) -> Int? {
        let sorted = times.withLock { times in times.ring }.sorted()
        guard !sorted.isEmpty else { return nil }
        return sorted[min(sorted.count - 1, Int(share * Double(sorted.count)))]
    }

    /// As `/v1/status` has it.
    var value: JSONValue {
        .object([
            JSONMember("count", .integer(times.withLock { times in times.ring.count })),
            JSONMember("p50Microseconds", quantile(0.5).map { .integer($0) } ?? .null),
            JSONMember("p99Microseconds", quantile(0.99).map { .integer($0) } ?? .null),
        ])
    }
}
