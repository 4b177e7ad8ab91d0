"""Harnesses for what comes as text: traces, and the lines of ``exec:`` programs.

Checks: nothing but the ValueError that names the place; what is accepted round-trips.
"""

import errno
import json
import re
from functools import cache
from random import Random
from typing import Any, Final

from watosfs.block.device import SECTOR_SIZE_BYTES
from watosfs_fuzz.dialect import FIELDS, Dialect
from watosfs_fuzz.parsers.dictionary import program_words, trace_words
from watosfs_fuzz.parsers.harness import Harness, Wrong, register
from watosfs_fuzz.parsers.mutators import any_bytes, splice
from watosfs_fuzz.program.session import Message, ProgramTalkedGarbage, message_of
from watosfs_fuzz.program.wire import (
    PROTOCOL,
    errno_of,
    hello_of,
    log_of,
    observed_of,
    outcome_of,
)
from watosfs_model.data import Fill, Literal
from watosfs_model.open_flags import NAMED_FLAGS
from watosfs_model.operations import (
    OPERATION_TYPES,
    Crash,
    Lstat,
    Mkdir,
    Open,
    Pread,
    Pwrite,
    Readdir,
    Readlink,
)
from watosfs_model.trace import Trace, format_trace, parse_trace

_DEVICE_BYTES: Final = 1 << 20
_NUMBERS = re.compile(r"-?[0-9]+|'.*'|\".*\"")
#: The operations whose replies differ, by the first byte of an input.
_OPERATIONS: Final = (
    Open(b"/a", 0, 0), Pwrite(3, Fill(1, 1), 0), Pread(3, 1, 0), Readlink(b"/a"), Readdir(b"/"),
    Lstat(b"/a"), Mkdir(b"/d", 0),
)  # fmt: skip
_DIALECT: Final = Dialect(frozenset(OPERATION_TYPES), can_crash=True, fields=frozenset(FIELDS))


def trace(data: bytes) -> str:
    """A trace file."""
    try:
        text = data.decode("ascii")
    except UnicodeDecodeError:
        return "not ASCII"
    try:
        found = parse_trace(text)
    except ValueError as error:
        if not str(error).startswith("line "):
            raise Wrong("an error that names no line", str(error)) from error
        return _NUMBERS.sub("#", str(error))[:80]
    again = format_trace(found)
    if parse_trace(again) != found:
        raise Wrong("a trace does not round-trip", again[:200])
    if format_trace(parse_trace(again)) != again:
        raise Wrong("a trace has two forms", again[:200])
    return " ".join(sorted({operation.name() for operation in found.operations}))[:80]


def program(data: bytes) -> str:
    """A byte for what was asked, then the line that came back."""
    asked, line = (data[0] if data else 0), data[1:]
    try:
        return _message(asked, message_of(line))
    except ProgramTalkedGarbage as garbage:
        return _NUMBERS.sub("#", str(garbage))[:60]


def _message(asked: int, message: Message) -> str:
    kind = asked % (len(_OPERATIONS) + 4)
    if kind < len(_OPERATIONS):
        outcome = outcome_of(_OPERATIONS[kind], message, _DIALECT)
        hash(outcome)
        return f"{_OPERATIONS[kind].name()} {type(outcome.value).__name__} {bool(outcome.errno)}"
    kind -= len(_OPERATIONS)
    if kind == 0:
        hello = hello_of(message)
        if Crash in hello.dialect.operations and hello.recovery == "none":
            raise Wrong("a program that cannot crash is made to")
        return f"hello {hello.recovery} {hello.can_check}"
    if kind == 1:
        tree, files = observed_of(message, _DIALECT)
        if not all(isinstance(path, bytes) for path in tree):
            raise Wrong("a path that is not bytes")
        return f"observe {min(len(tree), 2)} {min(len(files), 2)}"
    if kind == 2:
        log = log_of(message, _DEVICE_BYTES)
        for event in log:
            if event is not None and not 0 <= event[0] <= _DEVICE_BYTES - len(event[1]):
                raise Wrong("a write outside the device is accepted", str(event[0]))
            if event is not None and len(event[1]) % SECTOR_SIZE_BYTES:
                raise Wrong("a write of part of a sector is accepted")
        return f"log {min(len(log), 3)}"
    return f"errno {errno_of(message)}"


