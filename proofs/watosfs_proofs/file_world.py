"""The file-data code of production over recorders: what it asked of chunks, tree, device and
allocator, in place of those.
"""

from types import ModuleType, SimpleNamespace
from typing import Any

import z3

from watosfs.wfs3 import chunks, filedata, filereading, format
from watosfs_proofs.binding import bind
from watosfs_proofs.executor import Path, current
from watosfs_proofs.symbolic import Mask, SymInt, term
from watosfs_proofs.symbolic_bytes import BYTES, SymBytes

BLOCK, CHUNK = format.BLOCK_SIZE, format.CHUNK_SIZE
NUMBER = 7  # of the inode
#: More than any of the proofs' bounds allows the code to ask for.
SAID_MAX = 12


class Files:
    """The production classes."""

    def __init__(self, writing: ModuleType = filedata, reading: ModuleType = filereading) -> None:
        replaced = {
            **BYTES,
            "crc32": lambda data: data,
            "range": symbolic_range,
            "block_mask": bind(chunks, BYTES).block_mask,
        }
        self.writing = bind(writing, replaced).FileData
        self.reading = bind(reading, replaced).FileReader


def symbolic_range(low: object, high: object) -> Any:
    """``range`` over unknown bounds: unrolled, one decision for each step."""
    at = SymInt(term(low))
    while at < SymInt(term(high)):
        yield at
        at = at + 1


class Recorder:
    """Stands in for FileData's collaborators and for the parts of it that are proved elsewhere."""

    def __init__(self, path: Path, files: Files) -> None:
        self.path = path
        self.said: list[tuple[Any, ...]] = []
        self.chunks: list[Any] = []
        self.inode = SimpleNamespace(
            number=NUMBER, size=0, inline=b"", flags=0, blocks=SymInt(z3.Int("had"))
        )
        path.inputs["had"] = z3.Int("had")
        data: Any = object.__new__(files.writing)
        data.dirty, data.owed, data.dirty_bytes = {}, 0, 0
        data.fits_inline = lambda inode, end: False
        data.charge = lambda inode, chunk: self.say(inode, "charge", self.chunks.index(chunk))
        data.dirty_chunk = self._chunk
        data.forget_chunk = lambda inode, index: self.say(inode, "forget", index)
        data.remove_extents = lambda inode, first, end: self.say(inode, "remove", first, end)
        data.engine = SimpleNamespace(
            tree=lambda inode: self.of_inode(inode, self),
            changing_tree=lambda inode: self.of_inode(inode, self),
            device=self,
            is_published=False,
            store=SimpleNamespace(generation=1, total_blocks=SymInt(z3.Int("total_blocks"))),
            space=self,
        )
        self.data = data

    def of_inode(self, inode: object, value: Any) -> Any:
        """``value``, if it is asked of the inode."""
        self.path.prove("asked of the inode", inode is self.inode)
        return value

    def say(self, inode: object, *said: Any) -> None:
        """Note what is asked of the inode's data. No loop of the code runs for ever."""
        self.path.prove("asked of the inode", inode is self.inode)
        self.said.append(said)
        self.path.prove("comes to an end", len(self.said) <= SAID_MAX)

    def _chunk(self, inode: object, index: Any) -> Any:
        self.path.prove("asked of the inode", inode is self.inode)
        chunk = SimpleNamespace(
            put=lambda start, piece: self.say(self.inode, "put", index, start, piece),
            cut=lambda inside: self.say(self.inode, "cut", index, inside),
        )
        self.chunks.append(chunk)
        return chunk

    def prove_charged(self) -> None:
        """Each chunk is charged once, just after it changed."""
        changes = [at for at, said in enumerate(self.said) if said[0] in ("put", "cut")]
        charges = [("charge", number) for number in range(len(changes))]
        self.path.prove("each chunk that changed is charged", self.of("charge") == [
            said[1:] for said in charges])  # fmt: skip
        behind = [self.said[at + 1] for at in changes if at + 1 < len(self.said)]
        self.path.prove("charged after it changed", behind == charges)

    def insert(self, key: Any, extent: Any) -> None:
        """The extent tree's."""
        self.say(self.inode, "extent", key, extent)

    def write(self, block: Any, data: SymBytes) -> None:
        """The device's."""
        self.say(self.inode, "write", block, data)

    def of(self, what: str) -> list[tuple[Any, ...]]:
        """What was said of one kind, without the kind."""
        return [said[1:] for said in self.said if said[0] == what]


def within(at: z3.ArithRef, low: object, length: object) -> z3.BoolRef:
    """low <= at < low + length."""
    first, count = whole(low), whole(length)
    return z3.And(first <= at, at < first + count)


def whole(value: object) -> z3.ArithRef:
    """The term of the code's integer, or of the proof's own."""
    return value if isinstance(value, z3.ArithRef) else term(value)


def arbitrary_mask(name: str) -> Mask:
    """Any mask."""
    return Mask(z3.Function(name, z3.IntSort(), z3.BoolSort()))


def chosen(name: str) -> bool:
    """A free choice."""
    return current().decide(current().boolean(name))
