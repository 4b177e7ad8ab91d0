"""Compressed extents: one zstd frame, padded with zeros to whole blocks, fewer than it stands for.

Part of the format: the checker reads with it too. Who compresses what is in ``compressing``.
"""

from functools import cache

import zstandard

from watosfs.block.device import Buffer
from watosfs.errors import DamageError
from watosfs.wfs3.format import BLOCK_SIZE
from watosfs.wfs3.records import EXTENT_FLAG_COMPRESSED, EXTENT_STORED_SHIFT, Extent


def flags_of(stored_blocks: int) -> int:
    """The flags of a compressed extent."""
    return EXTENT_FLAG_COMPRESSED + stored_blocks * (1 << EXTENT_STORED_SHIFT)


def is_compressed(extent: Extent) -> bool:
    """Whether the flags are those of a compressed extent: fewer blocks than it stands for."""
    stored = extent.stored_blocks
    return extent.flags == flags_of(stored) and 0 < stored < extent.length // BLOCK_SIZE


def compressed(data: Buffer, level: int) -> bytes | None:
    """``data`` (whole blocks) as a frame in whole blocks; None when that saves no block."""
    frame = _compressor(level).compress(data)
    size = -(-len(frame) // BLOCK_SIZE) * BLOCK_SIZE
    return frame.ljust(size, b"\0") if size < len(data) else None


def decompressed(stored: Buffer, length: int, block: int) -> bytes:
    """The ``length`` bytes that the frame at ``block`` stands for.

    Raises DamageError when there is no frame, or one of another length: so much memory is never
    taken that an image only claims to need.
    """
    try:
        if zstandard.frame_content_size(stored) == length:
            data = _decompressor().decompress(stored, max_output_size=length)
            if len(data) == length:
                return data
    except zstandard.ZstdError as error:
        raise DamageError("file data", block, f"compressed data: {error}") from error
    raise DamageError("file data", block, f"compressed data is not that of {length} bytes")


@cache
def _compressor(level: int) -> zstandard.ZstdCompressor:
    return zstandard.ZstdCompressor(level=level, write_content_size=True)


@cache
def _decompressor() -> zstandard.ZstdDecompressor:
    return zstandard.ZstdDecompressor()
