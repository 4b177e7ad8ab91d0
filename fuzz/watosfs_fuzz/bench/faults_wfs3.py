"""The faults that are planted in WFS v3 for the benchmark alone; the rest are canaries."""

from collections.abc import Callable
from typing import Any

from watosfs.wfs3 import commit as commit_module
from watosfs.wfs3 import mounting
from watosfs.wfs3 import rename as rename_module
from watosfs.wfs3.allocator import Allocator
from watosfs.wfs3.btree import BTree
from watosfs.wfs3.chunks import Chunk
from watosfs.wfs3.engine import Engine
from watosfs.wfs3.filedata import FileData
from watosfs.wfs3.handle import Handle
from watosfs.wfs3.namespace import Namespace
from watosfs_fuzz.bench.planting import PLANTED, plant_edit
from watosfs_fuzz.canaries.registry import canary

Function = Callable[..., Any]
_COMMITS = "if not names.engine.in_transaction: names.engine.commit()"

for _identity, _description, _place, _old, _new in (
    ("SB5", "mount elects the older copy", (mounting, "elect"),
     "second <= first", "second >= first"),
    ("SB6", "always the same superblock slot", (commit_module, "commit"),
     "other = 1 - slot", "other = slot"),
    ("BT2", "a key that lands at the split point is dropped", (BTree, "split"),
     "separator = right.keys[0]",
     "separator = right.keys[0]; "
     "index == at and len(right.keys) > 1 and (right.keys.pop(0), right.values.pop(0))"),
    ("BT8", "a copied node does not hang on its parent", (BTree, "make_path_dirty"),
     "parent.values[parent_index] = node", "pass"),
    ("BT12", "node header changed after its CRC", (Engine, "encode"),
     "encode_node(node, node.generation)",
     "(lambda b: b[:8] + bytes([b[8] ^ 1]) + b[9:])(encode_node(node, node.generation))"),
    ("RN1", "rename over a name unlinks it first, durably", (rename_module, "rename"),
     "now = engine.clock()",
     "now = engine.clock(); target.number and (names.remove_name(target), "
     "engine.in_transaction or engine.commit(), directory.add(engine.changing_tree("
     "engine.modify(target.parent)), target.name, target.number, target.kind))"),
    ("RN2", "both names are durable for a moment", (rename_module, "rename"),
     "names.remove_name(source)", _COMMITS + "\n    names.remove_name(source)"),
    ("RN4", "a directory that moves does not count in its new parent", (rename_module, "rename"),
     "new_parent.nlink += 1", "pass"),
    ("NL1", "the link count is durable before the name", (Namespace, "link"),
     "parent = engine.modify(place.parent)",
     "engine.in_transaction or engine.commit()\n    parent = engine.modify(place.parent)"),
    ("FD2", "the gap before a write is not zero", (Chunk, "reach"),
     "self.data += bytes(missing)", "self.data += b'\\xa5' * missing"),
    ("FD11", "a write within the file cuts its size", (FileData, "write"),
     "at += take\n    inode.size = max(inode.size, end)", "at += take\n    inode.size = end"),
    ("OWN1", "unlink forgets the change time", (Namespace, "drop_link"),
     "inode.ctime_ns = self.engine.clock()", "pass"),
    ("OWN2", "rmdir keeps the parent's link count", (Namespace, "rmdir"),
     "parent.nlink -= 1", "pass"),
    ("OWN3", "O_APPEND writes at the offset given", (Handle, "pwrite"),
     "offset = inode.size", "pass"),
    ("OWN4", "the name cache survives removal", (Namespace, "remove_name"),
     "self.names.pop((place.parent, place.name), None)", "pass"),
    ("OWN5", "a truncated file keeps the chunk after the cut", (FileData, "cut"),
     "beyond = index + 1 if inside else index", "beyond = index + 1"),
    ("OWN6", "blocks dropped by an older commit are released one commit early",
     (Allocator, "committed"),
     "oldest = self.limbo.pop()\n    self.limbo.insert(0, ExtentSet())",
     "oldest = self.limbo.pop(0)\n    self.limbo.insert(0, ExtentSet())"),
    ("OWN7", "abort keeps the dropped blocks as dropped", (Allocator, "aborted"),
     "self.limbo[0] = ExtentSet()", "pass"),
    ("OWN8", "a crossing write leaves an inode's inline bytes", (FileData, "leave_inline"),
     "chunk.put(0, data)", "chunk.put(0, data[:-1])"),
    ("OWN9", "write-out keeps what it replaces in the tree", (FileData, "write_out"),
     "self.remove_extents(inode, base, base + CHUNK_SIZE)", "pass"),
    ("OWN10", "a middle child's separator is not kept on a join", (BTree, "merge"),
     "left.keys[first] = parent.keys[left_index + 1]", "pass"),
    ("OWN11", "recovery writes the copy it elected, not the other", (commit_module, "mirror"),
     "medium.write_superblock(1 - slot, superblock)", "medium.write_superblock(slot, superblock)"),
    ("OWN12", "replacing a directory keeps the old link count", (rename_module, "rename"),
     "engine.modify(target.parent).nlink -= 1", "pass"),
):  # fmt: skip
    plant_edit(_identity, _description, _place, _old, _new)


# Inside a transaction these must still say EBUSY: the planted fault is the missing durability.
@canary("FD10", "fsync skips a file whose length is odd", (Handle, "fsync"), registry=PLANTED)
def unaligned_tail_not_flushed(original: Function) -> Function:
    def fsync(self: Handle) -> None:
        if self.inode().size % 8 == 0 or self.volume.engine.in_transaction:
            original(self)

    return fsync


@canary("NL2", "fsync skips a file with several names", (Handle, "fsync"), registry=PLANTED)
def names_not_persisted(original: Function) -> Function:
    def fsync(self: Handle) -> None:
        if self.inode().nlink < 2 or self.volume.engine.in_transaction:
            original(self)

    return fsync


@canary("DR1", "fsync skips directories", (Handle, "fsync"), registry=PLANTED)
def directory_not_persisted(original: Function) -> Function:
    def fsync(self: Handle) -> None:
        if not self.inode().is_directory or self.volume.engine.in_transaction:
            original(self)

    return fsync


@canary("UL3", "an orphan's inode goes at once", (Namespace, "bury"), registry=PLANTED)
def orphan_deleted_and_listed(original: Function) -> Function:
    def bury(self: Namespace, inode: Any) -> None:
        original(self, inode)
        if self.open_counts.get(inode.number):
            self.engine.next_inode = inode.number

    return bury
