"""What a harness found, on disk: the input, the image that it stands for, and how to replay it."""

import os
from pathlib import Path
from typing import Final

from watosfs_fuzz.parsers.catalogue import require_harness
from watosfs_fuzz.parsers.harness import Failure
from watosfs_fuzz.parsers.images import SparseImage
from watosfs_fuzz.provenance import commit, version

SUFFIX: Final = ".input"


def write(failure: Failure, folder: Path) -> Path:
    """``HARNESS-ID.input`` with ``.txt`` (the story) and, for an image, ``.img``; its path."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{failure.harness}-{failure.identity}{SUFFIX}"
    unit = require_harness(failure.harness).unit_bytes
    if unit:
        SparseImage.parse(failure.data, unit).write_to(path.with_suffix(".img"))
    story = (
        f"harness: {failure.harness}\nkind: {failure.kind}\nplace: {failure.place or '-'}\n"
        f"version: {version()}\ncommit: {commit()}\n"
        f"replay: {command(path, failure.harness)}\n\n{failure.story}\n"
    )
    path.with_suffix(".txt").write_text(story, encoding="utf-8")
    temporary = path.with_suffix(".part")
    temporary.write_bytes(failure.data)
    os.replace(temporary, path)
    return path


def command(path: Path, harness: str) -> str:
    """The command that replays a finding."""
    return f"watosfs-fuzz parsers --harness {harness} --replay {path}"


def read(path: Path, unit: int) -> bytes:
    """An input, or an image file as one (``unit`` is the harness' block size, 0 for none)."""
    raw = path.read_bytes()
    if path.suffix == SUFFIX or not unit:
        return raw
    return SparseImage.of_bytes(raw, unit).encode()
