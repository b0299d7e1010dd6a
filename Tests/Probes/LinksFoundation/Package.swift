// swift-tools-version: 6.2

import PackageDescription

/// What the plugin must never become: `scripts/check-linkage --probe` builds this and must find fault with it.
let package = Package(
    name: "LinksFoundation",
    targets: [.executableTarget(name: "LinksFoundation", path: "Sources")]
)
