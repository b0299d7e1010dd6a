import Testing

@testable import Agent

@Suite struct HealPaceTests {
    /// Times at which somebody destroys the entry, and when it is put back.
    static func heals(_ breaks: [Int]) -> [Int] {
        var pace = HealPace()
        var heals: [Int] = []
        for time in breaks {
            let now = max(time, heals.last ?? 0)
            let heal = now + pace.pause(at: now)
            pace.note(at: heal)
            heals.append(heal)
        }
        return heals
    }

    @Test func `five times a minute it is put back at once, then every five seconds`() {
        #expect(Self.heals([0, 10, 20, 30, 40, 50, 60, 70]) == [0, 10, 20, 30, 40, 5_040, 10_040, 15_040])
    }

    @Test func `it is never given up`() {
        let heals = Self.heals(Array(repeating: 0, count: 1_000))

        #expect(heals.count == 1_000)
        #expect(heals.last == 995 * HealPace.slowPauseMilliseconds)
    }

    @Test func `after a quiet minute it is at once again`() {
        let heals = Self.heals([0, 0, 0, 0, 0, 0, 65_001, 65_002])

        #expect(heals.suffix(2) == [65_001, 65_002])
    }

    @Test func `one rewrite is no quarrel`() {
        var pace = HealPace()
        pace.note(at: 7)

        #expect(!pace.isQuarrel(at: 8))
        #expect(pace.pause(at: 8) == 0)
    }
}
