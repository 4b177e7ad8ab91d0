"""What is proved of the table's pages and of the map of free clusters: a run is split over pages
without a gap, the sectors that change are written, and what is given out was free.
"""

from collections.abc import Callable, Iterator
from itertools import product
from types import ModuleType, SimpleNamespace
from typing import Any

import z3

from watosfs.fat import allocator, table
from watosfs_proofs.binding import bind
from watosfs_proofs.executor import Path
from watosfs_proofs.obligation import Obligation
from watosfs_proofs.symbolic import SymInt, term

PAGES_MAX, SECTOR_SIZE = 3, 512
#: The volumes that ``allocate`` is run on: clusters 2 to CLUSTERS + 1, in pages of PAGE_ENTRIES.
CLUSTERS, PAGE_ENTRIES = 6, 4


class Pages:
    """Notes what is asked of which page."""

    def __init__(self, path: Path, kernel: SimpleNamespace, bits: int) -> None:
        self.path = path
        self.said: list[tuple[str, Any, Any, Any]] = []
        self.touched: list[tuple[Any, Any]] = []
        fat: Any = object.__new__(kernel.FatTable)
        fat.page_entries = table.PAGE_ENTRIES
        fat.geometry = SimpleNamespace(bits=bits, sector_size=SECTOR_SIZE)
        fat.page = self.page
        fat._dirty = SimpleNamespace(add=lambda low: self.touch((low, low + 1)), update=self.touch)
        self.table = fat

    def page(self, number: Any) -> SimpleNamespace:
        """A page, which notes what is put into it. A run of PAGES_MAX pages has as many pieces,
        and a last entry.
        """
        self.path.prove("goes to no page twice", len(self.said) <= PAGES_MAX)
        return SimpleNamespace(
            put_chain=lambda index, count: self.said.append(("chain", number, index, count)),
            clear=lambda index, count: self.said.append(("clear", number, index, count)),
            put=lambda index, value: self.said.append(("put", number, index, value)),
        )

    def touch(self, sectors: tuple[Any, Any]) -> None:
        """Sectors from the first to before the second will be written."""
        self.said.append(("touch", *sectors, None))
        self.touched.append(sectors)

    def prove_tiles(self, what: str, first: z3.ArithRef, count: z3.ArithRef) -> None:
        """The pieces of this kind are exactly the clusters of a run, each on its page."""
        path, cluster = self.path, self.path.integer("cluster")
        hits = []
        for kind, number, index, length in self.said:
            if kind == what:
                low = term(index) + term(number) * table.PAGE_ENTRIES
                hits.append(z3.And(low <= cluster, cluster < low + term(length)))
                fits = z3.And(term(index) >= 0, term(index) + term(length) <= table.PAGE_ENTRIES)
                path.prove("a piece keeps to its page", fits)
        times = z3.Sum(z3.IntVal(0), *(z3.If(hit, 1, 0) for hit in hits))
        inside = z3.And(first <= cluster, cluster < first + count)
        path.prove("each cluster of the run once, no other", times == z3.If(inside, 1, 0))

    def prove_touched(self, first: z3.ArithRef, count: z3.ArithRef, bits: int) -> None:
        """Exactly the sectors that hold a bit of an entry of the run will be written."""
        path, cluster = self.path, self.path.integer("touched_cluster")
        path.assume(z3.And(first <= cluster, cluster < first + count))
        ((low, high),) = self.touched
        path.prove("nothing is put behind that", self.said[-1][0] == "touch")
        sector, per_sector = path.integer("sector"), 8 * SECTOR_SIZE
        meets = z3.And(sector * per_sector < (first + count) * bits,
                       first * bits < (sector + 1) * per_sector)  # fmt: skip
        marked = z3.And(term(low) <= sector, sector < term(high))
        path.prove("only sectors of an entry are written", z3.Implies(marked, meets))
        for bit in (0, bits - 1):
            sector = (cluster * bits + bit) / 8 / SECTOR_SIZE
            path.prove("the sectors of an entry are written", z3.And(
                term(low) <= sector, sector < term(high)))  # fmt: skip


def _table(path: Path, module: ModuleType, what: str) -> str:
    kernel = bind(module, {"range": lambda low, high: (low, high)})
    bits = next((b for b in (12, 16) if path.decide(path.boolean(f"fat{b}"))), 32)
    pages = Pages(path, kernel, bits)
    first, count, following = (
        path.integer("first"),
        path.integer("count"),
        path.integer("following"),
    )
    path.assume(z3.And(count >= 1, count <= (PAGES_MAX - 1) * table.PAGE_ENTRIES))
    if what == "chain":
        pages.table.put_run(SymInt(first), SymInt(count), SymInt(following))
        ((_, number, index, value),) = [said for said in pages.said if said[0] == "put"]
        last = term(number) * table.PAGE_ENTRIES + term(index)
        path.prove("the last cluster leads on", z3.And(
            last == first + count - 1, term(value) == following))  # fmt: skip
        in_page = z3.And(term(index) >= 0, term(index) < table.PAGE_ENTRIES)
        path.prove("on its page", in_page)
        pages.prove_tiles("chain", first, count - 1)
    else:
        pages.table.clear_run(SymInt(first), SymInt(count))
        pages.prove_tiles("clear", first, count)
    pages.prove_touched(first, count, bits)
    return f"FAT{bits}"


def _put_run(path: Path, module: ModuleType) -> str:
    return _table(path, module, "chain")


