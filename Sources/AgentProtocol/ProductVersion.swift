/// The version of this project, which all its programs share.
package enum ProductVersion {
    /// A semantic version; `-dev` until it is released.
    package static let text = "0.1.0-dev"
}
