extension Clock {
    /// The time as RFC 3339 writes it, in UTC: `2024-02-29T23:59:59.000001Z`.
    package static func timestamp(_ microsecondsSince1970: Int = wallMicroseconds()) -> String {
        let microseconds = max(0, microsecondsSince1970)
        let seconds = microseconds / 1_000_000
        let date = civilDate(day: seconds / 86_400)
        let time = seconds % 86_400
        let day = "\(padded(date.year, 4))-\(padded(date.month, 2))-\(padded(date.day, 2))"
        let clock = "\(padded(time / 3_600, 2)):\(padded(time / 60 % 60, 2)):\(padded(time % 60, 2))"
        return "\(day)T\(clock).\(padded(microseconds % 1_000_000, 6))Z"
    }

    /// The date of a day after 1970-01-01.
    ///
    /// Years are counted from March, so that the leap day is the last of its year; 400 years have 146,097 days.
    private static func civilDate(day: Int) -> (year: Int, month: Int, day: Int) {
        let sinceMarch = day + 719_468  // Days from 0000-03-01 to 1970-01-01.
        let era = sinceMarch / 146_097
        let dayOfEra = sinceMarch % 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let monthFromMarch = (5 * dayOfYear + 2) / 153
        let month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
        let year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
        return (year, month, dayOfYear - (153 * monthFromMarch + 2) / 5 + 1)
    }

    private static func padded(_ number: Int, _ width: Int) -> String {
        let digits = "\(number)"
        return String(repeating: "0", count: max(0, width - digits.utf8.count)) + digits
    }
}
