"""Finding the superblock to mount from: both copies, both places, and the features this code
knows.
"""

import errno
from typing import NamedTuple

from watosfs.block.device import BlockDevice
from watosfs.errors import DamageError, failure
from watosfs.wfs3.commit import elect
from watosfs.wfs3.format import (
    BLOCK_SIZE,
    COMPAT_KNOWN,
    INCOMPAT_KNOWN,
    MAGIC_WFS1,
    MAGIC_WFS3,
    RO_COMPAT_KNOWN,
    SUPERBLOCK_SLOTS,
    Superblock,
    decode_superblock,
    superblock_problem,
)
from watosfs.wfs3.node import HEADER_SIZE

assert COMPAT_KNOWN


class Found(NamedTuple):
    """What the two superblock slots hold: the newest usable copy, and why it may only be read (or
    None).
    """

    superblock: Superblock
    slot: int
    copies_agree: bool
    read_only_reason: str | None


def read_superblocks(device: BlockDevice) -> Found:
    """Elect the newest copy. EINVAL when the device holds no WFS, EUCLEAN when its superblocks are
    damaged.

    Raises ENOTSUP, naming the bits, for unknown incompatible features.
    """
    if device.block_size_bytes != BLOCK_SIZE:
        raise failure(
            errno.EINVAL, reason=f"block size {device.block_size_bytes} is not {BLOCK_SIZE}"
        )
    if device.block_count < len(SUPERBLOCK_SLOTS):
        raise failure(errno.EINVAL, reason="the device is too small for WFS")
    copies: list[Superblock | None] = []
    magic_seen = False
    problem = "no copy has a matching CRC"
    for slot in SUPERBLOCK_SLOTS:
        try:
            block = bytes(device.read(slot))
        except OSError as error:
            problem = f"copy {slot}: {error}"
            copies.append(None)
            continue
        copy = decode_superblock(block)
        if copy is None:
            copy = published_copy(block)
        magic_seen = magic_seen or has_magic(block)
        if copy is not None:
            wrong = superblock_problem(copy, device.block_count)
            if wrong is not None:
                problem, copy = f"copy {slot}: {wrong}", None
        copies.append(copy)
    slot_elected = elect(*(copy.root_generation if copy else None for copy in copies))
    if slot_elected is None:
        if not magic_seen:
            raise failure(errno.EINVAL, reason="not a WFS v3 image")
        raise DamageError("superblock", 0, problem)
    superblock = copies[slot_elected]
    assert superblock is not None
    unknown = superblock.incompat & ~INCOMPAT_KNOWN
    if unknown:
        raise failure(errno.ENOTSUP, reason=f"unknown incompatible features {bits(unknown)}")
    reason = None
    if superblock.is_published_layout:
        reason = "images of the published tools are only read"
    elif superblock.ro_compat & ~RO_COMPAT_KNOWN:
        reason = (
            f"unknown read-only-compatible features {bits(superblock.ro_compat & ~RO_COMPAT_KNOWN)}"
        )
    return Found(superblock, slot_elected, copies[0] == copies[1], reason)


def published_copy(block: bytes) -> Superblock | None:
    """A superblock of the published core, which lies behind a node header."""
    copy = decode_superblock(block, HEADER_SIZE)
    return copy if copy is not None and copy.is_published_layout else None


def has_magic(block: bytes) -> bool:
    """Whether a superblock's magic stands in either place."""
    words = (block[:4], block[HEADER_SIZE : HEADER_SIZE + 4])
    return any(int.from_bytes(word, "little") in (MAGIC_WFS3, MAGIC_WFS1) for word in words)


def bits(mask: int) -> str:
    """The set bits of a feature word, for a message."""
    return ", ".join(f"bit {i} ({1 << i:#x})" for i in range(mask.bit_length()) if mask >> i & 1)
