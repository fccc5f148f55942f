"""An image of one layer, as an archive that containerd and Docker read."""

import hashlib
import io
import json
import tarfile
from collections.abc import Mapping
from pathlib import Path

# Go's names of architectures, which images use, by what the kernel calls them.
ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}


def write(
    path: Path, *, name: str, entrypoint: str, files: Mapping[str, bytes], machine: str
) -> Path:
    """Write an image whose only files are these, all of them executable."""
    layer = _tar({file: (content, 0o755) for file, content in files.items()})
    config = json.dumps(
        {
            "architecture": ARCHITECTURES.get(machine, machine),
            "os": "linux",
            "config": {"Entrypoint": [entrypoint]},
            "rootfs": {"type": "layers", "diff_ids": [f"sha256:{_digest(layer)}"]},
            "history": [{"created_by": "awsbatch_node"}],
        }
    ).encode()
    config_name = f"{_digest(config)}.json"
    manifest = [{"Config": config_name, "RepoTags": [name], "Layers": ["layer.tar"]}]
    members = {
        config_name: (config, 0o644),
        "layer.tar": (layer, 0o644),
        "manifest.json": (json.dumps(manifest).encode(), 0o644),
    }
    path.write_bytes(_tar(members))
    return path


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _tar(members: Mapping[str, tuple[bytes, int]]) -> bytes:
    """The same bytes for the same members: no times, no owners."""
    written = io.BytesIO()
    with tarfile.open(fileobj=written, mode="w") as archive:
        for name, (content, mode) in members.items():
            member = tarfile.TarInfo(name)
            member.size, member.mode = len(content), mode
            archive.addfile(member, io.BytesIO(content))
    return written.getvalue()
