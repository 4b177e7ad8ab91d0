"""A FAT image as pyfatfs reads it, and where it is known to read otherwise than Windows does.

``ODDITIES`` are the named exceptions: a directory that has one is not compared by name, nor is what
is below it. What is not in the list and differs is a finding.
"""

import importlib.util
import io
import warnings
from collections.abc import Iterator
from typing import Any, Final

from watosfs.fat.names import name_key
from watosfs_fuzz.parsers.fat_plain import Damaged, PlainFat, checksum_of

MISSING: Final = "pyfatfs is missing: pip install 'watosfs[targets]'"
_SLOT: Final = 32
#: name -> why no finding.
ODDITIES: Final = {
    "end mark": "pyfatfs honours the end mark within its cluster only, and reads on in the next",
    "broken long name": "pyfatfs takes a long name whose slots are out of order, missing or"
    " doubled, or refuses the directory; FAT says that it is the short name then",
    "short name": "bytes beyond ASCII (code pages differ), blanks in front, 0x05, illegal"
    " characters and dots: each reader shows them its own way",
    "high word": "pyfatfs takes the upper half of a first cluster on FAT12 and FAT16 too, where it"
    " is no part of it; what such an entry leads to is not compared",
    "name twice": "of two entries of a name we show the first, pyfatfs both",
    "long name": "a name that no file may have gives way to the short one here, not in pyfatfs",
}


def missing() -> str:
    """What is not installed, with how to get it; empty when all is there."""
    return "" if importlib.util.find_spec("pyfatfs") else MISSING


