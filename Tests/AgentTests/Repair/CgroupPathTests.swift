import Agent
import Foundation
import TestSupport
import Testing

@Suite struct CgroupPathTests {
    static let uid = "1b4e28ba-2fa1-11d2-883f-0016d3cca427"
    static let other = "00000000-0000-4000-8000-00000000000a"
    static let container = "3aa5f8a4b7f0f1b8e2f4b1c3d5e6f708192a3b4c5d6e7f8091a2b3c4d5e6f708"

    /// Layouts of v1 and v2, of the two cgroup drivers, of the runtimes, and of nodes that are containers themselves.
    static let layouts: [String: String] = [
        "v1, cgroupfs": "11:memory:/kubepods/burstable/pod\(uid)/\(container)",
        "v1, cgroupfs, guaranteed": "4:cpu,cpuacct:/kubepods/pod\(uid)/\(container)",
        "v2, cgroupfs": "0::/kubepods/besteffort/pod\(uid)/\(container)",
        "v2, systemd, containerd":
            "0::/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod\(underscored).slice/cri-containerd-\(container).scope",
        "v2, systemd, CRI-O":
            "0::/kubepods.slice/kubepods-besteffort.slice/kubepods-besteffort-pod\(underscored).slice/crio-\(container).scope",
        "v2, CRI-O, own group below":
            "0::/kubepods.slice/kubepods-pod\(underscored).slice/crio-\(container).scope/container",
        "v1, systemd, cri-containerd suffix":
            "9:pids:/system.slice/containerd.service/kubepods-burstable-pod\(underscored).slice:cri-containerd:\(container)",
        "v1, systemd, Docker":
            "1:name=systemd:/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod\(underscored).slice/docker-\(container).scope",
        "relative to the reader": "0::/../../pod\(uid)/\(container)",
        "relative, systemd":
            "0::/../../../kubepods-burstable.slice/kubepods-burstable-pod\(underscored).slice/cri-containerd-\(container).scope",
        "kind": "0::/docker/\(container)/kubelet/kubepods/burstable/pod\(uid)/\(container)",
        "kind, kubelet slice":
            "0::/docker/\(container)/kubelet.slice/kubelet-kubepods.slice/kubelet-kubepods-pod\(underscored).slice/cri-containerd-\(container).scope",
        "relative, at the pod itself": "0::/../pod\(uid)",
        "removed": "0::/kubepods/burstable/pod\(uid)/\(container) (deleted)",
        "in capitals": "0::/kubepods/pod\(uid.uppercased())/\(container)",
        "of a static pod": "0::/kubepods/pod\(uid.replacing("-", with: ""))/\(container)",
    ]

    static let underscored = uid.replacing("-", with: "_")

    @Test(arguments: layouts.keys.sorted())
    func `a pod's UID is found in every layout`(name: String) throws {
        let line = try #require(Self.layouts[name])

        let path = try CgroupPath(Array((line + "\n").utf8))

        #expect(path.pods == [try #require(PodUID(Self.uid))])
        #expect(path.pods.first?.description == Self.uid)
    }

    @Test(arguments: [
        "0::/", "0::/../..", "0::/system.slice/kubelet.service", "0::/kubepods/burstable",
        "0::/kubepods/pod1b4e28ba-2fa1-11d2-883f-0016d3cca42/x", "0::/kubepods/pod\(uid)a/x",
        "0::/kubepods/tripod\(uid)/x",
        "0::/kubepods/pod1b4e28ba--2fa1-11d2-883f-0016d3cca427/x", "0::/kubepods/podcast", "0::/pod", "",
        "0::/machine.slice/libpod-\(container).scope/container",
    ])
    func `a process outside of all pods has none`(line: String) throws {
        let path = try CgroupPath(Array(line.utf8))

        #expect(path.pods.isEmpty)
    }

    @Test func `of pods in pods all are told, the outermost first`() throws {
        let line = "0::/kubepods/pod\(Self.uid)/\(Self.container)/kubelet/kubepods/pod\(Self.other)/x"

        let path = try CgroupPath(Array(line.utf8))

        #expect(path.pods.map(\.description) == [Self.uid, Self.other])
    }

    @Test func `hierarchies that have no groups of pods do not count`() throws {
        let lines = "12:pids:/kubepods/pod\(Self.uid)/x\n11:cpuset:/\n4:memory:/kubepods/pod\(Self.uid)/x\n0::/\n"

        let path = try CgroupPath(Array(lines.utf8))

        #expect(path.pods.map(\.description) == [Self.uid])
    }

    @Test func `hierarchies that name different pods are refused`() {
        let lines = "12:pids:/kubepods/pod\(Self.uid)/x\n4:memory:/kubepods/pod\(Self.other)/x\n"

        #expect(throws: CgroupPath.Failure.contradictory) { try CgroupPath(Array(lines.utf8)) }
    }

    @Test(arguments: ["/kubepods/pod\(uid)/x", "0:/kubepods/pod\(uid)/x", "0::/\nx"])
    func `a line without three fields is refused`(text: String) {
        #expect(throws: CgroupPath.Failure.malformed) { try CgroupPath(Array(text.utf8)) }
    }

    @Test(arguments: ["", "u1", uid + "0", "pod" + uid, uid.replacing("-", with: ":")])
    func `what is no UID is none`(text: String) {
        #expect(PodUID(text) == nil)
    }

    /// Whatever is read, it ends, and a UID that comes out stood in the input.
    @Test func `a damaged file never makes up a pod`() {
        let inputs = Self.layouts.values.sorted().map { Array($0.utf8) }
        var mutations = Mutations(of: inputs, words: ["pod", Self.other, "_", "\n0::/"], seed: 8)
        for _ in 0..<Fuzzing.executions {
            let input = mutations.next()
            do throws(CgroupPath.Failure) {
                let ascii = input.map { byte in byte < 0x80 ? byte : UInt8(ascii: "?") }
                let plain = String(decoding: ascii, as: UTF8.self).lowercased().filter { $0 != "-" && $0 != "_" }
                for pod in try CgroupPath(input).pods {
                    let digits = pod.description.replacing("-", with: "")
                    if !plain.contains("pod" + digits) { Issue.record("\(pod) is not in \(input)") }
                }
            } catch {
                // Refused, which is an answer.
            }
        }
    }
}
