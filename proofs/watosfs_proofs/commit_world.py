"""An arbitrary volume on a device that may crash, and the production code that commits to it and
recovers it.

The crash invariant: the newest valid superblock copy names a tree all of whose blocks are intact;
the other copy is invalid, older, or the same. With two commits of hold the other copy, when it is
one generation older, names an intact tree as well.

Trusted: that a loop over transfers that keeps no state does with each what it does with one.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import z3

from watosfs.wfs3 import commit, engine, format, mounting, writing
from watosfs_proofs.binding import bind
from watosfs_proofs.crash_device import (
    FIELDS,
    TOTAL,
    Content,
    Copy,
    CrashDevice,
    Fields,
    Image,
    Run,
    SymbolicSuperblock,
    fields_of,
)
from watosfs_proofs.engine_stand_in import engine_over
from watosfs_proofs.executor import Path, current
from watosfs_proofs.lists import stated
from watosfs_proofs.symbolic import SymInt, term

MAGIC, VERSION = format.MAGIC_WFS3, format.VERSIONS[format.MAGIC_WFS3]
INTEGER, BOOLEAN = z3.IntSort(), z3.BoolSort()


@dataclass(frozen=True)
class Modules:
    """Production's modules, or broken variants of them."""

    commit: ModuleType = commit
    engine: ModuleType = engine
    mounting: ModuleType = mounting
    writing: ModuleType = writing


class Kernel:
    """The production functions, bound to the symbolic device."""

    def __init__(self, modules: Modules) -> None:
        protocol = bind(modules.commit, {})
        medium = bind(modules.writing, {"encode_superblock": encode, "len": length_of})
        self.engine = bind(
            modules.engine,
            {
                "protocol": protocol,
                "Medium": medium.Medium,
                "joined": lambda writes: writes,
                "isinstance": is_instance,
            },
        ).Engine
        self.elect = protocol.elect
        self.read_superblocks = bind(
            modules.mounting,
            {
                "elect": protocol.elect,
                "decode_superblock": decode,
                "published_copy": lambda _: None,
                "has_magic": lambda _: True,
                "superblock_problem": usable_or_problem,
                "bytes": lambda data: data,
            },
        ).read_superblocks


def encode(superblock: Any) -> Image:
    """In place of ``encode_superblock``."""
    return Image(fields_of(superblock))


def decode(block: Copy, offset: int = 0) -> SymbolicSuperblock | None:
    """In place of ``decode_superblock``: the CRC tells."""
    return superblock_of(block.fields) if current().decide(block.valid) else None


def length_of(data: Any) -> Any:
    """``len`` of a transfer."""
    return SymInt(data.length)


def is_instance(value: object, kind: type) -> bool:
    """``isinstance``, to which an unknown integer is an int."""
    return isinstance(value, (kind, SymInt)) if kind is int else isinstance(value, kind)


def superblock_of(fields: Fields) -> SymbolicSuperblock:
    """A superblock of our own making, with these of FIELDS."""
    fixed = SymbolicSuperblock(
        MAGIC, VERSION, 0, b"", format.BLOCK_SIZE, format.CHUNK_SIZE, 0, 0, 0, 0, 0, 0, 0,
        format.DATA_START_BLOCK, format.COMPAT_KNOWN, format.RO_COMPAT_KNOWN,
        format.INCOMPAT_RAW_DATA, b"", b"", 0, 0, 0, 0,
    )  # fmt: skip
    changed: Any = dict(zip(FIELDS, map(SymInt, fields), strict=True))
    return fixed._replace(total_blocks=SymInt(TOTAL), **changed)  # type: ignore[arg-type]


def usable(fields: Fields) -> z3.BoolRef:
    """What ``superblock_problem`` accepts (an obligation of its own says so)."""
    named = dict(zip(FIELDS, fields, strict=True))
    root = named["root_tree_block"]
    clauses = [named["root_generation"] >= 1, named["next_inode"] > 1]
    clauses += [root >= 2, root < TOTAL, named["free_blocks"] <= TOTAL]
    clauses += [named[n] <= format.COUNTER_MAX for n in ("root_generation", *FIELDS[-2:])]
    for name in ("free_tree_block", "orphan_root"):
        clauses.append(z3.Or(named[name] == 0, z3.And(named[name] >= 2, named[name] < TOTAL)))
    return z3.And(*clauses)


def usable_or_problem(superblock: SymbolicSuperblock, _: object) -> str | None:
    """In place of ``superblock_problem``."""
    return None if current().decide(usable(fields_of(superblock))) else "unusable"


class AnyTransfers:
    """The transfers of a commit: any number, to the placed blocks; one arbitrary one is run."""

    def __init__(self, world: "World") -> None:
        self.world = world

    def __iadd__(self, more: list[object]) -> "AnyTransfers":
        return self

    def __iter__(self) -> Iterator[tuple[SymInt, Run]]:
        world, path = self.world, self.world.path
        device, hit = world.device, world.placed
        first, count = path.integer("transfer"), path.integer("transfer_blocks")
        path.assume(count >= 1)
        world.facts.every(lambda b: z3.Implies(z3.And(first <= b, b < first + count), hit(b)))
        for edge in (first, first + count - 1):
            world.facts.touch(edge)
        before = len(device.events)
        done = z3.Function("already_written", INTEGER, BOOLEAN)
        device.written("transfers so far", lambda b: z3.And(done(b), hit(b)), world.new)
        run = Run(count, world.new)
        yield SymInt(first), run
        transfer = device.events[before + 1 :]
        is_written = [event.value for event in transfer] == [world.new]
        path.prove("each transfer is written, once, and nothing else is done", is_written)
        b = world.block
        assert transfer[0].hit is not None
        within = z3.And(first <= b, b < first + count)
        path.prove("a transfer goes to its blocks", transfer[0].hit(b) == within)
        del device.events[before:]
        device.written("transfers", hit, world.new)


