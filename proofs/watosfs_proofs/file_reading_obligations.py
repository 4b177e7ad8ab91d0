"""What is proved of reading file data, and of data that lives in the inode: what is there is found,
what was written over stays hidden, holes are exact.
"""

from collections.abc import Callable, Iterator
from itertools import product
from types import ModuleType, SimpleNamespace
from typing import Any

import z3

from watosfs.errors import DamageError
from watosfs.wfs3 import filedata, filereading
from watosfs.wfs3.format import FILE_SIZE_MAX, FIRST_USABLE_BLOCK, INLINE_SIZE_MAX
from watosfs.wfs3.records import Extent
from watosfs_proofs.executor import Path
from watosfs_proofs.file_world import BLOCK, CHUNK, NUMBER, Files, chosen, within
from watosfs_proofs.obligation import Obligation
from watosfs_proofs.symbolic import SymInt, term
from watosfs_proofs.symbolic_bytes import SymBytes

EXTENTS_MAX = 2


class Stored:
    """Extents of an arbitrary file, ascending, each within its chunk; on a volume of the published
    layout each is only no longer than a chunk. ``first`` and ``end``: what is read.
    """

    def __init__(self, path: Path, most: int) -> None:
        self.path = path
        self.is_published = most > 1 and chosen("published")
        self.first, self.end = path.integer("first"), path.integer("end")
        path.assume(z3.And(self.first < self.end, self.end <= FILE_SIZE_MAX))
        self.extents: list[Any] = []
        self.loaded: list[Any] = []
        self.remembers = True
        end = z3.IntVal(0)
        for _ in range(most):
            if not chosen("another_extent"):
                break
            block, count = path.integer("extent_block"), path.integer("extent_blocks")
            key, length = block * BLOCK, count * BLOCK
            inside = z3.IntVal(0) if self.is_published else key % CHUNK
            path.assume(z3.And(count >= 1, key >= end, inside + length <= CHUNK))
            end = key + length
            self.extents.append(SimpleNamespace(
                key=key, length=SymInt(length), data=SymBytes.arbitrary(
                    f"extent{len(self.extents)}", length)))  # fmt: skip

    def items(self, low: Any, last: Any) -> Iterator[tuple[SymInt, Any]]:
        """``BTree.items`` by its contract."""
        before = CHUNK if self.is_published else self.first % CHUNK
        self.path.prove("looks no further than it has to", z3.And(
            term(low) >= self.first - before, term(low) >= 0, term(last) < self.end))  # fmt: skip
        for extent in self.extents:
            key = SymInt(extent.key)
            if key >= low and key <= last:
                yield key, extent

    def load(self, key: Any, extent: Any, is_remembered: bool) -> SymBytes:
        """``load_extent`` or ``recent_extent``."""
        low, high = extent.key, extent.key + term(extent.length)
        whole = z3.And(self.first <= low, high <= self.end)
        self.path.prove("an extent is loaded at its key", term(key) == extent.key)
        self.path.prove("loaded once", all(each is not extent for each in self.loaded))
        self.loaded.append(extent)
        if self.remembers:
            self.path.prove("remembered when a part is read", whole != is_remembered)
        data: SymBytes = extent.data
        return data

    def reader(self, files: Files, chunks: Any) -> Any:
        """Production's FileReader over these extents and dirty chunks."""
        reader: Any = object.__new__(files.reading)
        self.remembers = chunks is None
        reader.dirty = {} if chunks is None else {NUMBER: chunks}
        engine = SimpleNamespace(tree=lambda inode: self.of(inode), is_published=self.is_published)
        reader.engine = engine
        reader.load_extent = lambda key, extent: self.load(key, extent, False)
        reader.recent_extent = lambda key, extent: self.load(key, extent, True)
        return reader

    def of(self, inode: Any) -> "Stored":
        """The tree of the inode."""
        self.path.prove("of the inode", inode.number == NUMBER)
        return self

    def read(self, reader: Any) -> list[tuple[Any, SymBytes]]:
        """The pieces: ascending, not empty, within what was asked."""
        path, at = self.path, self.first
        inode = SimpleNamespace(number=NUMBER)
        found = list(reader.pieces(inode, SymInt(self.first), SymInt(self.end)))
        for start, piece in found:
            path.prove("ascending, from the first byte on", term(start) >= at)
            path.prove("no piece is empty", piece.length >= 1)
            at = term(start) + piece.length
        path.prove("no piece goes beyond the end", at <= self.end)
        return found


