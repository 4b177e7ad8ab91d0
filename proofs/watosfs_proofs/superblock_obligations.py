"""What is proved of the superblocks themselves: which copy is elected, which are usable, and that
joining transfers loses nothing.
"""

import errno
from collections.abc import Callable
from itertools import pairwise
from types import ModuleType, SimpleNamespace
from typing import Any

import z3

from watosfs.errors import DamageError
from watosfs.wfs3 import format
from watosfs.wfs3.node import HEADER_SIZE
from watosfs_proofs.binding import bind
from watosfs_proofs.commit_world import Modules, superblock_of, usable
from watosfs_proofs.crash_device import FIELDS, TOTAL, SymbolicSuperblock, fields_of
from watosfs_proofs.executor import Path
from watosfs_proofs.obligation import Obligation
from watosfs_proofs.symbolic import SymInt

TRANSFERS, TRANSFER_BLOCKS_MAX = 3, 2
#: A feature bit that this code does not know.
UNKNOWN_BIT = 1 << 9
#: Superblocks: (name, behind a node header, incompatible features, read-only-compatible ones).
RAW, KNOWN = format.INCOMPAT_RAW_DATA, format.RO_COMPAT_KNOWN
KINDS = (
    ("ours", False, RAW, KNOWN),
    ("ours_misplaced", True, RAW, KNOWN),
    ("published", True, 0, KNOWN),
    ("published_layout", False, 0, KNOWN),
    ("unknown_incompat", False, RAW | UNKNOWN_BIT, KNOWN),
    ("unknown_ro_compat", False, RAW, KNOWN | UNKNOWN_BIT),
)


def _elect(path: Path, modules: Modules) -> str:
    elect = bind(modules.commit, {}).elect
    given = [
        path.integer(f"generation{slot}") if path.decide(path.boolean(f"valid{slot}")) else None
        for slot in (0, 1)
    ]
    slot = elect(*(None if number is None else SymInt(number) for number in given))
    valid = [number for number in given if number is not None]
    if slot is None:
        path.prove("none only when neither is valid", not valid)
        return "none"
    elected = given[slot]
    path.prove("the elected copy is valid", elected is not None)
    for number in valid:
        path.prove("none is newer", elected >= number)
    other = given[1 - slot]
    if slot == 1 and other is not None:
        path.prove("of equals the first", elected > other)
    return f"slot {slot}"


class NamedInteger(SymInt):
    """An unknown integer that messages show by its name."""

    __slots__ = ("name",)

    def __init__(self, value: z3.ArithRef, name: str) -> None:
        super().__init__(value)
        self.name = name

    def __format__(self, specification: str) -> str:  # type: ignore[override]
        return f"<{self.name}>"


def _problem(path: Path, modules: Modules) -> str:
    """``format.superblock_problem``, of any words."""
    kernel = bind(format, {})
    path.inputs["total_blocks"] = TOTAL
    path.assume(TOTAL >= 0)
    fields = tuple(path.integer(name) for name in FIELDS)
    roots = {name: path.integer(name) for name in ("snapshot_root", "refcount_root")}
    start, device = path.integer("data_start_block"), path.integer("device_blocks")
    block_size = path.integer("block_size")
    words = {**dict(zip(FIELDS, fields, strict=True)), **roots, "total_blocks": TOTAL}
    words |= {"data_start_block": start, "block_size": block_size}
    named: Any = {name: NamedInteger(value, name) for name, value in words.items()}
    problem = kernel.superblock_problem(
        superblock_of(fields)._replace(**named), NamedInteger(device, "device_blocks")
    )
    good = z3.And(
        usable(fields),
        *(z3.Or(root == 0, z3.And(root >= 2, root < TOTAL)) for root in roots.values()),
        start == format.DATA_START_BLOCK,
        block_size == format.BLOCK_SIZE,
        TOTAL >= format.BLOCK_COUNT_MIN,
        TOTAL <= format.BLOCK_COUNT_MAX,
        device >= TOTAL,
    )
    if problem is None:
        path.prove("accepts only what is usable", good)
        return "usable"
    path.prove("refuses only what is not", z3.Not(good))
    return "refused"


