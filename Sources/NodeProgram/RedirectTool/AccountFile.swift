/// The text of `/etc/passwd` or `/etc/group`, both of which begin `name:password:id:`.
///
/// Read here and not by the C library, which in a static program cannot load the modules of `nsswitch.conf(5)`, and
/// which a half-made pod network would make wait.
struct AccountFile {
    private let text: String

    init(_ text: String) { self.text = text }

    /// The id of the first account with this name.
    func identifier(of name: String) -> UInt32? {
        guard !name.isEmpty else { return nil }
        for line in text.split(separator: "\n") {
            let fields = line.split(separator: ":", maxSplits: 3, omittingEmptySubsequences: false)
            if fields.count >= 3, fields[0] == name { return UInt32(fields[2]) }
        }
        return nil
    }
}
