"""Sizes, times and aligned columns, and how a person writes a size.

Columns are plain text and never cut to the width of a window: what is listed gets read by programs
too.
"""

import re
import stat
from argparse import ArgumentTypeError
from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal

_UNITS = "KMGTPE"
_SIZE = re.compile(r"(\d+(?:\.\d+)?)([KMGTPE]?)(I?B)?", re.ASCII)
_NANOSECONDS = 1_000_000_000


def parse_size(text: str) -> int:
    """Bytes meant by ``64M`` or ``64MiB`` (of 1024), ``64MB`` (of 1000), ``1.5G`` or ``67108864``.

    For argparse: raises ArgumentTypeError.
    """
    found = _SIZE.fullmatch(text.strip().upper())
    if found is None or (found[3] == "IB" and not found[2]):
        raise ArgumentTypeError(f"{text!r} is no size: write 64M, 1.5G, 16T, 64MiB or 67108864")
    base = 1000 if found[2] and found[3] == "B" else 1024
    power = _UNITS.index(found[2]) + 1 if found[2] else 0
    return int(Decimal(found[1]) * base**power)


def human_size(size_bytes: int) -> str:
    """Three digits and a unit of 1024: ``160 B``, ``1.5 KiB``, ``64.0 MiB``."""
    if size_bytes < 1024:
        return f"{size_bytes} B"
    value = float(size_bytes)
    for unit in _UNITS:
        value /= 1024
        # 1023.95 would be shown as 1024.0
        if value < 1023.95 or unit == _UNITS[-1]:
            break
    return f"{value:.1f} {unit}iB"


def counted(count: int, noun: str, plural: str | None = None) -> str:
    """``1 file``, ``4,211 files``."""
    return f"{count:,} {noun if count == 1 else plural or noun + 's'}"


def short_time(time_ns: int) -> str:
    """Local time to the minute."""
    return _calendar(time_ns, "%Y-%m-%d %H:%M")


def full_time(time_ns: int) -> str:
    """Local time with all nine decimals and its zone."""
    seconds = _calendar(time_ns, "%Y-%m-%d %H:%M:%S")
    return f"{seconds}.{time_ns % _NANOSECONDS:09d} {_calendar(time_ns, '%z')}".rstrip()


def _calendar(time_ns: int, layout: str) -> str:
    try:
        return datetime.fromtimestamp(time_ns // _NANOSECONDS).astimezone().strftime(layout)
    except (OverflowError, ValueError, OSError):
        return str(time_ns // _NANOSECONDS)


_KINDS = {stat.S_IFREG: "file", stat.S_IFDIR: "directory", stat.S_IFLNK: "symlink"}


def kind_of(mode: int) -> str:
    """``file``, ``directory``, ``symlink`` or ``other``."""
    return _KINDS.get(stat.S_IFMT(mode), "other")


def columns(rows: Sequence[Sequence[str]], left: frozenset[int] = frozenset()) -> list[str]:
    """The rows as aligned lines; columns are flush right but for those in ``left``."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(
            cell.ljust(width) if i in left else cell.rjust(width)
            for i, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]
