"""The harnesses of WFS v2 in the registry: each structure with its seeds and mutators."""

import errno
from collections.abc import Callable
from random import Random
from typing import Final

from watosfs_fuzz.parsers import wfs2_image, wfs2_seeds, wfs2_structures
from watosfs_fuzz.parsers.dictionary import wfs2_words
from watosfs_fuzz.parsers.harness import Cross, Harness, Mutate, register
from watosfs_fuzz.parsers.layout import mutate_bytes
from watosfs_fuzz.parsers.mutators import any_bytes, of_structure_cross, splice
from watosfs_fuzz.parsers.wfs2_layouts import (
    BLOCK,
    SUPERBLOCK,
    mutate_superblock,
    seal_data,
    seal_superblock,
)
from watosfs_fuzz.parsers.wfs2_mutators import cross_table, mutate_table

_DAMAGE: Final = frozenset({errno.EINVAL, errno.EUCLEAN})
_ANY: Final = 0.05
_SEALED: Final = 0.9
#: Bytes of the bitmap of the harness' volume, and a few behind it.
_BITMAP_BYTES: Final = 70


def superblock_mutator(data: bytes, random: Random) -> bytes:
    """Fields, sections, the checksum; the byte behind says in which places it stands."""
    if random.random() < _ANY:
        return any_bytes(data, random, wfs2_words())
    raw = bytearray(data[: SUPERBLOCK.size].ljust(SUPERBLOCK.size, b"\0"))
    for _ in range(random.choice((1, 1, 2))):
        mutate_superblock(raw, random)
    if random.random() < _SEALED:
        seal_superblock(raw, 0)
    where = data[SUPERBLOCK.size :] if random.random() < 0.8 else bytes([random.randrange(8)])
    return bytes(raw[: SUPERBLOCK.size]) + where


def table_mutator(data: bytes, random: Random) -> bytes:
    """Entries of one of the blocks."""
    if random.random() < _ANY:
        return any_bytes(data, random, wfs2_words())
    raw = bytearray(data.ljust(BLOCK, b"\0"))
    at = random.randrange(max(1, len(raw) // BLOCK)) * BLOCK
    block = raw[at : at + BLOCK]
    for _ in range(random.choice((1, 1, 2, 4))):
        mutate_table(block, random)
    raw[at : at + BLOCK] = block[:BLOCK]
    return bytes(raw)


def table_cross(one: bytes, two: bytes, random: Random) -> bytes:
    """Entries of another table, or its block behind."""
    raw, other = bytearray(one[:BLOCK].ljust(BLOCK, b"\0")), two[:BLOCK].ljust(BLOCK, b"\0")
    if random.random() < 0.2:
        return bytes(raw) + other
    cross_table(raw, other, random)
    return bytes(raw) + one[BLOCK:]


def bitmap_mutator(data: bytes, random: Random) -> bytes:
    """Bits near the ends of sections."""
    raw = bytearray(data[:BLOCK].ljust(BLOCK, b"\0"))
    mutate_bytes(raw, 0, _BITMAP_BYTES if random.random() < 0.9 else BLOCK, random)
    return bytes(raw)


def data_mutator(data: bytes, random: Random) -> bytes:
    """Bytes of a block, its checksum made right or not; blocks more or fewer."""
    if random.random() < 0.2:
        return any_bytes(data, random, wfs2_words())
    raw = bytearray(data.ljust(BLOCK, b"\0"))
    if random.random() < 0.2:
        raw += raw[:BLOCK]
    raw = raw[: 16 * BLOCK].ljust(-(-min(len(raw), 16 * BLOCK) // BLOCK) * BLOCK, b"\0")
    at = random.randrange(len(raw) // BLOCK) * BLOCK
    mutate_bytes(raw, at, at + BLOCK, random)
    if random.random() < 0.6:
        seal_data(raw, at)
    return bytes(raw)


def _superblocks() -> list[bytes]:
    return [raw + bytes([where]) for raw in wfs2_seeds.superblocks() for where in (1, 2, 4, 7)]


def _structure(
    name: str,
    description: str,
    run: Callable[[bytes], str],
    seeds: Callable[[], list[bytes]],
    mutate: Mutate,
    cross: Cross,
    *modules: str,
) -> None:
    register(
        Harness(
            name, description, run, seeds, mutate, cross, _DAMAGE, modules, words=wfs2_words
        )
    )  # fmt: skip


_structure(
    "wfs2-superblock", "the superblock, in each of its places", wfs2_structures.superblock,
    _superblocks, superblock_mutator, of_structure_cross(SUPERBLOCK, seal_superblock),
    "watosfs.wfs2.format", "watosfs.wfs2.superblocks",
)  # fmt: skip
_structure(
    "wfs2-table", "the file table, and the tree made of it", wfs2_structures.table,
    lambda: list(wfs2_seeds.table_blocks()), table_mutator, table_cross,
    "watosfs.wfs2.entries", "watosfs.wfs2.table",
)  # fmt: skip
_structure(
    "wfs2-bitmap", "the bitmap: what check says and mends", wfs2_structures.bitmap,
    lambda: list(wfs2_seeds.bitmaps()), bitmap_mutator, splice,
    "watosfs.wfs2.space",
)  # fmt: skip
_structure(
    "wfs2-data", "data blocks with their checksums", wfs2_structures.data_blocks,
    lambda: list(wfs2_seeds.data_blocks()), data_mutator, splice,
    "watosfs.wfs2.blocks",
)  # fmt: skip
register(
    Harness(
        "wfs2-image",
        "a whole image: mount, walk, read, check, repair, write, check again",
        wfs2_image.run,
        lambda: list(wfs2_seeds.images()),
        wfs2_image.mutate,
        wfs2_image.cross,
        wfs2_image.ERRNOS,
        wfs2_image.MODULES,
        BLOCK,
        words=wfs2_words,
    )
)
