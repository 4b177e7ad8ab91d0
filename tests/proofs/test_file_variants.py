"""Breaking the arithmetic of file data refutes its proofs."""

from types import ModuleType

import pytest

from tests.proofs.variants import variant
from watosfs.wfs3 import chunks, filedata, filereading
from watosfs_proofs.chunk_obligations import chunk_obligations, chunks_kernel
from watosfs_proofs.cost_obligations import cost_obligations
from watosfs_proofs.file_obligations import file_obligations
from watosfs_proofs.file_reading_obligations import file_reading_obligations
from watosfs_proofs.file_world import Files
from watosfs_proofs.obligation import PROVED, REFUTED, settle

#: (what is broken, obligation, text, its replacement, which occurrence)
CHUNKS = [
    ("a block too few", "block_mask", "(1 << start // BLOCK_SIZE)",
     "(1 << block_count_of(start))", 0),
    ("a block too many", "block_mask", "(1 << block_count_of(end))",
     "(1 << end // BLOCK_SIZE + 1)", 0),
    ("an empty range touches a block", "block_mask", "start >= end", "start > end", 0),
    ("the buffer does not grow", "put", "        self.reach(end)\n", "", 0),
    ("blocks are not marked", "put", "        self.mask |= block_mask(start, end)\n", "", 0),
    ("the wrong blocks are marked", "put", "block_mask(start, end)", "block_mask(0, end)", 0),
    ("the buffer grows in bytes", "put", "block_count_of(end) * BLOCK_SIZE - len",
     "end - len", 0),
    ("the rest of a block keeps its bytes", "cut",
     "            self.data[end:] = bytes(len(self.data) - end)\n", "            pass\n", 0),
    ("a cut keeps the blocks marked", "cut",
     "        self.mask &= (1 << blocks) - 1\n", "", 0),
    ("a cut takes its whole block", "cut", "blocks = block_count_of(end)",
     "blocks = end // BLOCK_SIZE", 0),
    ("blocks behind the end stay in memory", "cut", "del self.data[blocks * BLOCK_SIZE :]",
     "del self.data[end * BLOCK_SIZE :]", 0),
    ("a run ends early", "runs", "yield first, block - first", "yield first, 1", 0),
    ("the last block is not seen", "runs", "while mask >> block:", "while mask >> block + 1:", 0),
    ("in the chunk before", "chunk_runs", "index * CHUNK_SIZE + block",
     "(index - 1) * CHUNK_SIZE + block", 0),
    ("a run in blocks", "chunk_runs", "count * BLOCK_SIZE", "count", 0),
]  # fmt: skip
FILES = [
    ("whole chunks at an odd offset", filedata, "write", "if start == 0 and end", "if end", 0),
    ("the middle ends late", filedata, "write", "at += whole", "at += whole + 1", 0),
    ("the middle is one chunk short", filedata, "write", "view[at - offset : at - offset + whole]",
     "view[at - offset : at - offset + CHUNK_SIZE]", 0),
    ("a piece of the wrong bytes", filedata, "write", "view[at - offset : at - offset + take]",
     "view[0:take]", 0),
    ("a piece too long", filedata, "write", "take = min(CHUNK_SIZE - start, end - at)",
     "take = end - at", 0),
    ("the size shrinks", filedata, "write", "        inode.size = max(inode.size, end)\n\n",
     "        inode.size = end\n\n", 0),
    ("inline data stays", filedata, "write", "        self.leave_inline(inode)\n        view",
     "        view", 0),
    ("a chunk is given up of which a part stays", filedata, "cut",
     "beyond = index + 1 if inside else index", "beyond = index", 0),
    ("a chunk behind stays", filedata, "cut", "beyond = index + 1 if inside else index",
     "beyond = index + 1", 0),
    ("the chunk of the size is not cut", filedata, "cut", "inside > 0 and self", "False and self",
     0),
    ("a cut in the last block is not seen", filedata, "cut", ">> inside // BLOCK_SIZE != 0",
     ">> inside // BLOCK_SIZE + 1 != 0", 0),
    ("a dirty chunk behind stays", filedata, "cut", "if i >= beyond", "if i > beyond", 0),
    ("an extent leaves its chunk", filedata, "add_extents", "CHUNK_SIZE - key % CHUNK_SIZE",
     "CHUNK_SIZE", 0),
    ("an extent in the wrong block", filedata, "add_extents", "start + at // BLOCK_SIZE",
     "start", 0),
    ("a key of the run before", filedata, "add_extents", "key = offset + done + at",
     "key = offset + at", 0),
    ("a checksum of other bytes", filedata, "add_extents", "view[done + at : done + at + length]",
     "view[done : done + length]", 0),
    ("the same bytes twice", filedata, "add_extents", "view[done : done + size]", "view[0:size]",
     0),
    ("the blocks are not counted", filedata, "add_extents",
     "inode.blocks += len(view) // BLOCK_SIZE", "pass", 0),
    ("reading starts an extent late", filereading, "pieces", "key + extent.length > first",
     "key > first", 0),
    ("reading starts a chunk late", filereading, "pieces", "else first - first % CHUNK_SIZE",
     "else first", 0),
    ("reading goes on behind the end", filereading, "pieces",
     "low, high = max(first - key, 0), min(end - key, extent.length)\n                    is_part",
     "low, high = max(first - key, 0), extent.length\n                    is_part", 0),
    ("a piece at its extent's start", filereading, "pieces",
     "yield key + low, memoryview(data)[low:high]", "yield key, memoryview(data)[low:high]", 0),
    ("charged twice", filedata, "cost.charge", "blocks - chunk.charged_blocks", "blocks", 0),
    ("the charge is not remembered", filedata, "cost.charge",
     "        chunk.charged_blocks, chunk.charged_bytes = blocks, len(chunk.data)\n", "", 0),
    ("bytes stay charged", filedata, "cost.charge",
     "        self.dirty_bytes -= chunk.charged_bytes\n", "", 0),
    ("the chunks between are free", filedata, "cost.write", "max(last - first - 1, 0)", "0", 0),
    ("the nodes of one chunk only", filedata, "cost.write", "(last - first + 1) * self", "self",
     0),
    ("what is there costs nothing", filedata, "cost.write", "(had | block_mask(low, high))",
     "block_mask(low, high)", 0),
]  # fmt: skip


