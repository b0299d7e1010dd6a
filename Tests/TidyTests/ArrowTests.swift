import Testing

/// The arrows of docs/architecture.md, read from the imports themselves.
@Suite struct ArrowTests {
    /// What a target may import of this project: a leaf imports no other leaf.
    static let arrows: [String: Set<String>] = [
        "CNIProtocol": [],
        "Redirect": [],
        "AgentProtocol": ["CNIProtocol", "Redirect"],
        "CLinuxKernel": [],
        "LinuxKernel": ["CLinuxKernel"],
        "Enforcement": ["Redirect", "LinuxKernel"],
        // One JSON reader, and so one decoder of pods, for both sources of pods.
        "Kubernetes": ["CNIProtocol"],
        "Plugin": [
            "CNIProtocol", "Redirect", "AgentProtocol", "CLinuxKernel", "LinuxKernel", "Enforcement",
        ],
        "Agent": [
            "CNIProtocol", "Redirect", "AgentProtocol", "LinuxKernel", "Enforcement", "Kubernetes",
        ],
        "Operator": [
            "CNIProtocol", "Redirect", "AgentProtocol", "LinuxKernel", "Enforcement", "Kubernetes",
            "Agent",
        ],
        "NodeProgram": [
            "Agent", "AgentProtocol", "CNIProtocol", "Enforcement", "LinuxKernel", "Redirect",
        ],
        "OperatorProgram": ["AgentProtocol", "CNIProtocol", "Operator", "Redirect"],
    ]

    /// What stands on no library but Swift's own: the plugin and everything under it, which is Embedded Swift as well.
    static let bare: Set<String> = [
        "CNIProtocol", "Redirect", "AgentProtocol", "LinuxKernel", "Enforcement", "Plugin",
    ]

    /// Only `istio-cnictl`: full Foundation brings 45 MB of ICU data into a static executable.
    static let mayImportFoundation: Set<String> = ["Operator", "OperatorProgram"]

    @Test(arguments: Repository.sources)
    func `imports follow the arrows`(path: String) throws {
        let target = try #require(Self.target(of: path))
        let allowed = try #require(Self.arrows[target], "docs/architecture.md has no target \(target)")

        for module in try Self.imports(of: path) {
            if Self.arrows[module] != nil {
                #expect(allowed.contains(module), "\(path): \(target) must not know \(module)")
            } else if Self.bare.contains(target) {
                Issue.record("\(path): \(target) stands on nothing but Swift, so no import \(module)")
            }
            if module == "Foundation" {
                #expect(
                    Self.mayImportFoundation.contains(target),
                    "\(path): import FoundationEssentials, or nothing"
                )
            }
        }
    }

    @Test func `an import is seen behind its access level`() {
        let lines: [Substring] = [
            "package import Redirect", "@testable import Agent", "import struct Foundation.Data",
        ]

        #expect(lines.compactMap(Self.imported) == ["Redirect", "Agent", "Foundation"])
    }

    @Test func `docs/architecture.md names every target`() throws {
        let page = try Repository.text("docs/architecture.md")

        for target in Set(Repository.files.filter { $0.hasPrefix("Sources/") }.compactMap(Self.target)) {
            #expect(page.contains("`\(target)`"), "docs/architecture.md says nothing of \(target)")
        }
    }

    private static func target(of path: String) -> String? {
        path.split(separator: "/").dropFirst().first.map(String.init)
    }

    private static func imports(of path: String) throws -> Set<String> {
        Set(try Repository.lines(path).compactMap(imported))
    }

    /// The module of an import declaration, or nil for any other line.
    private static func imported(_ line: Substring) -> String? {
        let words = line.split(separator: " ")
        guard let at = words.firstIndex(of: "import") else { return nil }
        let before = words[..<at].allSatisfy {
            $0.hasPrefix("@") || ["package", "public", "internal", "private"].contains($0)
        }
        guard before, var name = words[(at + 1)...].first else { return nil }
        if ["struct", "class", "enum", "protocol", "func", "typealias", "let", "var"].contains(name) {
            name = words[(at + 1)...].dropFirst().first ?? name
        }
        return name.split(separator: ".").first.map(String.init)
    }
}
