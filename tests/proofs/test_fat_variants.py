"""Breaking the chains, the table or the map of FAT refutes their proofs."""

from types import ModuleType

import pytest

from tests.proofs.variants import variant
from watosfs.fat import allocator, chains, table
from watosfs_proofs.binding import bind
from watosfs_proofs.fat_map_obligations import fat_allocator_obligations, fat_table_obligations
from watosfs_proofs.fat_obligations import fat_obligations
from watosfs_proofs.obligation import PROVED, REFUTED, Obligation, settle

#: (what is broken, module, obligation, text, its replacement, which occurrence)
VARIANTS = [
    ("a chain ends in itself", chains, "extend", "following = self.table.end",
     "following = runs[0][0]", 0),
    ("new runs are linked in the wrong order", chains, "extend",
     "in reversed(runs):", "in runs:", 0),
    ("runs are not linked", chains, "extend", "            following = first\n", "", 0),
    ("the tail is linked at once", chains, "extend", "if self.allocator.is_fresh(chain.tail):",
     "if True:", 0),
    ("a fresh tail is linked late", chains, "extend", "if self.allocator.is_fresh(chain.tail):",
     "if False:", 0),
    ("the tail is not linked", chains, "extend", "self.links[chain.tail] = following", "pass", 0),
    ("linked to the last", chains, "extend", "self.links[chain.tail] = following",
     "self.links[chain.tail] = runs[-1][0] + runs[-1][1] - 1", 0),
    ("linked behind a cut", chains, "extend", "chain.tail in self.cuts", "False", 0),
    ("a run is not in the chain", chains, "extend", "            chain.append(first, length)\n",
     "            pass\n", 0),
    ("what is held is given out", chains, "extend", "if self.held_count and count >",
     "if False and count >", 0),
    ("joined runs count one less", chains, "extend", "        self.count += count\n",
     "        self.count += count - 1\n", 0),
    ("neighbours are joined always", chains, "extend", "or self.tail + 1 != first", "", 0),
    ("one cluster too many stays", chains, "cut", "list(self.pieces(count, self.count - count))",
     "list(self.pieces(count + 1, self.count - count - 1))", 0),
    ("a run stays", chains, "cut", "keep = bisect_right(self.starts, count - 1) if",
     "keep = bisect_right(self.starts, count) if", 0),
    ("the end is not marked", chains, "cut",
     "                self.cuts.add(tail)", "                pass",
     0),
    ("the end of a fresh tail waits", chains, "cut", "if self.allocator.is_fresh(tail):",
     "if False:", 0),
    ("the end is marked at once", chains, "cut",
     "if self.allocator.is_fresh(tail):", "if True:", 0),
    ("a link stays behind the new tail", chains, "cut", "elif self.links.pop(tail, None) is None:",
     "else:", 0),
    ("a link stays behind what is dropped", chains, "cut",
     "            self.links.pop(first + held - 1, None)\n", "", 0),
    ("what is on disk is freed at once", chains, "cut", "held = count - fresh", "held = 0", 0),
    ("held clusters are not counted", chains, "cut",
     "            self.held_count += held\n", "", 0),
    ("fresh clusters are lost", chains, "cut",
     "            self.allocator.give_back(first + held, fresh)\n", "", 0),
    ("fresh clusters stay in the table", chains, "cut",
     "            self.table.clear_run(first + held, fresh)\n", "", 0),
    ("the wrong end is fresh", chains, "cut", "self.allocator.give_back(first + held, fresh)",
     "self.allocator.give_back(first, fresh)", 0),
    ("a piece goes beyond its run", chains, "pieces", "min(end - index, count)", "count", 0),
    ("the run after is left out", chains, "pieces", "            i += 1\n",
     "            i += 2\n", 0),
    ("a run ends where the first one does", chains, "pieces", "self.starts[i + 1] if",
     "self.starts[1] if", 0),
    ("the cluster of the run before", chains, "pieces", "bisect_right(self.starts, index) - 1\n"
     "        return", "bisect_right(self.starts, index) - 2\n        return", 0),
    ("links wait for ever", chains, "put",
     "        self.links = {}\n        return", "        return",
     0),
    ("a cut is a link to 0", chains, "put", "self.table.put(tail, self.table.end)",
     "self.table.put(tail, 0)", 1),
    ("freed in the map only", chains, "put",
     "            self.table.clear_run(first, count)\n", "", 0),
    ("freed in the table only", chains, "put",
     "            self.allocator.give_back(first, count)\n",
     "", 0),
    ("held from the first", chains, "begin", "self.held_count = 0", "self.held_count = 1", 0),
    ("works on no table", chains, "begin", "        self.table = table\n", "", 0),
    ("a chain begins at 0", chains, "begin", " if first else Chain()", "", 0),
    ("held for ever", chains, "put", "        self.held_count = 0\n", "", 1),
    ("a page further", table, "put_run", "min(count, self.page_entries - index)", "count", 0),
    ("a gap between pages", table, "put_run", "            first += piece\n",
     "            first += piece + 1\n", 0),
    ("the last cluster is chained too", table, "put_run", "self._pieces(first, count - 1)",
     "self._pieces(first, count)", 0),
    ("the one behind the last leads on", table, "put_run", "last = first + count - 1",
     "last = first + count", 0),
    ("the last one stays", table, "clear_run", "in self._pieces(first, count):",
     "in self._pieces(first, count - 1):", 0),
    ("the last sector is not written", table, "clear_run", "range(low, high + 1)",
     "range(low, high)", 0),
    ("entries are bytes", table, "clear_run", "low = first * bits // 8 // sector",
     "low = first // sector + first", 0),
    ("taken although used", allocator, "allocate",
     "        if end > start:\n", "        if True:\n", 0),
    ("given twice", allocator, "allocate",
     "        self._map[start : start + count] = bytes([_FRESH]) "
     "* count\n", "", 0),
    ("not counted", allocator, "allocate", "        self._free_count -= count\n", "", 0),
    ("ENOSPC keeps what it took", allocator, "allocate", "if count > self.free_count:", "if False:",
     0),
    ("not next to the last", allocator, "allocate",
     "if near and near < self._end:", "if False:", 0),
    ("contiguous room is not seen", allocator, "allocate", "if start >= 0:\n", "if False:\n", 0),
    ("room before the cursor is not seen", allocator, "allocate", ", (2, 0, pages)):", ",):", 0),
    ("what is given back is not free", allocator, "allocate",
     "        self._map[start : start + count] = _FREE * count\n", "", 0),
    ("given back twice", allocator, "allocate", "self._free_count += count",
     "self._free_count += 2 * count", 0),
    ("fresh for ever", allocator, "allocate",
     "        self._fresh = []\n\n", "        pass\n\n", 0),
]  # fmt: skip


