<<<<<<< HEAD
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
=======
"""What the search tries in every state: few names, all kinds of change, failures included.

The names form one group: whatever is tried with ``a`` is tried with ``b``, so that states which are
one another's images under a swap have the same futures.
"""

from typing import Final

from watosfs_model.data import Fill, Literal
from watosfs_model.open_flags import O_CREAT, O_RDWR, O_TRUNC
from watosfs_model.operations import (
    Abort,
    Begin,
    Close,
    Commit,
    Fsync,
    Ftruncate,
    Link,
    Mkdir,
    Open,
    Operation,
    Pwrite,
    Remount,
    Removexattr,
    Rename,
    Rmdir,
    Setxattr,
    Sync,
    Truncate,
    Unlink,
)

NAMES: Final = (b"a", b"b")
#: Below the root, and one directory deep.
PATHS: Final = tuple(b"/" + name for name in NAMES) + tuple(
    b"/" + outer + b"/" + inner for outer in NAMES for inner in NAMES
)
_FIRST_FD: Final = 3


def operations() -> tuple[Operation, ...]:
    """All of them."""
    found: list[Operation] = []
    for path in PATHS:
        found += [
            Mkdir(path, 0o755),
            Open(path, O_CREAT | O_RDWR, 0o644),
            Unlink(path),
            Rmdir(path),
            Truncate(path, 4097),
            Setxattr(path, b"user.k", Fill(3, 300), 0),
            Removexattr(path, b"user.k"),
        ]
        found += [Rename(path, other) for other in PATHS if other != path]
        found += [Link(path, other) for other in PATHS[:2] if other != path]
    found.append(Open(b"/a", O_RDWR | O_TRUNC, 0))
    found.append(Open(b"/b", O_RDWR | O_TRUNC, 0))
    found += [
        Pwrite(_FIRST_FD, Literal(b"tiny"), 0),
        Pwrite(_FIRST_FD, Fill(1, 5000), 4000),
        Pwrite(_FIRST_FD, Fill(2, 70_000), 0),
        Ftruncate(_FIRST_FD, 0),
        Close(_FIRST_FD),
        Fsync(_FIRST_FD),
    ]
    return (*found, Sync(), Begin(), Commit(), Abort(), Remount())
>>>>>>> main
