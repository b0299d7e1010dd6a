import LinuxKernel
import NIOPosix
import Synchronization
import Testing

@testable import Agent

@Suite(.timeLimit(.minutes(1))) struct OwnThreadTests {
    @Test func `what may block runs though all threads that are shared are held`() async {
        // In a process of its own, whose threads are nobody else's.
        await #expect(processExitsWith: .success) {
            let isOver = Atomic(false)
            for _ in 0..<1_024 {
                NIOThreadPool.singleton.submit { _ in
                    while !isOver.load(ordering: .acquiring) { Clock.sleep(milliseconds: 10) }
                }
            }

            let answer = try await OwnThread.run { 7 }

            #expect(answer == 7)
            isOver.store(true, ordering: .releasing)
        }
    }
}
