"""What is proved of commit and recovery: any volume, any number of writes, any crash, any fate of
each write, any number of commits and of crashes in a row.

Each obligation starts from any device that keeps the crash invariant of ``commit_world``, and
shows that whatever a crash leaves keeps it again.
"""

import contextlib
from collections.abc import Callable
from dataclasses import replace
from types import ModuleType
from typing import Any

import z3

from watosfs_proofs import published_protocol
from watosfs_proofs.blocks import Member
from watosfs_proofs.commit_replay import replay
from watosfs_proofs.commit_world import Kernel, Modules, World, superblock_of, usable
from watosfs_proofs.crash_device import Content, CrashDevice, fields_of, same_fields
from watosfs_proofs.executor import Path, explore
from watosfs_proofs.obligation import Obligation, Replay
from watosfs_proofs.symbolic import term
from watosfs_proofs.verdicts import Case, Refuted

BOUND = "any volume, any writes, any crash"


def _found_after(world: World, device: CrashDevice, name: str) -> tuple[Any, z3.BoolRef]:
    """What production finds on the device, and whether it is the new tree (else the old one);
    either is intact, and the crash invariant holds of it.
    """
    path, block = world.path, world.block
    try:
        found = world.kernel.read_superblocks(device)
    except OSError as failure:
        path.prove(f"{name}: a superblock is always found ({failure})", False)
        raise AssertionError from failure
    fields = fields_of(found.superblock)
    is_old, is_new = same_fields(fields, world.old), same_fields(fields, world.new_fields)
    path.prove(f"{name}: it is exactly the old or the new root", z3.Or(is_old, is_new))
    path.prove(f"{name}: may be written", found.read_only_reason is None)

    def intact(reach: Member, value: Content) -> z3.BoolRef:
        return z3.Implies(reach(block), device.content(block) == value(block))

    trees = [(is_old, world.reach_old, world.value_old), (is_new, world.reach_new, world.new)]
    for condition, reach, value in trees:
        whole = z3.Implies(condition, intact(reach, value))
        path.prove(f"{name}: all that the root reaches is intact", whole)
    newest, other = device.copies[found.slot], device.copies[1 - found.slot]
    path.prove(f"{name}: the slot is the newest copy's", newest.is_image(fields))
    path.prove(f"{name}: the other copy is not newer", World.other_may_be(other, fields))
    return found, is_new


def _commit(path: Path, kernel: Kernel) -> str:
    world = World(path, kernel)
    engine = world.mounted(superblock_of(world.old), world.at)
    engine.commit()
    device, books = world.device, world.books
    acknowledged = len(device.events)
    path.prove("pending blocks are released exactly once", len(books.released_at) == 1)
    after = device.crash()
    found, is_new = _found_after(world, after, "after a crash")
    path.prove("what was acknowledged is durable", z3.Implies(device.point >= acknowledged, is_new))
    path.prove(
        "pending blocks are released only when it is durable",
        z3.Implies(device.point >= books.released_at[0], is_new),
    )
    complete = device.is_complete()
    path.prove("the engine knows its slot", z3.Implies(complete, engine.slot == found.slot))
    path.prove(
        "the engine knows its superblock",
        z3.Implies(
            complete, same_fields(fields_of(engine.superblock), fields_of(found.superblock))
        ),
    )
    generation = term(engine.superblock.root_generation)
    path.prove("the generation grows by one", generation == world.old[0] + 1)
    path.prove(
        "nodes come from this generation or before, the next go to the one after",
        z3.And(
            term(engine.store.generation) == generation + 1,
            term(engine.store.generation_max) == generation,
        ),
    )
    return "new" if path.decide(is_new) else "old"


def _failing_commit(path: Path, kernel: Kernel) -> str:
    """Any write or flush may fail; the volume is then remounted, or the power goes."""
    world = World(path, kernel, can_fail=True)
    engine = world.mounted(superblock_of(world.old), world.at)
    device, books = world.device, world.books
    said: list[str] = []
    numbers = engine.next_inode, engine.inode_count

    def revert() -> None:
        said.append("revert")
        engine.next_inode, engine.inode_count = 0, 0

    engine.in_transaction, engine.revert = True, revert
    engine.reverted = lambda: said.append("reverted")
    try:
        engine.commit()
    except OSError:
        path.prove("the working tree is given up, then its users are told", said == [
            "revert", "reverted"] and engine.in_transaction is False)  # fmt: skip
        kept = engine.next_inode is numbers[0] and engine.inode_count is numbers[1]
        path.prove("inode numbers are never used again", kept)
        path.prove("a failure releases nothing", books.released_at == [])
        path.prove("no later commit", engine.has_failed and engine.read_only_reason is not None)
        issued = len(device.events)
        try:
            engine.commit(force=True)
            path.prove("a later commit is refused", False)
        except OSError:
            path.prove("a refused commit writes nothing", len(device.events) == issued)
        same = same_fields(fields_of(engine.superblock), world.old)
        path.prove("the volume falls back to what is durable", same)
        _found_after(world, device.crash(), "after a failure and a crash")
        return "failed"
    path.prove("acknowledged only when every flush succeeded", not device.has_lost_writes)
    _, is_new = _found_after(world, device.crash(), "after a crash")
    path.prove("what was acknowledged is durable", z3.Implies(device.is_complete(), is_new))
    return "committed"


