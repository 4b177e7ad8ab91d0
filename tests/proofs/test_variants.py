"""Breaking the code refutes the proof, and the counterexample goes wrong on the broken code."""

import pytest

from tests.proofs.variants import variant
from watosfs.wfs3 import allocator, extents
from watosfs_proofs.allocator_obligations import allocator_obligations
from watosfs_proofs.extent_obligations import extent_obligations
from watosfs_proofs.obligation import PROVED, REFUTED, Obligation, settle

#: (what is broken, obligation, text, its replacement, which occurrence)
EXTENTS = [
    ("off by one in coalescing", "add", "ends[i - 1] == start", "ends[i - 1] == start - 1", 0),
    ("no coalescing to the left", "add", "joins_left = i > 0 and", "joins_left = False and", 0),
    ("no coalescing to the right", "add", "starts[i] == end\n", "False\n", 0),
    ("an overlap is accepted", "add", "ends[i - 1] > start", "ends[i - 1] > end", 0),
    ("the run to the right is not seen", "add", "starts[i] < end", "starts[i] < start", 0),
    ("count drifts", "add", "self.count + (end - start)", "self.count + (end - start) - 1", 0),
    ("a start is left behind", "add", "            del starts[i]\n", "", 0),
    ("count forgets a removal", "remove", "self.count - (end - start)", "self.count", 0),
    ("double free", "remove", "if i < 0 or ends[i] < end:", "if i < 0:", 0),
    ("the rest of a split is lost", "remove", "            ends.insert(i + 1, last)\n", "", 0),
    ("a split puts back too much", "remove", "starts.insert(i + 1, end)", "starts.insert(i + 1, "
     "end - 1)", 0),
    ("a run is cut at the wrong end", "remove", "starts[i] = end", "starts[i] = start", 0),
    ("covers by half", "covers", "self.ends[i] >= end", "self.ends[i] >= start", 0),
    ("meets is blind to the right", "meets", "self.starts[i] < end", "self.starts[i] < start", 0),
    ("fit is off by one", "first_fit", "end - start >= count", "end - start > count", 0),
    ("too small is fit", "take", "end - start >= count", "end - start >= count - 1", 0),
    ("the last of equals", "largest", "end - start > size", "end - start >= size", 0),
    ("takes one too many", "take", "start + count)", "start + count + 1)", 0),
]  # fmt: skip
ALLOCATOR = [
    ("pending reused at once", "drop", "self.limbo[0].add(start, end)", "self.free.add(start, "
     "end)", 0),
    ("double free of a free block", "drop", " or self.free.meets(start, end)", "", 0),
    ("double free of a pending block", "drop", "if dead.meets(start, end):", "if False:", 0),
    ("double free of a fresh block", "drop", "self.fresh.meets(start, end) or ", "", 0),
    ("a dropped block stays fresh", "drop", "            self.fresh.remove(start, end)\n", "", 0),
    ("beyond the volume", "drop", "or end > self.hi", "", 1),
    ("handed out but not fresh", "alloc", "        self.fresh.add(start, start + count)\n", "", 0),
    ("handed out one more", "alloc", "self.fresh.add(start, start + count)", "self.fresh.add("
     "start, start + count + 1)", 0),
    ("released a commit early", "committed", "self.limbo.pop()", "self.limbo.pop(0)", 0),
    ("not a generation further", "committed", "self.generation + 1", "self.generation", 0),
    ("fresh survives the commit", "committed", "        self.fresh = ExtentSet()\n", "", 1),
    ("released beyond the frontier", "committed", "end <= self.frontier", "start <= "
     "self.frontier", 0),
    ("a part is counted twice", "committed", "(end - self.frontier)", "(end - start)", 0),
    ("abort loses blocks", "aborted", "        self.free.absorb(self.fresh)\n", "", 0),
    ("abort keeps what was dropped", "aborted", "self.limbo[0] = ExtentSet()", "pass", 0),
    ("loaded twice", "load", "start < self.frontier or ", "", 0),
    ("loaded but still counted", "load", "self.unloaded - (end - start)", "self.unloaded", 0),
    ("frontier one run too far", "unload", "self.frontier = starts[keep]", "self.frontier = "
     "ends[keep]", 0),
    ("forgets without counting", "unload", "self.unloaded + size", "self.unloaded", 0),
    ("forgets one run too many", "unload", "while len(starts) > keep", "while len(starts) >= "
     "keep", 0),
    ("holds back one commit", "mount", "hold: int = 2", "hold: int = 1", 0),
]  # fmt: skip


def _named(obligations: list[Obligation], name: str) -> Obligation:
    (found,) = [each for each in obligations if each.name == name]
    return found


@pytest.mark.parametrize(("what", "name", "old", "new", "occurrence"), EXTENTS)
def test_a_broken_extent_set_is_refuted(
    what: str, name: str, old: str, new: str, occurrence: int
) -> None:
    broken = variant(extents, old, new, occurrence=occurrence)
    result = settle(_named(extent_obligations(broken), f"extents.{name}"))
    assert result.verdict == REFUTED, f"{what}: {result.reason}"
    assert result.replayed is not None
    assert result.replayed.problem is not None, f"{what}: {result.refutation}"


@pytest.mark.parametrize(("what", "name", "old", "new", "occurrence"), ALLOCATOR)
def test_a_broken_allocator_is_refuted(
    what: str, name: str, old: str, new: str, occurrence: int
) -> None:
    broken = variant(allocator, old, new, occurrence=occurrence)
    result = settle(_named(allocator_obligations(broken), f"allocator.{name} (hold 2)"))
    assert result.verdict == REFUTED, f"{what}: {result.reason}"
    assert result.replayed is not None
    assert result.replayed.problem is not None, f"{what}: {result.refutation}"


@pytest.mark.parametrize("name", ["extents.add", "allocator.drop (hold 2)"])
def test_an_unedited_copy_is_proved(name: str) -> None:
    same = "class ExtentSet:", "class Allocator:"
    obligations = [
        *extent_obligations(variant(extents, same[0], same[0])),
        *allocator_obligations(variant(allocator, same[1], same[1])),
    ]
    assert settle(_named(obligations, name)).verdict == PROVED
