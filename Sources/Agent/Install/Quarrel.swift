internal import CNIProtocol

/// Another program rewrites the configuration again and again: what an operator must know to end it.
package struct Quarrel: Equatable, Sendable {
    /// The path of the file, as the agent sees it.
    package let file: String

    /// How often it was put back within a minute.
    package let rewrites: Int

    /// The setting to change.
    package let advice: String

    init(file: String, content: ConfigurationFile?, rewrites: Int) {
        self.file = file
        self.rewrites = rewrites
        let types = content?.text?.plugins?.compactMap { plugin in plugin["type"]?.string } ?? []
        let words = types + [file]
        if words.contains(where: { word in word.contains("cilium") }) {
            advice = "set cni.exclusive=false in Cilium's chart"
        } else if words.contains(where: { word in word.contains("multus") }) {
            advice =
                "set cni.chained=false in this chart, and name the entry in a NetworkAttachmentDefinition of Multus"
        } else {
            advice =
                "make the program that writes this file keep the entries of others, "
                + "or set istioOwnedCNIConfig=true in this chart"
        }
    }
}
