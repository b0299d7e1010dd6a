internal import CLinuxKernel

/// Readings of the system's clocks.
package enum Clock {
    /// Milliseconds since some point in the past, never going back (`CLOCK_MONOTONIC`).
    package static func monotonicMilliseconds() -> Int { monotonicMicroseconds() / 1_000 }

    /// Microseconds since some point in the past, never going back (`CLOCK_MONOTONIC`).
    package static func monotonicMicroseconds() -> Int { monotonicNanoseconds() / 1_000 }

    static func monotonicNanoseconds() -> Int {
        let now = read(CLOCK_MONOTONIC)
        return now.tv_sec * 1_000_000_000 + now.tv_nsec
    }

    /// Microseconds since 1970 in UTC (`CLOCK_REALTIME`), for timestamps only: it can jump.
    package static func wallMicroseconds() -> Int {
        let now = read(CLOCK_REALTIME)
        return now.tv_sec * 1_000_000 + now.tv_nsec / 1_000
    }

    /// Holds the calling thread for so long, or less if a signal comes.
    package static func sleep(milliseconds: Int) {
        usleep(useconds_t(clamping: milliseconds * 1_000))
    }

    /// Reads a clock that every Linux has, so the call cannot fail (`clock_gettime(2)`).
    private static func read(_ clock: CInt) -> timespec {
        var time = timespec()
        clock_gettime(clock, &time)
        return time
    }
}
