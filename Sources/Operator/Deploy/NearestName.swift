/// Which of the known names somebody meant.
enum NearestName {
    /// The name with the fewest changes of a letter, or nil where all are too far away for a guess.
    static func of(_ name: String, among names: [String]) -> String? {
        let distances = names.map { (name: $0, distance: distance(name.lowercased(), $0.lowercased())) }
        let nearest = distances.min { ($0.distance, $0.name) < ($1.distance, $1.name) }
        guard let nearest, nearest.distance <= max(2, name.count / 3) else { return nil }
        return nearest.name
    }

    /// How many letters are to be added, removed, replaced, or swapped with their neighbour (optimal string alignment).
    static func distance(_ one: String, _ two: String) -> Int {
        let (rows, columns) = (Array(one), Array(two))
        var table = [[Int]](repeating: [Int](repeating: 0, count: columns.count + 1), count: rows.count + 1)
        for row in 0...rows.count { table[row][0] = row }
        for column in 0...columns.count { table[0][column] = column }
        for row in rows.indices {
            for column in columns.indices {
                let replaced = table[row][column] + (rows[row] == columns[column] ? 0 : 1)
                var least = min(replaced, table[row][column + 1] + 1, table[row + 1][column] + 1)
                let isSwapped =
                    row > 0 && column > 0 && rows[row] == columns[column - 1] && rows[row - 1] == columns[column]
                if isSwapped { least = min(least, table[row - 1][column - 1] + 1) }
                table[row + 1][column + 1] = least
            }
        }
        return table[rows.count][columns.count]
    }
}
