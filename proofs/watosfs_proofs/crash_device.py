"""A device behind a volatile cache, whose every crash is one symbolic state.

Trusted: that this is the worst a device may do (docs/CRASH_MODEL.md), and that the CRC tells a torn
superblock from a whole one.

Between two flushes that succeed any write may be lost, torn (its block then holds anything; a
superblock is then invalid) or persisted, whatever became of the others. The crash point is one
symbolic integer and each fate a symbolic boolean, so one question covers them all. A failed write
has any fate; after a failed flush every later one fails too.
"""

import errno
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import z3

from watosfs.block.device import Capabilities
from watosfs.wfs3.format import BLOCK_SIZE, Superblock
from watosfs_proofs.blocks import Member, blocks_of_path
from watosfs_proofs.executor import Path, concrete
from watosfs_proofs.lists import stated
from watosfs_proofs.symbolic import SymBool, SymInt, term

Content = Callable[[z3.ArithRef], z3.ArithRef]

#: The fields of a superblock that commits change; the others are the same in every copy.
FIELDS = ("root_generation", "root_tree_block", "free_tree_block", "orphan_root", "free_blocks",
          "inode_count", "next_inode")  # fmt: skip

#: Blocks of the volume, which is the device.
TOTAL = z3.Int("total_blocks")


class SymbolicSuperblock(Superblock):
    """A superblock with unknown fields; two are compared as a whole, not field by field."""

    __slots__ = ()

    def __eq__(self, other: object) -> Any:
        if not isinstance(other, SymbolicSuperblock):
            return False
        return SymBool(same_fields(fields_of(self), fields_of(other)))

    __hash__ = None  # type: ignore[assignment]


Fields = tuple[z3.ArithRef, ...]


def fields_of(superblock: Superblock) -> Fields:
    """The terms of FIELDS."""
    return tuple(term(getattr(superblock, name)) for name in FIELDS)


def same_fields(some: Fields, others: Fields) -> z3.BoolRef:
    """All of FIELDS are equal."""
    return z3.And(*(a == b for a, b in zip(some, others, strict=True)))


@dataclass(frozen=True)
class Copy:
    """What a superblock slot holds: a superblock, or (not ``valid``) anything else."""

    valid: z3.BoolRef
    fields: Fields

    def over(self, condition: z3.BoolRef, other: "Copy") -> "Copy":
        """This one if the condition holds, else the other."""
        pairs = zip(self.fields, other.fields, strict=True)
        return Copy(
            z3.If(condition, self.valid, other.valid),
            tuple(z3.If(condition, a, b) for a, b in pairs),
        )

    def is_image(self, fields: Fields) -> z3.BoolRef:
        """A valid superblock with these fields."""
        return z3.And(self.valid, same_fields(self.fields, fields))


@dataclass(frozen=True)
class Image:
    """An encoded superblock."""

    fields: Fields


class Run:
    """The data of one transfer: ``count`` blocks, of which block b is to hold ``value(b)``."""

    def __init__(self, count: z3.ArithRef, value: Content) -> None:
        self.count = count
        self.length = count * BLOCK_SIZE
        self.value = value


@dataclass(frozen=True)
class Event:
    """A flush (neither ``slot`` nor ``hit``), a superblock write, or writes to the blocks that
    satisfy ``hit``. ``kept`` and ``torn`` are the fates, of each block.
    """

    told: str
    ok: bool
    slot: int | None = None
    image: Fields = ()
    hit: Member | None = None
    value: Content | None = None
    kept: Any = None
    torn: Any = None

    @property
    def is_flush(self) -> bool:
        """Whether it makes durable what came before."""
        return self.slot is None and self.hit is None