def _prove_found(
    stored: Stored, found: list[tuple[Any, SymBytes]], there: list[tuple[z3.BoolRef, Any]]
) -> None:
    """``there``: where each stretch of data is that counts, and its byte at an offset."""
    path, byte = stored.path, stored.path.inputs["byte"]
    hits = [within(byte, start, piece.length) for start, piece in found]
    asked = z3.And(stored.first <= byte, byte < stored.end)
    exists = z3.Or(*(hit for hit, _ in there))
    path.prove("data is found exactly where data is", z3.Implies(asked, z3.Or(*hits) == exists))
    for hit, (start, piece) in zip(hits, found, strict=True):
        for inside, expected in there:
            same = piece.read(byte - term(start)) == expected
            path.prove("each byte is its own", z3.Implies(z3.And(hit, inside), same))


def _pieces(path: Path, files: Files) -> str:
    stored, byte = Stored(path, EXTENTS_MAX), path.integer("byte")
    found = stored.read(stored.reader(files, None))
    there = [
        (within(byte, extent.key, extent.length), extent.data.read(byte - extent.key))
        for extent in stored.extents
    ]
    _prove_found(stored, found, there)
    return f"{min(len(found), 2)} pieces"


class DirtyChunks:
    """Chunks by index, made when they are looked at: not dirty, or dirty with at most one run."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.known: list[tuple[z3.ArithRef, Any]] = []

    def get(self, index: Any) -> Any:
        """As ``dict.get``."""
        self.path.prove("no chunk is looked at twice", z3.And(
            *(term(index) != known for known, _ in self.known)))  # fmt: skip
        chunk = self._made(len(self.known)) if chosen("dirty") else None
        self.known.append((term(index), chunk))
        return chunk

    def _made(self, number: int) -> Any:
        path = self.path
        first, count = path.integer("run_block"), path.integer("run_blocks")
        path.assume(z3.And(count >= 1, (first + count) * BLOCK <= CHUNK))
        data = SymBytes.arbitrary(f"chunk{number}", (first + count) * BLOCK)
        runs = [(SymInt(first), SymInt(count))] if chosen("a_run") else []
        return SimpleNamespace(data=data, runs=lambda: runs, first=first, count=count, listed=runs)


def _dirty(path: Path, files: Files) -> str:
    """Some chunks are dirty: what is on disk of those does not count."""
    stored, byte = Stored(path, 1), path.integer("byte")
    path.assume(stored.end <= (stored.first / CHUNK + 2) * CHUNK)
    chunks = DirtyChunks(path)
    found = stored.read(stored.reader(files, chunks))
    path.prove("every chunk is looked at", z3.And(*(
        z3.Or(*(index == wanted / CHUNK for index, _ in chunks.known))
        for wanted in (stored.first, stored.end - 1))))  # fmt: skip
    dirty = [(index, chunk) for index, chunk in chunks.known if chunk is not None]
    there: list[tuple[z3.BoolRef, Any]] = []
    for index, chunk in dirty:
        if chunk.listed:
            base = index * CHUNK
            inside = within(byte, base + chunk.first * BLOCK, chunk.count * BLOCK)
            there.append((inside, chunk.data.read(byte - base)))
    for extent in stored.extents:
        hidden = z3.Or(*(index == extent.key / CHUNK for index, _ in dirty))
        inside = z3.And(z3.Not(hidden), within(byte, extent.key, extent.length))
        there.append((inside, extent.data.read(byte - extent.key)))
    _prove_found(stored, found, there)
    return f"{len(dirty)} dirty, {'data' if found else 'none'}"


class _Leaves(Exception):
    """The data is moved out of the inode."""


def _inline(path: Path, module: ModuleType) -> str:
    """Data in the inode, by running the code on sizes around 0 and around the limit."""

    def leaves(data: object, inode: object) -> None:
        raise _Leaves

    most, kind = INLINE_SIZE_MAX, type("Data", (module.FileData,), {"leave_inline": leaves})
    right = dict.fromkeys(("in the inode exactly when it fits", "each byte is in place",
                           "the size grows to the end of the write"), True)  # fmt: skip
    for size, offset, end in product((0, 1, 3, 5, most - 1, most, most + 1),
                                     (0, 1, 4, 6, most - 1, most),
                                     (1, 2, 5, 7, most, most + 1)):  # fmt: skip
        if offset >= end:
            continue
        for kept in {min(size, most), max(min(size, most) - 1, 0)}:
            data: Any = object.__new__(kind)
            inline, given = bytes(range(1, kept + 1)), bytes([255]) * (end - offset)
            inode = SimpleNamespace(size=size, inline=inline, number=NUMBER)
            expected = bytearray(inline.ljust(max(size, end), b"\0"))
            expected[offset:end] = given
            try:
                data.write(inode, offset, given)
            except _Leaves:
                unchanged = (inode.size, inode.inline) == (size, inline)
                right["in the inode exactly when it fits"] &= unchanged and max(size, end) > most
                continue
            right["in the inode exactly when it fits"] &= max(size, end) <= most
            right["each byte is in place"] &= inode.inline == bytes(expected)
            right["the size grows to the end of the write"] &= inode.size == max(size, end)
    for name, holds in right.items():
        path.prove(name, holds)
    return "run"


def _validate(path: Path, module: ModuleType) -> str:
    """What the format allows of an extent, by running the code on values around each limit."""
    total, right = 100, {"refuses exactly what the format does not allow": True, "says what": True}
    reader: Any = object.__new__(module.FileReader)
    reader.engine = SimpleNamespace(store=SimpleNamespace(total_blocks=total))
    lengths = (0, 1, BLOCK - 1, BLOCK, BLOCK + 1, CHUNK - BLOCK, CHUNK, CHUNK + BLOCK)
    for key, apart, length, block in product(
        (0, 1, BLOCK, CHUNK - BLOCK, CHUNK, CHUNK + BLOCK, CHUNK + 1), (-1, 0, 1),
        (-BLOCK, *lengths), (0, FIRST_USABLE_BLOCK - 1, FIRST_USABLE_BLOCK, 77, total - 16,
                             total - 15, total - 1, total, total + 1),
    ):  # fmt: skip
        blocks, within_chunk = length // BLOCK, key % CHUNK + length <= CHUNK
        whole = key % BLOCK == 0 and length % BLOCK == 0 and length > 0
        in_volume = block >= FIRST_USABLE_BLOCK and block + blocks <= total
        is_allowed = apart == 0 and whole and within_chunk and in_volume
        extent = Extent(key + apart, block, length, 0, 1, 0, 0)
        try:
            reader.validate(key, extent)
            problem = None
        except DamageError as damage:
            problem = damage.structure, damage.block, damage.problem
        said = "extent", block, f"offset {key} length {length} block {block}"
        right["refuses exactly what the format does not allow"] &= (problem is None) == is_allowed
        right["says what"] &= problem in (None, said)
    for name, holds in right.items():
        path.prove(name, holds)
    return "run"


Check = Callable[[Path, Files], str]

CHECKS: dict[str, tuple[Check, str, str, tuple[str, ...]]] = {
    "pieces": (_pieces, "reading finds data and holes exactly", f"at most {EXTENTS_MAX} extents",
               ("0 pieces", "1 pieces", "2 pieces")),
    "pieces (dirty)": (
        _dirty, "dirty chunks hide what is on disk", "2 chunks, a run in each, 1 extent",
        tuple(f"{n} dirty, {what}" for n in range(3) for what in ("data", "none")),
    ),
}  # fmt: skip


def file_reading_obligations(*variants: ModuleType) -> list[Obligation]:
    """The obligations of production's modules, or of broken variants of them."""
    given = Files(*(variants or (filedata, filereading)))
    writing, reading = variants or (filedata, filereading)

    def bound_to(check: Check) -> Callable[[Path], str]:
        return lambda path: check(path, given)

    found = [
        Obligation(f"file_reading.{name}", statement, bound, bound_to(check), outcomes)
        for name, (check, statement, bound, outcomes) in CHECKS.items()
    ]
    inline = Obligation(
        "file_reading.write (inline)", "data in the inode",
        "sizes around 0 and around the limit, by running",
        lambda path: _inline(path, writing), ("run",),
    )  # fmt: skip
    validate = Obligation(
        "file_reading.validate", "an extent that the format allows",
        "values around each limit, by running",
        lambda path: _validate(path, reading), ("run",),
    )  # fmt: skip
    return [*found, inline, validate]
