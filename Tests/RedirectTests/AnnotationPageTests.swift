import Foundation
import TestSupport
import Testing

@testable import Redirect

/// docs/annotations.md is made from the definitions in the source, and from nothing else.
@Suite struct AnnotationPageTests {
    @Test func `docs/annotations.md is what the source says`() throws {
        let page = URL(filePath: #filePath)
            .deletingLastPathComponent().appending(path: "../../docs/annotations.md").standardized

        try expectGolden(Self.page, in: page)
    }

    static let page = """
        # Annotations

        Made from `Sources/Redirect/Policy/Annotation.swift` and `ProxyVariable.swift`. Change those, then write this page:
        `UPDATE_GOLDEN=1 swift test --filter AnnotationPageTests`.

        What a pod says about its own redirection. It is read once, when the pod's sandbox is made; a change has effect
        on the next pod only. A value that is refused keeps the pod from starting, and the event of the pod names the
        annotation and what would have been accepted.

        ## Of the pod

        They are read in this order, and the first bad value is the one that is reported. `sidecar.istio.io/inject` may
        be a label too.

        | Annotation | What it is | Value | If absent | Effect |
        |---|---|---|---|---|
        \(Annotation.allCases.map(row).joined(separator: "\n"))

        - Blanks around ports and interface names are dropped, and a list of nothing but blanks is empty. In lists of
          ranges a blank is refused.
        - A list has no empty element, so no comma at its end.
        - A value has at most \(ValueReader.longestBytes) bytes, and a list \(ValueReader.mostElements) elements.

        ## Of the container `istio-proxy`

        Environment variables with a literal `value`: \(ValueForm.boolean.expectation).
        Absent is false. None of them keeps a pod from starting.

        | Variable | `true` | Another value |
        |---|---|---|
        \(ProxyVariable.allCases.map(row).joined(separator: "\n"))

        `securityContext.runAsUser` and `runAsGroup` of the same container say whose connections are the proxy's own;
        absent or 0 stands for 1337.

        """

    private static func row(_ annotation: Annotation) -> String {
        let absent =
            switch annotation.defaultValue {
            case nil: "—"
            case "": "empty"
            case let value?: "`\(value)`"
            }
        return "| `\(annotation.name)` | \(annotation.summary) | \(cell(annotation.form.expectation)) | \(absent) | "
            + "\(annotation.effect) |"
    }

    private static func row(_ variable: ProxyVariable) -> String {
        "| `\(variable.name)` | \(variable.effect) | \(variable.effectOfOtherValues) |"
    }

    /// In Markdown a lone star would begin emphasis.
    private static func cell(_ text: String) -> String {
        text.replacingOccurrences(of: "*", with: "`*`")
    }
}
