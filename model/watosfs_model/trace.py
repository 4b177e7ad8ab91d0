r"""Traces: operations and calls as text, one a line, parsed and printed without loss.

A trace is how a failure is kept, read, edited and replayed, so a person must be able to write one:
errors name line and column. Layout: header lines `# key: value` first (seed, commit, id, ...), then
operations, comment lines and blank lines.

    # id: 3f2a
    mkdir "/d" 0o755
    open "/d/f" O_CREAT|O_RDWR 0o644
    pwrite 3 fill(7,4096) 0
    crash
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Any

from watosfs_model.data import Data, Fill, Literal, Repeat, quote
from watosfs_model.kernel import CALL_TYPES
from watosfs_model.kernel.calls import Dup3, Openat
from watosfs_model.kernel.path_calls import Fchmodat, Mkdirat, Mkfifoat
from watosfs_model.kernel.process_calls import Pipe2, Umask
from watosfs_model.open_flags import format_flags, parse_flags
from watosfs_model.operations import OPERATION_TYPES, Chmod, Mkdir, Open, Operation

_HEADER = re.compile(r"# ([A-Za-z][A-Za-z0-9_.-]*): ?(.*)")
_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[^\s"]+')
_FILL = re.compile(r"(fill|repeat)\((-?[0-9]+),([0-9]+)\)")
_INTEGER = re.compile(r"-?(?:0o[0-7]+|0x[0-9a-fA-F]+|[1-9][0-9]*|0)")
_ESCAPE = re.compile(rb'\\(x[0-9a-fA-F]{2}|["\\]|.?)', re.DOTALL)


@dataclass(frozen=True, slots=True)
class Comment:
    """A line that is no operation: `# ...`, or blank (text "")."""

    text: str

    def __post_init__(self) -> None:
        if "\n" in self.text or (self.text.strip() and not self.text.startswith("#")):
            raise ValueError(f"not a comment line: {self.text!r}")


@dataclass(frozen=True, slots=True)
class Trace:
    """A parsed trace. `lines` holds the operations with the comments between them, in order."""

    header: tuple[tuple[str, str], ...]
    lines: tuple[Operation | Comment, ...]

    def __post_init__(self) -> None:
        for key, value in self.header:
            line = f"# {key}: {value}"
            match = _HEADER.fullmatch(line)
            if match is None or match.groups() != (key, value) or value != value.strip():
                raise ValueError(f"not a trace header: {line!r}")
        first = self.lines[0] if self.lines else None
        if isinstance(first, Comment) and _HEADER.fullmatch(first.text):
            raise ValueError(f"this first comment would read as a header: {first.text!r}")

    @staticmethod
    def of(operations: list[Operation] | tuple[Operation, ...], **header: str) -> "Trace":
        """A trace of these operations, without comments."""
        return Trace(tuple(header.items()), tuple(operations))

    @property
    def operations(self) -> tuple[Operation, ...]:
        return tuple(line for line in self.lines if isinstance(line, Operation))

    def header_value(self, key: str, default: str | None = None) -> str | None:
        """The last value given for `key`."""
        return dict(self.header).get(key, default)


def format_trace(trace: Trace) -> str:
    lines = [f"# {key}: {value}".rstrip() for key, value in trace.header]
    for line in trace.lines:
        lines.append(line.text if isinstance(line, Comment) else format_operation(line))
    return "".join(line + "\n" for line in lines)


def parse_trace(text: str) -> Trace:
    """Read a trace. Raises ValueError (`line 3, column 7: ...`) on the first bad line."""
    header: list[tuple[str, str]] = []
    lines: list[Operation | Comment] = []
    for number, line in enumerate(text.removesuffix("\n").split("\n") if text else [], start=1):
        match = _HEADER.fullmatch(line) if not lines else None
        if match is not None:
            header.append((match[1], match[2].strip()))
        elif not line.strip() or line.startswith("#"):
            lines.append(Comment(line))
        else:
            lines.append(parse_operation(line, number))
    return Trace(tuple(header), tuple(lines))


def format_operation(operation: Operation) -> str:
    """The one line of this operation."""
    words = [operation.name()]
    for name, _, to_text in _SHAPES[operation.name()][1]:
        words.append(to_text(getattr(operation, name)))
    return " ".join(words)


def parse_operation(line: str, line_number: int = 1) -> Operation:
    """Read one line. Raises ValueError naming line and column."""
    words: list[tuple[int, str]] = []
    position = 0
    while True:
        while position < len(line) and line[position].isspace():
            position += 1
        if position == len(line):
            break
        match = _TOKEN.match(line, position)
        if match is None:
            raise _error(line_number, position, "this quote is never closed")
        end = match.end()
        if end < len(line) and not line[end].isspace():
            raise _error(line_number, end, f"a space is missing after {match[0]}")
        words.append((position, match[0]))
        position = end
    if not words:
        raise _error(line_number, 0, "an operation is missing")
    start, name = words[0]
    if name not in _SHAPES:
        raise _error(line_number, start, f"unknown operation {name!r}")
    operation_type, shape = _SHAPES[name]
    arguments: list[Any] = []
    for (field_name, from_text, _), (column, word) in zip(shape, words[1:], strict=False):
        try:
            arguments.append(from_text(word))
        except ValueError as error:
            raise _error(line_number, column, f"{field_name} of {name}: {error}") from None
    if len(words) - 1 < len(shape):
        raise _error(line_number, len(line), f"{name} lacks its {shape[len(words) - 1][0]}")
    if len(words) - 1 > len(shape):
        column, word = words[len(shape) + 1]
        raise _error(line_number, column, f"{name} takes {len(shape)} arguments; what is {word}?")
    return operation_type(*arguments)


def _error(line_number: int, column: int, message: str) -> ValueError:
    return ValueError(f"line {line_number}, column {column + 1}: {message}")


def _parse_integer(word: str) -> int:
    if _INTEGER.fullmatch(word) is None:
        raise ValueError(f"{word} is not a number")
    return int(word, 0)


def _unescape(match: re.Match[bytes]) -> bytes:
    escape = match[1]
    if escape[:1] == b"x" and len(escape) == 3:
        return bytes([int(escape[1:], 16)])
    if escape in (b'"', b"\\"):
        return escape
    raise ValueError(f'unknown escape \\{escape.decode("latin-1")}; use \\xNN, \\" or \\\\')


def parse_quoted(word: str) -> bytes:
    """Read what `data.quote` writes. Raises ValueError."""
    if len(word) < 2 or word[0] != '"' or word[-1] != '"':
        raise ValueError(f'{word} is not between quotes ("...")')
    if not word.isascii():
        raise ValueError(f"{word} has non-ASCII characters; write their bytes as \\xNN")
    return _ESCAPE.sub(_unescape, word[1:-1].encode("ascii"))


def _parse_data(word: str) -> Data:
    match = _FILL.fullmatch(word)
    if match is not None:
        return (Fill if match[1] == "fill" else Repeat)(int(match[2]), int(match[3]))
    if word.startswith('"'):
        return Literal(parse_quoted(word))
    raise ValueError(f'{word} is neither fill(SEED,LENGTH) nor repeat(SEED,LENGTH) nor "..."')


def _format_mode(mode: int) -> str:
    return f"{mode:#o}"


def _format_bits(flags: int) -> str:
    """Flags that are no access mode."""
    names = [name for name in format_flags(flags).split("|") if name != "O_RDONLY"]
    return "|".join(names) or "0"


def _parse_bits(word: str) -> int:
    return 0 if word == "0" else parse_flags(word)


def _format_numbers(numbers: tuple[int, ...]) -> str:
    return f"[{','.join(map(str, numbers))}]"


def _parse_numbers(word: str) -> tuple[int, ...]:
    if not (word.startswith("[") and word.endswith("]")):
        raise ValueError(f"{word} is not a list of numbers ([1,2])")
    return tuple(_parse_integer(number) for number in word[1:-1].split(",")) if word != "[]" else ()


_Form = tuple[Callable[[str], Any], Callable[[Any], str]]
_Shape = tuple[tuple[str, Callable[[str], Any], Callable[[Any], str]], ...]
_BY_TYPE: dict[object, _Form] = {
    int: (_parse_integer, str),
    bytes: (parse_quoted, quote),
    Data: (_parse_data, str),
    tuple[int, ...]: (_parse_numbers, _format_numbers),
}
_OPEN_FLAGS: _Form = (parse_flags, format_flags)
_BITS: _Form = (_parse_bits, _format_bits)
_MODE: _Form = (_parse_integer, _format_mode)
_BY_FIELD: dict[tuple[type[Operation], str], _Form] = {
    (Open, "flags"): _OPEN_FLAGS,
    (Openat, "flags"): _OPEN_FLAGS,
    (Dup3, "flags"): _BITS,
    (Pipe2, "flags"): _BITS,
    (Mkdir, "mode"): _MODE,
    (Open, "mode"): _MODE,
    (Chmod, "mode"): _MODE,
    (Openat, "mode"): _MODE,
    (Mkdirat, "mode"): _MODE,
    (Mkfifoat, "mode"): _MODE,
    (Fchmodat, "mode"): _MODE,
    (Umask, "mask"): _MODE,
}


def _shape_of(operation_type: type[Operation]) -> _Shape:
    return tuple(
        (field.name, *_BY_FIELD.get((operation_type, field.name), _BY_TYPE[field.type]))
        for field in fields(operation_type)  # type: ignore[arg-type]
    )


_SHAPES: dict[str, tuple[type[Operation], _Shape]] = {
    operation_type.name(): (operation_type, _shape_of(operation_type))
    for operation_type in (*OPERATION_TYPES, *CALL_TYPES)
}
assert len(_SHAPES) == len(OPERATION_TYPES) + len(CALL_TYPES), "two records have one name"
