internal import Metrics
internal import Synchronization

/// The values of one metric with one set of label values.
///
/// Own code, since no exporter of swift-metrics for Prometheus is among the packages that this project may use.
final class MetricSeries: Sendable {
    let labels: [(name: String, value: String)]
    private let state: Mutex<State>

    enum State: Equatable {
        /// A counter or a gauge; nil where nothing has been said yet.
        case value(Double?)
        case histogram(Histogram)
    }

    init(_ metric: AgentMetric, labels: [(name: String, value: String)]) {
        self.labels = labels
        switch metric.kind {
        case .counter, .gauge: state = Mutex(.value(metric.isThereFromTheStart ? 0 : nil))
        case .histogram(let bounds): state = Mutex(.histogram(Histogram(bounds: bounds)))
        }
    }

    var current: State { state.withLock { state in state } }

    private func add(_ amount: Double) {
        state.withLock { state in
            if case .value(let value) = state { state = .value((value ?? 0) + amount) }
        }
    }

    private func put(_ value: Double) {
        state.withLock { state in
            switch state {
            case .value: state = .value(value)
            case .histogram(var histogram):
                histogram.record(value)
                state = .histogram(histogram)
            }
        }
    }
}

extension MetricSeries: CounterHandler, FloatingPointCounterHandler, MeterHandler, RecorderHandler, TimerHandler {
    func increment(by amount: Int64) { add(Double(amount)) }
    func increment(by amount: Double) { add(amount) }
    func decrement(by amount: Double) { add(-amount) }
    func set(_ value: Int64) { put(Double(value)) }
    func set(_ value: Double) { put(value) }
    func record(_ value: Int64) { put(Double(value)) }
    func record(_ value: Double) { put(value) }
    func recordNanoseconds(_ duration: Int64) { put(Double(duration) / 1_000_000_000) }

    func reset() {
        state.withLock { state in
            switch state {
            case .value: state = .value(0)
            case .histogram(let histogram): state = .histogram(Histogram(bounds: histogram.bounds))
            }
        }
    }
}

/// How often values fell under each of some bounds.
struct Histogram: Equatable {
    let bounds: [Double]

    /// By bucket, each without those below it; the last is above all bounds.
    private(set) var counts: [Int]
    private(set) var sum = 0.0

    init(bounds: [Double]) {
        self.bounds = bounds
        counts = Array(repeating: 0, count: bounds.count + 1)
    }

    mutating func record(_ value: Double) {
        counts[bounds.firstIndex { bound in value <= bound } ?? bounds.count] += 1
        sum += value
    }
}
