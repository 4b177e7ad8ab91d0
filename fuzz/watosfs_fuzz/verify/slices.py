"""The work of the gate in pieces that any process can do: each a second or a few, each decided by
its name, its number and the seed alone.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from watosfs_fuzz.canaries.catalogue import applied, canaries
from watosfs_fuzz.faults.canaries import FAULT_CANARIES
from watosfs_fuzz.kernel.canaries import KERNEL_CANARIES

#: After the budget so much is left for making a finding short.
SECONDS_TO_MINIMISE = 6.0


@dataclass(frozen=True, slots=True)
class Slice:
    """Piece ``number`` of a stage. ``deadline`` is in seconds since the epoch; ``canary`` plants a
    fault; ``root`` is the tree that is judged, ``out`` where findings go.
    """

    stage: str
    number: int
    seed: int
    root: Path
    out: Path
    deadline: float
    canary: str | None = None

    @property
    def kind(self) -> str:
        """What does it: the stage's name up to the colon."""
        return self.stage.partition(":")[0]

    @property
    def subject(self) -> str:
        """What it is done to: the rest of the name."""
        return self.stage.partition(":")[2]

    def is_late(self) -> bool:
        """Whether even minimising must stop."""
        return time.time() > self.deadline + SECONDS_TO_MINIMISE


@dataclass(frozen=True, slots=True)
class Found:
    """Something wrong: what, its story, the file that shows it and the command that replays it."""

    stage: str
    title: str
    story: str
    file: str
    command: str


@dataclass(frozen=True, slots=True)
class Done:
    """A slice that ran. ``units`` counts what it did (``unit``: operations, inputs, ...);
    ``skipped`` says what is missing when it could do nothing.
    """

    stage: str
    number: int
    units: int
    unit: str
    seconds: float
    found: tuple[Found, ...] = ()
    skipped: str = ""


@contextmanager
def planted(name: str | None) -> Iterator[None]:
    """A canary of any of the catalogues in force. Raises ValueError for an unknown name."""
    if name is None:
        yield
        return
    if name in KERNEL_CANARIES:
        plant = KERNEL_CANARIES[name].plant()
    elif name in FAULT_CANARIES:
        plant = FAULT_CANARIES[name].plant()
    else:
        plant = applied(name)
    with plant:
        yield


def target_broken_by(name: str | None) -> str | None:
    """The target of a canary of the volume level, None for others."""
    return next((canary.target for canary in canaries() if canary.name == name), None)
