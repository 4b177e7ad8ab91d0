"""Corpora on disk: one compressed file for each harness, replayed by the tests.

A file is a zstd frame over ``length (4 bytes, little endian), bytes`` for each input, sorted by
length and bytes, so that a corpus has one form and similar images compress into one another.
"""

import os
import struct
from collections.abc import Iterable
from pathlib import Path
from typing import Final

import zstandard

SUFFIX: Final = ".inputs.zst"
_LENGTH = struct.Struct("<I")
_CORPUS_BYTES_MAX: Final = 1 << 28
_LEVEL: Final = 19


def path_of(folder: Path, harness: str) -> Path:
    """Where a harness' corpus is."""
    return folder / (harness + SUFFIX)


def load(folder: Path, harness: str) -> list[bytes]:
    """The inputs of a harness; none when it has no corpus. Raises ValueError for a broken file."""
    path = path_of(folder, harness)
    if not path.exists():
        return []
    try:
        raw = zstandard.ZstdDecompressor().decompress(
            path.read_bytes(), max_output_size=_CORPUS_BYTES_MAX
        )
        return list(_pieces(raw))
    except (zstandard.ZstdError, struct.error) as error:
        raise ValueError(f"{path}: not a corpus: {error}") from None


def _pieces(raw: bytes) -> Iterable[bytes]:
    at = 0
    while at < len(raw):
        (length,) = _LENGTH.unpack_from(raw, at)
        at += _LENGTH.size
        if at + length > len(raw):
            raise struct.error(f"an input of {length} bytes is cut off")
        yield raw[at : at + length]
        at += length


def store(folder: Path, harness: str, inputs: Iterable[bytes]) -> Path:
    """Write a corpus, whole or not at all; its path."""
    ordered = sorted(set(inputs), key=lambda data: (len(data), data))
    raw = b"".join(_LENGTH.pack(len(data)) + data for data in ordered)
    parameters = zstandard.ZstdCompressionParameters.from_level(
        _LEVEL, enable_ldm=True, window_log=25
    )
    packed = zstandard.ZstdCompressor(compression_params=parameters).compress(raw)
    folder.mkdir(parents=True, exist_ok=True)
    path = path_of(folder, harness)
    temporary = path.with_suffix(".part")
    temporary.write_bytes(packed)
    os.replace(temporary, path)
    return path
