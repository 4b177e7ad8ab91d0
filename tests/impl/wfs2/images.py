"""Published images, and small volumes to change, for the tests of WFS v2."""

import json
import lzma
from itertools import count
from pathlib import Path
from typing import Any

from watosfs.block.memory import MemoryDevice
from watosfs.wfs2.mkfs import mkfs
from watosfs.wfs2.volume import Wfs2Volume

FIXTURES = Path(__file__).parents[2] / "fixtures" / "published_wfs2"
MANIFEST: list[dict[str, Any]] = json.loads((FIXTURES / "manifest.json").read_text())["images"]
ENTRIES = {entry["image"]: entry for entry in MANIFEST}


def contents_of(name: str) -> bytes:
    return lzma.decompress((FIXTURES / f"{name}.xz").read_bytes())


def image(name: str) -> MemoryDevice:
    return MemoryDevice.from_bytes(contents_of(name))


def fresh(block_count: int = 512, max_files: int = 256) -> MemoryDevice:
    device = MemoryDevice(block_count)
    mkfs(device, max_files=max_files)
    return device


def mounted(device: MemoryDevice, *, read_only: bool = False) -> Wfs2Volume:
    ticks = count(1_000_000_000, 1_000_000_000)
    return Wfs2Volume.mount(device, read_only=read_only, clock=lambda: next(ticks))


def tree(volume: Wfs2Volume, above: bytes = b"") -> dict[bytes, bytes | None]:
    """Path to content, None for a directory."""
    found: dict[bytes, bytes | None] = {}
    for entry in volume.readdir(above or b"/"):
        path = above + b"/" + entry.name
        if entry.kind == "directory":
            found[path] = None
            found.update(tree(volume, path))
        else:
            found[path] = volume.read_file(path)
    return found


def bytes_of(device: MemoryDevice) -> bytes:
    return bytes(device.read(0, device.block_count))
