/// Which pods a process belongs to, as its control groups say (`/proc/PID/cgroup`, `cgroups(7)`).
///
/// The kubelet and every runtime put a pod's UID into the name of a group, in forms that differ: `pod<uid>`, or
/// `kubepods-burstable-pod<uid>.slice` with `_` for `-`, under whatever a node runs in itself, and relative to the
/// reader's own group (`0::/../../kubepods/...`). Only the UID is read, so what stands around it need not be known.
package struct CgroupPath: Equatable, Sendable {
    /// From the outermost pod to the innermost: a node may itself run in a pod.
    package let pods: [PodUID]

    package enum Failure: Error, Equatable, Sendable, CustomStringConvertible {
        /// A line without hierarchy, controllers and path.
        case malformed

        /// Two hierarchies name different pods.
        case contradictory

        package var description: String {
            switch self {
            case .malformed: "a control group has no path"
            case .contradictory: "its control groups name different pods"
            }
        }
    }

    /// Reads the file; a process outside of all pods has none.
    package init(_ file: [UInt8]) throws(Failure) {
        var pods: [PodUID] = []
        for line in file.split(separator: UInt8(ascii: "\n")) {
            let parts = line.split(separator: UInt8(ascii: ":"), maxSplits: 2, omittingEmptySubsequences: false)
            guard parts.count == 3 else { throw .malformed }
            let found = Self.pods(in: parts[2])
            if found.isEmpty { continue }
            guard pods.isEmpty || pods == found else { throw .contradictory }
            pods = found
        }
        self.pods = pods
    }

    private static func pods(in path: ArraySlice<UInt8>) -> [PodUID] {
        var pods: [PodUID] = []
        var rest = path
        var isWordStart = true
        while let byte = rest.first {
            if isWordStart, rest.starts(with: marker), let (uid, end) = PodUID.prefix(of: rest.dropFirst(marker.count))
            {
                pods.append(uid)
                rest = end
                isWordStart = false
                continue
            }
            isWordStart = !byte.isLetterOrDigit
            rest = rest.dropFirst()
        }
        return pods
    }

    private static let marker = Array("pod".utf8)
}

/// A pod's UID, however it is written.
package struct PodUID: Hashable, Sendable, CustomStringConvertible {
    /// 32 hexadecimal digits, lower-case and with nothing between them: the hash of a static pod's file is written so.
    private let digits: String

    /// Reads a UID as the API server or an annotation has it, or nil for what is none.
    package init?(_ text: String) {
        guard let (uid, rest) = Self.prefix(of: Array(text.utf8)[...]), rest.isEmpty else { return nil }
        self = uid
    }

    private init(digits: String) { self.digits = digits }

    /// As Kubernetes writes it.
    package var description: String {
        var text = ""
        for (index, digit) in digits.enumerated() {
            if Self.groupStarts.contains(index) { text += "-" }
            text.append(digit)
        }
        return text
    }

    /// Groups of 8, 4, 4, 4 and 12 digits.
    private static let groupStarts = [8, 12, 16, 20]
    private static let digitCount = 32

    /// The UID at the beginning of `bytes`, and what follows it, which is no letter or digit.
    static func prefix(of bytes: ArraySlice<UInt8>) -> (PodUID, rest: ArraySlice<UInt8>)? {
        var digits: [UInt8] = []
        var rest = bytes
        while digits.count < digitCount {
            guard var byte = rest.popFirst() else { return nil }
            if groupStarts.contains(digits.count), byte == UInt8(ascii: "-") || byte == UInt8(ascii: "_") {
                guard let next = rest.popFirst() else { return nil }
                byte = next
            }
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "f"): digits.append(byte)
            case UInt8(ascii: "A")...UInt8(ascii: "F"): digits.append(byte | 0x20)
            default: return nil
            }
        }
        if let next = rest.first, next.isLetterOrDigit { return nil }
        return (PodUID(digits: String(decoding: digits, as: UTF8.self)), rest)
    }
}

extension UInt8 {
    /// Bytes outside of ASCII count as letters.
    fileprivate var isLetterOrDigit: Bool {
        switch self {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "z"),
            UInt8(ascii: "A")...UInt8(ascii: "Z"), 0x80...0xFF:
            true
        default: false
        }
    }
}