def _obligations(module: ModuleType, broken: ModuleType) -> list[Obligation]:
    if module is chains:
        return fat_obligations(broken)
    if module is table:
        return fat_table_obligations(broken)
    return fat_allocator_obligations(broken)


@pytest.mark.parametrize(("what", "module", "name", "old", "new", "occurrence"), VARIANTS)
def test_broken_chains_are_refuted(
    what: str, module: ModuleType, name: str, old: str, new: str, occurrence: int
) -> None:
    broken = variant(module, old, new, occurrence=occurrence)
    obligations = _obligations(module, broken)
    (chosen,) = [o for o in obligations if o.name.partition(".")[2] == name]
    result = settle(chosen)
    assert result.verdict == REFUTED, f"{what}: {result.reason}"


def test_an_unedited_copy_is_proved() -> None:
    for module, text in ((chains, "class Chains"), (table, "class Fat"), (allocator, "class Allo")):
        obligations = _obligations(module, variant(module, text, text))
        assert {settle(each).verdict for each in obligations} == {PROVED}


def test_what_is_proved_is_what_production_imports() -> None:
    for module, name, methods in (
        (chains, "Chains", ("extend", "cut", "_drop", "put_links", "put_cuts", "put_frees")),
        (chains, "Chain", ("append", "pieces", "cut", "cluster")),
        (table, "FatTable", ("put_run", "clear_run", "_pieces", "_touch")),
    ):
        bound, production = getattr(bind(module, {}), name), getattr(module, name)
        for method in methods:
            assert getattr(bound, method).__code__ is getattr(production, method).__code__
