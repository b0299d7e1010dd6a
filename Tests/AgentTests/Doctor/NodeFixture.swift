import Foundation
import Testing

@testable import Agent

/// A node that stands below `Nodes/NAME`: the files of its host, and in `node.json` what is no file.
///
/// The files were written for these tests, after what `sources` names: files with the commit that was read.
struct NodeFixture: Decodable {
    let sources: [String]

    /// What of the node has no source; docs/doctor.md lists it.
    let missing: String?

    /// The words of each process by its name.
    let processes: [String: [String]]
    let configurationDirectory: String
    let pluginDirectory: String

    /// The ids of what is not good, but for those of an agent that does not run.
    let findings: [String]
    let directories: [String]?
    let chained: Bool?
    let installs: Bool?
    let repairs: Bool?
    let hasProc: Bool?
    let missingFromNFTables: String?

    /// Whether the node has iptables; the agent's image never has it here.
    let hasIPTables: Bool?

    /// Files of the agent's own `/proc/self`; `modules` is one of `/proc`.
    let own: [String: String]?

    private static let folder = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Nodes")

    static let names: [String] = {
        let path = folder.path(percentEncoded: false)
        // A folder that cannot be listed shows in the test that wants all ids.
        return ((try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []).sorted()
    }()

    init(_ name: String) throws {
        let data = try Data(contentsOf: Self.folder.appending(path: "\(name)/node.json"))
        self = try JSONDecoder().decode(Self.self, from: data)
    }

    /// Makes the node of this name below /tmp, and looks at it.
    static func facts(_ name: String) throws -> DoctorFacts {
        let fixture = try Self(name)
        let top = URL(filePath: "/tmp/doctor-\(UInt32.random(in: .min ... .max))")
        defer { try? FileManager.default.removeItem(at: top) }  // Under /tmp, which is cleared anyway.
        try FileManager.default.createDirectory(at: top, withIntermediateDirectories: true)
        try FileManager.default.copyItem(
            at: folder.appending(path: "\(name)/root"),
            to: top.appending(path: "root")
        )
        try fixture.make(in: top)
        return DoctorFacts(fixture.places(top), settingProblems: [])
    }

    private func make(in top: URL) throws {
        for path in directories ?? [] {
            let url = top.appending(path: "root\(path)")
            try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
        }
        if hasProc ?? true { try write("", top, "proc/self/status") }
        for (number, process) in processes.sorted(by: { $0.key < $1.key }).enumerated() {
            let folder = "proc/\(100 + number)"
            try write("\(process.key)\n", top, "\(folder)/comm")
            try write(process.value.map { "\($0)\0" }.joined(), top, "\(folder)/cmdline")
            try write("", top, "\(folder)/ns/mnt")
            try FileManager.default.createSymbolicLink(
                at: top.appending(path: "\(folder)/root"),
                withDestinationURL: top.appending(path: "root")
            )
        }
        try makeOwn(in: top)
        for program in hasIPTables ?? false ? ["iptables-restore", "ip6tables-restore"] : [] {
            try write("#!/bin/sh\n", top, "root/usr/sbin/\(program)")
        }
    }

    private func makeOwn(in top: URL) throws {
        let usual = [
            "status": "CapEff:\t000001ffffffffff\nSeccomp:\t0\n", "uid_map": "         0          0 4294967295\n",
            "ns/mnt": "",
        ]
        let path = top.path(percentEncoded: false)
        for (name, text) in usual.merging(own ?? [:], uniquingKeysWith: { $1 }) {
            let text = text.replacing("@ROOT@", with: "\(path)/root").replacing("@PROC@", with: "\(path)/proc")
            try write(text, top, name == "modules" ? "own/modules" : "own/self/\(name)")
        }
    }

    private func write(_ text: String, _ top: URL, _ path: String) throws {
        let url = top.appending(path: path)
        let folder = url.deletingLastPathComponent()
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        try Data(text.utf8).write(to: url)
    }

    private func places(_ top: URL) -> DoctorPlaces {
        let path = top.path(percentEncoded: false)
        var install = InstallSettings()
        install.configurationDirectory = "\(path)/root\(configurationDirectory)"
        install.binaryDirectory = "\(path)/root\(pluginDirectory)"
        install.entry.runDirectory = "\(path)/run"
        install.isChained = chained ?? true
        var places = DoctorPlaces(install)
        places.installs = installs ?? true
        places.repairs = repairs ?? false
        places.hostProcesses = "\(path)/proc"
        places.ownProcesses = "\(path)/own"
        places.programDirectories = ["\(path)/bin"]
        let missing = missingFromNFTables
        places.probe = { missing }
        return places
    }
}
