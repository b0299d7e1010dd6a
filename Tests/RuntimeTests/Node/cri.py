"""One call of the Container Runtime Interface: cri.py SOCKET < REQUEST > ANSWER, both JSON.

    {"call": "ready"}                                                  the runtime serves, within 30 s
    {"call": "plugins"}             -> {"types"} of the network's plugins, as the runtime has loaded them
    {"call": "run", "namespace", "name", "uid", "annotations", "labels", "cgroupParent"}    -> {"id"}
    {"call": "status", "id"}        -> {"isReady", "addresses", "networkNamespace", "process"}
    {"call": "stop", "id"}, {"call": "remove", "id"}, {"call": "list"} -> {"ids"}

What the runtime says went wrong is written to standard error, and the status is 1.

There is no package with the stubs of this interface, and little of it is needed: the messages are encoded here
(protobuf.dev/programming-guides/encoding), with the field numbers of kubernetes/cri-api, pkg/apis/runtime/v1/api.proto.
"""
import json
import sys

import grpc

# The longest a call may take: an ADD that waits for the agent, in seconds.
CALL_SECONDS = 100
READY_SECONDS = 30

VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5


def encoded_number(number):
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


def message(fields):
    """Encodes {number: int | str | bytes | map of strings | list of these}; bytes are a message or themselves."""
    out = b""
    for number, value in fields.items():
        if isinstance(value, dict):
            value = [message({1: name, 2: text}) for name, text in value.items()]
        for element in value if isinstance(value, list) else [value]:
            if isinstance(element, int):
                out += encoded_number(number << 3 | VARINT) + encoded_number(element)
            else:
                content = element.encode() if isinstance(element, str) else element
                out += encoded_number(number << 3 | BYTES) + encoded_number(len(content)) + content
    return out


def fields(data):
    """Decodes a message to {number: [int | bytes]}."""
    out, at = {}, 0

    def number():
        nonlocal at
        result = shift = 0
        while True:
            byte = data[at]
            at += 1
            result |= (byte & 0x7F) << shift
            if byte < 0x80:
                return result
            shift += 7

    while at < len(data):
        tag = number()
        if tag & 7 == VARINT:
            value = number()
        else:
            length = {BYTES: number, FIXED64: lambda: 8, FIXED32: lambda: 4}[tag & 7]()
            value = data[at : at + length]
            at += length
        out.setdefault(tag >> 3, []).append(value)
    return out


def text(decoded, number):
    return decoded.get(number, [b""])[0].decode()


class Runtime:
    def __init__(self, socket):
        self.channel = grpc.insecure_channel(f"unix://{socket}")

    def call(self, method, request):
        # Without serializers it takes and gives bytes.
        remote = self.channel.unary_unary(f"/runtime.v1.RuntimeService/{method}")
        return fields(remote(message(request), timeout=CALL_SECONDS))

    def ready(self, _):
        grpc.channel_ready_future(self.channel).result(timeout=READY_SECONDS)
        self.call("Version", {})
        return {}

    def plugins(self, _):
        answer = self.call("Status", {1: 1})
        verbose = {text(entry, 1): text(entry, 2) for entry in map(fields, answer.get(2, []))}
        networks = json.loads(verbose["cniconfig"])["Networks"] or []
        # Beside the loopback, which the runtime brings itself.
        loaded = [n["Config"]["Plugins"] for n in networks if n["IFName"] != "lo"]
        return {"types": [plugin["Network"]["type"] for plugins in loaded for plugin in plugins]}

    def run(self, request):
        metadata = message({1: request["name"], 2: request["uid"], 3: request["namespace"]})
        linux = {1: request["cgroupParent"]}
        config = {
            1: metadata,
            2: request["name"],
            # Else the machine's /etc/resolv.conf is copied, which may be a link to nowhere here.
            4: message({1: "192.0.2.53"}),
            6: request["labels"],
            7: request["annotations"],
            8: message(linux),
        }
        return {"id": text(self.call("RunPodSandbox", {1: message(config)}), 1)}

    def status(self, request):
        answer = self.call("PodSandboxStatus", {1: request["id"], 2: 1})
        status = fields(answer[1][0])
        network = fields(status.get(5, [b""])[0])
        more = [text(fields(address), 1) for address in network.get(2, [])]
        verbose = {text(entry, 1): text(entry, 2) for entry in map(fields, answer.get(2, []))}
        info = json.loads(verbose["info"])
        namespaces = info["runtimeSpec"]["linux"]["namespaces"]
        return {
            "isReady": status.get(3, [0])[0] == 0,
            "addresses": [address for address in [text(network, 1), *more] if address],
            "networkNamespace": next(n["path"] for n in namespaces if n["type"] == "network"),
            "process": info["pid"],
        }

    def stop(self, request):
        self.call("StopPodSandbox", {1: request["id"]})
        return {}

    def remove(self, request):
        self.call("RemovePodSandbox", {1: request["id"]})
        return {}

    def list(self, _):
        return {"ids": [text(fields(sandbox), 1) for sandbox in self.call("ListPodSandbox", {}).get(1, [])]}


def main():
    request = json.load(sys.stdin)
    calls = ("ready", "plugins", "run", "status", "stop", "remove", "list")
    if request["call"] not in calls:
        sys.exit(f"cri.py: unknown call {request['call']!r}: one of {', '.join(calls)}")
    try:
        json.dump(getattr(Runtime(sys.argv[1]), request["call"])(request), sys.stdout)
    except grpc.RpcError as error:
        sys.exit(error.details())
    except grpc.FutureTimeoutError:
        sys.exit(f"nobody answers on {sys.argv[1]} after {READY_SECONDS} s")


main()
