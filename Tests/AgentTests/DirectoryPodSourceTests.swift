import Agent
import AgentProtocol
import CNIProtocol
import Foundation
import Redirect
import TestSupport
import Testing

@Suite(.timeLimit(.minutes(2))) struct DirectoryPodSourceTests {
    @Test func `a file that is added, changed or removed is noticed`() async throws {
        let agent = try RunningAgent()

        try await agent.run { () async throws in
            try agent.write(Sample.pod(), to: "cart.json")
            try await eventually("the pod is added") { try await agent.onlyPod()["uid"] == .string("u1") }

            try agent.write(Sample.pod(uid: "u2"), to: "cart.json")
            try await eventually("the pod is changed") { try await agent.onlyPod()["uid"] == .string("u2") }

            // Written in place, as a shell does it.
            let file = agent.podDirectory.appending(path: "cart.json")
            try Data(Sample.pod(uid: "u3").utf8).write(to: file)
            try await eventually("the pod is changed in place") {
                try await agent.onlyPod()["uid"] == .string("u3")
            }

            try FileManager.default.removeItem(at: file)
            try await eventually("the pod is gone") { try await agent.status()["pods"] == .number("0") }
        }
    }

    @Test(arguments: ["{", #"{"metadata":{"name":7}}"#, String(repeating: " ", count: PodFiles.longestFileBytes + 1)])
    func `a broken file keeps the pod that it had`(text: String) async throws {
        let agent = try RunningAgent(pods: ["cart.json": Sample.pod()])

        try await agent.run { () async throws in
            try agent.write(text, to: "cart.json")
            try agent.write(#"{"metadata":{"name":"later"}}"#, to: "later.json")
            // What came later is known, so the broken file has been read.
            try await eventually("the later file is read") { try await agent.status()["pods"] == .number("2") }

            guard case .answer(.redirect) = try await agent.ask(Sample.request) else {
                Issue.record("the pod is forgotten")
                return
            }
        }
    }

    @Test func `pods keep the labels that repair asks for`() throws {
        let agent = try RunningAgent(pods: [
            "a.json": #"{"metadata":{"name":"a","labels":{"app":"cart","other":"1"}}}"#
        ])
        // Under /tmp, which is cleared anyway.
        defer { try? FileManager.default.removeItem(at: agent.root) }
        var files = PodFiles(directory: agent.podDirectory.path(percentEncoded: false), keeping: ["app"])

        try files.readAll()

        #expect(files.all.map(\.pod.labels) == [["app": "cart"]])
    }

    @Test func `only files of JSON count`() async throws {
        let agent = try RunningAgent(pods: [
            "a.json": Sample.pod(), "b.yaml": "metadata:", ".c.json": "{", "d.json.swp": "{",
        ])

        try await agent.run { () async throws in
            #expect(try await agent.status()["pods"] == .number("1"))
        }
    }

    @Test func `a directory that goes away and comes back is read again`() async throws {
        let agent = try RunningAgent(pods: ["cart.json": Sample.pod()])

        try await agent.run { () async throws in
            try FileManager.default.removeItem(at: agent.podDirectory)
            try FileManager.default.createDirectory(at: agent.podDirectory, withIntermediateDirectories: false)
            try agent.write(Sample.pod(uid: "u2"), to: "cart.json")

            try await eventually("the new directory is read") {
                try await agent.onlyPod()["uid"] == .string("u2")
            }
        }
    }
}
