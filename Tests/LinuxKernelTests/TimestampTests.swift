import Foundation
import LinuxKernel
import Testing

@Suite struct TimestampTests {
    @Test(arguments: [
        (0, "1970-01-01T00:00:00.000000Z"),
        (951_782_399_000_000, "2000-02-28T23:59:59.000000Z"),
        (951_868_799_000_001, "2000-02-29T23:59:59.000001Z"),
        (4_107_542_400_000_000, "2100-03-01T00:00:00.000000Z"),
    ])
    func `a time is written in UTC`(microseconds: Int, text: String) {
        #expect(Clock.timestamp(microseconds) == text)
    }

    @Test func `days agree with Foundation from 1970 to 2200`() {
        for day in stride(from: 0, to: 84_000, by: 17) {
            let date = Date(timeIntervalSince1970: Double(day) * 86_400 + 3_661)

            let text = Clock.timestamp(day * 86_400_000_000 + 3_661_000_000)

            #expect(text == date.formatted(.iso8601.dateTimeSeparator(.standard)).dropLast() + ".000000Z")
        }
    }
}
