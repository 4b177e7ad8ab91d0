"""What stands in the lines: operations and requests out, outcomes, entries and writes in.

Bytes of paths travel as latin-1 (one character a byte), contents as base64, errnos and open flags
by name, so that a program needs to know no numbers of ours. Everything that comes in is checked;
what is wrong raises ``ProgramTalkedGarbage`` that says so.
"""

import base64
import errno
from dataclasses import dataclass, fields
from typing import Any, NamedTuple

from watosfs.block.device import SECTOR_SIZE_BYTES
from watosfs_fuzz.dialect import FIELDS, FIELDS_NEEDED, Dialect, Entry, Observed
from watosfs_fuzz.program.session import Message, ProgramTalkedGarbage
from watosfs_fuzz.target import WHOLE_CONTENT_BYTES_MAX
from watosfs_model import Outcome
from watosfs_model.data import Fill, Literal, Repeat
from watosfs_model.open_flags import NAMED_FLAGS, format_flags, parse_flags
from watosfs_model.operations import OPERATION_TYPES, Crash, Operation

PROTOCOL = 1
#: How a program takes a crash image: not at all, whole in ``load``, or asking for what it reads.
RECOVERIES = ("none", "image", "reads")
_KINDS = {kind.name(): kind for kind in OPERATION_TYPES if kind is not Crash}
_BYTES_IN_ENTRIES = "content"


@dataclass(frozen=True, slots=True)
class Hello:
    """What the program said of itself."""

    name: str
    dialect: Dialect
    recovery: str
    can_check: bool


def require(condition: object, problem: str) -> None:
    """Raise ProgramTalkedGarbage unless the condition holds."""
    if not condition:
        raise ProgramTalkedGarbage(problem)


def hello_of(reply: Message) -> Hello:
    """The handshake. Raises ProgramTalkedGarbage for what we do not understand."""
    require(
        reply.get("protocol") == PROTOCOL,
        f"it speaks protocol {reply.get('protocol')!r}, we speak {PROTOCOL}",
    )
    names = reply.get("operations")
    require(isinstance(names, list) and names, "hello lacks its list of operations")
    require(all(isinstance(name, str) for name in names or ()), "operations are not all names")
    unknown = sorted(name for name in names or () if name not in _KINDS)
    require(not unknown, f"no such operations: {', '.join(unknown)}")
    recovery = reply.get("recovery", "none")
    require(recovery in RECOVERIES, f"recovery is {recovery!r}, not one of {RECOVERIES}")
    kinds = {_KINDS[name] for name in names or ()}
    size_max = reply.get("file_bytes_max", WHOLE_CONTENT_BYTES_MAX)
    require(
        isinstance(size_max, int) and 0 < size_max <= WHOLE_CONTENT_BYTES_MAX,
        f"file_bytes_max is {size_max!r}, not 1 to {WHOLE_CONTENT_BYTES_MAX}",
    )
    try:
        dialect = Dialect(
            operations=frozenset(kinds | {Crash} if recovery != "none" else kinds),
            can_crash=recovery != "none",
            fields=frozenset(map(str, reply.get("fields", FIELDS_NEEDED))),
            names=reply.get("names"),
            file_bytes_max=size_max,
            open_flags=parse_flags("|".join(reply.get("open_flags", NAMED_FLAGS)) or "O_RDONLY"),
            may_refuse=bool(reply.get("may_refuse", False)),
        )
    except (ValueError, TypeError) as error:
        raise ProgramTalkedGarbage(f"hello: {error}") from None
    return Hello(str(reply.get("name", "?")), dialect, recovery, bool(reply.get("check", False)))


def arguments_of(operation: Operation) -> dict[str, Any]:
    """An operation's arguments by the names of its fields."""
    found: dict[str, Any] = {}
    for field in fields(operation):  # type: ignore[arg-type]
        value = getattr(operation, field.name)
        if isinstance(value, bytes):
            found[field.name] = value.decode("latin-1")
        elif isinstance(value, Fill | Repeat | Literal):
            found[field.name] = encoded(value.bytes())
        elif field.name == "flags":
            found[field.name] = format_flags(value)
        else:
            found[field.name] = value
    return found


def encoded(data: bytes) -> str:
    """Contents as base64."""
    return base64.b64encode(data).decode("ascii")


def decoded(text: object, what: str) -> bytes:
    """Base64 as contents."""
    require(isinstance(text, str), f"{what} is {text!r:.60}, not base64")
    try:
        return base64.b64decode(str(text), validate=True)
    except ValueError:
        raise ProgramTalkedGarbage(f"{what} is {text!r:.60}, not base64") from None