def _clear_run(path: Path, module: ModuleType) -> str:
    return _table(path, module, "clear")


class SmallTable:
    """A table of CLUSTERS clusters, some of them free."""

    cluster_end = CLUSTERS + 2
    page_entries = PAGE_ENTRIES
    page_count = -(-cluster_end // PAGE_ENTRIES)

    def __init__(self, free: set[int]) -> None:
        self.free = free

    def page(self, number: int) -> SimpleNamespace:
        """With its free map, which says nothing of use about entries 0 and 1."""
        start = number * PAGE_ENTRIES
        clusters = range(start, min(start + PAGE_ENTRIES, self.cluster_end + 1))
        given = bytes(c in self.free or c < 2 for c in clusters)
        return SimpleNamespace(free_map=lambda: given)


def _volumes() -> Iterator[tuple[set[int], int, int, int, bool]]:
    """Every volume, cursor, count, neighbour, and whether FSInfo gave the count."""
    clusters = range(2, CLUSTERS + 2)
    for bits in range(1 << CLUSTERS):
        free = {cluster for cluster in clusters if bits >> cluster - 2 & 1}
        yield from product(
            [free], range(2, CLUSTERS + 2), range(1, CLUSTERS + 2), [0, *clusters, CLUSTERS + 2],
            (False, True),
        )  # fmt: skip


def _longest(free: set[int], count: int) -> bool:
    """Whether ``count`` free clusters lie together."""
    return any(set(range(first, first + count)) <= free for first in free)


def _allocated(module: ModuleType, free: set[int], near: int, count: int, books: Any) -> str:
    """What is wrong with a successful ``allocate``; empty when nothing is."""
    runs = books.allocate(count, near)
    given = [cluster for first, size in runs for cluster in range(first, first + size)]
    if len(given) != count:
        return "gives what was asked"
    if len(set(given)) != count or not set(given) <= free:
        return "what is given was free, and is given once"
    if near in free and given[0] != near:
        return "begins next to the last cluster where that is free"
    if near not in free and _longest(free, count) and len(runs) > 1:
        return "in one run where there is one"
    if books.free_count != len(free) - count:
        return "free clusters are counted"
    if not all(books.is_fresh(cluster) for cluster in given):
        return "what is given is fresh"
    first, size = runs[0]
    if books.fresh_until(first, size) != size:
        return "a run is fresh to its beginning"
    books.settle()
    if any(books.is_fresh(cluster) for cluster in given) or books.fresh_run_count:
        return "nothing is fresh after a write-back"
    for first, size in runs:
        books.give_back(first, size)
    if books.free_count != len(free):
        return "what is given back is counted"
    again = sorted(c for first, size in books.allocate(len(free), 0)
                   for c in range(first, first + size))  # fmt: skip
    return "" if again == sorted(free) else "what is given back is free"


def _allocate(path: Path, module: ModuleType) -> str:
    """Every small volume, by running the code on each."""
    wrong = dict.fromkeys(("ENOSPC exactly when there are too few", "ENOSPC changes nothing"), "")
    problems: dict[str, tuple[object, ...]] = {}
    for free, cursor, count, near, is_counted in _volumes():
        books = module.Allocator(SmallTable(free), len(free) if is_counted else None, cursor)
        case = sorted(free), cursor, count, near, is_counted
        try:
            problem = _allocated(module, free, near, count, books)
            if count > len(free):
                problem = "ENOSPC exactly when there are too few"
        except OSError:
            problem = "" if count > len(free) else "ENOSPC exactly when there are too few"
            if books.free_count != len(free):
                problem = "ENOSPC changes nothing"
        if problem:
            problems.setdefault(problem, case)
    for name in [*wrong, *problems]:
        path.decoders["case"] = lambda _, name=name: problems.get(name)  # type: ignore[misc]
        path.prove(name, name not in problems)
    return "run"


Check = Callable[[Path, ModuleType], str]

PAGED = f"runs of at most {PAGES_MAX} pages"
SMALL = f"each volume of {CLUSTERS} clusters, by running"
WIDTHS = ("FAT12", "FAT16", "FAT32")
TABLE_CHECKS: dict[str, tuple[Check, str, str, tuple[str, ...]]] = {
    "put_run": (_put_run, "each cluster leads to the next", PAGED, WIDTHS),
    "clear_run": (_clear_run, "each cluster is freed", PAGED, WIDTHS),
}
ALLOCATOR_CHECKS: dict[str, tuple[Check, str, str, tuple[str, ...]]] = {
    "allocate": (_allocate, "gives out what is free, once", SMALL, ("run",)),
}


def _made(
    group: str, checks: dict[str, tuple[Check, str, str, tuple[str, ...]]], module: ModuleType
) -> list[Obligation]:
    def bound_to(check: Check) -> Callable[[Path], str]:
        return lambda path: check(path, module)

    return [
        Obligation(f"{group}.{name}", statement, bound, bound_to(check), outcomes)
        for name, (check, statement, bound, outcomes) in checks.items()
    ]


def fat_table_obligations(module: ModuleType = table) -> list[Obligation]:
    """The obligations of the table, which is production's or a broken variant of it."""
    return _made("fat_table", TABLE_CHECKS, module)


def fat_allocator_obligations(module: ModuleType = allocator) -> list[Obligation]:
    """The obligations of the allocator, which is production's or a broken variant of it."""
    return _made("fat_allocator", ALLOCATOR_CHECKS, module)
