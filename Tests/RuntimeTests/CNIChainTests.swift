import CNIProtocol
import Foundation
import LinuxKernel
import RuntimeSupport
import Testing

/// The runner of chains does what libcni does: `containernetworking/cni`, `libcni/api.go`.
@Suite struct CNIChainTests {
    /// Two plugins that note their calls, and say who they are in their result.
    private func makeChain(_ folder: NodeFolder, firstFails: Bool = false) throws -> CNIChain {
        for name in ["first", "second"] {
            let answer =
                firstFails && name == "first"
                ? #"echo '{"cniVersion":"1.0.0","code":11,"msg":"not now","details":"really"}'; exit 1"#
                : #"echo '{"cniVersion":"1.0.0","by":"\#(name)"}'"#
            let script = """
                #!/bin/sh
                { echo "$CNI_COMMAND \(name) $CNI_CONTAINERID $CNI_NETNS $CNI_IFNAME $CNI_ARGS"; cat; echo; } >> '\(folder.log("calls"))'
                case $CNI_COMMAND in ADD) \(answer) ;; esac

                """
            try folder.write(script, to: "\(folder.plugins)/\(name)")
            try FileManager.default.setAttributes(
                [.posixPermissions: 0o755],
                ofItemAtPath: "\(folder.plugins)/\(name)"
            )
        }
        try folder.write(
            """
            {"cniVersion":"1.0.0","name":"net","plugins":[{"type":"first","capabilities":{"a":true,"b":false}},
            {"type":"second"}]}
            """,
            to: "\(folder.configuration)/10-net.conflist"
        )
        return try folder.chain()
    }

    private let attachment = CNIAttachment(
        containerID: "c1",
        namespacePath: "/run/netns/x",
        arguments: "K=V",
        capabilities: [
            JSONMember("a", .integer(1)), JSONMember("b", .integer(2)), JSONMember("c", .integer(3)),
        ]
    )

    private func calls(_ folder: NodeFolder) throws -> [String] {
        try String(contentsOfFile: folder.log("calls"), encoding: .utf8).split(separator: "\n").map(String.init)
    }

    @Test func `ADD goes forward, CHECK too, DEL goes back, each with the result it is due`() async throws {
        let folder = try NodeFolder()
        defer { folder.remove() }
        let chain = try makeChain(folder)

        let result = try await chain.add(attachment)
        try await chain.check(attachment)
        try await chain.delete(attachment)
        try await chain.delete(attachment)

        #expect(result["by"]?.string == "second")
        let network = #""cniVersion":"1.0.0","name":"net""#
        let of = { (name: String) in #","prevResult":{"cniVersion":"1.0.0","by":"\#(name)"}"# }
        let first = { (previous: String) in
            #"{"type":"first","capabilities":{"a":true,"b":false},"# + network + previous
                + #","runtimeConfig":{"a":1}}"#
        }
        let second = { (previous: String) in #"{"type":"second","# + network + previous + "}" }
        let call = { (command: String, plugin: String) in "\(command) \(plugin) c1 /run/netns/x eth0 K=V" }
        #expect(
            try calls(folder) == [
                call("ADD", "first"), first(""), call("ADD", "second"), second(of("first")),
                call("CHECK", "first"), first(of("second")), call("CHECK", "second"), second(of("second")),
                call("DEL", "second"), second(of("second")), call("DEL", "first"), first(of("second")),
                // The result is forgotten by now.
                call("DEL", "second"), second(""), call("DEL", "first"), first(""),
            ]
        )
    }

    @Test func `the first plugin that fails ends the ADD, and the whole list is taken back`() async throws {
        let folder = try NodeFolder()
        defer { folder.remove() }
        let chain = try makeChain(folder, firstFails: true)

        let failure = await #expect(throws: CNIChain.Failure.self) { try await chain.addOrTakeBack(attachment) }

        #expect(failure?.code == 11)
        #expect(failure?.description == #"plugin type="first" failed (add): not now; really"#)
        let commands = try calls(folder).filter { !$0.hasPrefix("{") }.map { $0.split(separator: " ").prefix(2) }
        #expect(commands == [["ADD", "first"], ["DEL", "second"], ["DEL", "first"]])
    }

    @Test func `a plugin that is not there is named`() async throws {
        let folder = try NodeFolder()
        defer { folder.remove() }
        let chain = try makeChain(folder)
        try FileManager.default.removeItem(atPath: "\(folder.plugins)/second")

        let failure = await #expect(throws: CNIChain.Failure.self) { try await chain.delete(attachment) }

        #expect(failure?.message == "failed to find plugin \"second\" in path [\(folder.plugins)]")
    }
}
