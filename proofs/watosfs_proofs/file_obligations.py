"""What is proved of the offsets of file data: each byte of a write goes to exactly one place, each
extent keeps to its chunk. Reading is ``file_reading_obligations``.
"""

from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any

import z3

from watosfs.wfs3.format import FILE_SIZE_MAX, FIRST_USABLE_BLOCK
from watosfs_proofs.executor import Path
from watosfs_proofs.file_world import (
    BLOCK,
    CHUNK,
    NUMBER,
    Files,
    Recorder,
    arbitrary_mask,
    chosen,
    within,
)
from watosfs_proofs.obligation import Obligation
from watosfs_proofs.symbolic import SymInt, term
from watosfs_proofs.symbolic_bytes import SymBytes

RUNS_MAX, STORED_BLOCKS_MAX = 2, 20
#: Of the open transaction; an extent keeps its low word.
GENERATION = (1 << 32) + 5


def _write(path: Path, files: Files) -> str:
    world = Recorder(path, files)
    offset, length, size = path.integer("offset"), path.integer("length"), path.integer("size")
    path.assume(z3.And(length >= 1, offset + length <= FILE_SIZE_MAX, size <= FILE_SIZE_MAX))
    world.inode.size = SymInt(size)
    world.data.leave_inline = lambda inode: world.say(inode, "outline")
    sizes = [world.inode.size]

    def write_chunks(inode: Any, at: Any, view: Any) -> None:
        sizes.append(inode.size)
        world.say(inode, "chunks", at, view)

    world.data.write_chunks = write_chunks
    dirty_chunk = world.data.dirty_chunk

    def changed(inode: Any, index: Any) -> Any:
        sizes.append(world.inode.size)
        return dirty_chunk(inode, index)

    world.data.dirty_chunk = changed
    data = SymBytes.arbitrary("data", length)
    world.data.write(world.inode, SymInt(offset), data)
    path.prove("the size stays until all is written", all(each is sizes[0] for each in sizes))
    world.prove_charged()
    path.prove("inline data is moved first", world.said[0] == ("outline",))
    path.prove("and once", world.of("outline") == [()])
    pieces = [(term(i) * CHUNK + term(at), piece) for i, at, piece in world.of("put")]
    for index, start, piece in world.of("put"):
        end = term(start) + piece.length
        path.prove("a piece keeps to its chunk", z3.And(term(start) >= 0, end <= CHUNK))
        path.prove("no piece is empty", piece.length >= 1)
        path.prove("a whole chunk does not wait", piece.length < CHUNK)
        path.prove("chunks are numbered from 0", term(index) >= 0)
    for at, view in world.of("chunks"):
        aligned = z3.And(term(at) % CHUNK == 0, view.length % CHUNK == 0, view.length >= 1)
        path.prove("whole chunks are whole", aligned)
        pieces.append((term(at), view))
    byte = path.integer("byte")
    hits = [within(byte, start, piece.length) for start, piece in pieces]
    times = z3.Sum(*(z3.If(hit, 1, 0) for hit in hits), 0)
    mine = within(byte, offset, length)
    path.prove("each byte of the write once, no other at all", times == z3.If(mine, 1, 0))
    for hit, (start, piece) in zip(hits, pieces, strict=True):
        right = piece.read(byte - start) == data.read(byte - offset)
        path.prove("each byte goes to its place", z3.Implies(hit, right))
    end = offset + length
    grown = z3.If(end > size, end, size)
    path.prove("the size grows to the end of the write", term(world.inode.size) == grown)
    return f"{len(pieces)} pieces"


def _cut(path: Path, files: Files) -> str:
    """Which chunks are cut, forgotten and removed; the chunk's own cut is proved of the chunk."""
    world = Recorder(path, files)
    size = path.integer("size")
    mask = arbitrary_mask("mask")
    world.data.mask_of = lambda inode, index: world.of_inode(
        inode, mask if _is(path, index, size / CHUNK) else None
    )
    waiting = path.integer("dirty_chunk")
    if chosen("a_chunk_is_dirty"):
        world.data.dirty = {NUMBER: [SymInt(waiting)]}
    world.data.cut(world.inode, SymInt(size))
    ((first, end),) = world.of("remove")
    path.prove("everything behind is removed, last", end is None and world.said[-1][0] == "remove")
    world.prove_charged()
    byte, inside = path.integer("byte"), size % CHUNK
    chunk = byte / CHUNK
    path.prove("no chunk is removed of which a byte stays", z3.Implies(
        byte < size, byte < term(first)))  # fmt: skip
    removed, cuts = byte >= term(first), world.of("cut")
    if cuts:
        ((index, at),) = cuts
        path.prove("the chunk of the size is cut, at the size", z3.And(
            term(index) == size / CHUNK, term(at) == inside))  # fmt: skip
    stored = z3.Or(*(z3.And(bit, i >= inside / BLOCK) for i, bit in enumerate(mask.bits())))
    path.prove("a chunk is cut exactly when something of it goes and something stays",
               z3.And(inside > 0, stored) == bool(cuts))  # fmt: skip
    exists = z3.Implies(chunk == size / CHUNK, mask.bit(byte % CHUNK / BLOCK))
    cut = z3.And(bool(cuts), chunk == size / CHUNK, byte % CHUNK >= inside)
    gone = z3.Or(removed, cut)
    path.prove("all data behind is given up", z3.Implies(z3.And(byte >= size, exists), gone))
    forgotten = world.of("forget")
    if world.data.dirty:
        behind = waiting * CHUNK >= size
        path.prove("exactly the dirty chunks behind are forgotten", behind == bool(forgotten))
        path.prove("each once", len(forgotten) <= 1)
        for (index,) in forgotten:
            path.prove("at its index", term(index) == waiting)
    return "cut" if cuts else "not cut"