class CrashDevice:
    """What production writes to. ``can_fail``: any operation may end with EIO."""

    block_size_bytes = BLOCK_SIZE
    capabilities = Capabilities()

    def __init__(
        self, path: Path, copies: tuple[Copy, Copy], content: Content, *, can_fail: bool = False
    ) -> None:
        self.path, self.copies, self.content = path, copies, content
        self.block_count = SymInt(TOTAL)
        self.can_fail = can_fail
        self.facts = blocks_of_path()
        self.events: list[Event] = []
        self.has_lost_writes = False

    def _fails(self, what: str) -> bool:
        return self.can_fail and self.path.decide(self.path.boolean(f"{what}_fails"))

    # What production calls.

    def write(self, block: Any, data: Any) -> None:
        """Superblocks go to a slot, runs elsewhere. Raises EIO."""
        if isinstance(data, Image):
            is_slot = type(block) is int and block in (0, 1)
            self.path.prove("a superblock goes to one of the two slots", is_slot)
            ok = not self._fails("superblock_write")
            self._superblock_written(block, data.fields, ok)
        else:
            ok = not self._fails("write")
            first, count = term(block), data.count
            self.path.prove("data never overwrites a superblock", first >= 2)
            hit = lambda b: z3.And(first <= b, b < first + count)  # noqa: E731
            self.written("a transfer", hit, data.value, ok)
        if not ok:
            raise OSError(errno.EIO, "a write failed")

    def flush(self) -> None:
        """Raises EIO, and ever after."""
        self.has_lost_writes = self.has_lost_writes or self._fails("flush")
        self.events.append(Event("flush", not self.has_lost_writes))
        if self.has_lost_writes:
            raise OSError(errno.EIO, "a flush failed")

    def read(self, slot: int) -> Copy:
        """A superblock as the cache has it: every write so far is seen, failed ones perhaps."""
        return self._slot_after(slot, lambda event: z3.BoolVal(True) if event.ok else event.kept)

    # The model.

    def written(self, told: str, hit: Member, value: Content, ok: bool = True) -> None:
        """Writes to every block that satisfies ``hit``."""
        name = self.path.integer("write", is_input=False).decl().name()
        kept = z3.Function(f"{name}_kept", z3.IntSort(), z3.BoolSort())
        torn = z3.Function(f"{name}_torn", z3.IntSort(), z3.BoolSort())
        self.events.append(Event(told, ok, None, (), hit, value, kept, torn))

    def _superblock_written(self, slot: int, image: Fields, ok: bool) -> None:
        kept, torn = self.path.boolean("superblock_kept"), self.path.boolean("superblock_torn")
        told = f"superblock to slot {slot}"
        self.events.append(Event(told, ok, slot, image, None, None, kept, torn))

    def _slot_after(self, slot: int, kept: Callable[[Event], z3.BoolRef]) -> Copy:
        now = self.copies[slot]
        for event in self.events:
            if event.slot == slot:
                torn = Copy(z3.BoolVal(False), event.image)
                now = torn.over(event.torn, now)
                now = Copy(z3.BoolVal(True), event.image).over(kept(event), now)
        return now

    def crash(self) -> "CrashDevice":
        """The device after a crash at any point so far; ``self.point`` is the point."""
        path = self.path
        self.point = point = path.integer("crash_point")
        path.assume(point <= len(self.events))
        content = self.content
        for number, event in enumerate(self.events):
            if event.is_flush:
                continue
            issued = number < point
            durable = z3.Or(
                *(
                    later < point
                    for later, flush in enumerate(self.events)
                    if event.ok and later > number and flush.is_flush and flush.ok
                )
            )
            if event.slot is not None:
                path.assume(_fate(event.kept, event.torn, issued, durable))
                continue
            self.facts.every(stated(_fate_of_each(event, issued, durable)))
            content = _overwritten(content, event)
        path.decoders["story"] = self._decode
        copies = (
            self._slot_after(0, lambda event: event.kept),
            self._slot_after(1, lambda event: event.kept),
        )
        return CrashDevice(path, copies, content)

    def is_complete(self) -> z3.BoolRef:
        """The crash came after everything."""
        return self.point == len(self.events)

    def _decode(self, model: z3.ModelRef) -> list[str]:
        """What became of each write, in order."""
        point = int(concrete(model, self.point))
        block = self.path.inputs.get("block")
        told = []
        for number, event in enumerate(self.events):
            if number == point:
                told.append("crash")
            if event.is_flush:
                fate = "" if number < point else ": not reached"
                told.append(("flush" if event.ok else "failed flush") + fate)
                continue
            kept, torn = event.kept, event.torn
            if event.slot is None:
                kept, torn = kept(block), torn(block)
            fate = "kept" if concrete(model, kept) else "torn" if concrete(model, torn) else "lost"
            told.append(f"{event.told}: {fate if number < point else 'not issued'}")
        return [*told, "crash"] if point == len(self.events) else told


def _fate(kept: Any, torn: Any, issued: Any, durable: z3.BoolRef) -> z3.BoolRef:
    return z3.And(
        z3.Implies(z3.Or(kept, torn), issued),
        z3.Not(z3.And(kept, torn)),
        z3.Implies(durable, kept),
    )


def _fate_of_each(event: Event, issued: Any, durable: z3.BoolRef) -> Member:
    return lambda b: _fate(event.kept(b), event.torn(b), issued, durable)


def _overwritten(content: Content, event: Event) -> Content:
    junk = z3.Function(f"{event.kept.name()}_junk", z3.IntSort(), z3.IntSort())
    hit, value, kept, torn = event.hit, event.value, event.kept, event.torn
    assert hit is not None
    assert value is not None

    def after(b: z3.ArithRef) -> z3.ArithRef:
        fate = z3.If(kept(b), value(b), z3.If(torn(b), junk(b), content(b)))
        return z3.If(hit(b), fate, content(b))

    return after