@pytest.mark.parametrize(("what", "name", "old", "new", "occurrence"), CHUNKS)
def test_a_broken_chunk_is_refuted(
    what: str, name: str, old: str, new: str, occurrence: int
) -> None:
    broken = variant(chunks, old, new, occurrence=occurrence)
    (chosen,) = [o for o in chunk_obligations(broken) if o.name == f"chunks.{name}"]
    result = settle(chosen)
    assert result.verdict == REFUTED, f"{what}: {result.reason}"


@pytest.mark.parametrize(("what", "module", "name", "old", "new", "occurrence"), FILES)
def test_broken_file_data_is_refuted(
    what: str, module: ModuleType, name: str, old: str, new: str, occurrence: int
) -> None:
    broken = variant(module, old, new, occurrence=occurrence)
    files = [broken if each is module else each for each in (filedata, filereading)]
    makers = file_obligations, file_reading_obligations, cost_obligations
    obligations = [obligation for make in makers for obligation in make(*files)]
    names = name, f"filedata.{name}", f"file_reading.{name}"
    (chosen,) = [o for o in obligations if o.name in names]
    result = settle(chosen)
    assert result.verdict == REFUTED, f"{what}: {result.reason}"


def test_an_unedited_copy_is_proved() -> None:
    same = variant(filedata, "at += whole", "at += whole")
    assert settle(file_obligations(same)[0]).verdict == PROVED


def test_what_is_proved_is_what_production_imports() -> None:
    files = Files()
    assert files.writing.write.__code__ is filedata.FileData.write.__code__
    assert files.reading.pieces.__code__ is filereading.FileReader.pieces.__code__
    assert chunks_kernel().Chunk.put.__code__ is chunks.Chunk.put.__code__
