import Kubernetes
import Testing

@Suite struct ListWatchTests {
    /// A machine whose pauses are the longest that chance allows.
    static func machine() -> ListWatch { ListWatch(random: { 1 }) }

    /// A machine that watches from version 10, right after a list.
    static func watching() -> ListWatch {
        var machine = machine()
        _ = machine.listed(at: "10")
        return machine
    }

    static let stable = ListWatch.stableWatch

    @Test func `the first list may be of any age`() {
        var machine = Self.machine()

        #expect(machine.next() == .list(.anyAge))
    }

    @Test func `a list is followed by a watch from its version`() {
        var machine = ListWatch(random: { 0 })

        #expect(machine.listed(at: "10") == .watch(from: "10", seconds: 300))
        #expect(machine.state == .watching(from: "10"))
    }

    @Test(arguments: [(0.0, 300), (0.5, 450), (0.999, 600)])
    func `a watch is asked to last five to ten minutes`(random: Double, seconds: Int) {
        var machine = ListWatch(random: { random })

        #expect(machine.listed(at: "1") == .watch(from: "1", seconds: seconds))
    }

    @Test func `a watch that the server ends in its time goes on at once from the last bookmark`() {
        var machine = Self.watching()
        machine.advanced(to: "25")

        let action = machine.interrupted(by: .ended, lasted: .seconds(300))

        guard case .watch(from: "25", seconds: _) = action else {
            Issue.record("\(action)")
            return
        }
    }

    @Test func `a watch that ends sooner goes on after a pause`() {
        var machine = Self.watching()

        #expect(machine.interrupted(by: .ended, lasted: .seconds(1)) == .wait(.milliseconds(200)))
        #expect(machine.state == .waiting(then: .watch(from: "10")))
    }

    @Test func `a cut watch goes on from the last change after a pause`() {
        var machine = Self.watching()
        machine.advanced(to: "11")

        #expect(machine.interrupted(by: .disconnected, lasted: .seconds(200)) == .wait(.milliseconds(200)))
        _ = machine.next()
        #expect(machine.state == .watching(from: "11"))
    }

    @Test func `pauses double up to 30 s`() {
        var machine = Self.machine()

        let pauses = (0..<10).map { _ in
            let action = machine.interrupted(by: .disconnected, lasted: .zero)
            _ = machine.next()
            return action
        }

        let milliseconds = [200, 400, 800, 1_600, 3_200, 6_400, 12_800, 25_600, 30_000, 30_000]
        #expect(pauses == milliseconds.map { .wait(.milliseconds($0)) })
    }

    @Test func `chance shortens a pause by half at most`() {
        var machine = ListWatch(random: { 0 })

        #expect(machine.interrupted(by: .disconnected, lasted: .zero) == .wait(.milliseconds(100)))
    }

    @Test func `a stable watch begins the pauses anew`() {
        var machine = Self.watching()
        for _ in 0..<5 { _ = machine.interrupted(by: .disconnected, lasted: .zero) }
        _ = machine.next()

        #expect(machine.interrupted(by: .disconnected, lasted: Self.stable) == .wait(.milliseconds(200)))
    }

    @Test func `lists and watches that fail in turn do not begin the pauses anew`() {
        var machine = Self.watching()
        _ = machine.interrupted(by: .unreadable, lasted: .zero)
        _ = machine.next()
        _ = machine.listed(at: "12")

        #expect(machine.interrupted(by: .unreadable, lasted: .zero) == .wait(.milliseconds(400)))
    }

    @Test func `a forgotten version means a new list at once, not an old one`() {
        var machine = Self.watching()
        machine.advanced(to: "11")

        #expect(machine.interrupted(by: .expired, lasted: .zero) == .list(.mostRecent))
    }

    @Test func `a server that forgets the version of its own list is not asked without a pause`() {
        var machine = Self.watching()

        #expect(machine.interrupted(by: .expired, lasted: .zero) == .wait(.milliseconds(200)))
        #expect(machine.next() == .list(.mostRecent))
        #expect(machine.interrupted(by: .expired, lasted: .zero) == .wait(.milliseconds(400)))
    }

    @Test func `a change that cannot be read is passed by with a new list`() {
        var machine = Self.watching()
        machine.advanced(to: "11")

        #expect(machine.interrupted(by: .unreadable, lasted: .seconds(60)) == .wait(.milliseconds(200)))
        #expect(machine.next() == .list(.mostRecent))
    }

    @Test(arguments: [Interruption.disconnected, .silent, .throttled, .forbidden, .failed, .unreadable, .unconfigured])
    func `a list that fails is asked for again after a pause`(interruption: Interruption) {
        var machine = Self.machine()

        #expect(machine.interrupted(by: interruption, lasted: .seconds(60)) == .wait(.milliseconds(200)))
        #expect(machine.next() == .list(.anyAge))
    }

    @Test(arguments: [Interruption.disconnected, .silent, .throttled, .forbidden, .failed, .unconfigured])
    func `a watch that fails goes on after a pause`(interruption: Interruption) {
        var machine = Self.watching()

        _ = machine.interrupted(by: interruption, lasted: .seconds(60))

        #expect(machine.state == .waiting(then: .watch(from: "10")))
    }

    @Test func `a pause that the server asks for is kept`() {
        var machine = Self.watching()

        #expect(machine.interrupted(by: .throttled, lasted: .zero, retryAfter: .seconds(7)) == .wait(.seconds(7)))
    }

    @Test func `a server cannot ask for more than two minutes`() {
        var machine = Self.watching()

        #expect(
            machine.interrupted(by: .throttled, lasted: .zero, retryAfter: .seconds(86_400)) == .wait(.seconds(120))
        )
    }

    @Test func `what a late change says is forgotten after the watch`() {
        var machine = Self.watching()
        _ = machine.interrupted(by: .unreadable, lasted: .zero)

        machine.advanced(to: "11")

        #expect(machine.state == .waiting(then: .list(.mostRecent)))
    }
}
