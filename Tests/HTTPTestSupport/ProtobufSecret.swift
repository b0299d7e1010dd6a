internal import CNIProtocol
internal import Foundation

/// A Secret as Helm sends it to keep a release: in the API server's protobuf envelope, and in no other form.
///
/// https://kubernetes.io/docs/reference/using-api/api-concepts/#protobuf-encoding; the numbers of fields are those of
/// `generated.proto` in k8s.io/api/core/v1 and k8s.io/apimachinery/pkg/apis/meta/v1.
enum ProtobufSecret {
    /// The Secret in JSON; null where the bytes are something else.
    static func json(_ bytes: [UInt8]) -> JSONValue {
        guard bytes.starts(with: Array("k8s\0".utf8)) else { return .null }
        let envelope = fields(bytes.dropFirst(4))
        let type = fields(envelope.last { $0.number == 1 }?.bytes ?? [])
        guard type.contains(where: { $0.number == 2 && text($0.bytes) == "Secret" }) else { return .null }
        let secret = fields(envelope.last { $0.number == 2 }?.bytes ?? [])
        let metadata = fields(secret.last { $0.number == 1 }?.bytes ?? [])
        func named(_ number: Int) -> JSONValue { .string(text(metadata.last { $0.number == number }?.bytes ?? [])) }
        let labels = metadata.filter { $0.number == 11 }.map { entry in
            JSONMember(text(pair(entry).key), .string(text(pair(entry).value)))
        }
        let data = secret.filter { $0.number == 2 }.map { entry in
            JSONMember(text(pair(entry).key), .string(Data(pair(entry).value).base64EncodedString()))
        }
        return .object([
            JSONMember("apiVersion", .string("v1")), JSONMember("kind", .string("Secret")),
            JSONMember(
                "metadata",
                .object([
                    JSONMember("name", named(1)), JSONMember("namespace", named(3)),
                    JSONMember("labels", .object(labels)),
                ])
            ),
            JSONMember("data", .object(data)),
            JSONMember("type", .string(text(secret.last { $0.number == 3 }?.bytes ?? []))),
        ])
    }

    private struct Field {
        let number: Int
        let bytes: ArraySlice<UInt8>
    }

    private static func text(_ bytes: ArraySlice<UInt8>) -> String { String(decoding: bytes, as: UTF8.self) }

    private static func pair(_ entry: Field) -> (key: ArraySlice<UInt8>, value: ArraySlice<UInt8>) {
        let parts = fields(entry.bytes)
        return (parts.last { $0.number == 1 }?.bytes ?? [], parts.last { $0.number == 2 }?.bytes ?? [])
    }

    /// The fields that have bytes, up to what is no field; numbers are passed over.
    private static func fields(_ bytes: ArraySlice<UInt8>) -> [Field] {
        var rest = bytes
        var found: [Field] = []
        while let key = number(&rest) {
            guard let value = number(&rest) else { break }
            switch key & 7 {
            case 0: continue
            case 2 where value <= rest.count:
                found.append(Field(number: key >> 3, bytes: rest.prefix(value)))
                rest = rest.dropFirst(value)
            default: return found
            }
        }
        return found
    }

    private static func number(_ bytes: inout ArraySlice<UInt8>) -> Int? {
        var result = 0
        for shift in stride(from: 0, to: 56, by: 7) {
            guard let byte = bytes.popFirst() else { return nil }
            result |= Int(byte & 0x7F) << shift
            if byte < 0x80 { return result }
        }
        return nil
    }
}
