"""A dialect: what a target can do, as a value. What it cannot is not generated, and what it does
not keep (owners, times) is not compared.

A few things depend on the state and not on the operation (a file system that keeps no open file
alive after its last name went). There a target answers EOPNOTSUPP, "I refuse, and nothing has
changed"; the lockstep goes on with the state as it was, and compares it. Refusals are counted, so
that a target which hides behind them shows.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from functools import lru_cache
from typing import TypeAlias

from watosfs_model.open_flags import NAMED_FLAGS, O_ACCMODE
from watosfs_model.operations import OPERATION_TYPES, Operation
from watosfs_model.state import Volume

#: ``docs/DESIGN.md`` section 2.3: (tree by path, open files by descriptor).
Entry: TypeAlias = tuple[object, ...]
Tree: TypeAlias = dict[bytes, Entry]
Observed: TypeAlias = tuple[Tree, dict[int, Entry]]

#: Given the states of which a crash may leave parts, says what of a tree is none of them, or None.
Contract: TypeAlias = Callable[[Sequence[Volume]], Callable[[Tree], str | None]]

#: The fields of an entry, in order.
FIELDS = (
    "kind", "mode", "uid", "gid", "nlink", "size", "atime_ns", "mtime_ns", "ctime_ns", "content",
    "attributes", "identity",
)  # fmt: skip
#: Without these there is nothing to compare.
FIELDS_NEEDED = frozenset({"kind", "size", "content"})
#: Their values are whole entries, so they need a target that keeps every field.
_GIVE_ENTRIES = frozenset({"stat", "lstat", "fstat"})
_PATHS = ("path", "old", "new")
_FLAGS_ALL = sum(NAMED_FLAGS.values())
_UNLIMITED = 1 << 200
#: Longer paths are ENAMETOOLONG to the model [P2]; a target with a pattern may know no such limit.
PATH_BYTES_MAX = 4095


@dataclass(frozen=True, slots=True)
class Dialect:
    """What a target can do.

    ``fields`` are compared, all others of an entry are not. ``names`` is a regular expression that
    every component of a path has to match as a whole (bytes as latin-1); with one, paths have no
    ``.``, ``..``, repeated or trailing slashes either. ``file_bytes_max`` bounds sizes, offsets and
    the ends of writes; ``open_flags`` the flags. Raises ValueError when they contradict each other.
    """

    operations: frozenset[type[Operation]]
    can_crash: bool
    fields: frozenset[str] = frozenset(FIELDS)
    names: str | None = None
    file_bytes_max: int = _UNLIMITED
    open_flags: int = _FLAGS_ALL
    may_refuse: bool = False
    #: What a crash may leave, where that is more than one of the permitted states as a whole.
    contract: Contract | None = None

    def __post_init__(self) -> None:
        unknown = self.fields - set(FIELDS)
        if unknown:
            raise ValueError(f"no such fields of an entry: {sorted(unknown)}")
        if not self.fields >= FIELDS_NEEDED:
            raise ValueError(f"a target must show {sorted(FIELDS_NEEDED)}")
        entries = {kind.name() for kind in self.operations} & _GIVE_ENTRIES
        if entries and self.fields != frozenset(FIELDS):
            raise ValueError(f"{sorted(entries)} give whole entries, but some fields are missing")
        if self.names is not None:
            try:
                re.compile(self.names)
            except re.error as error:
                raise ValueError(f"names: {error}") from None

    @property
    def is_limited(self) -> bool:
        """Whether there is anything that ``accepts`` could refuse besides kinds of operation."""
        return (self.names, self.file_bytes_max, self.open_flags) != (None, _UNLIMITED, _FLAGS_ALL)

    def accepts(self, operation: Operation) -> bool:
        """Whether the operation is within what the target declares."""
        if type(operation) not in self.operations:
            return False
        if not self.is_limited:
            return True
        return (
            all(
                self._accepts_argument(field.name, getattr(operation, field.name))
                for field in fields(operation)  # type: ignore[arg-type]
            )
            and end_of(operation) <= self.file_bytes_max
        )

    def _accepts_argument(self, name: str, value: object) -> bool:
        if isinstance(value, bytes) and name in _PATHS and self.names is not None:
            return accepts_path(self.names, value)
        if isinstance(value, int) and name == "flags":
            return not value & ~(self.open_flags | O_ACCMODE)
        return (
            name not in ("offset", "size")
            or not isinstance(value, int)
            or value <= self.file_bytes_max
        )

    def names_among(self, names: tuple[bytes, ...]) -> tuple[bytes, ...]:
        """Those of some names that the target takes."""
        pattern = self.names
        if pattern is None:
            return names
        return tuple(name for name in names if accepts_path(pattern, b"/" + name))

    def shown(self, observed: Observed) -> Observed:
        """An observation without what this dialect does not compare."""
        if len(self.fields) == len(FIELDS):
            return observed
        tree, files = observed
        return (
            {path: self.shown_entry(entry) for path, entry in tree.items()},
            {number: self.shown_entry(entry) for number, entry in files.items()},
        )

    def shown_entry(self, entry: Entry) -> Entry:
        """An entry with None for each field that is not compared."""
        return tuple(
            value if name in self.fields else None
            for name, value in zip(FIELDS, entry, strict=True)
        )


def end_of(operation: Operation) -> int:
    """The first byte behind what an operation writes or reads; 0 for one without offset."""
    offset = getattr(operation, "offset", 0)
    data = getattr(operation, "data", b"")
    return int(offset) + len(data)


@lru_cache(maxsize=4096)
def accepts_path(names: str, path: bytes) -> bool:
    """Whether a path is ``/`` or plain components that match."""
    if path == b"/":
        return True
    text = path.decode("latin-1")
    return (
        len(path) <= PATH_BYTES_MAX
        and text.startswith("/")
        and all(
            part not in ("", ".", "..") and re.fullmatch(names, part, re.DOTALL) is not None
            for part in text[1:].split("/")
        )
    )


#: Everything but a power cut.
ALL_CALLS = frozenset(kind for kind in OPERATION_TYPES if kind.name() != "crash")
