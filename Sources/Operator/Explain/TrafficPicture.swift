internal import Redirect

/// The way of a pod's traffic as a picture: a lane for each direction, and what goes past the sidecar below.
package struct TrafficPicture {
    package private(set) var drawing: Drawing
    private var y = 0.0

    private static let width = 1_000.0
    private static let box = (width: 190.0, height: 62.0)
    private static let columns = [30.0, 405.0, 780.0]

    package init(_ pod: ExplainedPod) {
        drawing = Drawing(width: Self.width, height: 0)
        addTitle(pod)
        if let plan = pod.plan {
            addWarnings(pod.warnings)
            for lane in TrafficLane.all(of: plan) { addLane(lane) }
            addGaps(CaptureGap.all(of: plan))
        } else {
            addDirectLane()
        }
        drawing.height = y + 20
    }

    // MARK: - Title

    private mutating func addTitle(_ pod: ExplainedPod) {
        drawing.addText(Self.fitting(pod.name, 30, size: 20), 30, 42, size: 20, .ink, isBold: true)
        drawing.addText(Self.fitting(pod.sentence, 30, size: 13), 30, 68, size: 13, .faint)
        y = 68
        guard pod.plan != nil else { return }
        drawing.addArrow([(30, 92), (74, 92)], .sidecar)
        drawing.addText("through the sidecar", 84, 96, size: 12, .faint)
        drawing.addArrow([(270, 92), (314, 92)], .past, isDashed: true)
        drawing.addText("past it", 324, 96, size: 12, .faint)
        y = 100
    }

    /// At most so many are drawn.
    private static let drawnWarnings = 8

    private mutating func addWarnings(_ warnings: [String]) {
        guard !warnings.isEmpty else { return }
        drawing.addText("WARNINGS", 30, y + 36, size: 13, .past, isBold: true)
        y += 44
        let rest = warnings.count - Self.drawnWarnings
        for warning in warnings.prefix(Self.drawnWarnings) + (rest > 0 ? ["and \(rest) more"] : []) {
            for line in Self.wrapped(warning, 30, size: 12) {
                drawing.addText(line, 30, y + 16, size: 12, .ink)
                y += 18
            }
            y += 6
        }
    }

    // MARK: - Lanes

    private mutating func addLane(_ lane: TrafficLane) {
        drawing.addText(lane.name, 30, y + 36, size: 13, .ink, isBold: true)
        let top = y + 50
        let isInbound = lane.isInbound
        addBox(0, top, lane.inside.title, lane.inside.note, .applicationFill, .application)
        addBox(2, top, lane.outside.title, lane.outside.note, .networkFill, .network)
        let left = Self.columns[0] + Self.box.width
        let right = Self.columns[2]
        if let port = lane.port {
            addBox(1, top, "Sidecar", "port \(port)", .sidecarFill, .sidecar)
            let middle = (left: Self.columns[1], right: Self.columns[1] + Self.box.width)
            let line = top + 38
            let first = isInbound ? [(right, line), (middle.right, line)] : [(left, line), (middle.left, line)]
            let second = isInbound ? [(middle.left, line), (left, line)] : [(middle.right, line), (right, line)]
            drawing.addArrow(first.map { (x: $0.0, y: $0.1) }, .sidecar)
            drawing.addArrow(second.map { (x: $0.0, y: $0.1) }, .sidecar)
            let labels = isInbound ? [lane.remark, lane.captured] : [lane.captured, lane.remark]
            addLabel(labels[0], (left + middle.left) / 2, line - 9)
            addLabel(labels[1], (middle.right + right) / 2, line - 9)
        }
        addBypass(lane, top: top)
        y = top + Self.box.height + 52
    }

    /// The arrow under the boxes, from one end to the other.
    private mutating func addBypass(_ lane: TrafficLane, top: Double) {
        let bottom = top + Self.box.height
        let line = bottom + 30
        let ends = [Self.columns[0] + Self.box.width / 2, Self.columns[2] + Self.box.width / 2]
        let way = lane.isInbound ? [ends[1], ends[0]] : ends
        drawing.addArrow(
            [(way[0], bottom), (way[0], line), (way[1], line), (way[1], bottom + 2)],
            .past,
            isDashed: true
        )
        drawing.addText(lane.rest, Self.width / 2, line - 7, size: 12, .past, anchor: .middle)
    }

    private mutating func addDirectLane() {
        let top = y + 40
        addBox(0, top, "Application", "", .applicationFill, .application)
        addBox(2, top, "Network", "", .networkFill, .network)
        let left = Self.columns[0] + Self.box.width
        drawing.addArrow([(left, top + 24), (Self.columns[2], top + 24)], .network)
        drawing.addArrow([(Self.columns[2], top + 46), (left, top + 46)], .network)
        drawing.addText("no rule of the mesh", Self.width / 2, top + 15, size: 12, .faint, anchor: .middle)
        y = top + Self.box.height + 10
    }

    private mutating func addBox(
        _ column: Int,
        _ top: Double,
        _ title: String,
        _ remark: String,
        _ fill: Drawing.Colour,
        _ line: Drawing.Colour
    ) {
        let x = Self.columns[column]
        let middle = x + Self.box.width / 2
        drawing.addBox(x, top, Self.box.width, Self.box.height, fill: fill, line: line)
        drawing.addText(title, middle, top + (remark.isEmpty ? 36 : 27), size: 14, line, anchor: .middle, isBold: true)
        guard !remark.isEmpty else { return }
        let text = Self.fitting(remark, room: Self.box.width - 10, size: 12)
        drawing.addText(text, middle, top + 47, size: 12, line, anchor: .middle)
    }

    private mutating func addLabel(_ text: String, _ x: Double, _ y: Double) {
        drawing.addText(text, x, y, size: 11, .sidecar, anchor: .middle)
    }

    // MARK: - What goes past

    private mutating func addGaps(_ gaps: [CaptureGap]) {
        drawing.addText("PAST THE SIDECAR", 30, y + 36, size: 13, .past, isBold: true)
        y += 46
        for gap in gaps {
            let direction: String =
                switch gap.direction {
                case .outbound: "out"
                case .inbound: "in"
                case .both: "both"
                }
            drawing.addText(direction, 30, y + 16, size: 12, .past, isBold: true)
            drawing.addText(Self.fitting(gap.what, 90, size: 12), 90, y + 16, size: 12, .ink)
            drawing.addText(Self.fitting(gap.why, 90, size: 11), 90, y + 32, size: 11, .faint)
            y += 42
        }
    }

    /// As much of a text as there is room for from `x` to the picture's edge.
    private static func fitting(_ text: String, _ x: Double, size: Double) -> String {
        fitting(text, room: width - 30 - x, size: size)
    }

    /// A text as lines from `x` to the picture's edge, broken between words.
    private static func wrapped(_ text: String, _ x: Double, size: Double) -> [String] {
        var lines = [""]
        for word in text.split(separator: " ") {
            let longer = lines[lines.count - 1].isEmpty ? String(word) : "\(lines[lines.count - 1]) \(word)"
            if fitting(longer, x, size: size) == longer || lines[lines.count - 1].isEmpty {
                lines[lines.count - 1] = fitting(longer, x, size: size)
            } else {
                lines.append(fitting(String(word), x, size: size))
            }
        }
        return lines
    }

    private static func fitting(_ text: String, room: Double, size: Double) -> String {
        let most = Int(room / (Drawing.Text.advance * size))
        return text.count <= most ? text : text.prefix(most - 1) + "…"
    }
}
