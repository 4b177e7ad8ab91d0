"""A power cut in the middle of a trace: which one legal crash image the rest of it starts from.

A trace says ``crash`` and, in its header, one number for each: 0 everything written persisted,
1 nothing did since the last flush, any other number a choice drawn from it (a mixture of whole
writes or of torn sectors; half of them cut inside the operation before, while it is in flight).
The number depends on nothing else, so a minimiser may drop operations around it.
"""

import random
from collections.abc import Sequence
from typing import NamedTuple

from watosfs_fuzz.crash.choice import in_flight
from watosfs_fuzz.crash.log import Event, Image, Mark
from watosfs_fuzz.crash.persistence import SECTOR, Persistence
from watosfs_fuzz.seeds import random_of

ALL_PERSISTED = 0
NONE_PERSISTED = 1
#: Policies are numbers below this.
POLICIES = 1 << 16


class Cut(NamedTuple):
    """Where the log ends, and what the disk holds."""

    event_index: int
    image: dict[int, bytes]


def cut_by_policy(
    base: Image, events: Sequence[Event], policy: int, persistence: Persistence = SECTOR
) -> Cut:
    """The cut that a number in a trace's header names; on a device that lies about flushes it is
    always 0, as what comes back need not be a state to go on from.
    """
    if not persistence.is_flushed:
        policy = ALL_PERSISTED
    if policy == ALL_PERSISTED:
        image, versions = in_flight(base, events)
        return Cut(len(events), image | {block: known[-1] for block, known in versions.items()})
    if policy == NONE_PERSISTED:
        return Cut(len(events), in_flight(base, events, persistence)[0])
    return draw_cut(base, events, random_of(policy, 0, "power cut"), persistence)


def draw_cut(
    base: Image, events: Sequence[Event], rng: random.Random, persistence: Persistence = SECTOR
) -> Cut:
    """Any legal cut at the end of the log or inside its last operation."""
    end = len(events)
    if rng.random() < 0.5:
        end = rng.randint(last_operation(events), end)
    image, versions = in_flight(base, events[:end], persistence)
    is_torn = rng.random() < 0.5
    for block in sorted(versions):
        known = versions[block]
        if is_torn:
            image[block] = b"".join(rng.choice(values) for values in persistence.pieces(known))
        else:
            image[block] = rng.choice(known)
    return Cut(end, image)


def last_operation(events: Sequence[Event]) -> int:
    """The index of the mark that began the last operation; the log's end when there is none."""
    for index in range(len(events) - 1, -1, -1):
        event = events[index]
        if isinstance(event, Mark) and isinstance(event.label, tuple) and event.label[0] == "begin":
            return index + 1
    return len(events)
