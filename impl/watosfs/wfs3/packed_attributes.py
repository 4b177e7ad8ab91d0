"""How extended attributes are packed into the data of the inode that holds them
(``docs/FORMAT.md`` section 4.1).
"""

import struct
from typing import Final

from watosfs.errors import DamageError

KEY_MAX: Final = 255
PREFIX: Final = b"user."
_HEAD = struct.Struct("<HI")


def encode(attributes: dict[bytes, bytes]) -> bytes:
    """The data of the hidden inode: key length, value length, key, value; sorted by key."""
    return b"".join(
        b"%b%b%b" % (_HEAD.pack(len(key), len(value)), key, value)
        for key, value in sorted(attributes.items())
    )


def decode(raw: bytes, number: int) -> dict[bytes, bytes]:
    """The attributes in the data of hidden inode ``number``. Raises DamageError."""
    attributes: dict[bytes, bytes] = {}
    at, before = 0, b""
    while at < len(raw):
        key_length, value_length = _HEAD.unpack_from(raw.ljust(at + _HEAD.size, b"\0"), at)
        at += _HEAD.size
        key, end = raw[at : at + key_length], at + key_length + value_length
        is_key = key.startswith(PREFIX) and key != PREFIX and b"\0" not in key
        if end > len(raw) or not is_key or key <= before or key_length > KEY_MAX:
            raise DamageError("attributes", 0, f"inode {number}: key {key!r} at byte {at}")
        attributes[key] = raw[at + key_length : end]
        at, before = end, key
    return attributes
