"""image.py ROOT NAME FILE: the folder ROOT as an image of one layer, in the format of `docker save`."""
import hashlib
import io
import json
import sys
import tarfile

root, name, path = sys.argv[1:]
layer = io.BytesIO()
with tarfile.open(fileobj=layer, mode="w") as archive:
    archive.add(root, arcname=".")
digest = hashlib.sha256(layer.getvalue()).hexdigest()
configuration = {
    "architecture": "amd64",
    "os": "linux",
    "config": {"Entrypoint": ["/pause"]},
    "rootfs": {"type": "layers", "diff_ids": [f"sha256:{digest}"]},
}
manifest = [{"Config": "config.json", "RepoTags": [name], "Layers": [f"{digest}/layer.tar"]}]
files = {
    "config.json": json.dumps(configuration).encode(),
    f"{digest}/layer.tar": layer.getvalue(),
    "manifest.json": json.dumps(manifest).encode(),
}
with tarfile.open(path, "w") as archive:
    for file, content in files.items():
        member = tarfile.TarInfo(file)
        member.size = len(content)
        archive.addfile(member, io.BytesIO(content))