def path_of(text: object) -> bytes:
    """A path or name from latin-1."""
    try:
        require(isinstance(text, str), f"{text!r:.60} is not a path")
        return str(text).encode("latin-1")
    except UnicodeEncodeError:
        raise ProgramTalkedGarbage(f"{text!r:.60} is not latin-1, one character a byte") from None


def errno_of(reply: Message) -> int:
    """The errno of a reply, 0 for success."""
    name = reply.get("errno")
    if name is None:
        return 0
    number = getattr(errno, str(name), None)
    require(isinstance(number, int) and str(name).startswith("E"), f"errno {name!r:.60}")
    assert isinstance(number, int)
    return number


def outcome_of(operation: Operation, reply: Message, dialect: Dialect) -> Outcome:
    """The outcome of ``apply``."""
    number = errno_of(reply)
    if number:
        return Outcome(None, number)
    value = reply.get("value")
    match operation.name():
        case "open" | "pwrite":
            require(type(value) is int, f"value of {operation.name()} is {value!r:.60}, no number")
            return Outcome(value, 0)
        case "pread":
            return Outcome(decoded(value, "value of pread"), 0)
        case "readlink":
            return Outcome(path_of(value), 0)
        case "readdir":
            require(isinstance(value, list), f"value of readdir is {value!r:.60}, not a list")
            require(
                all(isinstance(pair, list) and len(pair) == 2 for pair in value or ()),
                f"value of readdir is {value!r:.60}, not pairs of name and kind",
            )
            pairs = [(path_of(name), str(kind)) for name, kind in value or ()]
            require(len(set(pairs)) == len(pairs), "readdir gives a name twice")
            return Outcome(frozenset(pairs), 0)
        case "stat" | "lstat" | "fstat":
            return Outcome(entry_of(value, dialect), 0)
    return Outcome(None, 0)


def entry_of(value: object, dialect: Dialect) -> Entry:
    """An entry from an object with its fields; those that are not compared are None."""
    require(isinstance(value, dict), f"an entry is {value!r:.60}, not an object")
    assert isinstance(value, dict)
    missing = [name for name in dialect.fields if name not in value]
    require(not missing, f"an entry lacks {', '.join(sorted(missing))}: {value!r:.80}")
    found: list[object] = []
    for name in FIELDS:
        item = value.get(name) if name in dialect.fields else None
        if name == "content" and item is not None:
            item = decoded(item, "content")
        elif name == "identity" and item is not None:
            item = path_of(item)
        else:
            require(item is None or isinstance(item, str | int), f"{name} is {item!r:.60}")
        found.append(item)
    return tuple(found)


def observed_of(reply: Message, dialect: Dialect) -> Observed:
    """The reply of ``observe``. Raises OSError with its errno when there is one."""
    if number := errno_of(reply):
        raise OSError(number, str(reply.get("problem", "the state cannot be observed")))
    tree, files = reply.get("tree"), reply.get("open_files", {})
    require(isinstance(tree, dict) and isinstance(files, dict), "observe lacks its tree")
    assert isinstance(tree, dict)
    require(all(name.isdigit() for name in files), "open_files are not named by descriptors")
    return (
        {path_of(path): entry_of(entry, dialect) for path, entry in tree.items()},
        {int(number): entry_of(entry, dialect) for number, entry in files.items()},
    )


class LoggedWrite(NamedTuple):
    """A write of the program: ``offset`` in bytes; with ``fua`` durable once completed."""

    offset: int
    data: bytes
    fua: bool


def log_of(reply: Message, device_bytes: int) -> list[LoggedWrite | None]:
    """The writes of a reply, with None for each flush."""
    found: list[LoggedWrite | None] = []
    log = reply.get("log", [])
    require(isinstance(log, list), f"log is {log!r:.60}, not a list")
    for event in log:
        if event == ["flush"]:
            found.append(None)
            continue
        is_write = isinstance(event, list) and len(event) > 2 and event[0] == "write"
        require(
            is_write and type(event[1]) is int and event[3:] in ([], ["fua"]),
            f'in the log {event!r:.60}, not ["write", OFFSET, DATA] (and "fua") or ["flush"]',
        )
        data = decoded(event[2], "data of a write")
        require_sectors(event[1], len(data), device_bytes)
        found.append(LoggedWrite(event[1], data, fua=len(event) > 3))
    return found


def require_sectors(offset: int, length: int, device_bytes: int) -> None:
    """Whole sectors within the device."""
    is_whole = not offset % SECTOR_SIZE_BYTES and not length % SECTOR_SIZE_BYTES
    require(
        is_whole and offset >= 0 and 0 < length <= device_bytes - offset,
        f"{length} bytes at {offset} are not whole sectors of {SECTOR_SIZE_BYTES} bytes in the"
        f" device of {device_bytes}",
    )
