"""The first two slots of a directory below the root: ``.`` and ``..``; and what is none at all."""

from typing import Final

from watosfs.fat.checker.legal import is_legal
from watosfs.fat.checker.report import Report
from watosfs.fat.entries import (
    DIRECTORY,
    DOT,
    DOT_DOT,
    END,
    FREE,
    VOLUME_LABEL,
    DirectoryEntry,
    decode_entry,
    encode_entry,
    is_long_name,
)
from watosfs.fat.format import ENTRY_SIZE

_DATE: Final = 1 << 5 | 1
_FIRST_SLOT: Final = 2


def looks_like_directory(raw: bytearray) -> bool:
    """Whether the bytes of a chain can be a directory's: it has its dots, or most of it is names.

    A directory bit that a file got by accident must not turn its bytes into names.
    """
    if _is_dot(decode_entry(raw), DOT) or _is_dot(decode_entry(raw, ENTRY_SIZE), DOT_DOT):
        return True
    good = bad = 0
    for start in range(0, len(raw), ENTRY_SIZE):
        if raw[start] == END:
            break
        if raw[start] != FREE:
            entry = decode_entry(raw, start)
            if is_long_name(entry.attributes) or is_legal(entry.name):
                good += 1
            else:
                bad += 1
    return good > bad


def mend_dots(raw: bytearray, own: int, above: int, bits: int, path: str, report: Report) -> None:
    """See that ``.`` leads to the directory itself and ``..`` to the one above (0: the root)."""
    for slot, (name, cluster) in enumerate(((DOT, own), (DOT_DOT, above))):
        start, shown = slot * ENTRY_SIZE, name.decode().strip()
        entry = decode_entry(raw, start)
        if not _is_dot(entry, name):
            report.add("directory", path, f"no entry {shown!r} in its slot")
            _move_away(raw, start)
            raw[start : start + ENTRY_SIZE] = encode_entry(
                name, DIRECTORY, 0, 0, 0, _DATE, _DATE, cluster >> 16, 0, _DATE,
                cluster & 0xFFFF, 0,
            )  # fmt: skip
        elif entry.cluster(bits) != cluster:
            text = f"its entry {shown!r} leads to cluster {entry.cluster(bits)}, not {cluster}"
            report.add("directory", path, text)
            raw[start + 20 : start + 22] = (cluster >> 16).to_bytes(2, "little")
            raw[start + 26 : start + 28] = (cluster & 0xFFFF).to_bytes(2, "little")


def _is_dot(entry: DirectoryEntry, name: bytes) -> bool:
    return entry.name == name and entry.attributes & (DIRECTORY | VOLUME_LABEL) == DIRECTORY


def _move_away(raw: bytearray, start: int) -> None:
    """Save the entry of a file from a slot that is not its own, if there is another."""
    entry = raw[start : start + ENTRY_SIZE]
    if entry[0] in (END, FREE) or is_long_name(entry[11]) or not is_legal(bytes(entry[:11])):
        return
    for other in range(_FIRST_SLOT * ENTRY_SIZE, len(raw), ENTRY_SIZE):
        if raw[other] in (END, FREE):
            was_end = raw[other] == END
            raw[other : other + ENTRY_SIZE] = entry
            if was_end and other + ENTRY_SIZE < len(raw):
                raw[other + ENTRY_SIZE] = END
            return
