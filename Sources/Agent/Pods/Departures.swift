/// The pods that went last, so that the answer to a look-up that began before does not bring one back.
///
/// Nothing would take such a pod away again before the next whole list.
package struct Departures: Sendable {
    /// How many are remembered.
    ///
    /// A look-up takes 6 s at most, and a node hardly loses more pods in that time; if it does, no answer is kept.
    package static let most = 256

    /// A moment between two departures.
    package struct Moment: Equatable, Sendable {
        fileprivate var lists = 0
        fileprivate var departures = 0
    }

    private(set) package var now = Moment()

    /// The UIDs of the last ones; that of departure n is at `n % most`.
    private var uids: [String] = []

    package init() {}

    /// A pod is gone.
    package mutating func note(uid: String) {
        if uids.count < Self.most { uids.append(uid) } else { uids[now.departures % Self.most] = uid }
        now.departures += 1
    }

    /// All pods were listed anew: which of those that are not known are gone cannot be told.
    package mutating func noteList() { now.lists += 1 }

    /// Whether a pod is certainly not gone by what happened since a moment.
    package func excludes(_ uid: String, since moment: Moment) -> Bool {
        guard moment.lists == now.lists, now.departures - moment.departures <= Self.most else { return false }
        return !(moment.departures..<now.departures).contains { number in uids[number % Self.most] == uid }
    }
}