class Slots:
    """A device whose two slots hold anything, or cannot be read."""

    def __init__(self, path: Path) -> None:
        self.path, self.block_count = path, SymInt(TOTAL)
        path.assume(TOTAL >= 0)
        self.reads = 0
        self.behind: list[bool] = [False, False]
        is_odd = path.decide(path.boolean("other_block_size"))
        self.block_size_bytes = 512 if is_odd else format.BLOCK_SIZE
        self.readable = [is_odd or path.decide(path.boolean(f"readable{s}")) for s in (0, 1)]
        self.copies = [self._copy(slot) if self.readable[slot] else None for slot in (0, 1)]
        self.is_usable = [path.boolean(f"usable{slot}") for slot in (0, 1)]
        self.magic = [path.boolean(f"magic{slot}") for slot in (0, 1)]

    def _copy(self, slot: int) -> SymbolicSuperblock | None:
        path = self.path
        is_odd = self.block_size_bytes != format.BLOCK_SIZE
        if is_odd or not path.decide(path.boolean(f"valid{slot}")):
            return None
        # Beyond the first slot's, one combination of features is enough to tell them apart.
        kind = KINDS[0]
        if slot == 0:
            kind = next((k for k in KINDS[1:] if path.decide(path.boolean(k[0]))), kind)
        _, self.behind[slot], incompat, ro_compat = kind
        fields = tuple(path.integer(f"slot{slot}_{name}") for name in FIELDS)
        return superblock_of(fields)._replace(incompat=incompat, ro_compat=ro_compat)

    def read(self, slot: int) -> Any:
        """The slot's contents. Raises EIO."""
        is_fit = z3.And(TOTAL >= 2, self.block_size_bytes == format.BLOCK_SIZE)
        self.path.prove("a device of another kind is not read", is_fit)
        self.reads += 1
        if not self.readable[slot]:
            raise OSError(errno.EIO, "unreadable")
        return SimpleNamespace(slot=slot)

    def generation(self, slot: int) -> z3.ArithRef:
        """Of the slot, -1 when it holds no usable copy."""
        copy = self.copies[slot]
        return z3.IntVal(-1) if copy is None else z3.If(
            self.is_usable[slot], fields_of(copy)[0], -1
        )  # fmt: skip


def _found(path: Path, modules: Modules) -> str:
    slots = Slots(path)
    stored: list[Any] = list(slots.copies)
    # Behind a node header only the published core puts a superblock.
    copies: list[Any] = [
        None if behind and copy is not None and copy.incompat & format.INCOMPAT_RAW_DATA else copy
        for copy, behind in zip(stored, slots.behind, strict=True)
    ]
    slots.copies = copies

    def decoded(block: Any, offset: int = 0) -> Any:
        is_there = slots.behind[block.slot] == (offset == HEADER_SIZE)
        return stored[block.slot] if is_there else None

    def problem(copy: object, _: object) -> str | None:
        slot = next(slot for slot in (0, 1) if copies[slot] is copy)
        return None if path.decide(slots.is_usable[slot]) else "unusable"

    replaced = {
        "bytes": lambda data: data,
        "decode_superblock": decoded,
        "has_magic": lambda block: path.decide(slots.magic[block.slot]),
        "superblock_problem": problem,
        "elect": bind(modules.commit, {}).elect,
    }
    kernel = bind(modules.mounting, replaced)
    generations = [slots.generation(slot) for slot in (0, 1)]
    nothing = z3.And(*(number == -1 for number in generations))
    seen = z3.Or(*(z3.And(slots.readable[slot], slots.magic[slot]) for slot in (0, 1)))
    try:
        found = kernel.read_superblocks(slots)
    except DamageError:
        path.prove("damage only when no copy is usable and a magic is seen", z3.And(nothing, seen))
        return "damaged"
    except OSError as failure:
        if slots.reads == 0:
            odd = z3.Or(TOTAL < 2, slots.block_size_bytes != format.BLOCK_SIZE)
            path.prove("EINVAL unread only of a device of another kind", z3.And(
                odd, failure.errno == errno.EINVAL))  # fmt: skip
            return "unread"
        if failure.errno == errno.EINVAL:
            path.prove("EINVAL only when nothing is seen", z3.And(nothing, z3.Not(seen)))
            return "none"
        path.prove("ENOTSUP else", failure.errno == errno.ENOTSUP)
        path.prove(
            "ENOTSUP only for the newest copy, of unknown features",
            z3.And(generations[0] >= generations[1], bool(copies[0].incompat & UNKNOWN_BIT)),
        )
        return "refused"
    elected, other = generations[found.slot], generations[1 - found.slot]
    path.prove(
        "the elected copy is usable, and none is newer", z3.And(elected >= 0, elected >= other)
    )
    path.prove("it is the slot's", found.superblock is copies[found.slot])
    superblock = found.superblock
    path.prove("its features are known", not superblock.incompat & UNKNOWN_BIT)
    may_write = bool(superblock.incompat) and not superblock.ro_compat & UNKNOWN_BIT
    path.prove("written only when that is safe", (found.read_only_reason is None) == may_write)
    same = z3.And(other >= 0, _equal(copies)) if None not in copies else z3.BoolVal(False)
    path.prove("agreement is noticed exactly", z3.BoolVal(bool(found.copies_agree)) == same)
    return "found" if may_write else "read only"