class PyfatfsReader:
    """An image in memory. Raises Damaged where pyfatfs refuses it, and says what it says; and for
    chains that it follows for ever, ends quietly outside its table, or ends at 0xFF0.
    """

    def __init__(self, raw: bytes, end: int) -> None:
        """``end``: the cluster behind the last."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            from pyfatfs.PyFat import PyFat

            self.end = end
            self.fat: Any = PyFat(lazy_load=True)
            stream = io.BytesIO(raw)
            stream.writable = lambda: False  # type: ignore[method-assign]
            try:
                self.fat.set_fp(stream)
            except Exception as error:
                raise Damaged(f"{type(error).__name__}: {error}") from error

    def root(self) -> list[Any]:
        """The entries of the root."""
        return self.entries(self.fat.root_dir)

    def entries(self, directory: Any) -> list[Any]:
        """The entries of a directory, without labels and dots."""
        if directory is not self.fat.root_dir:
            self.chain(directory.get_cluster())
        elif self.fat.fat_type == self.fat.FAT_TYPE_FAT32:
            self.chain(self.fat.bpb_header["BPB_RootClus"])
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                directories, files, _ = directory.get_entries()
            except Exception as error:
                raise Damaged(f"{type(error).__name__}: {error}") from error
        return [*directories, *files]

    def chain(self, first: int) -> list[int]:
        """A chain, by pyfatfs' table; a cycle, which it follows for ever, ends here."""
        found: list[int] = []
        seen = set[int]()
        try:
            for cluster in self.fat.get_cluster_chain(first):
                if cluster in seen or not 2 <= cluster < self.end:
                    raise Damaged(f"cluster {cluster}")
                seen.add(cluster)
                found.append(cluster)
        except Damaged:
            raise
        except Exception as error:
            raise Damaged(f"{type(error).__name__}: {error}") from error
        ends = self.fat.FAT_CLUSTER_VALUES[self.fat.fat_type]["END_OF_CLUSTER_MIN"]
        if not found or self.fat.fat[found[-1]] < ends:
            raise Damaged("a chain that leads out of the table, which pyfatfs ends quietly")
        return found

    def contents(self, entry: Any, shown: int) -> bytes:
        """The first bytes of a file. Raises Damaged also where the chain is too short."""
        size = int(entry.filesize)
        if not size:
            return b""
        chain = self.chain(entry.get_cluster())
        if len(chain) * self.fat.bytes_per_cluster < size:
            raise Damaged("a chain shorter than the size")
        count = -(-min(size, shown) // self.fat.bytes_per_cluster)
        parts = [self.fat.read_cluster_contents(cluster) for cluster in chain[:count]]
        return b"".join(parts)[: min(size, shown)]


def name_of(entry: Any) -> str:
    """A name as Windows shows it: the long one, else the short one with its case bits."""
    if entry.lfn_entry is not None:
        return str(entry.get_long_name())
    base, dot, extension = str(entry.get_short_name()).partition(".")
    base = base.lower() if entry.ntres & 0x08 else base
    return base + dot + (extension.lower() if entry.ntres & 0x10 else extension)


def oddity(plain: PlainFat, raw: bytes, cluster_bytes: int) -> str:
    """Which of ``ODDITIES`` the slots of a directory have; empty for none."""
    slots = [raw[at : at + _SLOT] for at in range(0, len(raw), _SLOT)]
    ends = [i * _SLOT for i, slot in enumerate(slots) if not slot[0]]
    if ends:
        following = -(-(ends[0] + 1) // cluster_bytes) * cluster_bytes
        if any(raw[at] for at in range(following, len(raw), cluster_bytes)):
            return "end mark"
        slots = slots[: ends[0] // _SLOT]
    return next(_odd_slots(slots), "") or _odd_names(plain, b"".join(slots))


def _odd_slots(slots: list[bytes]) -> Iterator[str]:
    due, checksum = 0, -1
    for slot in slots:
        is_long = slot[0] != 0xE5 and slot[11] & 0x3F == 0x0F
        if is_long:
            number = slot[0] & 0x1F
            is_first = slot[0] == 0x40 | number
            if due if is_first else (number != due or slot[13] != checksum or slot[0] != number):
                yield "broken long name"
            if not 1 <= number <= 20 or slot[26:28] != b"\0\0" or slot[12]:
                yield "broken long name"
            due, checksum = number - 1 or -1, slot[13]
            continue
        if due > 0 or (due < 0 and (slot[0] == 0xE5 or checksum_of(slot[:11]) != checksum)):
            yield "broken long name"
        is_named, due = due < 0, 0
        if slot[0] == 0xE5 or slot[:11] in (b".          ", b"..         "):
            continue
        if is_named and slot[11] & 8:
            yield "broken long name"
        short = slot[:11].replace(b" ", b"A")
        illegal = any(byte in b'"*+,./:;<=>?[\\]|\x7f' or not 32 < byte < 127 for byte in short)
        if illegal or slot[0] == 0x20 or b" " in (slot[:8].rstrip() + slot[8:11].rstrip()):
            yield "short name"
    if due:
        yield "broken long name"


def _odd_names(plain: PlainFat, raw: bytes) -> str:
    """Names twice, and long ones that none may be or whose padding is another."""
    seen = set[str]()
    for slot in plain._slots(raw):
        key = name_key(slot.name)
        if key in seen:
            return "name twice"
        seen.add(key)
    text = b""
    for at in range(0, len(raw), _SLOT):
        slot_raw = raw[at : at + _SLOT]
        if slot_raw[0] == 0xE5 or slot_raw[11] & 0x3F != 0x0F:
            text = b""
            continue
        text = slot_raw[1:11] + slot_raw[14:26] + slot_raw[28:32] + text
        if slot_raw[0] & 0x1F == 1 and not _is_plain_text(text):
            return "long name"
    return ""


def _is_plain_text(raw: bytes) -> bool:
    """A name in UTF-16, one NUL unless it fills its slots, then 0xFF."""
    text = raw.decode("utf-16-le", "surrogatepass")
    name, _, rest = text.partition("\0")
    if not name or "/" in name or name in (".", "..") or name != name.rstrip("\uffff"):
        return False
    if any("\ud800" <= unit <= "\udfff" for unit in name):
        return False
    return not rest.strip("\uffff")
