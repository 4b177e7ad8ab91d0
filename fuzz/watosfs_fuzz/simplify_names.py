"""Plainer names and fewer directories: changes that a trace stands only everywhere at once."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from watosfs_fuzz import parameters as p
from watosfs_model.operations import Mkdir, Operation, Rename

PATH_ARGUMENTS = ("path", "old", "new")
_PLAIN_NAMES = p.NAMES_TINY
_SETTLING_NAMES = (*p.NAMES_TINY, *p.NAMES_MANY[:8])

Change = Callable[[bytes], bytes]


def renamed_traces(operations: Sequence[Operation]) -> Iterator[list[Operation]]:
    """All names plain, in order of appearance; or one name replaced by a plainer one."""
    names = names_of(operations)
    if len(names) <= len(_PLAIN_NAMES):
        plain = dict(zip(names, _PLAIN_NAMES, strict=False))
        if any(old != new for old, new in plain.items()):
            yield [with_paths(op, renaming(plain)) for op in operations]
    for name in names:
        rank = _PLAIN_NAMES.index(name) if name in _PLAIN_NAMES else len(_PLAIN_NAMES)
        for simpler in _PLAIN_NAMES[:rank]:
            yield [with_paths(op, renaming({name: simpler})) for op in operations]


def resettled_traces(operations: Sequence[Operation]) -> Iterator[list[Operation]]:
    """One name replaced by each of some that hash elsewhere, or one path by another one's."""
    paths = sorted({path for operation in operations for path in paths_of(operation)})
    for index, operation in enumerate(operations):
        for argument in PATH_ARGUMENTS:
            for path in paths if hasattr(operation, argument) else ():
                if path != getattr(operation, argument):
                    moved = replace(operation, **{argument: path})  # type: ignore[type-var]
                    yield [*operations[:index], moved, *operations[index + 1 :]]
    names = names_of(operations)
    for name in names:
        for other in _SETTLING_NAMES:
            if other not in names:
                yield [with_paths(op, renaming({name: other})) for op in operations]


def flatter_traces(operations: Sequence[Operation]) -> Iterator[list[Operation]]:
    """One mkdir or rename less, and the paths of the others as if it had not been needed."""
    for index, operation in enumerate(operations):
        before, after = operations[:index], operations[index + 1 :]
        if isinstance(operation, Mkdir):
            change = replacing_prefix(operation.path, b"")
            yield [with_paths(op, change) for op in (*before, *after)]
        elif isinstance(operation, Rename):
            back = replacing_prefix(operation.new, operation.old)
            yield [*before, *(with_paths(op, back) for op in after)]
            ahead = replacing_prefix(operation.old, operation.new)
            yield [*(with_paths(op, ahead) for op in before), *after]
            kept = [op for op in before if with_paths(op, ahead) == op]
            later = [with_paths(op, ahead) for op in before if with_paths(op, ahead) != op]
            yield [*kept, *later, *after]


def paths_of(operation: Operation) -> list[bytes]:
    """The paths among an operation's arguments."""
    return [getattr(operation, name) for name in PATH_ARGUMENTS if hasattr(operation, name)]


def names_of(operations: Sequence[Operation]) -> list[bytes]:
    """The names in all paths, in order of appearance."""
    found: dict[bytes, None] = {}
    for operation in operations:
        for path in paths_of(operation):
            found.update(dict.fromkeys(part for part in path.split(b"/") if part))
    return list(found)


def renaming(names: dict[bytes, bytes]) -> Change:
    """Replace whole names."""
    return lambda path: b"/".join(names.get(part, part) for part in path.split(b"/"))


def replacing_prefix(old: bytes, new: bytes) -> Change:
    """Let what lies at or below ``old`` lie at or below ``new``."""
    below = old + b"/"

    def change(path: bytes) -> bytes:
        if path.startswith(below):
            return new + path[len(old) :]
        return new if path == old and new else path

    return change


def with_paths(operation: Operation, change: Change) -> Operation:
    """The operation with its paths changed."""
    changed = {
        argument: change(getattr(operation, argument))
        for argument in PATH_ARGUMENTS
        if hasattr(operation, argument)
    }
    return replace(operation, **changed) if changed else operation  # type: ignore[type-var]