def _equal(copies: list[Any]) -> z3.BoolRef:
    pairs = zip(fields_of(copies[0]), fields_of(copies[1]), strict=True)
    return z3.And(*(a == b for a, b in pairs))


def _joined(path: Path, modules: Modules) -> str:
    limit = TRANSFER_BLOCKS_MAX * format.BLOCK_SIZE
    joined = bind(modules.writing, {"_TRANSFER_BYTES_MAX": limit}).joined
    blocks = [path.integer(f"block{i}") for i in range(TRANSFERS)]
    path.assume(z3.Distinct(*blocks))
    names = [bytes([i]) for i in range(TRANSFERS)]
    given = [(SymInt(block), name) for block, name in zip(blocks, names, strict=True)]
    transfers = [(start.term, data) for start, data in joined(given)]
    placed = [(start + at, data[at]) for start, data in transfers for at in range(len(data))]
    path.prove("as many blocks as were given", len(placed) == TRANSFERS)
    for i, block in enumerate(blocks):
        goal = z3.Or(*(z3.And(where == block, name == i) for where, name in placed))
        path.prove("each block goes where it was to go", goal)
    path.prove("no transfer is too long", all(len(d) <= TRANSFER_BLOCKS_MAX for _, d in transfers))
    path.prove("none is empty", all(data for _, data in transfers))
    for (start, data), (following, _) in pairwise(transfers):
        end = start + len(data)
        path.prove("ascending", end <= following)
        full = len(data) == TRANSFER_BLOCKS_MAX
        path.prove("neighbours are joined", z3.Or(full, end < following))
    return f"{len(transfers)} transfers"


Check = Callable[[Path, Modules], str]

ANY = "any words"
JOINED = f"{TRANSFERS} writes, transfers of at most {TRANSFER_BLOCKS_MAX}"
CHECKS: dict[str, tuple[Check, str, str, tuple[str, ...]]] = {
    "elect": (_elect, "the newest valid copy", ANY, ("none", "slot 0", "slot 1")),
    "problem": (_problem, "accepts exactly what is usable", ANY, ("usable", "refused")),
    "read": (
        _found, "mounts from the newest usable copy only", ANY,
        ("found", "read only", "refused", "none", "damaged", "unread"),
    ),
    "joined": (_joined, "every block once, in order", JOINED, ("2 transfers", "3 transfers")),
}  # fmt: skip


def superblock_obligations(*variants: ModuleType) -> list[Obligation]:
    """The obligations of production's modules, or of broken variants of them."""
    given = Modules(*variants)

    def bound_to(check: Check) -> Callable[[Path], str]:
        return lambda path: check(path, given)

    return [
        Obligation(f"superblock.{name}", statement, bound, bound_to(check), outcomes)
        for name, (check, statement, bound, outcomes) in CHECKS.items()
    ]
