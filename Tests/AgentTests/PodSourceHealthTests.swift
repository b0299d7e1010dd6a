import Synchronization
import Testing

@testable import Agent

@Suite struct PodSourceHealthTests {
    final class TestClock: Sendable {
        let milliseconds = Mutex(0)
    }

    @Test func `trouble is a reason after half a minute, and counts from its beginning`() {
        let clock = TestClock()
        let health = PodSourceHealth { clock.milliseconds.withLock { $0 } }
        #expect(health.obstacle == nil)
        health.failed("no route")
        clock.milliseconds.withLock { $0 = 29_999 }
        health.failed("refused")
        #expect(health.obstacle == nil)

        clock.milliseconds.withLock { $0 = 3_600_000 }

        #expect(health.obstacle == "the pods have not been up to date for 3600 s: refused")
    }

    @Test func `an answer ends the trouble`() {
        let clock = TestClock()
        let health = PodSourceHealth { clock.milliseconds.withLock { $0 } }
        health.failed("no route")
        clock.milliseconds.withLock { $0 = 60_000 }

        health.recovered()

        #expect(health.obstacle == nil)
    }

    @Test func `an answer that does not come is a reason, and the failure that came before it a better one`() {
        let clock = TestClock()
        let health = PodSourceHealth { clock.milliseconds.withLock { $0 } }
        health.asked()
        clock.milliseconds.withLock { $0 = 30_000 }
        #expect(health.obstacle == "the pods have not been up to date for 30 s: the list of pods has not come yet")

        health.failed("refused")
        health.asked()

        #expect(health.obstacle == "the pods have not been up to date for 30 s: refused")
    }
}
