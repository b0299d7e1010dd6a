internal import Foundation
internal import NIOSSL

/// A certificate authority of a test's own, and a server's certificate that it signed.
package struct TestCertificates: Sendable {
    private let directory: URL

    /// What a client has to trust.
    package var authority: [UInt8] { get throws { Array(try Data(contentsOf: directory.appending(path: "ca.crt"))) } }

    /// Makes both with `openssl`; the server's certificate is good for these names (`DNS:api.example`, `IP:127.0.0.1`).
    package static func make(for names: [String]) async throws -> TestCertificates {
        let directory = FileManager.default.temporaryDirectory.appending(
            path: "certificates-\(UInt64.random(in: .min ... .max))"
        )
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        let key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"]
        try await openssl(
            ["req", "-x509"] + key + ["-subj", "/CN=test CA", "-keyout", "ca.key", "-out", "ca.crt"],
            directory
        )
        try await openssl(
            ["req", "-x509"] + key
                + [
                    "-subj", "/CN=test server", "-addext", "subjectAltName=\(names.joined(separator: ","))",
                    "-addext", "basicConstraints=critical,CA:FALSE", "-CA", "ca.crt", "-CAkey", "ca.key",
                    "-keyout", "server.key", "-out", "server.crt",
                ],
            directory
        )
        return TestCertificates(directory: directory)
    }

    /// Removes the files.
    package func remove() throws { try FileManager.default.removeItem(at: directory) }

    func serverContext() throws -> NIOSSLContext {
        let chain = try NIOSSLCertificate.fromPEMFile(path("server.crt")).map(NIOSSLCertificateSource.certificate)
        let key = try NIOSSLPrivateKey(file: path("server.key"), format: .pem)
        return try NIOSSLContext(
            configuration: .makeServerConfiguration(certificateChain: chain, privateKey: .privateKey(key))
        )
    }

    private func path(_ name: String) -> String { directory.appending(path: name).path(percentEncoded: false) }

    private static func openssl(_ arguments: [String], _ directory: URL) async throws {
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/openssl")
        process.arguments = arguments
        process.currentDirectoryURL = directory
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        let status = try await withCheckedThrowingContinuation { continuation in
            process.terminationHandler = { process in continuation.resume(returning: process.terminationStatus) }
            do {
                try process.run()
            } catch {
                continuation.resume(throwing: error)
            }
        }
        guard status == 0 else { throw OpenSSLFailure(arguments: arguments, status: status) }
    }

    private struct OpenSSLFailure: Error {
        let arguments: [String]
        let status: Int32
    }
}
