import CNIProtocol
import Testing

@testable import Agent

/// The steps, without a disk.
@Suite struct InstallPlanTests {
    private static func state(
        _ files: [String: String],
        journal: InstallJournal = InstallJournal(),
        hasKubeconfig: Bool = false,
        hasCurrentBinary: Bool = true
    ) -> InstalledState {
        let files = files.map { name, text in ConfigurationFile(name: name, bytes: Array(text.utf8), mode: 0o644) }
        return InstalledState(
            files: ConfigurationFiles(files),
            journal: journal,
            hasCurrentBinary: hasCurrentBinary,
            hasKubeconfig: hasKubeconfig
        )
    }

    /// Carries out the steps in memory.
    private static func after(_ plan: [InstallStep], _ state: InstalledState) -> InstalledState {
        var files = Dictionary(uniqueKeysWithValues: state.files.files.map { file in (file.name, file) })
        var result = state
        for step in plan {
            switch step {
            case .installBinary: result.hasCurrentBinary = true
            case .writeJournal(let journal): result.journal = journal
            case .write(let name, let bytes, let mode):
                files[name] = ConfigurationFile(name: name, bytes: bytes, mode: mode)
            case .remove(let name): files[name] = nil
            case .removeKubeconfig: result.hasKubeconfig = false
            case .removeJournal: result.journal = InstallJournal()
            case .removeBinary: result.hasCurrentBinary = false
            }
        }
        result.files = ConfigurationFiles(Array(files.values))
        return result
    }

    private static func settings(_ change: (inout InstallSettings) -> Void = { _ in }) -> InstallSettings {
        var settings = InstallSettings()
        change(&settings)
        return settings
    }

    private static func kinds(_ plan: InstallPlan) -> [String] {
        plan.steps.map { step in
            switch step {
            case .installBinary: "binary"
            case .writeJournal: "journal"
            case .write(let name, _, _): "write \(name)"
            case .remove(let name): "remove \(name)"
            case .removeKubeconfig: "remove kubeconfig"
            case .removeBinary: "remove binary"
            case .removeJournal: "remove journal"
            }
        }
    }

    @Test func `the binary is there before the entry that names it, and the token goes last`() {
        let state = Self.state(["10-a.conflist": Sample.list], hasKubeconfig: true, hasCurrentBinary: false)

        let plan = InstallPlan(Self.settings(), state)

        #expect(Self.kinds(plan) == ["binary", "write 10-a.conflist", "remove kubeconfig"])
        #expect(plan.file == "10-a.conflist")
        #expect(InstallPlan(Self.settings(), Self.after(plan.steps, state)).steps == [])
    }

    @Test(arguments: ["10-a.conf", "10-a.json"])
    func `a single plugin is in the journal before its list is there, and goes after it`(name: String) {
        let state = Self.state([name: Sample.bridge])

        let plan = InstallPlan(Self.settings(), state)

        #expect(Self.kinds(plan) == ["journal", "write 10-a.conflist", "remove \(name)"])
        #expect(InstallPlan(Self.settings(), Self.after(plan.steps, state)).steps == [])
    }

