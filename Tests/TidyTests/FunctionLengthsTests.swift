import Testing

@Suite struct FunctionLengthsTests {
    @Test func `a function counts from its name to its closing brace`() {
        let source = """
            struct Pod {
                func short() { 1 }

                package func long(
                    of count: Int
                ) -> Int {
                    if count > 0 {
                        return 1
                    }
                    return 0
                }
            }
            """

        let functions = FunctionLengths.measure(
            source.split(separator: "\n", omittingEmptySubsequences: false)
        )

        #expect(functions.map(\.lines) == [8])
        #expect(functions.map(\.start) == [4])
    }
}