def _remount(path: Path, kernel: Kernel) -> str:
    """The process dies in a commit, the device lives: its cache still holds undurable writes."""
    world = World(path, kernel, can_fail=True)
    engine = world.mounted(superblock_of(world.old), world.at)
    device = world.device
    with contextlib.suppress(OSError):
        engine.commit()
    device.can_fail = False  # a failed flush fails ever after all the same
    found, saw_new = _found_in_cache(world)
    engine = world.mounted(found.superblock, found.slot)
    failed = False
    try:
        engine.recover(copies_agree=bool(found.copies_agree))
    except OSError:
        failed = True
    after = device.crash()
    _, is_new = _found_after(world, after, "after the second crash")
    if failed:
        return "refused"
    path.prove("what the mount found stays", z3.Implies(device.is_complete(), is_new == saw_new))
    return "remounted"


def _found_in_cache(world: World) -> tuple[Any, z3.BoolRef]:
    found = world.kernel.read_superblocks(world.device)
    fields = fields_of(found.superblock)
    is_new = same_fields(fields, world.new_fields)
    world.path.prove("the cache shows either root", z3.Or(is_new, same_fields(fields, world.old)))
    return found, is_new


def _recovery(path: Path, kernel: Kernel) -> str:
    """A mount after a crash, and a crash in the mount: so any number of them in a row."""
    world = World(path, kernel)
    device = world.device
    found = kernel.read_superblocks(device)
    path.prove("the durable root is found", same_fields(fields_of(found.superblock), world.old))
    engine = world.mounted(found.superblock, found.slot)
    agree = bool(found.copies_agree)
    engine.recover(copies_agree=agree)
    after = device.crash()
    again, _ = _found_after(world, after, "after a second crash")
    same = same_fields(fields_of(again.superblock), world.old)
    path.prove("a crash in recovery changes nothing that is found", same)
    both = z3.And(*(copy.is_image(world.old) for copy in after.copies))
    path.prove("a mount leaves both copies alike", z3.Implies(device.is_complete(), both))
    return "agreed" if agree else "repaired"


def _unmount(path: Path, kernel: Kernel) -> str:
    world = World(path, kernel)
    engine = world.mounted(superblock_of(world.old), world.at)
    engine.mirror()
    after = world.device.crash()
    _, is_new = _found_after(world, after, "after a crash")
    path.prove("the durable root stays", z3.Not(is_new))
    both = z3.And(*(copy.is_image(world.old) for copy in after.copies))
    path.prove("both copies agree", z3.Implies(world.device.is_complete(), both))
    return "mirrored"


def _lost_copy(path: Path, kernel: Kernel) -> str:
    """Before the commit writes its superblock the newest copy goes bad."""
    world = World(path, kernel)
    path.assume(z3.And(world.other.valid, world.other.fields[0] == world.old[0] - 1))
    path.assume(usable(world.other.fields))
    engine = world.mounted(superblock_of(world.old), world.at)
    engine.commit()
    device = world.device
    superblock = next(n for n, event in enumerate(device.events) if event.slot is not None)
    after = device.crash()
    path.assume(device.point <= superblock)
    broken = [copy.over(z3.BoolVal(slot != world.at), _nothing(copy)) for slot, copy in
              enumerate(after.copies)]  # fmt: skip
    after.copies = broken[0], broken[1]
    found = kernel.read_superblocks(after)
    path.prove(
        "the copy before is found", same_fields(fields_of(found.superblock), world.other.fields)
    )
    b = world.block
    intact = z3.Implies(world.reach_before(b), after.content(b) == world.value_before(b))
    path.prove("its tree is intact", intact)
    return "survived"


def _published(path: Path, modules: Modules) -> str:
    """The published order in place of ours: a crash must be found that loses the volume."""
    published = replace(modules, commit=published_protocol.protocol())
    kernel = Kernel(published)
    try:
        explore(lambda inner: _commit(inner, kernel))
    except Refuted as refuted:
        case = refuted.refutation.case
        path.decoders["counterexample"] = lambda _: case
        lost = replay(published, "commit", case).problem
        path.prove("the counterexample goes wrong on real blocks", lost is not None)
        return "refuted"
    path.prove("the published order is refuted", False)
    return "proved"


def _nothing(copy: Any) -> Any:
    return type(copy)(z3.BoolVal(False), copy.fields)


Check = Callable[[Path, Kernel], str]

CHECKS: dict[str, tuple[Check, str, tuple[str, ...]]] = {
    "commit": (_commit, "recovery finds the old or the new root, intact", ("old", "new")),
    "failing commit": (_failing_commit, "EIO is never acknowledged", ("committed", "failed")),
    "remount": (_remount, "a process that dies loses nothing", ("remounted", "refused")),
    "recovery": (_recovery, "recovery may crash at any point", ("agreed", "repaired")),
    "mirror": (_unmount, "an unmount may crash at any point", ("mirrored",)),
    "lost copy": (_lost_copy, "the older copy names an intact tree", ("survived",)),
}


def commit_obligations(*variants: ModuleType) -> list[Obligation]:
    """The obligations of production's modules, or of broken variants of them."""
    modules = Modules(*variants)
    kernel = Kernel(modules)

    def obligation(name: str) -> Obligation:
        check, statement, outcomes = CHECKS[name]

        def run(path: Path) -> str:
            return check(path, kernel)

        def replaying(case: Case) -> Replay:
            return replay(modules, name, case)

        return Obligation(
            f"commit.{name}", statement, BOUND, run, outcomes, replaying, crosses_crash=True
        )

    example = Obligation(
        "commit.published order (refuted)",
        "superblock first, no flush before: a crash loses the volume",
        BOUND,
        lambda path: _published(path, modules),
        ("refuted",),
        crosses_crash=True,
    )
    return [*(obligation(name) for name in CHECKS), example]
