"""Words that mean something to a parser, generated from the modules that define the format.

For libFuzzer's ``-dict`` and for our own mutators: magics, signatures, features, limits and names.
"""

import struct
from collections.abc import Iterable
from functools import cache
from types import ModuleType

from watosfs.fat import entries as fat_entries
from watosfs.fat import format as fat_format
from watosfs.fat import fsinfo as fat_fsinfo
from watosfs.wfs2 import blocks as wfs2_blocks
from watosfs.wfs2 import entries as wfs2_entries
from watosfs.wfs2 import format as wfs2_format
from watosfs.wfs3 import format as wfs3_format
from watosfs.wfs3 import node as wfs3_node
from watosfs.wfs3 import packed_attributes, records
from watosfs_fuzz.parsers.layout import NUMBERS
from watosfs_model.kernel import CALL_TYPES
from watosfs_model.open_flags import NAMED_FLAGS
from watosfs_model.operations import OPERATION_TYPES

_WORD_BYTES_MAX = 64


def constants(*modules: ModuleType) -> list[bytes]:
    """Every constant (a name in capitals) of these modules, numbers as little-endian words."""
    found: set[bytes] = set()
    for module in modules:
        for name, value in vars(module).items():
            if name.isupper():
                found.update(_words(value))
    return sorted(word for word in found if 0 < len(word) <= _WORD_BYTES_MAX)


def _words(value: object) -> Iterable[bytes]:
    if isinstance(value, bytes):
        yield value
    elif isinstance(value, bool) or value is None:
        return
    elif isinstance(value, int):
        for size in (2, 4, 8):
            if 0 <= value < 1 << 8 * size:
                yield value.to_bytes(size, "little")
    elif isinstance(value, tuple | frozenset | dict):
        for item in value:
            yield from _words(item)


@cache
def wfs3_words() -> list[bytes]:
    """Words of WFS v3."""
    return constants(wfs3_format, wfs3_node, records, packed_attributes)


@cache
def wfs2_words() -> list[bytes]:
    """Words of WFS v2."""
    return constants(wfs2_format, wfs2_blocks, wfs2_entries)


@cache
def fat_words() -> list[bytes]:
    """Words of FAT."""
    return constants(fat_format, fat_entries, fat_fsinfo)


@cache
def trace_words() -> list[bytes]:
    """Words of traces: operations, calls, flags, forms of data and numbers."""
    names = [kind.name() for kind in (*OPERATION_TYPES, *CALL_TYPES)]
    forms = ["fill(1,2)", '"/a"', '"\\xff"', "# id: x", "#", "0o777", "-1", "O_CREAT|O_RDWR"]
    return [word.encode() for word in (*names, *NAMED_FLAGS, *forms, *map(str, NUMBERS))]


@cache
def program_words() -> list[bytes]:
    """Words of the ``exec:`` protocol."""
    words = (
        '"errno":"ENOENT"', '"value":', '"tree":{}', '"open_files":{}', '"log":[["flush"]]',
        '["write",0,"AAAA"]', '"protocol":1', '"operations":["open"]', '"recovery":"reads"',
        '"fields":[]', "null", "true", "1e999", "[[", "{}", '"content":', '"\\ud800"',
    )  # fmt: skip
    return [word.encode() for word in words] + [kind.name().encode() for kind in OPERATION_TYPES]


@cache
def number_words() -> list[bytes]:
    """Edges of numbers, as registers and fields hold them."""
    return [struct.pack("<Q", number) for number in NUMBERS]


def libfuzzer_text(words: Iterable[bytes]) -> str:
    """A dictionary file of libFuzzer."""
    lines = ["".join(f"\\x{byte:02x}" for byte in word) for word in words]
    return "".join(f'"{line}"\n' for line in lines)
