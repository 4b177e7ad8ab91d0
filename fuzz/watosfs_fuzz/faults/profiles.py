"""Fault profiles: which faults are planted, and what must be survived (the budget).

Inside its budget every wrong result is a bug: data is right, or the call fails with EIO, EUCLEAN or
(from then on) EROFS; never silently wrong, and no later call lies about durability. Each profile
draws the place of its fault from a trace's random numbers.
"""

from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from watosfs_fuzz.faults.device import (
    FLUSH,
    LOST,
    MISDIRECTED,
    READ,
    SPACE,
    TWICE,
    WRITE,
    FaultPlan,
)

_EARLY = 40


@dataclass(frozen=True, slots=True)
class Profile:
    """``budget`` says which zone must survive what. ``rots``: bytes of the resting image are
    changed, so many at once, instead of requests failing.
    """

    name: str
    budget: str
    plan: Callable[[Random], FaultPlan]
    rots: tuple[int, ...] = ()


def once(kind: str) -> Callable[[Random], FaultPlan]:
    """One request fails."""
    return lambda random: FaultPlan(kind, random.randrange(_EARLY))


def often(kind: str) -> Callable[[Random], FaultPlan]:
    """Every k-th request fails."""
    return lambda random: FaultPlan(kind, random.randrange(_EARLY), every=random.randrange(2, 20))


def always(kind: str) -> Callable[[Random], FaultPlan]:
    """From some request on all fail; of reads those of the same block."""
    return lambda random: FaultPlan(kind, random.randrange(_EARLY), is_permanent=True)


def silent(kind: str) -> Callable[[Random], FaultPlan]:
    """One write of data goes wrong without a word."""
    return lambda random: FaultPlan(
        kind, random.randrange(_EARLY // 4), elsewhere=random.randrange(1 << 16)
    )


_FAILS = "the call fails and nothing else changes"
_REFUSED = "ENOSPC where even a commit makes no room, and nothing else changes"
_STOPS = "the commit fails, is never acknowledged, and the volume is read-only from then on"
PROFILES = {
    profile.name: profile
    for profile in (
        Profile("read-once", f"any one read: {_FAILS}", once(READ)),
        Profile("read-often", f"every k-th read: {_FAILS}", often(READ)),
        Profile("read-bad-block", f"a block that cannot be read any more: {_FAILS}", always(READ)),
        Profile("write-once", f"any one write: {_STOPS}", once(WRITE)),
        Profile("write-often", f"every k-th write: {_STOPS}", often(WRITE)),
        Profile("write-dead", f"all writes from one on: {_STOPS}", always(WRITE)),
        Profile("flush-once", f"any one flush: {_STOPS}", once(FLUSH)),
        Profile("flush-dead", f"all flushes from one on: {_STOPS}", always(FLUSH)),
        Profile("lost-data", "one write of file data: seen by its CRC when read", silent(LOST)),
        Profile(
            "misdirected-data",
            "one write of file data that lands on another block: both are seen by their CRCs",
            silent(MISDIRECTED),
        ),
        Profile(
            "duplicated-data",
            "one write of file data that lands on another block too: that one is seen by its CRC",
            silent(TWICE),
        ),
        Profile(
            "short-device",
            "the device ends earlier than the volume: what is there is right, the rest EIO",
            lambda random: FaultPlan(blocks=random.randrange(8, 250)),
        ),
        Profile("space-once", f"no room once: {_REFUSED}", once(SPACE)),
        Profile("space-often", f"no room every k-th time: {_REFUSED}", often(SPACE)),
        Profile(
            "space-gone",
            f"no room from one moment on: {_REFUSED}, and space can be freed",
            always(SPACE),
        ),
        Profile(
            "bit-rot",
            "one bit, sector or block anywhere, at rest: a copy of the superblock is survived, "
            "everything else is seen by its CRC",
            lambda random: FaultPlan(),
            rots=(0, 512, 4096),
        ),
    )
}
