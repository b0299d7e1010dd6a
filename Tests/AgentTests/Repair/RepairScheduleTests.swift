import Agent
import Redirect
import Testing

@Suite struct RepairScheduleTests {
    private let pod = RepairDecisionTests.pod()

    private func entry(_ state: PodState?) throws -> PodDirectory.Entry {
        let directory = PodDirectory()
        directory.replaceAll([pod])
        if let state { directory.record(PodObservation(state, reason: ""), of: pod) }
        return try #require(directory.entries.first)
    }

    @Test(arguments: [
        (PodState?.none, 1_000), (.unknown, 1_000), (.bypassing, 1_000), (.redirected, 60_000), (.partial, 60_000),
    ])
    func `a pod that was not seen redirected is looked at every second, another every minute`(
        state: PodState?,
        pause: Int
    ) throws {
        var schedule = RepairSchedule()
        let entry = try entry(state)

        #expect(schedule.isDue(entry, at: 5))
        schedule.looked(at: pod, now: 5)

        #expect(!schedule.isDue(entry, at: 5 + pause - 1))
        #expect(schedule.isDue(entry, at: 5 + pause))
    }

    @Test func `pauses after failures double up to five minutes, for all pods of an owner`() {
        var schedule = RepairSchedule()
        var sibling = RepairDecisionTests.pod()
        sibling.pod.uid = "u2"
        sibling.ownerUID = pod.ownerUID
        var now = 0
        var pauses: [Int] = []
        for _ in 1...12 {
            schedule.failed(pod, at: now)
            let start = now
            while schedule.isHeldBack(sibling, at: now) { now += 500 }
            pauses.append((now - start) / 1_000)
        }

        #expect(pauses == [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300, 300])
    }

    @Test func `a success ends the back-off, and pods of others never had it`() {
        var schedule = RepairSchedule()
        let other = RepairDecisionTests.pod { pod in pod.ownerUID = "another" }
        schedule.failed(pod, at: 0)

        #expect(schedule.isHeldBack(pod, at: 1))
        #expect(!schedule.isHeldBack(other, at: 1))
        schedule.succeeded(pod)
        #expect(!schedule.isHeldBack(pod, at: 1))
    }

    @Test func `the same sentence is said once, until another one was`() {
        var schedule = RepairSchedule()

        let answers = ["a", "a", "b", nil, "b", "b"].map { sentence in schedule.isNews(sentence, of: pod, about: .sight)
        }

        #expect(answers == [true, false, true, false, true, false])
    }

    @Test func `what is gone is forgotten`() throws {
        var schedule = RepairSchedule()
        schedule.looked(at: pod, now: 0)
        schedule.failed(pod, at: 0)
        schedule.differs(pod, true)
        schedule.verified(pod, RedirectPlan(), isOwn: true)

        schedule.keep([])

        #expect(schedule.isDue(try entry(.redirected), at: 1))
        #expect(!schedule.isHeldBack(pod, at: 1))
        #expect(schedule.differingCount == 0)
        #expect(schedule.verifiedPlan(of: pod) == nil)
        #expect(!schedule.isOwn(pod))
    }
}
