"""Which commit a write belongs to and what its block is for, where the target can tell.

WFS v3 is walked. Another target may offer ``role(block)``, asked after the trace has run; without
it a block is its number.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from watosfs_fuzz.crash.log import Event, Flush, Image, Write
from watosfs_fuzz.report.roles_wfs3 import own_role, superblock_of, tree_roles
from watosfs_fuzz.target import CrashTarget
from watosfs_fuzz.targets.wfs3 import Wfs3Target


@runtime_checkable
class NamesBlocks(Protocol):
    """A target that can say what a block is for."""

    def role(self, block: int) -> str | None:
        """The structure in a block, or None."""


@dataclass(frozen=True, slots=True)
class Naming:
    """By event index: ``roles`` of writes (empty for unknown), ``commits`` (None: the target has
    none), counted from 1.
    """

    roles: dict[int, str]
    commits: list[int] | None


def naming_of(target: CrashTarget, base: Image, events: Sequence[Event]) -> Naming:
    """What can be said of a log of the target over ``base``: its own, or a recovery's."""
    if isinstance(target, Wfs3Target):
        return Naming(roles_of_wfs3(base, events), commits_of_wfs3(events))
    roles = {}
    if isinstance(target, NamesBlocks):
        for index, event in enumerate(events):
            if isinstance(event, Write):
                roles[index] = target.role(event.block) or ""
    return Naming(roles, None)


def roles_of_wfs3(base: Image, events: Sequence[Event]) -> dict[int, str]:
    """A write's role is the one in the tree of the next superblock that reaches its block."""
    image = dict(base)
    roles: dict[int, str] = {}
    waiting: list[int] = []
    for index, event in enumerate(events):
        if not isinstance(event, Write):
            continue
        image[event.block] = event.data
        roles[index] = own_role(event.block, event.data)
        superblock = superblock_of(event.block, event.data)
        if superblock is None:
            waiting.append(index)
            continue
        roles[index] += f" (generation {superblock.root_generation})"
        reached = tree_roles(image, superblock)
        for earlier in waiting:
            written = events[earlier]
            assert isinstance(written, Write)
            roles[earlier] = reached.get(written.block, roles[earlier])
        waiting = []
    return roles


def commits_of_wfs3(events: Sequence[Event]) -> list[int]:
    """The number of each event's commit: one ends with the flush behind its superblock write."""
    commits: list[int] = []
    now, ending = 1, False
    for event in events:
        superblock = None
        if isinstance(event, Write):
            superblock = superblock_of(event.block, event.data)
            if ending and superblock is None:
                # The flush that was due did not come.
                now, ending = now + 1, False
        commits.append(now)
        if superblock is not None:
            ending = True
        elif isinstance(event, Flush) and ending:
            now, ending = now + 1, False
    return commits