def _is(path: Path, index: Any, expected: z3.ArithRef) -> bool:
    path.prove("the chunk of the size is asked for", term(index) == expected)
    return True


def _runs_of_blocks(path: Path, world: Recorder, total: z3.ArithRef) -> Callable[[Any], Any]:
    """``Space.alloc_runs`` by its contract: runs of fresh blocks that add up."""
    had = world.inode.blocks

    def runs(count: Any) -> Iterator[tuple[SymInt, SymInt]]:
        left, given = term(count), 0
        while path.decide(left > 0):
            path.prove("no block counts before all have a place", world.inode.blocks is had)
            start, size = path.integer("run"), path.integer("run_blocks")
            path.assume(z3.And(size >= 1, size <= left, start >= FIRST_USABLE_BLOCK))
            path.assume(start + size <= total)
            left, given = left - size, given + 1
            path.assume(z3.Or(left == 0, given < RUNS_MAX))
            yield SymInt(start), SymInt(size)

    return runs


def _store(path: Path, files: Files) -> str:
    world = Recorder(path, files)
    total = path.inputs["total_blocks"] = z3.Int("total_blocks")
    path.assume(z3.And(total >= 0, total <= 1 << 52))
    world.alloc_runs = _runs_of_blocks(path, world, total)  # type: ignore[attr-defined]
    world.data.engine.store.generation = GENERATION
    # Any block of a file, as its chunk and its place in there: Z3 then sees through the remainders.
    chunk, inside, blocks = path.integer("chunk"), path.integer("inside"), path.integer("blocks")
    path.assume(inside < CHUNK // BLOCK)
    offset, length = chunk * CHUNK + inside * BLOCK, blocks * BLOCK
    path.assume(z3.And(blocks >= 1, blocks <= STORED_BLOCKS_MAX, offset + length <= 1 << 63))
    # Bytes that are only moved may as well be told by where they were.
    view = SymBytes(length, lambda i: i)
    world.data.add_extents(world.inode, SymInt(offset), view)
    extents, writes = world.of("extent"), world.of("write")
    byte = path.integer("byte")
    hits = [within(byte, extent.file_offset, extent.length) for _, extent in extents]
    times = z3.Sum(*(z3.If(hit, 1, 0) for hit in hits), 0)
    mine = within(byte, offset, length)
    path.prove("each byte in one extent, no other at all", times == z3.If(mine, 1, 0))
    reader: Any = object.__new__(files.reading)
    reader.engine = world.data.engine
    for hit, (key, extent) in zip(hits, extents, strict=True):
        at, size, block = term(extent.file_offset), term(extent.length), term(extent.disk_block)
        path.prove("the key is the offset", term(key) == at)
        fits = z3.And(size >= 1, at % CHUNK + size <= CHUNK, at % BLOCK == 0, size % BLOCK == 0)
        path.prove("an extent is whole blocks of one chunk", fits)
        fixed = (extent.flags, extent.refcount, extent.generation)
        path.prove("the other fields", fixed == (0, 1, GENERATION % (1 << 32)))
        path.prove("keys are words of 63 bits", at + size <= 1 << 63)
        path.prove("blocks are in the volume", z3.And(
            block >= FIRST_USABLE_BLOCK, block + size / BLOCK <= total))  # fmt: skip
        reader.validate(key, extent)
        in_crc = z3.And(extent.crc32.length == size, z3.Implies(
            hit, extent.crc32.read(byte - at) == view.read(byte - offset)))  # fmt: skip
        path.prove("the checksum is that of its bytes", in_crc)
        start, data = _before(world.said, extent)
        within_run = z3.And(start <= block, block - start + size / BLOCK <= data.length / BLOCK)
        path.prove("its blocks were written", within_run)
        stored = data.read((block - start) * BLOCK) == at - offset
        path.prove("its blocks hold its bytes", stored)
    path.prove("blocks are counted", term(world.inode.blocks) == path.inputs["had"] + blocks)
    return f"{len(writes)} runs"


def _before(said: list[tuple[Any, ...]], extent: Any) -> tuple[z3.ArithRef, SymBytes]:
    """The last write to the device before an extent was entered."""
    at = next(i for i, entry in enumerate(said) if entry[-1] is extent)
    _, start, data = next(entry for entry in reversed(said[:at]) if entry[0] == "write")
    return term(start), data


Check = Callable[[Path, Files], str]

CHECKS: dict[str, tuple[Check, str, str, tuple[str, ...]]] = {
    "write": (_write, "each byte of a write once, in place", "any write, any file",
              ("1 pieces", "2 pieces", "3 pieces")),
    "cut": (_cut, "a cut gives up exactly what lies behind", "any size, one dirty chunk",
            ("cut", "not cut")),
    "add_extents": (_store, "extents tile a write, each in its chunk",
                    f"at most {STORED_BLOCKS_MAX} blocks in {RUNS_MAX} runs", ("1 runs", "2 runs")),
}  # fmt: skip


def file_obligations(*variants: ModuleType) -> list[Obligation]:
    """The obligations of production's modules, or of broken variants of them."""
    given = Files(*variants)

    def bound_to(check: Check) -> Callable[[Path], str]:
        return lambda path: check(path, given)

    return [
        Obligation(f"filedata.{name}", statement, bound, bound_to(check), outcomes)
        for name, (check, statement, bound, outcomes) in CHECKS.items()
    ]
