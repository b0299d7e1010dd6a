internal import CNIProtocol

/// The containers that injection adds.
struct InjectedContainers {
    static let proxyName = "istio-proxy"

    private let settings: MeshSettings
    private let capture: CaptureSettings
    private let user: ProxyUser

    /// What the user wrote about the proxy: a container of its name.
    private let override: JSONValue?

    init(_ pod: WorkloadPod, _ settings: MeshSettings, _ capture: CaptureSettings, _ user: ProxyUser) {
        self.settings = settings
        self.capture = capture
        let all = pod.containers("containers") + pod.containers("initContainers")
        override = all.first { $0["name"]?.string == Self.proxyName }
        var user = user
        let context = override?["securityContext"]
        let application = pod.containers("containers").first { $0["name"]?.string != Self.proxyName }
        let applicationUser = application?["securityContext"]?["runAsUser"]?.integer
        if let number = context?["runAsUser"]?.integer, number != 0,
            // OpenShift gives every container the same user; that is nobody's choice.
            !(settings.platform == "openshift" && number == applicationUser)
        {
            user.user = number
            user.group = context?["runAsGroup"]?.integer ?? user.group
        }
        self.user = user
    }

    private var isTransparent: Bool { capture.interceptionMode == "TPROXY" }

    /// Who the rules let pass: in TPROXY mode the proxy runs as root and takes this user for its connections.
    private var capturedUser: ProxyUser { isTransparent && override == nil ? ProxyUser() : user }

    /// `istio-validation` where the plugin redirects, else `istio-init`; nil where nothing is captured.
    var initContainer: JSONValue? {
        guard capture.interceptionMode != "NONE" else { return nil }
        return .object(
            [
                JSONMember("name", .string(settings.usesPlugin ? "istio-validation" : "istio-init")),
                JSONMember("image", .string(settings.image)),
                JSONMember(
                    "args",
                    .array(capture.arguments(user: capturedUser.user, settings).map { .string($0) })
                ),
            ] + environment([]) + [JSONMember("securityContext", initContext)]
        )
    }

    private var initContext: JSONValue {
        let usesPlugin = settings.usesPlugin
        let added = JSONValue.array(usesPlugin ? [] : [.string("NET_ADMIN"), .string("NET_RAW")])
        return context(
            user: usesPlugin ? capturedUser.user : 0,
            group: usesPlugin ? capturedUser.group : 0,
            adding: usesPlugin ? nil : added,
            hasReadOnlyRoot: usesPlugin
        )
    }

    func proxy(isNative: Bool) -> JSONValue {
        let mode = JSONValue.strings([("name", "ISTIO_META_INTERCEPTION_MODE"), ("value", capture.interceptionMode)])
        var members = [
            JSONMember("name", .string(Self.proxyName)), JSONMember("image", .string(settings.image)),
            JSONMember(
                "args",
                .array(["proxy", "sidecar", "--domain", "$(POD_NAMESPACE).svc.cluster.local"].map { .string($0) })
            ),
        ]
        members += environment([mode])
        if isNative { members.append(JSONMember("restartPolicy", .string("Always"))) }
        let made = context(
            user: isTransparent ? 0 : user.user,
            group: capturedUser.group,
            adding: isTransparent ? .array([.string("NET_ADMIN")]) : nil,
            hasReadOnlyRoot: true
        )
        let proxy = JSONValue.object(members).merging(ownSettings)
        return proxy.setting("securityContext", (ownSettings["securityContext"] ?? .object([])).merging(made))
    }

    /// What the user wrote about the proxy, without the image that says "the mesh's".
    private var ownSettings: JSONValue {
        guard let override else { return .object([]) }
        return override["image"]?.string == "auto" ? override.removing("image") : override
    }

    private func environment(_ first: [JSONValue]) -> [JSONMember] {
        let variables =
            first
            + settings.proxyConfig.metadata.map { name, value in
                JSONValue.strings([("name", name), ("value", value)])
            }
        return variables.isEmpty ? [] : [JSONMember("env", .array(variables))]
    }

    private func context(user: Int, group: Int, adding added: JSONValue?, hasReadOnlyRoot: Bool) -> JSONValue {
        let drop = JSONMember("drop", .array([.string("ALL")]))
        let capabilities = (added.map { [JSONMember("add", $0)] } ?? []) + [drop]
        return .object(
            [
                JSONMember("allowPrivilegeEscalation", .bool(settings.isPrivileged)),
                JSONMember("capabilities", .object(capabilities)),
                JSONMember("privileged", .bool(settings.isPrivileged)),
                JSONMember("readOnlyRootFilesystem", .bool(hasReadOnlyRoot)),
                JSONMember("runAsGroup", .integer(group)),
                JSONMember("runAsNonRoot", .bool(user != 0)),
                JSONMember("runAsUser", .integer(user)),
            ] + (settings.seccompProfile.map { [JSONMember("seccompProfile", $0)] } ?? [])
        )
    }
}
