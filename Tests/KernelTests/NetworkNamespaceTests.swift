import Foundation
import LinuxKernel
import TestSupport
import Testing

@Suite(.requiresNetworkNamespaces) struct NetworkNamespaceTests {
    /// In a process of its own: tests running beside this one have threads in namespaces of theirs.
    @Test func `no thread is left in a namespace that was entered`() async {
        await #expect(processExitsWith: .success) {
            let outside = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/ns/net")

            _ = try NetworkNamespace.makeNew().openSockets()

            let threads = try FileManager.default.contentsOfDirectory(atPath: "/proc/self/task")
            try #require(threads.count > 0)
            for thread in threads {
                let path = "/proc/self/task/\(thread)/ns/net"
                let inside = try FileManager.default.destinationOfSymbolicLink(atPath: path)
                #expect(inside == outside)
            }
        }
    }

    @Test func `a path that is not there is named in the error`() {
        let error = refusal { () throws(KernelError) in _ = try NetworkNamespace(at: "/no/such/path") }

        #expect(error?.description == "open namespace /no/such/path: No such file or directory")
    }

    @Test(arguments: ["/proc/self/ns/net": true, "/proc/self/ns/uts": false, "/proc/self/status": false, "/": false])
    func `only a network namespace is one`(path: String, isOne: Bool) throws {
        let namespace = try NetworkNamespace(at: path)

        let answer = try namespace.isNetworkNamespace()

        #expect(answer == isOne)
    }

    @Test func `a new namespace is not our own, and our own is`() throws {
        let new = try NetworkNamespace.makeNew()
        let own = try NetworkNamespace.current()

        let answers = (try new.isOwn(), try own.isOwn())

        #expect(answers == (false, true))
    }

    @Test func `a second handle waits for the lock, and gets it when the first is closed`() throws {
        var first: NetworkNamespace? = try NetworkNamespace.makeNew()
        let path = "/proc/self/fd/\(first?.rawDescriptor ?? -1)"
        let second = try NetworkNamespace(at: path)

        try first?.lock(waitMilliseconds: 0)
        let refused = refusal { () throws(KernelError) in try second.lock(waitMilliseconds: 5) }
        first = nil
        // A child that another test is starting just now shares the first handle until its exec.
        try second.lock(waitMilliseconds: 1_000)

        #expect(refused == KernelError("lock namespace: another process holds it", .timedOut))
    }

    @Test func `a namespace made here belongs to our own user namespace`() throws {
        let owner = try NetworkNamespace.makeNew().owningUserNamespace()

        let differs = try owner.differsFromOwn()

        #expect(!differs)
    }
}
