"""The harnesses of WFS v3 in the registry: each structure with its seeds and mutators."""

import errno
from functools import partial
from random import Random
from typing import Final

from watosfs.wfs3 import packed_attributes
from watosfs.wfs3.node import (
    DEAD,
    DIRECTORY,
    EXTENTS,
    FREE,
    INODES,
    ORPHANS,
    SNAPSHOTS,
    NodeKind,
)
from watosfs_fuzz.parsers import wfs3_image, wfs3_seeds, wfs3_structures
from watosfs_fuzz.parsers.dictionary import wfs3_words
from watosfs_fuzz.parsers.harness import Cross, Harness, Mutate, register
from watosfs_fuzz.parsers.images import SparseImage
from watosfs_fuzz.parsers.layout import layout_of
from watosfs_fuzz.parsers.mutators import any_bytes, of_structure, of_structure_cross, splice
from watosfs_fuzz.parsers.wfs3_layouts import (
    BLOCK,
    ENTRY,
    EXTENT,
    HEADER_BYTES,
    INODE,
    LEAVES,
    cross_nodes,
    mutate_node,
    seal_inode,
    seal_node,
    seal_superblock,
)

_DAMAGE: Final = frozenset({errno.EUCLEAN})
_SEALED: Final = 0.9
_SUPERBLOCK_INPUT = layout_of(
    "superblock and place",
    "IHH64sIIQQQQQQQQIII4x16s32sQQQQQI4xB",
    "magic version flags signature block_size chunk_size total_blocks free_blocks root_tree_block"
    " root_generation free_tree_block inode_count next_inode data_start_block compat ro_compat"
    " incompat uuid label snapshot_root refcount_root commit_time_ns orphan_root"
    " snapshot_deleting crc32 place",
)
_EXTENT_INPUT = layout_of(
    "extent and key",
    "QQQQIIII",
    "key " + " ".join(field.name for field in EXTENT.fields),
)


def node_mutator(data: bytes, random: Random) -> bytes:
    """A node's header or entries, its checksum made right; the byte behind says what is due."""
    if random.random() < 0.05:
        return any_bytes(data, random, wfs3_words())
    raw = bytearray(data[:BLOCK].ljust(BLOCK, b"\0"))
    for _ in range(random.choice((1, 1, 2))):
        mutate_node(raw, random)
    del raw[BLOCK:]
    if random.random() < _SEALED:
        seal_node(raw, 0)
    demand = data[BLOCK:] if random.random() < 0.8 else bytes([random.randrange(64)])
    return bytes(raw) + demand


def node_cross(one: bytes, two: bytes, random: Random) -> bytes:
    """Entries of another node."""
    raw = bytearray(one[:BLOCK].ljust(BLOCK, b"\0"))
    cross_nodes(raw, two[:BLOCK].ljust(BLOCK, b"\0"), random)
    seal_node(raw, 0)
    return bytes(raw) + one[BLOCK:]


def _superblocks() -> list[bytes]:
    found = []
    for encoded in wfs3_seeds.images():
        raw = SparseImage.parse(encoded, BLOCK).read(0)[:256]
        found += [raw + bytes([place]) for place in (0, 1, 4)]
        published = bytearray(raw)
        published[124:128] = bytes(4)
        seal_superblock(published, 0)
        found += [bytes(published) + bytes([place]) for place in (0, 2, 6)]
    return sorted(set(found))


def _values(kind: NodeKind) -> list[bytes]:
    stride = LEAVES[kind.magic][1]
    found = []
    for block in wfs3_seeds.nodes()[kind.magic]:
        if not int.from_bytes(block[4:6], "little"):
            count = int.from_bytes(block[6:8], "little")
            starts = [HEADER_BYTES + i * stride for i in range(count)]
            found += [block[start : start + stride] for start in starts]
    return sorted(set(found))


def _attributes() -> list[bytes]:
    small = packed_attributes.encode({b"user.a": b"1", b"user.bb": b"", b"user.c": b"x" * 300})
    return [b"", packed_attributes.encode({b"user.k": b"value"}), small]


def _structure(
    name: str,
    description: str,
    run: str,
    seeds: object,
    mutate: Mutate,
    cross: Cross,
    *modules: str,
) -> None:
    assert callable(seeds)
    register(
        Harness(
            name, description, getattr(wfs3_structures, run), seeds, mutate, cross, _DAMAGE,
            modules, words=wfs3_words,
        )
    )  # fmt: skip


_structure(
    "wfs3-superblock", "the superblock, in each of its places", "superblock", _superblocks,
    of_structure(_SUPERBLOCK_INPUT, seal_superblock, wfs3_words()),
    of_structure_cross(_SUPERBLOCK_INPUT, seal_superblock),
    "watosfs.wfs3.format", "watosfs.wfs3.mounting", "watosfs.wfs3.checker.superblocks",
)  # fmt: skip
for _kind in (INODES, DIRECTORY, EXTENTS, FREE, ORPHANS, SNAPSHOTS, DEAD):
    register(
        Harness(
            "wfs3-node-" + _kind.name.split()[0],
            f"a node of the {_kind.name}",
            partial(wfs3_structures.node, _kind),
            partial(lambda kind: list(wfs3_seeds.nodes().get(kind.magic, ())), _kind),
            node_mutator, node_cross, _DAMAGE,
            ("watosfs.wfs3.node", "watosfs.wfs3.checker.facts", "watosfs.wfs3.checker.leaf_facts"),
            words=wfs3_words,
        )
    )  # fmt: skip
_structure(
    "wfs3-inode", "an inode", "inode", lambda: [raw[8:] for raw in _values(INODES)],
    of_structure(INODE, seal_inode, wfs3_words()), of_structure_cross(INODE, seal_inode),
    "watosfs.wfs3.records", "watosfs.wfs3.checker.inode_facts",
)  # fmt: skip
_structure(
    "wfs3-entry", "a directory entry", "entry", lambda: [raw[8:] for raw in _values(DIRECTORY)],
    of_structure(ENTRY, None, wfs3_words()), of_structure_cross(ENTRY, None),
    "watosfs.wfs3.records",
)  # fmt: skip
_structure(
    "wfs3-extent", "an extent with its key", "extent", lambda: _values(EXTENTS),
    of_structure(_EXTENT_INPUT, None, wfs3_words()), of_structure_cross(_EXTENT_INPUT, None),
    "watosfs.wfs3.checker.leaf_facts",
)  # fmt: skip
_structure(
    "wfs3-attributes", "packed extended attributes", "attributes", _attributes,
    lambda data, random: any_bytes(data, random, wfs3_words()), splice,
    "watosfs.wfs3.packed_attributes",
)  # fmt: skip
register(
    Harness(
        "wfs3-image",
        "a whole image: mount, walk, read, check, write, check again",
        wfs3_image.run,
        lambda: list(wfs3_seeds.images()),
        wfs3_image.mutate,
        wfs3_image.cross,
        wfs3_image.ERRNOS,
        wfs3_image.MODULES,
        BLOCK,
        words=wfs3_words,
    )
)
