"""Short names: the 11 bytes that every entry has, for names that fit 8.3 and for those that do not.

A name that fits keeps its letters' case in two bits, as Windows NT does, when base and extension
are each of one case. Any other name gets a long name and an alias: ``~1`` to ``~4``, then two
characters, a hash of the name and ``~1`` to ``~9``, as Windows does, then larger numbers.

Aliases that are made here are ASCII: then they do not depend on a code page. Those that are found
are read in code page 850, the one that mkfs.fat and mtools take.
"""

import errno
from collections.abc import Container
from typing import Final
from zlib import crc32

from watosfs.errors import failure

SHORT_NAME_SIZE: Final = 11
CASE_LOWER_BASE: Final = 0x08
CASE_LOWER_EXTENSION: Final = 0x10
CODE_PAGE: Final = "cp850"
_LEGAL: Final = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789!#$%&'()-@^_`{}~")
_NUMBER_MAX: Final = 999_999
_HASHED_MAX: Final = 9


def exact_short_name(text: str) -> tuple[bytes, int] | None:
    """(11 bytes, case bits) of a name that needs no long name; None when it needs one."""
    if len(text) > 12 or not text.isascii():
        return None
    base, dot, extension = text.partition(".")
    if not 1 <= len(base) <= 8 or len(extension) > 3 or bool(dot) != bool(extension):
        return None
    base_upper, extension_upper = base.upper(), extension.upper()
    if not _LEGAL.issuperset(base_upper) or not _LEGAL.issuperset(extension_upper):
        return None
    case = 0
    if base != base_upper:
        if base != base.lower():
            return None
        case = CASE_LOWER_BASE
    if extension != extension_upper:
        if extension != extension.lower():
            return None
        case |= CASE_LOWER_EXTENSION
    return f"{base_upper:8}{extension_upper:3}".encode(), case


def alias(text: str, taken: Container[bytes]) -> bytes:
    """An alias for a long name that is not among ``taken``. ENOSPC when all are."""
    base, extension = _basis(text)
    for number in range(1, 5):
        candidate = _numbered(base, number, extension)
        if candidate not in taken:
            return candidate
    digest = crc32(text.encode("utf-16-le", "surrogatepass"))
    hashed = f"{base[:2]}{digest & 0xFFFF:04X}"
    for number in range(1, _HASHED_MAX + 1):
        candidate = _numbered(hashed, number, extension)
        if candidate not in taken:
            return candidate
    # From a place that depends on the name on, so that many alike find theirs soon.
    for step in range(_NUMBER_MAX):
        candidate = _numbered(base, (digest + step) % _NUMBER_MAX + 1, extension)
        if candidate not in taken:
            return candidate
    raise failure(errno.ENOSPC, reason="every alias of this name is taken")


def _basis(text: str) -> tuple[str, str]:
    text = text.lstrip(". ").upper()
    base, dot, extension = text.rpartition(".")
    if not dot:
        base, extension = extension, ""
    return _fitting(base) or "_", _fitting(extension)[:3]


def _fitting(text: str) -> str:
    """Without dots and spaces; what a short name cannot have is ``_``."""
    return "".join(char if char in _LEGAL else "_" for char in text if char not in ". ")


def _numbered(base: str, number: int, extension: str) -> bytes:
    tail = f"~{number}"
    return f"{base[: 8 - len(tail)] + tail:8}{extension:3}".encode()


def short_name_text(short_name: bytes, case: int = 0) -> str:
    """The name as people see it: ``FOO.TXT``, in lower case where the bits say so."""
    if short_name[0] == 0x05:
        short_name = b"\xe5" + short_name[1:]
    base = short_name[:8].decode(CODE_PAGE).rstrip(" ")
    extension = short_name[8:].decode(CODE_PAGE).rstrip(" ")
    if case & CASE_LOWER_BASE:
        base = base.lower()
    if case & CASE_LOWER_EXTENSION:
        extension = extension.lower()
    return f"{base}.{extension}" if extension else base


def label_bytes(label: bytes) -> bytes:
    """The 11 bytes of a volume label, which is at most 11 characters of code page 850.

    EINVAL for anything that DOS would not take: lower case becomes upper case.
    """
    try:
        raw = label.decode().upper().encode(CODE_PAGE)
    except UnicodeError as error:
        raise failure(errno.EINVAL, label, "not a label of code page 850") from error
    illegal = b'*?.,;:/\\|+=<>[]"'
    if len(raw) > SHORT_NAME_SIZE or raw.startswith(b" "):
        raise failure(errno.EINVAL, label, "a label has at most 11 characters, no space first")
    if any(byte < 0x20 or byte in illegal for byte in raw):
        raise failure(errno.EINVAL, label, "a character that no label may have")
    raw = raw.ljust(SHORT_NAME_SIZE)
    return b"\x05" + raw[1:] if raw[0] == 0xE5 else raw


def label_text(raw: bytes) -> bytes:
    """A label as UTF-8."""
    if raw[0] == 0x05:
        raw = b"\xe5" + raw[1:]
    return raw.decode(CODE_PAGE).rstrip(" ").encode()
