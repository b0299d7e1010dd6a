import Kubernetes
import Testing

@Suite struct EventSeriesTests {
    static func event(_ name: String = "cart", reason: String = "RepairedPod") -> ClusterEvent {
        ClusterEvent(.warning, about: .pod(name, in: "shop", uid: "u1"), reason: reason, message: "m")
    }

    @Test func `a first Event is created`() {
        var series = EventSeries()

        #expect(series.add(Self.event(), atSeconds: 0) == .create(count: 1))
    }

    @Test func `a repeated Event is counted up`() {
        var series = EventSeries()
        _ = series.add(Self.event(), atSeconds: 0)
        series.created(Self.event(), name: "cart.1")

        #expect(series.add(Self.event(), atSeconds: 1) == .patch(name: "cart.1", count: 2))
        #expect(series.add(Self.event(), atSeconds: 2) == .patch(name: "cart.1", count: 3))
    }

    @Test func `another reason or another pod is another Event`() {
        var series = EventSeries()
        _ = series.add(Self.event(), atSeconds: 0)
        series.created(Self.event(), name: "cart.1")

        #expect(series.add(Self.event(reason: "Quarrel"), atSeconds: 0) == .create(count: 1))
        #expect(series.add(Self.event("web"), atSeconds: 0) == .create(count: 1))
    }

    @Test func `after half an hour of quiet a series begins anew`() {
        var series = EventSeries()
        _ = series.add(Self.event(), atSeconds: 0)
        series.created(Self.event(), name: "cart.1")
        #expect(series.add(Self.event(), atSeconds: 1_800) == .patch(name: "cart.1", count: 2))

        #expect(series.add(Self.event(), atSeconds: 3_601) == .create(count: 1))
    }

    @Test func `an object that is gone is made anew with the count so far`() {
        var series = EventSeries()
        _ = series.add(Self.event(), atSeconds: 0)
        series.created(Self.event(), name: "cart.1")
        series.lost(Self.event())

        #expect(series.add(Self.event(), atSeconds: 1) == .create(count: 2))
    }

    @Test func `a flood is cut after 25, then one in five seconds`() {
        var series = EventSeries()

        let flood = (0..<100).map { index in series.add(Self.event("p\(index)"), atSeconds: 0) }

        #expect(flood.filter { $0 == .create(count: 1) }.count == 25)
        #expect(flood.suffix(75).allSatisfy { $0 == .holdBack })
        #expect(series.add(Self.event("late"), atSeconds: 4) == .holdBack)
        #expect(series.add(Self.event("late"), atSeconds: 5) == .create(count: 2))
        #expect(series.add(Self.event("later"), atSeconds: 6) == .holdBack)
        #expect(series.add(Self.event("later"), atSeconds: 10) == .create(count: 2))
    }

    @Test func `the series that is longest quiet is forgotten beyond the limit`() {
        var series = EventSeries()
        for index in 0..<EventSeries.mostSeries {
            _ = series.add(Self.event("p\(index)"), atSeconds: index * 5)
            series.created(Self.event("p\(index)"), name: "e\(index)")
        }
        let now = EventSeries.mostSeries * 5
        _ = series.add(Self.event("one-more"), atSeconds: now)

        #expect(series.add(Self.event("p1"), atSeconds: now + 5) == .patch(name: "e1", count: 2))
        #expect(series.add(Self.event("p0"), atSeconds: now + 10) == .create(count: 1))
    }
}
