import CNIProtocol
import Conformance
import Foundation
import Operator
import TestSupport
import Testing

/// What the official chart rendered for 28 sets of values, and what this one renders for them.
@Suite(.requiresHelm, .requiresUpstreamFixtures, .serialized) final class RecordedChartTests {
    private let chart: URL

    init() throws { chart = try RenderedChart.copyWithRecordedVersion() }

    deinit {
        // A folder that stays in the temporary directory harms nobody.
        try? FileManager.default.removeItem(at: chart)
    }

    @Test(.tags(.s2, .s18, .s19, .s20, .s22), arguments: UpstreamFixtures.names(in: "chart"))
    func `the official rendering with the intended differences is what is rendered`(file: String) async throws {
        let recording = try JSONValue(parsing: UpstreamFixtures.bytes("chart/\(file)"))
        let name = String(file.dropLast(".json".count))
        let values = Self.withImage(recording["values"] ?? .object([]))

        if let error = recording["error"]?.string {
            let said = await #expect(throws: HelmRefused.self) { _ = try await self.rendered(values) }
            let reason = error.split(separator: "): ").last.map(String.init) ?? error
            #expect(said?.words.contains(reason) == true, "\(said?.words ?? "nothing"): \(reason)")
            return
        }
        let ours = try await rendered(values).mapValues { object in FlatObject(object) }
        var official: [String: FlatObject] = [:]
        for object in recording["objects"]?.array ?? [] {
            official[RenderedChart.name(of: object)] = FlatObject(object)
        }
        for difference in try IntendedDifference.all() { difference.apply(to: &official, of: name, rendered: ours) }

        for object in Set(ours.keys).union(official.keys).sorted() {
            let found = (official[object] ?? FlatObject()).differences(to: ours[object] ?? FlatObject())
            #expect(found.isEmpty, "\(object): \(found.joined(separator: "\n"))")
        }
    }

    /// `kubectl apply` and Helm cannot change these once the objects are there.
    @Test(.tags(.s28), arguments: UpstreamFixtures.names(in: "chart"))
    func `an upgrade from the official chart changes no field that cannot be changed`(file: String) async throws {
        let recording = try JSONValue(parsing: UpstreamFixtures.bytes("chart/\(file)"))
        guard let official = recording["objects"]?.array else { return }
        let ours = try await rendered(Self.withImage(recording["values"] ?? .object([])))

        for object in official {
            let new = try #require(ours[RenderedChart.name(of: object)], "\(RenderedChart.name(of: object)) is gone")
            #expect(new["metadata"]?["namespace"] == object["metadata"]?["namespace"])
            #expect(new["roleRef"].map { FlatObject($0) } == object["roleRef"].map { FlatObject($0) })
            #expect(new["spec"]?["selector"] == object["spec"]?["selector"])
            #expect(
                new["spec"]?["scopeSelector"].map { FlatObject($0) }
                    == object["spec"]?["scopeSelector"].map { FlatObject($0) }
            )
        }
    }

    @Test func `there are 28 recordings, and at most twelve differences, each with its reason`() throws {
        let differences = try IntendedDifference.all()

        #expect(UpstreamFixtures.names(in: "chart").count == 28)
        #expect(differences.count <= 12)
        #expect(differences.filter { $0.to == .string("*") }.map { $0.path.hasSuffix("checksum~1config") } == [true])
        for difference in differences { #expect(difference.reason.hasSuffix("."), "\(difference.path)") }
    }

    @Test func `every difference is one of some recording`() throws {
        // A checksum that is there, since that one is taken over as it is.
        let some = FlatObject(
            .object([]).setting(
                path: ["spec", "template", "metadata", "annotations", "checksum/config"],
                .string(String(repeating: "0", count: 64))
            )
        )
        var unused = try IntendedDifference.all()
        for file in UpstreamFixtures.names(in: "chart") {
            let recording = try JSONValue(parsing: UpstreamFixtures.bytes("chart/\(file)"))
            var official: [String: FlatObject] = [:]
            for object in recording["objects"]?.array ?? [] {
                official[RenderedChart.name(of: object)] = FlatObject(object)
            }
            guard !official.isEmpty else { continue }
            let name = String(file.dropLast(".json".count))
            unused.removeAll { difference in
                difference.apply(to: &official, of: name, rendered: ["DaemonSet/istio-cni-node": some])
            }
        }

        #expect(unused.map { $0.path } == [])
    }

    private func rendered(_ values: JSONValue) async throws -> [String: JSONValue] {
        let chart = chart
        return try await onThread { try RenderedChart.objects(values, chart: chart) }
    }

    /// The recordings' own hub and tag, which are the official chart's defaults, below what a recording sets.
    private static func withImage(_ values: JSONValue) -> JSONValue {
        var members = values.members ?? []
        var global = members.index(of: "global").flatMap { members.remove(at: $0).value.members } ?? []
        for (name, value) in [("hub", "registry.istio.io/testing"), ("tag", "latest")]
        where global.index(of: name) == nil {
            global.append(JSONMember(name, .string(value)))
        }
        members.append(JSONMember("global", .object(global)))
        return .object(members)
    }
}
