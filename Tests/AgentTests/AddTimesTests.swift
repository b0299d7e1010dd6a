import CNIProtocol
import Testing

@testable import Agent

@Suite struct AddTimesTests {
    @Test func `quantiles are those of the last thousand`() {
        let times = AddTimes()
        #expect(times.quantile(0.5) == nil)

        for microseconds in 1...1_500 { times.record(microseconds: microseconds) }

        // 501 to 1500 are left.
        #expect(times.quantile(0.5) == 1_001)
        #expect(times.quantile(0.99) == 1_491)
        #expect(times.quantile(1) == 1_500)
        #expect(times.value["count"]?.integer == 1_000)
    }
}