    /// A stop after any step: what comes of the rest, and whether all is as before in the end.
    @Test(arguments: [
        ["10-a.conf": Sample.bridge], ["10-a.json": Sample.bridge], ["10-a.conflist": Sample.list],
        ["10-a.conf": Sample.bridge, "10-a.conflist": Sample.list, "11-b.conflist": Sample.list],
        ["10-a.conf": Sample.bridge, "10-a.conflist": "garbage"],
        ["10-a.conf": Sample.bridge, "02-istio-cni.conflist": Sample.list],
        ["02-istio-cni.conflist": "garbage", "10-a.conflist": Sample.list],
        ["YYY-istio-cni.conf": Sample.bridge, "10-a.conflist": Sample.list],
    ])
    func `stopped after any step, the next run ends as if it had not been`(files: [String: String]) {
        for settings in [
            Self.settings(), Self.settings { $0.ownsConfiguration = true }, Self.settings { $0.isChained = false },
        ] {
            let state = Self.state(files)
            let plan = InstallPlan(settings, state)
            let whole = Self.after(plan.steps, state)
            for count in 0...plan.steps.count {
                let part = Self.after(Array(plan.steps.prefix(count)), state)
                let repaired = Self.after(InstallPlan(settings, part).steps, part)
                #expect(repaired == whole, "\(settings.isChained) \(settings.ownsConfiguration): after \(count) steps")

                let early = Self.after(UninstallPlan(settings, part).steps, part)
                #expect(
                    early.files == state.files,
                    "\(settings.isChained) \(settings.ownsConfiguration): uninstalled after \(count) steps"
                )
            }
            let uninstall = UninstallPlan(settings, whole)
            for count in 0...uninstall.steps.count {
                let part = Self.after(Array(uninstall.steps.prefix(count)), whole)
                let rest = Self.after(UninstallPlan(settings, part).steps, part)
                #expect(rest.files == state.files, "uninstall stopped after \(count) steps")

                let again = Self.after(InstallPlan(settings, part).steps, part)
                #expect(again.files == whole.files, "installed again after \(count) steps")
            }
        }
    }

    /// Settings change between two starts.
    @Test(arguments: [["10-a.conf": Sample.bridge], ["10-a.conflist": Sample.list]])
    func `one way of installing gives way to another, and nothing is left of it`(files: [String: String]) {
        let ways = [
            Self.settings(), Self.settings { $0.ownsConfiguration = true }, Self.settings { $0.isChained = false },
            Self.settings {
                $0.ownsConfiguration = true
                $0.ownedName = "01-mesh.conflist"
            },
        ]
        for first in ways {
            for second in ways {
                let state = Self.state(files)
                let installed = Self.after(InstallPlan(first, state).steps, state)
                let changed = Self.after(InstallPlan(second, installed).steps, installed)
                let directly = Self.after(InstallPlan(second, state).steps, state)

                #expect(changed.files == directly.files)
                #expect(Self.after(UninstallPlan(second, changed).steps, changed).files == state.files)
            }
        }
    }

    @Test func `an owned file is a copy of the primary's list, which loses its entry afterwards`() {
        let settings = Self.settings { $0.ownsConfiguration = true }
        let chained = Self.after(
            InstallPlan(Self.settings(), Self.state(["10-a.conflist": Sample.list])).steps,
            Self.state(["10-a.conflist": Sample.list])
        )

        let plan = InstallPlan(settings, chained)

        #expect(Self.kinds(plan) == ["journal", "write 02-istio-cni.conflist", "write 10-a.conflist"])
        #expect(plan.file == "02-istio-cni.conflist")
    }

    @Test func `an owned file that would not come first is not made, and why is said`() {
        let settings = Self.settings { $0.ownsConfiguration = true }

        let plan = InstallPlan(settings, Self.state(["00-multus.conflist": Sample.list]))

        #expect(Self.kinds(plan) == ["write 00-multus.conflist"])
        #expect(plan.warnings.first?.contains("--istio-owned-cni-config-filename") == true)
    }

    @Test func `an owned file follows every change of the primary`() {
        let settings = Self.settings { $0.ownsConfiguration = true }
        let state = Self.state(["10-a.conflist": Sample.list])
        var installed = Self.after(InstallPlan(settings, state).steps, state)
        let changed = ConfigurationFile(
            name: "10-a.conflist",
            bytes: Array(Sample.list.replacing("1400", with: "9000").utf8),
            mode: 0o644
        )
        installed.files = ConfigurationFiles(installed.files.files.filter { $0.name != changed.name } + [changed])

        #expect(Self.kinds(InstallPlan(settings, installed)) == ["write 02-istio-cni.conflist"])
    }

    @Test(arguments: [
        (["a.conf": "x", "b.conflist": Sample.list, "c.conflist": Sample.list], "b.conflist"),
        (["a.txt": Sample.list, "b.conflist": Sample.list], "b.conflist"),
        (["Z.conflist": Sample.list, "a.conflist": Sample.list], "Z.conflist"),
        (["b.conflist": Sample.list, "a.json": Sample.bridge], "a.conflist"),
        (["a.conf": #"{"type":"istio-cni"}"#, "b.conflist": Sample.list], "b.conflist"),
        (["a.conflist": #"{"name":"x","pugins":[{"type":"y"}]}"#, "b.conf": Sample.bridge], "b.conflist"),
    ])
    func `the first file that a runtime can load is the primary`(files: [String: String], file: String) {
        #expect(InstallPlan(Self.settings(), Self.state(files)).file == file)
    }

    @Test(arguments: [
        ("10-a.conflist", "10-a.conflist", "10-a.conflist"), ("10-a.conf", "10-a.conflist", "10-a.conflist"),
        ("10-a.conflist", "10-a.conf", "10-a.conflist"), ("plain", "plain", "plain"),
    ])
    func `what is named is the primary, in either form, wherever it sorts`(name: String, there: String, file: String) {
        let text = there.hasSuffix("list") || there == "plain" ? Sample.list : Sample.bridge

        let plan = InstallPlan(
            Self.settings { $0.configurationName = name },
            Self.state([there: text, "99-z.conflist": Sample.list])
        )

        #expect(plan.file == file)
        #expect(plan.waiting == nil)
    }

    @Test(arguments: [
        ("10-a.conf", "99-z.conflist", Sample.list), ("10-a.conflist", "10-a.conflist", "{"),
        ("", "10-a.conflist", "{"), ("", "YYY-istio-cni.conf", #"{"type":"istio-cni"}"#),
    ])
    func `without a primary it waits, with nothing but the binary in place`(name: String, there: String, text: String) {
        let settings = Self.settings { $0.configurationName = name }

        let plan = InstallPlan(settings, Self.state([there: text], hasKubeconfig: true, hasCurrentBinary: false))

        #expect(plan.waiting != nil)
        #expect(plan.steps == [.installBinary])
    }

    @Test func `a named primary behind another file is installed, and a warning says what the runtime loads`() {
        let settings = Self.settings { $0.configurationName = "20-b.conflist" }

        let plan = InstallPlan(settings, Self.state(["10-a.conflist": Sample.list, "20-b.conflist": Sample.list]))

        #expect(plan.waiting == nil)
        #expect(plan.warnings.count == 1)
        #expect(plan.warnings.first?.contains("10-a.conflist") == true)
    }

    @Test func `with ambient mode asked for nothing is touched (decision 21)`() {
        let settings = Self.settings { $0.entry.isAmbientEnabled = true }

        let plan = InstallPlan(
            settings,
            Self.state(["10-a.conflist": Sample.list], hasKubeconfig: true, hasCurrentBinary: false)
        )

        #expect(plan.steps == [])
        #expect(plan.waiting?.contains("AMBIENT_ENABLED") == true)
    }

    @Test func `a list that others have changed since it was made of a single plugin stays a list`() {
        let state = Self.state(["10-a.conf": Sample.bridge])
        var installed = Self.after(InstallPlan(Self.settings(), state).steps, state)
        let text = String(decoding: installed.files["10-a.conflist"]?.bytes ?? [], as: UTF8.self)
            .replacing("\"bridge\":\"cni0\"", with: "\"bridge\":\"cni1\"")
        installed.files = ConfigurationFiles([
            ConfigurationFile(name: "10-a.conflist", bytes: Array(text.utf8), mode: 0o644)
        ])

        let rest = Self.after(UninstallPlan(Self.settings(), installed).steps, installed)

        #expect(rest.files.files.map(\.name) == ["10-a.conflist"])
        #expect(rest.files.files.first?.holdsEntry == false)
        let left = String(decoding: rest.files.files.first?.bytes ?? [], as: UTF8.self)
        #expect(left.contains("cni1"))
    }

    @Test func `an owned file out of which others took the entry goes all the same`() {
        let settings = Self.settings { $0.ownsConfiguration = true }
        let state = Self.state(["10-a.conflist": Sample.list])
        var installed = Self.after(InstallPlan(settings, state).steps, state)
        installed.files = ConfigurationFiles(
            installed.files.files.map { file in
                let bytes = file.json?.removingEntries() ?? file.bytes
                return ConfigurationFile(name: file.name, bytes: bytes, mode: file.mode)
            }
        )

        #expect(Self.after(UninstallPlan(settings, installed).steps, installed).files == state.files)
    }

    @Test func `the entry is what the plugin reads`() throws {
        var entry = PluginEntry()
        entry.nodeName = "n1"
        entry.podNamespace = "istio-system"
        entry.excludedNamespaces = ["kube-system"]
        entry.agentWaitSeconds = 7
        entry.logLevel = "debug"

        let read = try CNIConfiguration(entry.standaloneValue.bytes())

        #expect(read.nodeName == "n1")
        #expect(read.podNamespace == "istio-system")
        #expect(read.excludedNamespaces == ["kube-system"])
        #expect(read.agentWaitSeconds == 7)
        #expect(read.logLevel == "debug")
        #expect(read.runDirectory == "/var/run/istio-cni")
        #expect(read.capabilities == [CNIConfiguration.podAnnotationsCapability: true])
        #expect(try CNIConfiguration(PluginEntry().standaloneValue.bytes()).excludedNamespaces == [])
    }

    @Test(arguments: ["../x.conf", "/x.conf", "."])
    func `a name with a directory is refused`(name: String) {
        #expect(throws: InstallError.self) { try Self.settings { $0.configurationName = name }.check() }
    }

    @Test(arguments: ["02-istio-cni.conf", "a/b.conflist", "", "10-a.conflist"])
    func `an owned name must be a list's, and not the primary's`(name: String) {
        let settings = Self.settings {
            $0.ownsConfiguration = true
            $0.ownedName = name
            $0.configurationName = "10-a.conflist"
        }

        #expect(throws: InstallError.self) { try settings.check() }
    }

    @Test func `a journal comes back as it was written, whatever bytes it holds`() throws {
        var journal = InstallJournal()
        journal.made = ["02-istio-cni.conflist"]
        journal.note(ConfigurationFile(name: "a.conf", bytes: Array(0...255), mode: 0o640), by: "a.conflist")

        let read = InstallJournal(journal.bytes)

        #expect(read == journal)
        #expect(InstallJournal(Array("{}".utf8)) == nil)
    }
}
