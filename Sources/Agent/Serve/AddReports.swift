internal import AgentProtocol
internal import Logging
internal import Metrics

/// Takes in what the plugin tells after an ADD.
struct AddReports: Sendable {
    let pods: PodDirectory
    let times: AddTimes
    private let relay = LogRelay()
    private let logger = Logger(label: LogScope.agent)

    init(pods: PodDirectory, times: AddTimes) {
        self.pods = pods
        self.times = times
    }

    func record(_ report: AddReport) {
        pods.record(report)
        count(report)
        let metadata: Logger.Metadata = [
            "pod": "\(report.podNamespace)/\(report.podName)", "container": "\(report.containerID)",
        ]
        relay.write(report.log, metadata: metadata)
        logger.info(
            "ADD has ended",
            metadata: metadata.merging([
                "outcome": "\(report.outcome.rawValue)",
                "decode_us": "\(report.phases.decode)",
                "lookup_us": "\(report.phases.lookup)",
                "apply_us": "\(report.phases.apply)",
            ]) { _, new in new }
        )
    }

    /// Labels are closed sets, never a pod's name: a node's pods come and go without end.
    private func count(_ report: AddReport) {
        Counter(label: "istio_cni_add_total", dimensions: [("outcome", report.outcome.rawValue)]).increment()
        let phases = [
            ("decode", report.phases.decode), ("lookup", report.phases.lookup), ("apply", report.phases.apply),
        ]
        times.record(microseconds: phases.reduce(0) { sum, phase in sum + phase.1 })
        for (phase, microseconds) in phases {
            Timer(label: "istio_cni_add_duration_seconds", dimensions: [("phase", phase)])
                .recordMicroseconds(microseconds)
        }
    }
}
