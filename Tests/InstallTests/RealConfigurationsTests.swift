import Agent
import CNIProtocol
import Conformance
import Foundation
import LinuxKernel
import TestSupport
import Testing

/// Files of real primary CNIs, and variations of them: every byte but our entry survives.
@Suite(.tags(.s7, .s35), .requiresUpstreamFixtures, .timeLimit(.minutes(10))) struct RealConfigurationsTests {
    static let files = UpstreamFixtures.names(in: "conflists").filter { name in ConfigurationFile.isLoadable(name) }

    @Test func `there are files to look at`() {
        #expect(Self.files.count > 80)
    }

    @Test(arguments: files)
    func `a file survives install, heal and uninstall`(file: String) async throws {
        try await Self.survives(try UpstreamFixtures.bytes("conflists/\(file)"), name: "10-\(file)")
    }

    @Test func `two hundred variations survive them too`() async throws {
        var generator = SeededGenerator(seed: 3)
        let originals = try Self.files.map { name in (name, try UpstreamFixtures.bytes("conflists/\(name)")) }
        var usable = 0
        for number in 0..<200 {
            let (name, bytes) = try #require(originals.randomElement(using: &generator))
            let varied = Variation(of: bytes).next(using: &generator)
            if try await Self.survives(varied, name: "10-\(number)-\(name)") { usable += 1 }
        }
        print("\(usable) of 200 variations could be installed into")
        #expect(usable > 100)
    }

    /// Whether it could be installed into; a file that no runtime loads stays as it is.
    @discardableResult
    private static func survives(_ bytes: [UInt8], name: String) async throws -> Bool {
        let node = try NodeDirectory([name: bytes])
        defer { node.cleanUp() }
        // What was there before upstream came, where it has been here.
        let stripped = (try? ConfigurationText(bytes))?.removingEntries() ?? bytes
        let isUsable = ConfigurationFiles([ConfigurationFile(name: name, bytes: bytes, mode: 0o644)]).isUsable

        try await node.run(isKept: true) { state in
            try await eventually("installed") {
                isUsable ? state.report.isReady : state.report.reasons.first?.contains("yet") == true
            }
            guard isUsable else { return }
            let list = try #require(state.report.file)
            let installed = try node.bytes(list)
            #expect(try node.types(list)?.filter { $0 == "istio-cni" }.count == 1)
            #expect(try node.types(list)?.last == "istio-cni")
            // The text around the entry is the old one.
            #expect(try ConfigurationText(installed).removingEntries().holds(stripped))

            try node.write(try ConfigurationText(installed).removingEntries(), to: list)
            try await eventually("healed") { try node.bytes(list) == installed }
        }
        try await node.uninstall()

        let after = try node.contents()
        #expect(after.keys.sorted() == [name])
        #expect(after[name] == (isUsable ? stripped : bytes), "\(name)")
        return isUsable
    }
}

/// The same configuration as somebody else might have written it.
private struct Variation {
    let bytes: [UInt8]

    init(of bytes: [UInt8]) { self.bytes = bytes }

    func next(using generator: inout SeededGenerator) -> [UInt8] {
        var result = bytes
        for _ in 0..<Int.random(in: 1...3, using: &generator) {
            switch Int.random(in: 0..<7, using: &generator) {
            case 0: result = result.replacing([0x0A], with: [0x0D, 0x0A])
            case 1: result = result.replacing([0x20, 0x20], with: [0x09])
            case 2: result = (try? JSONValue(parsing: result))?.bytes() ?? result
            case 3: result = (try? JSONValue(parsing: result))?.bytes(.indented) ?? result
            case 4: result = [0x0A, 0x20] + result + [0x0A, 0x0A]
            case 5: result = result.replacing(Array("\"mtu\"".utf8), with: Array("\"m\\u0074u\"".utf8))
            default:
                // Blanks where JSON allows any.
                let places = result.indices.filter {
                    result[$0] == UInt8(ascii: ":") || result[$0] == UInt8(ascii: ",")
                }
                guard let place = places.randomElement(using: &generator) else { continue }
                result.insert(contentsOf: [0x20, 0x0A, 0x09].shuffled(using: &generator), at: place + 1)
            }
        }
        return result
    }
}

extension ConfigurationFiles {
    /// Whether a runtime loads the first file, and it is no entry of ours that stands alone.
    fileprivate var isUsable: Bool {
        guard let file = files.first else { return false }
        switch file.content {
        case .list: return true
        case .single(let text): return !text.isStandaloneEntry
        case .unusable: return false
        }
    }
}

extension [UInt8] {
    fileprivate func holds(_ other: [UInt8]) -> Bool {
        let inner = other.trimmed
        guard inner.count <= count else { return false }
        return (0...(count - inner.count)).contains { start in self[start..<(start + inner.count)].elementsEqual(inner)
        }
    }

    private var trimmed: ArraySlice<UInt8> {
        let isBlank: (UInt8) -> Bool = { $0 == 0x20 || $0 == 0x09 || $0 == 0x0A || $0 == 0x0D }
        guard let end = lastIndex(where: { !isBlank($0) }) else { return [] }
        return self[...end].drop(while: isBlank)
    }
}
