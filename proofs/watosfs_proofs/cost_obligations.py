"""What is proved of the room that file data is admitted for: counted once, and never too little."""

from collections.abc import Callable
from types import ModuleType, SimpleNamespace
from typing import Any, ClassVar

import z3

from watosfs.wfs3.format import FILE_SIZE_MAX
from watosfs_proofs.executor import Path, current
from watosfs_proofs.file_world import (
    BLOCK,
    CHUNK,
    NUMBER,
    Files,
    Recorder,
    arbitrary_mask,
    chosen,
)
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
    data.engine.tree = lambda inode: world.of_inode(inode, SimpleNamespace(height=SymInt(height)))
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


class Counted(Mask):
    """A mask whose bits, when they are counted, are that many: no sum is spelled out."""

    __slots__ = ()
    counts: ClassVar[list[tuple[Mask, z3.ArithRef]]] = []

    def __or__(self, other: object) -> "Counted":
        return Counted(super().__or__(other).bit)

    def bit_count(self) -> SymInt:
        """An unknown number, noted with the mask."""
        count = current().integer("count", is_input=False)
        self.counts.append((self, count))
        return SymInt(count)


def _cost(path: Path, files: Files) -> str:
    """Admission counts what the chunks will have after the write, and their nodes."""
    world = Recorder(path, files)
    offset, length = path.integer("offset"), path.integer("length")
    path.assume(z3.And(length >= 1, offset + length <= FILE_SIZE_MAX))
    data, inode = world.data, world.inode
    end, nodes_per_chunk = offset + length, 3 * (HEIGHT + 1)
    tree = SimpleNamespace(height=HEIGHT)
    data.engine.tree = lambda asked: world.of_inode(asked, tree)
    inode.inline = b"inline" if chosen("inline") else b""
    asked: list[z3.ArithRef] = []

    def fits(of: object, size: Any) -> bool:
        asked.append(term(size))
        return bool(world.of_inode(of, chosen("fits_inline")))

    data.fits_inline = fits
    Counted.counts.clear()
    had: list[tuple[z3.ArithRef, Mask]] = []

    def mask_of(index: Any) -> Mask:
        mask = Counted(arbitrary_mask(f"mask{len(had)}").bit)
        had.append((term(index), mask))
        return mask

    def dirty(index: Any) -> Any:
        return SimpleNamespace(mask=mask_of(index)) if chosen("dirty") else None

    data.dirty = {NUMBER: SimpleNamespace(get=dirty)}
    data.mask_on_disk = lambda of, index: world.of_inode(of, mask_of(index))
    cost = term(data.cost_of_write(inode, SymInt(offset), SymInt(length)))
    path.prove("asks once whether the end fits inline", len(asked) == 1)
    path.prove("of the end of the write", asked[0] == end)
    if not had:
        path.prove("in the inode it costs nothing", cost == 0)
        return "inline"
    first, last = offset / CHUNK, (end - 1) / CHUNK
    path.prove("the chunks at both ends are looked at, once",
               z3.And(had[0][0] == first, had[-1][0] == last,
                      z3.BoolVal(len(had) == 2) == (first != last)))  # fmt: skip
    bit = path.integer("bit")
    path.assume(bit < Mask.WIDTH)
    counted = []
    for (index, before), (after, count) in zip(had, Counted.counts, strict=True):
        start = index * CHUNK + bit * BLOCK
        touched = z3.And(start < end, offset < start + BLOCK)
        moved = z3.And(bool(inode.inline), index == 0, bit == 0)
        wanted = z3.Or(before.bit(bit), touched, moved)
        path.prove("a chunk at an end costs what it has or gets", after.bit(bit) == wanted)
        counted.append(count)
    between = z3.If(last - first > 1, last - first - 1, 0) * Mask.WIDTH
    outline = z3.If(z3.And(bool(inode.inline), first > 0), 1 + nodes_per_chunk, 0)
    nodes = (last - first + 1) * nodes_per_chunk
    path.prove("each chunk between costs all its blocks, and each its nodes; inline data too",
               cost == z3.Sum(*counted) + between + nodes + outline)  # fmt: skip
    return f"{len(had)} ends"


Check = Callable[[Path, Files], str]

CHECKS: dict[str, tuple[Check, str, str, tuple[str, ...]]] = {
    "charge": (_charge, "what a chunk owes is counted once", "any chunk", ("charged",)),
    "write": (
        _cost, "admission is an upper bound", f"any write, an extent tree of height {HEIGHT}",
        ("inline", "1 ends", "2 ends"),
    ),
}  # fmt: skip


def cost_obligations(*variants: ModuleType) -> list[Obligation]:
    """The obligations of production's module, or of a broken variant of it."""
    given = Files(*variants)

    def bound_to(check: Check) -> Callable[[Path], str]:
        return lambda path: check(path, given)

    return [
        Obligation(f"cost.{name}", statement, bound, bound_to(check), outcomes)
        for name, (check, statement, bound, outcomes) in CHECKS.items()
    ]
