import TestSupport
import Testing

@testable import LinuxKernel

@Suite struct NFTablesSetTests {
    private static func ports(_ ranges: [ClosedRange<UInt16>]) -> NFTablesSet {
        NFTablesSet(
            "ports",
            of: .inetService,
            isInterval: true,
            elements: ranges.map { .init(from: .port($0.lowerBound), through: .port($0.upperBound)) }
        )
    }

    @Test func `a range becomes a start and an end after it`() {
        let boundaries = Self.ports([80...80, 8_000...9_000]).boundaries

        #expect(
            boundaries.map { "\($0.key[0]).\($0.key[1])\($0.isEnd ? " end" : "")" }
                == ["0.0 end", "0.80", "0.81 end", "31.64", "35.41 end"]
        )
    }

    @Test func `a range from the lowest to the highest value has no end`() {
        let boundaries = Self.ports([0...65_535]).boundaries

        #expect(boundaries == [NFTablesSet.Boundary(key: [0, 0], isEnd: false)])
    }

    @Test func `any disjoint ranges come back, in whatever order the kernel lists them`() {
        var generator = SeededGenerator(seed: 7)
        for _ in 0..<500 {
            let cuts = Set((0..<20).map { _ in UInt16.random(in: 0...200, using: &generator) }).sorted()
            let scale: (UInt16) -> UInt16 = { $0 == 200 ? 65_535 : $0 }
            let ranges = stride(from: 0, to: cuts.count - 1, by: 2).map { scale(cuts[$0])...scale(cuts[$0 + 1]) }
            let set = Self.ports(ranges)

            let listed = set.boundaries.shuffled(using: &generator)

            #expect(NFTablesSet.elements(from: listed, isInterval: true, byteCount: 2) == set.elements)
        }
    }

    @Test func `ranges that touch stay two`() {
        let set = Self.ports([1...2, 3...4])

        #expect(NFTablesSet.elements(from: set.boundaries, isInterval: true, byteCount: 2) == set.elements)
    }

    @Test func `the order of elements does not matter for equality`() {
        #expect(Self.ports([1...2, 5...6]) == Self.ports([5...6, 1...2]))
    }
}