class FreshBlocks:
    """What the open transaction was given. ``count`` is what ``is_dirty`` looks at."""

    count = 1

    def __init__(self, world: "World") -> None:
        self.world = world

    def covers(self, start: Any, end: Any) -> bool:
        """What ``Medium.write`` asserts becomes a goal."""
        b = self.world.block
        within = z3.And(term(start) <= b, b < term(end))
        goal = z3.Implies(within, self.world.fresh(b))
        self.world.path.prove("a transfer goes to fresh blocks only", goal)
        return True


class Books:
    """The allocator as the commit sees it. ``released_at``: after how many events it was told."""

    def __init__(self, world: "World", free: z3.ArithRef) -> None:
        self.world = world
        self.fresh = FreshBlocks(world)
        self.available, self.held = SymInt(free), 0
        self.released_at: list[int] = []

    def committed(self) -> None:
        """The commit says that it is durable."""
        self.released_at.append(len(self.world.device.events))

    def unload(self, keep: int) -> None:
        """Only memory."""


class World:
    """A mounted volume with an open transaction of any size."""

    def __init__(self, path: Path, kernel: Kernel, *, can_fail: bool = False) -> None:
        self.path, self.kernel = path, kernel
        self.block = path.integer("block")
        path.inputs["total_blocks"] = TOTAL
        path.assume(TOTAL >= format.BLOCK_COUNT_MIN)
        self.old = tuple(path.integer(f"old_{name}") for name in FIELDS)
        prepared = {name: path.integer(f"new_{name}") for name in FIELDS[1:]}
        self.new_fields = (self.old[0] + 1, *prepared.values())
        path.assume(z3.And(usable(self.old), usable(self.new_fields)))
        self.at = 1 if path.decide(path.boolean("newest_in_slot_1")) else 0
        other = Copy(
            path.boolean("other_valid"), tuple(path.integer(f"other_{name}") for name in FIELDS)
        )
        newest = Copy(z3.BoolVal(True), self.old)
        path.assume(self.other_may_be(other, self.old))
        copies = (other, newest) if self.at else (newest, other)
        self.other = other
        self._blocks()
        self.device = CrashDevice(path, copies, self.disk, can_fail=can_fail)
        self.facts = self.device.facts
        self.facts.every(stated(self._of_each_block))
        self.facts.touch(self.block)
        # Data and spilled nodes that went to fresh blocks before the commit.
        self.device.written("earlier writes", self.early, self.early_value)
        self.books = Books(self, prepared["free_blocks"])
        self.prepared = prepared

    @staticmethod
    def other_may_be(other: Copy, newest: Fields) -> z3.BoolRef:
        """Invalid, older, or the same."""
        same = z3.And(*(a == b for a, b in zip(other.fields, newest, strict=True)))
        return z3.Implies(other.valid, z3.Or(other.fields[0] < newest[0], same))

    def _blocks(self) -> None:
        def member(name: str) -> Any:
            return z3.Function(name, INTEGER, BOOLEAN)

        def content(name: str) -> Any:
            return z3.Function(name, INTEGER, INTEGER)

        self.reach_old, self.reach_new, self.reach_before = (
            member("reached_old"), member("reached_new"), member("reached_before")
        )  # fmt: skip
        self.fresh, self.placed, self.early = member("fresh"), member("placed"), member("early")
        self.disk: Content = content("disk")
        self.value_old, self.new, self.value_before = (
            content("value_old"), content("value_new"), content("value_before")
        )  # fmt: skip
        self.early_value = content("early_value")

    def _of_each_block(self, b: z3.ArithRef) -> z3.BoolRef:
        """What the allocator's obligations and the tree code give."""
        old, new, fresh = self.reach_old(b), self.reach_new(b), self.fresh(b)
        before = self.reach_before(b)
        return z3.And(
            z3.Implies(old, z3.And(self.disk(b) == self.value_old(b), b >= 2)),
            z3.Implies(before, z3.And(self.disk(b) == self.value_before(b), b >= 2)),
            z3.Implies(fresh, z3.And(z3.Not(old), z3.Not(before), b >= 2)),
            z3.Implies(z3.Or(self.placed(b), self.early(b)), fresh),
            z3.Implies(
                new,
                z3.Or(
                    self.placed(b),
                    z3.And(self.early(b), self.early_value(b) == self.new(b)),
                    z3.And(old, self.new(b) == self.value_old(b)),
                ),
            ),
        )

    def mounted(self, superblock: SymbolicSuperblock, slot: int) -> Any:
        """Production's Engine on the device, with what is to be committed."""
        prepared = {name: SymInt(value) for name, value in self.prepared.items()}
        engine = engine_over(self.kernel.engine, self.device, superblock, slot, prepared)
        transfers = AnyTransfers(self)
        engine.spill = lambda: transfers
        engine.allocator = self.books
        return engine
