"""What is proved of the room that file data is admitted for: counted once, and never too little."""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import z3

from watosfs.wfs3.format import FILE_SIZE_MAX
from watosfs_proofs.executor import Path
from watosfs_proofs.file_world import BLOCK, CHUNK, NUMBER, Files, Recorder, arbitrary_mask
from watosfs_proofs.obligation import Obligation
from watosfs_proofs.symbolic import Mask, SymInt, term
from watosfs_proofs.symbolic_bytes import SymBytes

#: Of extent trees, for the cost of a write, which is linear in it.
HEIGHT = 15


def _charge(path: Path, files: Files) -> str:
    world = Recorder(path, files)
    data, chunk = world.data, SimpleNamespace()
    owed, bytes_owed = path.integer("owed"), path.integer("dirty_bytes")
    had_blocks, had_bytes = path.integer("charged_blocks"), path.integer("charged_bytes")
    height, length = path.integer("height"), path.integer("length")
    data.owed, data.dirty_bytes = SymInt(owed), SymInt(bytes_owed)
    chunk.mask, chunk.data = arbitrary_mask("mask"), SymBytes.arbitrary("data", length)
    chunk.charged_blocks, chunk.charged_bytes = SymInt(had_blocks), SymInt(had_bytes)
    data.engine.tree = lambda inode: SimpleNamespace(height=SymInt(height))
    del data.charge
    data.charge(world.inode, chunk)
    blocks = z3.Sum(*(z3.If(bit, 1, 0) for bit in chunk.mask.bits())) + 3 * (height + 1)
    path.prove("what is owed now is in place of what was", z3.And(
        term(data.owed) == owed - had_blocks + blocks,
        term(data.dirty_bytes) == bytes_owed - had_bytes + length))  # fmt: skip
    path.prove("the chunk knows what it owes", z3.And(
        term(chunk.charged_blocks) == blocks, term(chunk.charged_bytes) == length))  # fmt: skip
    data.discharge(chunk)
    path.prove("discharged, nothing of it is owed", z3.And(
        term(data.owed) == owed - had_blocks,
        term(data.dirty_bytes) == bytes_owed - had_bytes))  # fmt: skip
    return "charged"


def _cost(path: Path, files: Files) -> str:
    """Admission counts at least the blocks of the chunks as they will be after the write."""
    world = Recorder(path, files)
    offset, length = path.integer("offset"), path.integer("length")
    path.assume(z3.And(length >= 1, offset + length <= FILE_SIZE_MAX))
    data, inode = world.data, world.inode
    data.engine.tree = lambda inode: SimpleNamespace(height=HEIGHT)
    data.dirty = {NUMBER: SimpleNamespace(get=lambda index: None)}
    masks: dict[int, Mask] = {}

    def on_disk(inode: object, index: Any) -> Mask:
        number = len(masks)
        masks[number] = mask = arbitrary_mask(f"mask{number}")
        asked = z3.Or(term(index) == offset / CHUNK, term(index) == (offset + length - 1) / CHUNK)
        path.prove("only the chunks at the ends are looked up", asked)
        return mask

    data.mask_on_disk = on_disk
    cost = term(data.cost_of_write(inode, SymInt(offset), SymInt(length)))
    touched = (offset + length - 1) / BLOCK - offset / BLOCK + 1
    chunks = (offset + length - 1) / CHUNK - offset / CHUNK + 1
    path.prove("at least the blocks of the write and the nodes of each chunk",
               cost >= touched + chunks * 3 * (HEIGHT + 1))  # fmt: skip
    had = [z3.If(bit, 1, 0) for mask in masks.values() for bit in mask.bits()]
    path.prove("besides, at least what the chunks at the ends have already",
               cost >= z3.Sum(*had) + chunks * 3 * (HEIGHT + 1))  # fmt: skip
    return f"{min(len(masks), 2)} ends"


Check = Callable[[Path, Files], str]

CHECKS: dict[str, tuple[Check, str, str, tuple[str, ...]]] = {
    "charge": (_charge, "what a chunk owes is counted once", "any chunk", ("charged",)),
    "cost_of_write": (
        _cost, "admission is an upper bound", f"any write, an extent tree of height {HEIGHT}",
        ("1 ends", "2 ends"),
    ),
}  # fmt: skip


def cost_obligations(files: Files | None = None) -> list[Obligation]:
    """The obligations of production's module, or of a broken variant of it."""
    given = files or Files()

    def bound_to(check: Check) -> Callable[[Path], str]:
        return lambda path: check(path, given)

    return [
        Obligation(f"filedata.{name}", statement, bound, bound_to(check), outcomes)
        for name, (check, statement, bound, outcomes) in CHECKS.items()
    ]
