"""Planted faults of parsers: edits of one function's source, each with the harness that notices it.

Checks: what a parser must hold against an image, left out. Does not check: times; a fault has so
many executions, of the kept corpus (whose inputs come first) and of mutants.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any, Final

from watosfs.fat import filedata
from watosfs.fat import names as fat_names
from watosfs.fat.directory import Directory
from watosfs.fat.table import FatTable
from watosfs.wfs3 import mounting, node
from watosfs.wfs3.btree import BTree
from watosfs_fuzz.canaries.kernels import edited
from watosfs_fuzz.canaries.registry import Canary

#: By name; ``HARNESS_OF`` says which harness must notice each.
PARSER_CANARIES: Final[dict[str, Canary]] = {}
HARNESS_OF: Final[dict[str, str]] = {}


@contextmanager
def _planted(function: Any, old: str, new: str) -> Iterator[None]:
    """The code and not the name: other modules have the function under names of their own."""
    code = function.__code__
    function.__code__ = edited(function, old, new).__code__
    try:
        yield
    finally:
        function.__code__ = code


for _name, _harness, _description, _place, _old, _new in (
    ("count-beyond-block", "wfs3-node-free", "the item count of a node may pass its block",
     node.decode_node, "count > capacity or ", ""),
    ("child-is-ancestor", "wfs3-image", "no level is demanded of a child: it may be an ancestor",
     BTree.child, "self.kind, node.level - 1, node.generation", "self.kind, None, 1 << 64"),
    ("node-type-unchecked", "wfs3-node-free", "a node of another type is taken",
     node.decode_node, "magic != kind.magic", "False"),
    ("crc-length-from-image", "wfs3-node-inode", "how far a node's CRC reaches is read from it",
     node.node_crc, "view[_CRC_OFFSET + 4 :]",
     "view[_CRC_OFFSET + 4 : int.from_bytes(view[28:30], 'little') or None]"),
    ("total-size-unbounded", "wfs3-image", "a volume may be larger than its device",
     mounting.read_superblocks, "superblock_problem(copy, device.block_count)",
     "superblock_problem(copy, 1 << 62)"),
    ("cyclic-chain", "fat-table", "a chain may lead back into itself",
     FatTable.runs, "cluster in starts", "False"),
    ("checksum-over-wrong-bytes", "fat-long-name", "a long name's checksum leaves a byte out",
     fat_names.short_name_checksum, "for byte in short_name:", "for byte in short_name[:10]:"),
    ("bad-cluster-is-end", "fat-table", "a bad cluster ends a chain as an end mark does",
     FatTable.runs, "following == self.bad or following < 2:",
     "following == self.bad:\n            yield start, cluster - start + 1\n            return\n"
     "        if following < 2:"),
    ("end-mark-per-sector", "fat-directory", "the end mark ends its sector, not the directory",
     Directory._parse, "    self._clear_after(slot)\n            break", "    continue"),
    ("chain-shorter-than-size", "fat-image", "a chain shorter than the size is read as it is",
     filedata.read, "raise _too_short(node)",
     "count = max(chain.count * geometry.cluster_size - offset, 0)"),
):  # fmt: skip
    PARSER_CANARIES[_name] = Canary(_name, _description, partial(_planted, _place, _old, _new))
    HARNESS_OF[_name] = _harness
