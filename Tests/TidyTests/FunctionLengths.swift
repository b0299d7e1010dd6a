/// The length of each function of a file, found by counting braces.
///
/// Good for the layout that `swift format` makes, where a declaration's closing brace stands alone in the column
/// of its first line. It reads lines, not Swift, and it leaves out what stands in a multi-line string.
enum FunctionLengths {
    struct Function {
        var name: String
        /// The first line, counted from 1.
        var start: Int
        var lines: Int
    }

    static func measure(_ lines: [Substring]) -> [Function] {
        var functions: [Function] = []
        var open: [(name: String, start: Int, indentation: Int)] = []
        var inString = false
        for (index, line) in lines.enumerated() {
            if line.split(separator: "\"\"\"", omittingEmptySubsequences: false).count.isMultiple(of: 2) {
                inString.toggle()
            }
            guard !inString else { continue }
            let indentation = line.prefix { $0 == " " }.count
            let body = line.dropFirst(indentation)
            if let last = open.last, body.hasPrefix("}"), indentation == last.indentation {
                functions.append(
                    Function(name: last.name, start: last.start, lines: index + 2 - last.start)
                )
                open.removeLast()
            }
            if let name = declaredName(body), !isWhole(body) {
                open.append((name, index + 1, indentation))
            }
        }
        return functions
    }

    /// The first words of a function's declaration, or nil for any other line.
    private static func declaredName(_ line: Substring) -> String? {
        guard !line.hasPrefix("//") else { return nil }
        let words = line.prefix { $0 != "(" && $0 != "{" && $0 != "`" }.split(separator: " ")
        let isFunction = words.contains("func") || words.last == "init" || words.last == "deinit"
        return isFunction && !line.hasPrefix(".") ? String(line.prefix(60)) : nil
    }

    /// Whether the declaration begins and ends on its line, like a requirement of a protocol.
    private static func isWhole(_ line: Substring) -> Bool {
        line.hasSuffix("}") || (line.contains(")") && !line.hasSuffix("{") && !line.hasSuffix("("))
    }
}
