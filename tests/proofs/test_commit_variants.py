"""Breaking commit, election or recovery refutes their proofs, and the counterexample goes wrong on
real blocks.
"""

from types import ModuleType

import pytest

from tests.proofs.variants import variant
from watosfs.wfs3 import commit, engine, mounting, writing
from watosfs_proofs.commit_obligations import commit_obligations
from watosfs_proofs.commit_world import Kernel, Modules
from watosfs_proofs.obligation import PROVED, REFUTED, Obligation, settle
from watosfs_proofs.superblock_obligations import superblock_obligations

#: (what is broken, module, obligation, text, its replacement, which occurrence)
CRASHES = [
    ("no flush before the superblock", commit, "commit", "    medium.flush()\n", "", 0),
    ("no flush after the superblock", commit, "commit", "    medium.flush()\n", "", 1),
    ("no flush after the superblock, told by EIO", commit, "failing commit",
     "    medium.flush()\n", "", 1),
    ("the current slot is overwritten", commit, "commit", "other = 1 - slot", "other = slot", 0),
    ("both copies at once", commit, "commit", "medium.write_superblock(other, superblock)",
     "medium.write_superblock(other, superblock)\n    medium.write_superblock(slot, superblock)",
     0),
    ("released before it is durable", commit, "commit",
     "    medium.flush()\n    allocator.committed()", "    allocator.committed()\n"
     "    medium.flush()", 0),
    ("released twice", commit, "commit", "    allocator.committed()", "    allocator.committed()\n"
     "    allocator.committed()", 0),
    ("released by a failed commit", commit, "failing commit", "    for block, data in writes",
     "    allocator.committed()\n    for block, data in writes", 0),
    ("the older copy is elected", commit, "commit", "second <= first", "second > first", 0),
    ("the slot it was in is told", commit, "commit", "    return other\n", "    return slot\n", 0),
    ("the generation stays", engine, "commit", "root_generation=self.store.generation,", "", 0),
    ("the superblock is not remembered", engine, "commit",
     "        self.superblock = superblock\n        self.store", "        self.store", 0),
    ("the next generation is this one again", engine, "commit",
     "self.store.generation = superblock.root_generation + 1",
     "self.store.generation = superblock.root_generation", 0),
    ("a failed commit goes on", engine, "failing commit", "        except OSError as error:\n"
     "            self.fail(error)\n            raise\n        except Ext",
     "        except OSError:\n            raise\n        except Ext", 0),
    ("an error is swallowed", engine, "failing commit", "            self.fail(error)\n"
     "            raise\n        except Ext", "            self.fail(error)\n"
     "            return\n        except Ext", 0),
    ("recovery repairs nothing", engine, "recovery", "if not copies_agree:", "if False:", 0),
    ("mirror overwrites the newest", commit, "recovery", "write_superblock(1 - slot",
     "write_superblock(slot", 0),
    ("mirror overwrites the newest in use", commit, "mirror", "write_superblock(1 - slot",
     "write_superblock(slot", 0),
    ("mirror does not wait for what the cache holds", commit, "remount",
     "    medium.flush()\n    medium.write_superblock(1", "    medium.write_superblock(1", 0),
    ("the older copy is ignored", mounting, "lost copy", "for copy in copies))",
     "for copy in (copies[0], copies[0])))", 0),
    ("a slot that is not the elected one", mounting, "mirror", "Found(superblock, slot_elected,",
     "Found(superblock, 0,", 0),
]  # fmt: skip
SUPERBLOCKS = [
    ("of equals the second", commit, "elect", "second <= first", "second < first", 0),
    ("the older of the two", commit, "elect", "second <= first", "second >= first", 0),
    ("a single second copy is not found", commit, "elect", "None if second is None else 1",
     "None", 0),
    ("unusable is mounted", mounting, "read", "problem, copy = f\"copy {slot}: {wrong}\", None",
     "problem = f\"copy {slot}: {wrong}\"", 0),
    ("unknown features are mounted", mounting, "read", "    if unknown:\n", "    if False:\n", 0),
    ("a published image is written", mounting, "read", "if superblock.is_published_layout:",
     "if False:", 0),
    ("unknown read-only features are written", mounting, "read",
     "elif superblock.ro_compat & ~RO_COMPAT_KNOWN:", "elif False:", 0),
    ("copies always agree", mounting, "read", "copies[0] == copies[1]", "True", 0),
    ("any block size", mounting, "read", "device.block_size_bytes != BLOCK_SIZE", "False", 0),
    ("any size", mounting, "read", "device.block_count < len(SUPERBLOCK_SLOTS)", "False", 0),
    ("published images are not found", mounting, "read", "copy = published_copy(block)", "pass", 0),
    ("ours are found behind a header", mounting, "read", " and copy.is_published_layout", "", 0),
    ("a magic is not looked for", mounting, "read", "if not magic_seen:", "if True:", 0),
    ("a block is lost between transfers", writing, "joined", "run_start, parts = block, []\n"
     "        parts.append(data)", "run_start, parts = block, []\n        else:\n"
     "            parts.append(data)", 0),
    ("neighbours by two", writing, "joined", "expected = block + 1", "expected = block + 2", 0),
    ("the last transfer is lost", writing, "joined", "    if parts:\n        yield run_start",
     "    if not parts:\n        yield run_start", 0),
    ("a transfer grows too long", writing, "joined", " or len(parts) >= limit", "", 0),
    ("not sorted", writing, "joined", "sorted(writes)", "list(writes)", 0),
]  # fmt: skip


def _modules(module: ModuleType, old: str, new: str, occurrence: int) -> list[ModuleType]:
    broken = variant(module, old, new, occurrence=occurrence)
    return [broken if each is module else each for each in (commit, engine, mounting, writing)]


def _named(obligations: list[Obligation], name: str) -> Obligation:
    (found,) = [each for each in obligations if each.name == name]
    return found


@pytest.mark.parametrize(("what", "module", "name", "old", "new", "occurrence"), CRASHES)
def test_a_broken_commit_is_refuted_and_replays_on_real_blocks(
    what: str, module: ModuleType, name: str, old: str, new: str, occurrence: int
) -> None:
    modules = _modules(module, old, new, occurrence)
    result = settle(_named(commit_obligations(*modules), f"commit.{name}"))
    assert result.verdict == REFUTED, f"{what}: {result.reason}"
    assert result.replayed is not None
    assert result.replayed.problem is not None, f"{what}: {result.refutation}"


@pytest.mark.parametrize(("what", "module", "name", "old", "new", "occurrence"), SUPERBLOCKS)
def test_a_broken_election_is_refuted(
    what: str, module: ModuleType, name: str, old: str, new: str, occurrence: int
) -> None:
    modules = _modules(module, old, new, occurrence)
    result = settle(_named(superblock_obligations(*modules), f"superblock.{name}"))
    assert result.verdict == REFUTED, f"{what}: {result.reason}"


def test_an_unedited_copy_is_proved() -> None:
    same = variant(commit, "other = 1 - slot", "other = 1 - slot")
    assert settle(_named(commit_obligations(same), "commit.commit")).verdict == PROVED


def test_what_is_proved_is_what_production_imports() -> None:
    kernel = Kernel(Modules())
    assert kernel.engine.commit.__code__ is engine.Engine.commit.__code__
    assert kernel.engine.recover.__code__ is engine.Engine.recover.__code__
    assert kernel.read_superblocks.__code__ is mounting.read_superblocks.__code__
    assert kernel.elect.__code__ is commit.elect.__code__
