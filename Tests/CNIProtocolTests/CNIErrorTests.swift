import CNIProtocol
import Testing

@Suite struct CNIErrorTests {
    static func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }

    @Test func `an error is one object with a newline`() {
        let error = CNIError(.tryAgainLater, "no \"agent\"", details: "a\nb", version: .v040)

        #expect(
            Self.text(error.bytes()) == #"""
                {
                    "cniVersion": "0.4.0",
                    "code": 11,
                    "msg": "no \"agent\"",
                    "details": "a\nb"
                }

                """#
        )
    }

    @Test func `empty details are left out`() throws {
        let value = try JSONValue(parsing: CNIError(.crashed, "m").bytes())

        #expect(value.members?.map(\.name) == ["cniVersion", "code", "msg"])
    }

    @Test func `an error has its own version, else the configuration's, else the latest`() throws {
        let own = CNIError(.crashed, "m", version: .v010).bytes(version: .v031)
        let configured = CNIError(.crashed, "m").bytes(version: .v031)
        let unknown = CNIError(.crashed, "m").bytes()

        let versions = try [own, configured, unknown].map {
            try JSONValue(parsing: $0)["cniVersion"]?.string
        }
        #expect(versions == ["0.1.0", "0.3.1", "1.1.0"])
    }

    @Test func `codes never change`() {
        #expect(
            CNIError.Code.allCases.map(\.rawValue).sorted() == [
                1, 2, 3, 4, 5, 6, 7, 8, 11, 50, 51, 100, 101, 102, 103, 104, 105, 106, 999,
            ]
        )
    }

    @Test(arguments: CNIError.Code.allCases)
    func `every code has a name, a meaning and a remedy`(code: CNIError.Code) {
        #expect(code.name.allSatisfy { $0.isLowercase || $0 == "-" } && !code.name.isEmpty)
        #expect(CNIError.Code.allCases.filter { $0.name == code.name } == [code])
        for sentence in [code.meaning, code.remedy] {
            #expect(sentence.first?.isUppercase == true && sentence.last == ".")
        }
    }

    @Test func `the version report is the one that runtimes know`() {
        #expect(
            Self.text(VersionReport.bytes)
                == #"{"cniVersion":"1.1.0","supportedVersions":["0.1.0","0.2.0","0.3.0","0.3.1","0.4.0","1.0.0","1.1.0"]}"#
                + "\n"
        )
    }

    @Test func `versions are in order`() {
        #expect(CNIVersion.allCases.sorted() == CNIVersion.allCases)
        #expect(CNIVersion.oldest < CNIVersion.latest)
    }
}
