/// What a misspelt name may have been meant to be.
enum Suggestion {
    /// ` (did you mean X?)`, or nothing where no name is near.
    static func nearest(to name: String, in names: [String]) -> String {
        let ranked = names.map { (name: $0, distance: distance(name.lowercased(), $0.lowercased())) }
        guard let best = ranked.min(by: { $0.distance < $1.distance }), best.distance <= max(2, name.count / 3) else {
            return ""
        }
        return " (did you mean \(best.name)?)"
    }

    /// The fewest letters to put in, take out or change (Levenshtein).
    static func distance(_ one: String, _ two: String) -> Int {
        let (first, second) = (Array(one), Array(two))
        var row = Array(0...second.count)
        for (index, letter) in first.enumerated() {
            var diagonal = row[0]
            row[0] = index + 1
            for (column, other) in second.enumerated() {
                let change = diagonal + (letter == other ? 0 : 1)
                diagonal = row[column + 1]
                row[column + 1] = min(change, row[column] + 1, diagonal + 1)
            }
        }
        return row[second.count]
    }
}
