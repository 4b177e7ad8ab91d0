"""What a search may do in each state: a bounded set of actions, each one or more operations.

An action that fails is no waste: the outcome is compared, and the state is one already visited.
"""

from dataclasses import dataclass
from random import Random
from typing import Final

from watosfs_fuzz.dialect import Dialect
from watosfs_fuzz.exhaust import SETUP, Steps, changes
from watosfs_model.operations import Abort, Begin, Commit, Fsync, Mkdir, Remount, Rmdir, Sync

NAMES: Final = tuple(b"/n%d" % i for i in range(10))


@dataclass(frozen=True, slots=True)
class Alphabet:
    """``setup`` is run once, before the first state. ``interchangeable`` names stand for one
    another: every action on one of them is there for all.
    """

    name: str
    about: str
    setup: Steps
    actions: tuple[Steps, ...]
    interchangeable: tuple[bytes, ...] = ()

    def within(self, dialect: Dialect) -> "Alphabet":
        """What a target accepts of it."""
        setup = tuple(operation for operation in self.setup if dialect.accepts(operation))
        actions = tuple(a for a in self.actions if all(map(dialect.accepts, a)))
        return Alphabet(self.name, self.about, setup, actions, self.interchangeable)

    def shuffled(self, seed: int) -> "Alphabet":
        """The actions in another order; 0 leaves them as they are."""
        actions = list(self.actions)
        if seed:
            Random(seed).shuffle(actions)
        return Alphabet(self.name, self.about, self.setup, tuple(actions), self.interchangeable)


ALPHABETS: Final = {
    found.name: found
    for found in (
        Alphabet(
            "changes",
            "the changes of `exhaust` over a tiny tree, and every persistence point",
            SETUP,
            (
                *changes(),
                *((operation,) for operation in (Sync(), Fsync(3), Begin(), Commit(), Abort())),
                (Remount(),),
            ),
        ),
        Alphabet(
            "names",
            "ten names that come and go in one directory: trees grow and shrink",
            (),
            (
                *((Mkdir(path, 0o755),) for path in NAMES),
                *((Rmdir(path),) for path in NAMES),
                (Sync(),),
            ),
            NAMES,
        ),
    )
}
