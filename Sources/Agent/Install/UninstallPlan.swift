/// From what is on the node to what was there before: the steps, our entry first and the journal last.
package struct UninstallPlan: Equatable, Sendable {
    package let steps: [InstallStep]

    package init(_ settings: InstallSettings, _ state: InstalledState) {
        var changes = Changes(state.journal)
        let ours = OwnFiles.names(settings, state.files, state.journal)
        for name in ours.sorted() { changes.retire(name, state.files) }
        for file in state.files.files where !ours.contains(file.name) {
            let isMade = state.journal.replaced.contains { original in original.by == file.name }
            if isMade || file.json?.entryIndices.isEmpty == false { changes.release(file, state.files) }
        }
        steps = changes.steps + (state.hasKubeconfig ? [.removeKubeconfig] : [])
    }
}