@cache
def _traces() -> tuple[bytes, ...]:
    lines = [
        'mkdir "/d" 0o755', 'open "/d/f" O_CREAT|O_RDWR 0o644', "pwrite 3 fill(7,4096) 0",
        "pwrite 3 repeat(7,9000) 0",
        'pwrite 3 "a\\x00b\\"" 159', "pread 3 4096 0", "close 3", 'truncate "/d/f" 100', "crash",
        'rename "/a" "/b"', 'symlink "t" "/s"', 'utimens "/a" 5 6', "fsync 3", "remount", "begin",
    ]  # fmt: skip
    whole = "# id: 3f2a\n# seed: 7\n" + "\n".join(lines) + "\n# a comment\n\ncrash\n"
    again = format_trace(Trace.of([Pwrite(3, Literal(b"\xff\n"), 9), Readdir(b"/")], id="x"))
    return (whole.encode(), again.encode(), *(f"{line}\n".encode() for line in lines))


@cache
def _lines() -> tuple[bytes, ...]:
    entry = {
        "kind": "file", "mode": 420, "uid": 0, "gid": 0, "nlink": 1, "size": 1, "atime_ns": 0,
        "mtime_ns": 0, "ctime_ns": 0, "content": "QQ==", "attributes": 0, "identity": "/a",
    }  # fmt: skip
    messages: list[tuple[int, dict[str, object]]] = [
        (0, {"value": 3}), (1, {"value": 1}), (2, {"value": "QUJD"}), (3, {"value": "t"}),
        (4, {"value": [["a", "file"], ["b", "directory"]]}), (5, {"value": entry}), (6, {}),
        (6, {"errno": "ENOENT"}),
        (7, {"protocol": PROTOCOL, "name": "x", "operations": ["open", "close"],
             "fields": ["kind", "content"], "recovery": "reads", "check": True, "names": "[a-z]+",
             "file_bytes_max": 4096, "open_flags": list(NAMED_FLAGS)[:2]}),
        (7, {"protocol": 2}),
        (8, {"tree": {"/": entry, "/a": entry}, "open_files": {"3": entry}}),
        (9, {"log": [["write", 512, "A" * 684 + "=="], ["flush"]]}),
        (9, {"log": [["write", 512, "A" * 682 + "=="], ["flush"]]}),
        (10, {"errno": "EIO"}),
    ]  # fmt: skip
    return tuple(bytes([kind]) + json.dumps(message).encode() for kind, message in messages)


def _mutate_trace(data: bytes, random: Random) -> bytes:
    return any_bytes(data, random, trace_words())


def _mutate_line(data: bytes, random: Random) -> bytes:
    """A value of the JSON object becomes another, or bytes change."""
    if random.random() < 0.4 or len(data) < 2:
        return any_bytes(data, random, program_words())
    try:
        message = json.loads(data[1:])
    except (ValueError, RecursionError):
        return any_bytes(data, random, program_words())
    _change(message, random)
    try:
        return data[:1] + json.dumps(message).encode()
    except RecursionError:
        return data


def _change(value: object, random: Random) -> None:
    """Somewhere inside, one value becomes another."""
    keys: list[Any] = []
    if isinstance(value, dict):
        keys = list(value)
    elif isinstance(value, list):
        keys = list(range(len(value)))
    if not keys or not isinstance(value, dict | list):
        return
    key: Any = random.choice(keys)
    if isinstance(value[key], dict | list) and random.random() < 0.7:
        _change(value[key], random)
        return
    value[key] = random.choice((
        None, True, -1, 0, 1 << 70, 1.5, float("nan"), "", "x" * 300, "\ud800", "\u1234", [], {},
        [[]], {"": None}, ["write", 0, "AAAA"], "QUFB", "EIO", "errno",
    ))  # fmt: skip


register(
    Harness(
        "trace", "the text of traces", trace, lambda: list(_traces()), _mutate_trace, splice,
        frozenset(), ("watosfs_model.trace", "watosfs_model.data"), words=trace_words,
    )
)  # fmt: skip
register(
    Harness(
        "program", "the lines of exec: programs", program, lambda: list(_lines()), _mutate_line,
        splice, frozenset(errno.errorcode), ("watosfs_fuzz.program.wire",),
        words=program_words,
    )
)  # fmt: skip
