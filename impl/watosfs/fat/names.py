"""Long names: what is legal, how names compare, and how they are cut into directory slots.

Outside, names are bytes: UTF-8, a lone surrogate (legal on disk) as its three bytes. On disk they
are UTF-16. Names compare as Windows compares them: unit by unit after an upper-case mapping that
never changes a name's length.
"""

import errno
import struct
from functools import lru_cache
from typing import Final

from watosfs.block.device import Buffer
from watosfs.errors import failure

LONG_NAME_UNITS_MAX: Final = 255
UNITS_PER_SLOT: Final = 13
LAST_SLOT: Final = 0x40
ATTRIBUTE_LONG_NAME: Final = 0x0F
_ILLEGAL: Final = frozenset('"*/:<>?\\|') | {chr(code) for code in range(32)}
_ILLEGAL_BYTES: Final = bytes(sorted(ord(char) for char in _ILLEGAL))
_LONG_SLOT = struct.Struct("<B10sBBB12sH4s")
assert _LONG_SLOT.size == 32
#: Sum of a rotate to the right by one and the next byte, as ``_ROTATED[sum] + byte``.
_ROTATED: Final = tuple((value >> 1) | (value & 1) << 7 for value in range(256))


def decode_name(name: bytes) -> str:
    """The text of a name. EINVAL when it is not UTF-8."""
    try:
        return name.decode("utf-8", "surrogatepass")
    except UnicodeDecodeError as error:
        raise failure(errno.EINVAL, name, "not UTF-8") from error


def encode_name(text: str) -> bytes:
    """The bytes of a name's text."""
    return text.encode("utf-8", "surrogatepass")


def stripped(text: str) -> str:
    """Without the trailing dots and spaces, which Windows ignores wherever a name is given."""
    return text.rstrip(". ")


def new_name(name: bytes) -> str:
    """The text that a new entry called ``name`` gets.

    EINVAL: not UTF-8, nothing but dots and spaces, or with a character that no long name may have.
    ENAMETOOLONG: more than 255 UTF-16 units.
    """
    text = stripped(decode_name(name))
    if not text:
        raise failure(errno.EINVAL, name, "nothing is left without trailing dots and spaces")
    if len(name) != len(name.translate(None, _ILLEGAL_BYTES)):
        raise failure(errno.EINVAL, name, "a character that FAT does not allow")
    if len(name) > LONG_NAME_UNITS_MAX and unit_count(text) > LONG_NAME_UNITS_MAX:
        raise failure(errno.ENAMETOOLONG, name)
    return text


def unit_count(text: str) -> int:
    """How many UTF-16 units a text has."""
    return len(text) + sum(char > "\uffff" for char in text)


def name_key(text: str) -> str:
    """Two names are the same exactly when their keys are equal. Trailing dots and spaces do not
    count here either: others may have put them on the disk.
    """
    text = text.rstrip(". ")
    if text.isascii():
        return text.upper()
    return "".join(map(_upper, text))


@lru_cache(maxsize=4096)
def _upper(char: str) -> str:
    """One unit to one unit, and only where the lower case leads back: dotless i stays, as on
    Windows. Nothing beyond the BMP has a case there.
    """
    upper = char.upper()
    if len(upper) != 1 or char > "\uffff" or upper > "\uffff" or upper.lower() != char:
        return char
    return upper


def short_name_checksum(short_name: bytes) -> int:
    """The checksum over the 11 bytes as they are on disk, which every slot of a long name has."""
    total = 0
    for byte in short_name:
        total = (_ROTATED[total] + byte) & 0xFF
    return total


def encode_long_name(text: str, checksum: int) -> bytes:
    """The slots of a long name, the last part first, as they lie before the short entry."""
    units = text.encode("utf-16-le", "surrogatepass")
    count = -(-len(units) // (2 * UNITS_PER_SLOT))
    size = count * 2 * UNITS_PER_SLOT
    if len(units) < size:
        units = (units + b"\0\0").ljust(size, b"\xff")
    slots = []
    for number in range(count, 0, -1):
        part = units[(number - 1) * 26 : number * 26]
        order = number | LAST_SLOT if number == count else number
        slots.append(
            _LONG_SLOT.pack(
                order, part[:10], ATTRIBUTE_LONG_NAME, 0, checksum, part[10:22], 0, part[22:]
            )
        )
    return b"".join(slots)


class LongNameParts:
    """Gathers the slots of a long name in the order in which a directory is read."""

    __slots__ = ("_checksum", "_next", "_parts", "first_slot")

    def __init__(self) -> None:
        #: Index of the first slot of the name that is being gathered.
        self.first_slot = 0
        self._next = -1
        self._checksum = 0
        self._parts: list[bytes] = []

    def add(self, raw: Buffer, slot: int) -> bool:
        """One slot of a long name; False when slots before it, or it, belong to no name."""
        order, first, _, _, checksum, second, _, third = _LONG_SLOT.unpack(raw)
        is_orphan = False
        if order & LAST_SLOT:
            is_orphan = self._next >= 0
            self.first_slot, self._checksum, self._parts = slot, checksum, []
            self._next = order & ~LAST_SLOT
            if not 1 <= self._next <= 20:
                self._next = -1
                return False
        elif order != self._next or checksum != self._checksum or not order:
            self._next = -1
            return False
        self._parts.append(first + second + third)
        self._next -= 1
        return not is_orphan

    @property
    def is_pending(self) -> bool:
        """Whether slots were gathered that no short entry has taken."""
        return self._next >= 0

    def take(self, short_name: bytes) -> str | None:
        """The long name of the short entry that follows; None when there is none for it."""
        complete, self._next = self._next == 0, -1
        if not complete or short_name_checksum(short_name) != self._checksum:
            return None
        units = b"".join(reversed(self._parts))
        text = units.decode("utf-16-le", "surrogatepass")
        end = text.find("\0")
        return text if end < 0 else text[:end]

    def drop(self) -> bool:
        """Forget what was gathered; True when there was something."""
        pending, self._next = self._next >= 0, -1
        return pending
