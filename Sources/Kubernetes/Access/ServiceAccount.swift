internal import NIOCore
package import NIOSSL
internal import Synchronization

/// The agent's own identity: the token that it shows, and the certificates that it trusts.
///
/// Both files are read for each request, which are few, so a rotated token or certificate holds from the next request on
/// and nothing has to be watched.
package final class ServiceAccount: Sendable {
    /// Reads a whole file, and throws if it has more bytes than the limit.
    package typealias ReadFile = @Sendable (_ path: String, _ byteLimit: Int) throws -> [UInt8]

    /// Where the kubelet puts both.
    package static let directory = "/var/run/secrets/kubernetes.io/serviceaccount"

    /// The longest token, in bytes: it has to fit into a header, and servers take 16 KiB or less of those.
    private static let longestTokenBytes = 16 * 1_024

    /// The largest file of certificates, in bytes: a public bundle has a quarter of it.
    private static let largestCertificateBytes = 1_024 * 1_024

    private let tokenPath: String
    private let certificatePath: String
    private let readFile: ReadFile
    private let trusted = Mutex(Trusted?.none)

    private struct Trusted {
        let bytes: [UInt8]
        let configuration: TLSConfiguration
    }

    package init(
        tokenPath: String = "\(ServiceAccount.directory)/token",
        certificatePath: String = "\(ServiceAccount.directory)/ca.crt",
        readFile: @escaping ReadFile
    ) {
        self.tokenPath = tokenPath
        self.certificatePath = certificatePath
        self.readFile = readFile
    }

    package func token() throws(ConfigurationError) -> String {
        let bytes = try read(tokenPath, Self.longestTokenBytes, "the service account's token")
        let text = bytes.filter { byte in ![0x20, 0x09, 0x0A, 0x0D].contains(byte) }
        guard !text.isEmpty, text.allSatisfy({ byte in (0x21...0x7E).contains(byte) }) else {
            throw ConfigurationError(tokenPath, "holds no token")
        }
        return String(decoding: text, as: UTF8.self)
    }

    /// Trusts the certificates of the file and nothing else, and checks the server's name.
    package func tlsConfiguration() throws(ConfigurationError) -> TLSConfiguration {
        let bytes = try read(certificatePath, Self.largestCertificateBytes, "the API server's CA certificate")
        if let known = trusted.withLock({ trusted in trusted }), known.bytes == bytes { return known.configuration }
        let certificates: [NIOSSLCertificate]
        do {
            certificates = try NIOSSLCertificate.fromPEMBytes(bytes)
        } catch {
            throw ConfigurationError(certificatePath, "holds no certificate in PEM: \(error)")
        }
        guard !certificates.isEmpty else { throw ConfigurationError(certificatePath, "holds no certificate") }
        var configuration = TLSConfiguration.makeClientConfiguration()
        configuration.trustRoots = .certificates(certificates)
        configuration.certificateVerification = .fullVerification
        configuration.minimumTLSVersion = .tlsv12
        let value = Trusted(bytes: bytes, configuration: configuration)
        trusted.withLock { trusted in trusted = value }
        return configuration
    }

    private func read(_ path: String, _ byteLimit: Int, _ what: String) throws(ConfigurationError) -> [UInt8] {
        do {
            return try readFile(path, byteLimit)
        } catch {
            throw ConfigurationError(path, "cannot be read, and \(what) is in it: \(error)")
        }
    }
}
