import AgentProtocol
import Metrics
import Redirect
import Testing

@testable import Agent

@Suite(.timeLimit(.minutes(2))) struct MetricsTests {
    @Test func `every metric is there from the start, with 0`() throws {
        let samples = try PrometheusText(MetricsRegistry().text())

        for metric in AgentMetric.allCases {
            let family = try #require(samples.families[metric.name], "\(metric.name)")
            #expect(family.kind == metric.kind.word)
            #expect(family.samples.isEmpty != metric.isThereFromTheStart, "\(metric.name)")
            #expect(family.samples.values.allSatisfy { value in value == 0 }, "\(metric.name)")
        }
        #expect(samples.families.count == AgentMetric.allCases.count)
    }

    @Test func `what swift-metrics records is told`() throws {
        let registry = MetricsRegistry()
        Counter(label: "istio_cni_add_total", dimensions: [("outcome", "skipped")], factory: registry).increment(by: 3)
        Gauge(label: "istio_cni_pods", dimensions: [("state", "bypassing")], factory: registry).record(2)
        Gauge(label: "istio_cni_annotations_supported", factory: registry).record(1)
        Meter(label: "istio_cni_install_ready", factory: registry).set(1)
        let labels = [("result", "skip"), ("type", "label")]
        Counter(label: "istio_cni_repair_pods_repaired_total", dimensions: labels, factory: registry).increment()

        let samples = try PrometheusText(registry.text())

        #expect(samples[#"istio_cni_add_total{outcome="skipped"}"#] == 3)
        #expect(samples[#"istio_cni_pods{state="bypassing"}"#] == 2)
        #expect(samples["istio_cni_annotations_supported"] == 1)
        #expect(samples["istio_cni_install_ready"] == 1)
        #expect(samples[#"istio_cni_repair_pods_repaired_total{type="label",result="skip"}"#] == 1)
        #expect(samples["istio_cni_metrics_refused_total"] == 0)
    }

    @Test func `the gauge of annotations tells whether the runtime hands them over`() async {
        // In a process of its own, whose metrics are nobody else's.
        await #expect(processExitsWith: .success) {
            let registry = MetricsRegistry()
            MetricsSystem.bootstrap(registry)
            let backend = BackendChoice(.nftables, "of the test")
            let status = AgentStatus(backend: backend, version: "1.2.3", readiness: Readiness([]), nodeName: "node-1")

            for (passes, value) in [(true, 1.0), (false, 0)] {
                status.runtimePassesAnnotations = passes

                let samples = try PrometheusText(registry.text())
                #expect(samples["istio_cni_annotations_supported"] == value)
            }
        }
    }

    @Test func `durations fall into buckets of seconds, each of which holds those below`() throws {
        let registry = MetricsRegistry()
        let timer = Timer(
            label: "istio_cni_add_duration_seconds",
            dimensions: [("phase", "apply")],
            factory: registry
        )
        for microseconds in [400, 500, 501, 45_000_000] { timer.recordMicroseconds(microseconds) }

        let samples = try PrometheusText(registry.text())

        let name = "istio_cni_add_duration_seconds"
        #expect(samples[#"\#(name)_bucket{phase="apply",le="0.0005"}"#] == 2)
        #expect(samples[#"\#(name)_bucket{phase="apply",le="0.001"}"#] == 3)
        #expect(samples[#"\#(name)_bucket{phase="apply",le="30"}"#] == 3)
        #expect(samples[#"\#(name)_bucket{phase="apply",le="+Inf"}"#] == 4)
        #expect(samples[#"\#(name)_count{phase="apply"}"#] == 4)
        let sum = try #require(samples[#"\#(name)_sum{phase="apply"}"#])
        #expect(abs(sum - 45.001401) < 0.000001)
        #expect(samples[#"\#(name)_count{phase="decode"}"#] == 0)
    }

    @Test func `what is not defined makes no series, and is counted`() throws {
        let registry = MetricsRegistry()
        let before = registry.text().count
        Counter(label: "pods", dimensions: [("name", "shop/cart")], factory: registry).increment()
        Counter(label: "istio_cni_add_total", dimensions: [("outcome", "shop/cart")], factory: registry).increment()
        Timer(label: "istio_cni_add_duration_seconds", factory: registry).recordSeconds(1)

        #expect(registry.text().count == before)
        #expect(try PrometheusText(registry.text())["istio_cni_metrics_refused_total"] == 3)
    }

    @Test func `a metric that is made twice goes on`() throws {
        let registry = MetricsRegistry()
        for _ in 0..<2 {
            let counter = Counter(label: "istio_cni_drift_repaired_total", factory: registry)
            counter.increment()
            counter.destroy()
        }

        #expect(try PrometheusText(registry.text())["istio_cni_drift_repaired_total"] == 2)
    }

    @Test(arguments: [
        (0.5, "0.5"), (3, "3"), (-2, "-2"), (.infinity, "+Inf"), (-.infinity, "-Inf"), (.nan, "NaN"), (1e300, "1e+300"),
    ])
    func `numbers are written as Prometheus reads them`(number: Double, text: String) {
        #expect(MetricsText.number(number) == text)
    }

    @Test func `text is escaped`() {
        #expect(MetricsText.escaped("a\\b\"c\nd", quotes: true) == #"a\\b\"c\nd"#)
        #expect(MetricsText.escaped("a\\b\"c\nd", quotes: false) == #"a\\b"c\nd"#)
    }

    @Test func `a scrape gets all of it, fresh, with what the process costs`() async throws {
        let registry = MetricsRegistry()
        let refresh: @Sendable () -> Void = {
            Gauge(label: "istio_cni_pods", dimensions: [("state", "unknown")], factory: registry).record(7)
        }

        try await ServedPort { told in MetricsServer(port: 0, registry: registry, refresh: refresh, isListening: told) }
            .run { (port) async throws in
                let (response, head) = try await request("GET", "/metrics", port: port)
                let samples = try PrometheusText(String(decoding: response.body, as: UTF8.self))

                #expect(response.status == 200)
                #expect(head.contains("content-type: text/plain; version=0.0.4; charset=utf-8"))
                #expect(samples[#"istio_cni_pods{state="unknown"}"#] == 7)
                #expect(samples["process_resident_memory_bytes"].map { bytes in bytes > 1_000_000 } == true)
                #expect(samples["process_open_fds"].map { count in count > 3 } == true)
                #expect(samples["process_max_fds"].map { count in count > 3 } == true)
                #expect(samples["process_start_time_seconds"].map { seconds in seconds > 1_700_000_000 } == true)
                #expect(try await request("GET", "/", port: port).response.status == 404)
            }
    }

    @Test func `the cost of a process is read from the kernel's texts`() {
        let statistics = ProcessStatistics(
            status: "Name:\tx\nVmSize:\t  2048 kB\nVmRSS:\t  1024 kB\n",
            stat: "7 (a) b) S 1 7 7 0 -1 4194560 1 0 0 0 250 50 0 0 20 0 1 0 4200 1 1",
            limits:
                "Limit  Soft Limit  Hard Limit  Units\nMax open files            1024                 4096      files\n",
            bootSeconds: 1_000
        )

        #expect(statistics.residentBytes == 1_048_576 && statistics.virtualBytes == 2_097_152)
        #expect(statistics.processorSeconds == 3 && statistics.startSeconds == 1_042)
        #expect(statistics.mostDescriptors == 1_024)
        #expect(ProcessStatistics(status: "", stat: ")", limits: "Max open files", bootSeconds: 0).residentBytes == 0)
    }
}
