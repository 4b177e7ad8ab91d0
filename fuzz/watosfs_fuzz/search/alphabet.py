"""What the search tries in every state: few names, all kinds of change, failures included; or many
names that only come and go, which makes trees grow and shrink.

The names of an alphabet form one group: whatever is tried with ``a`` is tried with ``b``, so that
states which are one another's images under a swap have the same futures.
"""

from dataclasses import dataclass
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
#: Of directories in the root.
MANY_NAMES: Final = tuple(b"n%d" % i for i in range(10))


@dataclass(frozen=True, slots=True)
class Alphabet:
    """``names`` may be swapped. With more than three, they name nothing but children of the root
    that have no links and no children.
    """

    name: str
    names: tuple[bytes, ...]
    operations: tuple[Operation, ...]


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


def growing() -> tuple[Operation, ...]:
    """Directories that come and go."""
    paths = [b"/" + name for name in MANY_NAMES]
    return (*(Mkdir(path, 0o755) for path in paths), *map(Rmdir, paths), Sync())


ALPHABETS: Final = {
    found.name: found
    for found in (
        Alphabet("changes", NAMES, operations()),
        Alphabet("names", MANY_NAMES, growing()),
    )
}
