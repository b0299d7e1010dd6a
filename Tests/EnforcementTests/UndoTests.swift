import LinuxKernel
import Testing

@testable import Enforcement

/// What a change that fails half-way says of what it leaves behind.
@Suite struct UndoTests {
    private static let failure = EnforcementError.programFailed("iptables-restore", output: "no")
    private static let second = EnforcementError.refused(KernelError("delete the tables", .notPermitted))

    @Test func `a change that was taken back is its own error alone`() {
        #expect(throws: Self.failure) {
            try Enforcer.replace(isUndone: true) { () throws(EnforcementError) in
                throw Self.failure
            } undo: {
            }
        }
    }

    @Test func `a change that could not be taken back says both`() {
        let both = EnforcementError.notUndone(Self.failure, Self.second)

        #expect(throws: both) {
            try Enforcer.replace(isUndone: true) { () throws(EnforcementError) in
                throw Self.failure
            } undo: { () throws(EnforcementError) in
                throw Self.second
            }
        }
        #expect(both.description.contains("iptables-restore failed: no"))
        #expect(both.description.contains("could not be taken back: \(Self.second.description)"))
    }

    @Test func `rules that replaced earlier ones stay`() {
        #expect(throws: Self.failure) {
            try Enforcer.replace(isUndone: false) { () throws(EnforcementError) in
                throw Self.failure
            } undo: { () throws(EnforcementError) in
                throw Self.second
            }
        }
    }
}
