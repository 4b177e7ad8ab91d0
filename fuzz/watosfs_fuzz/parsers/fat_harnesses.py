"""The harnesses of FAT in the registry: each structure with its seeds and mutators."""

import errno
from random import Random
from typing import Final
from zlib import crc32

from watosfs.fat.names import encode_long_name, short_name_checksum
from watosfs_fuzz.parsers import fat_image, fat_seeds, fat_structures
from watosfs_fuzz.parsers.dictionary import fat_words
from watosfs_fuzz.parsers.fat_layouts import BOOT_16, BOOT_32, ENTRY, FSINFO, LONG, SECTOR
from watosfs_fuzz.parsers.fat_mutators import plain_of, seal_names
from watosfs_fuzz.parsers.harness import Harness, register
from watosfs_fuzz.parsers.images import SparseImage
from watosfs_fuzz.parsers.layout import Layout, layout_of, mutate_field, new_number
from watosfs_fuzz.parsers.mutators import any_bytes, of_structure, of_structure_cross, splice

_DAMAGE: Final = frozenset({errno.EINVAL, errno.EUCLEAN})
_SLOT: Final = 32
_MBR_ENTRY = layout_of("partition", "B3sB3sII", "flag chs kind chs_end first count")
_GPT_HEADER = layout_of(
    "GPT header",
    "8sIII4xQQQQ16sQIII",
    "signature revision size crc32 own other low high guid table count entry_size entries_crc32",
)
_GPT_ENTRY = layout_of("GPT entry", "16s16sQQQ72s", "kind guid first last flags name")


def _images() -> list[SparseImage]:
    return [SparseImage.parse(encoded, SECTOR) for encoded in fat_seeds.images()]


def _boots() -> list[bytes]:
    return [image.read(0) + image.block_count.to_bytes(4, "little") for image in _images()]


def mutate_boot(data: bytes, random: Random) -> bytes:
    """Fields of the type that it is, or the device's size; the signature mostly stays."""
    if random.random() < 0.05:
        return any_bytes(data, random, fat_words())
    raw = bytearray(data.ljust(SECTOR + 4, b"\0"))
    for _ in range(random.choice((1, 1, 2, 3))):
        layout: Layout = BOOT_16 if BOOT_16.get(raw, 0, "fat_size_16") else BOOT_32
        mutate_field(raw, 0, layout, random)
    if random.random() < 0.1:
        size = new_number(int.from_bytes(raw[SECTOR:], "little"), 4, random)
        raw[SECTOR:] = (size & 0xFFFFFFFF).to_bytes(4, "little")
    if random.random() < 0.95:
        raw[510:512] = b"\x55\xaa"
    return bytes(raw)


def _tables() -> list[bytes]:
    found = []
    for image in _images()[1:]:
        plain = plain_of(image)
        first = plain.fat // SECTOR
        raw = b"".join(image.read(first + i) for i in range(min(plain.fat_bytes // SECTOR, 2)))
        found.append(bytes([(12, 16, 32).index(plain.bits)]) + raw)
    return found


def mutate_table(data: bytes, random: Random) -> bytes:
    """Entries, by the type that the first byte says."""
    if random.random() < 0.1:
        return any_bytes(data, random, fat_words())
    raw = bytearray(data.ljust(9, b"\0"))
    bits = (12, 16, 32)[raw[0] % 3]
    mask = (1 << min(bits, 28)) - 1
    near = min(len(raw) * 8 // bits - 1, 24) + 1
    for _ in range(random.choice((1, 2, 4))):
        cluster = random.randrange(near)
        value = random.choice((
            random.randrange(near), cluster + 1, cluster, 0, 1, mask, mask & ~7, mask & ~8,
            new_number(cluster, 2, random) & mask,
        ))  # fmt: skip
        at = 1 + cluster * bits // 8
        if bits == 12 and cluster & 1:
            value = value << 4 | raw[at] & 15
        size = 2 if bits < 32 else 4
        raw[at : at + size] = (value & ((1 << 8 * size) - 1)).to_bytes(size, "little")
    return bytes(raw)


def _directories() -> list[bytes]:
    found = []
    for image in _images():
        plain = plain_of(image)
        found += [
            raw for number, raw in image.blocks.items()
            if number * SECTOR >= plain.root and raw[11] in (0x08, 0x10, 0x20, 0x0F)
        ]  # fmt: skip
    return sorted(set(found))


def mutate_directory(data: bytes, random: Random) -> bytes:
    """Slots as what they are; the checksums of long names mostly made right."""
    if random.random() < 0.1:
        return any_bytes(data, random, fat_words())
    raw = bytearray(data.ljust(SECTOR, b"\0"))
    for _ in range(random.choice((1, 1, 2, 4))):
        at = random.randrange(0, len(raw) - _SLOT + 1, _SLOT)
        kind = random.random()
        if kind < 0.15:
            raw[at] = random.choice((0x00, 0xE5, 0x05, 0x2E, 0x41, 0x42, 1))
        elif kind < 0.35:
            other = random.randrange(0, len(raw) - _SLOT + 1, _SLOT)
            raw[other : other + _SLOT] = raw[at : at + _SLOT]
        else:
            mutate_field(raw, at, LONG if raw[at + 11] & 0x3F == 0x0F else ENTRY, random)
    if random.random() < 0.8:
        seal_names(raw)
    return bytes(raw)


def _long_names() -> list[bytes]:
    texts = ("a long name", "x" * 255, "\u00e9\U0001f600 name.txt", "\ud800", "exactly 13 un")
    short = b"ALIAS~1 TXT"
    return [short + encode_long_name(text, short_name_checksum(short)) for text in texts]


def mutate_long_name(data: bytes, random: Random) -> bytes:
    """Fields of slots, and of the short name; the checksum mostly made right."""
    raw = bytearray(data.ljust(43, b"\0"))
    slots = range(11, len(raw) - 31, _SLOT)
    if random.random() < 0.15:
        return any_bytes(data, random)
    for _ in range(random.choice((1, 1, 2))):
        mutate_field(raw, random.choice(slots), LONG, random)
    if random.random() < 0.2:
        raw[random.randrange(11)] = random.randrange(256)
    if random.random() < 0.8:
        checksum = short_name_checksum(bytes(raw[:11]))
        for at in slots:
            raw[at + 13] = checksum
    return bytes(raw)


def _partitioned() -> list[bytes]:
    """A table with an extended partition, and a GPT."""
    mbr = SparseImage(SECTOR, 4096)
    raw = bytearray(SECTOR)
    raw[510:] = b"\x55\xaa"
    for index, (kind, first, count) in enumerate(((0x0C, 64, 512), (0x05, 1024, 2048))):
        _put(raw, 446 + 16 * index, kind, first, count)
    mbr.blocks[0] = bytes(raw)
    for sector, following in ((1024, 256), (1280, 0)):
        link = bytearray(SECTOR)
        link[510:] = b"\x55\xaa"
        _put(link, 446, 0x83, 16, 200)
        if following:
            _put(link, 462, 0x05, following, 256)
        mbr.blocks[sector] = bytes(link)
    gpt = SparseImage(SECTOR, 4096)
    entries = bytearray(128 * 128)
    entries[:56] = (
        bytes(range(16))
        + bytes(16)
        + (64).to_bytes(8, "little")
        + (999).to_bytes(8, "little")
        + bytes(8)
    )
    entries[56:64] = "name".encode("utf-16-le")
    header = bytearray(SECTOR)
    header[:8], header[8:16] = b"EFI PART", bytes([0, 0, 1, 0, 92, 0, 0, 0])
    for at, value in ((24, 1), (32, 4095), (40, 34), (48, 4062), (72, 2)):
        header[at : at + 8] = value.to_bytes(8, "little")
    header[80:88] = (128).to_bytes(4, "little") * 2
    protective = bytearray(SECTOR)
    protective[510:] = b"\x55\xaa"
    _put(protective, 446, 0xEE, 1, 4095)
    gpt.blocks = {0: bytes(protective), 1: bytes(header)}
    for i in range(32):
        gpt.blocks[2 + i] = bytes(entries[i * SECTOR : (i + 1) * SECTOR])
    seal_gpt(gpt, 1)
    return [mbr.encode(), gpt.encode()]


def _put(raw: bytearray, at: int, kind: int, first: int, count: int) -> None:
    raw[at + 4] = kind
    raw[at + 8 : at + 16] = first.to_bytes(4, "little") + count.to_bytes(4, "little")


def seal_gpt(image: SparseImage, number: int) -> None:
    """Make both checksums of a GPT header right."""
    raw = bytearray(image.read(number))
    get = _GPT_HEADER.get
    first, size = get(raw, 0, "table"), get(raw, 0, "count") * get(raw, 0, "entry_size")
    if size <= 1 << 16:
        entries = b"".join(image.read(first + i) for i in range(-(-size // SECTOR)))[:size]
        _GPT_HEADER.put(raw, 0, "entries_crc32", crc32(entries))
    length = min(max(get(raw, 0, "size"), 20), SECTOR)
    _GPT_HEADER.put(raw, 0, "crc32", crc32(raw[:16] + bytes(4) + raw[20:length]))
    image.blocks[number] = bytes(raw)


def mutate_partitions(data: bytes, random: Random) -> bytes:
    """Entries of an MBR and its links, or header and entries of a GPT."""
    image = SparseImage.parse(data, SECTOR)
    if not image.blocks or random.random() < 0.05:
        return any_bytes(data, random)
    number = random.choice(sorted(image.blocks)[:6])
    raw = bytearray(image.read(number))
    if raw[:8] == b"EFI PART":
        mutate_field(raw, 0, _GPT_HEADER, random)
    elif raw[510:] == b"\x55\xaa":
        mutate_field(raw, 446 + 16 * random.randrange(4), _MBR_ENTRY, random)
    else:
        mutate_field(raw, 128 * random.randrange(4), _GPT_ENTRY, random)
    image.blocks[number] = bytes(raw)
    if image.read(1)[:8] == b"EFI PART" and random.random() < 0.9:
        seal_gpt(image, 1)
    return image.encode()


def _register(name: str, description: str, *parts: object, modules: tuple[str, ...]) -> None:
    run, seeds, mutate, cross = parts
    register(
        Harness(
            name, description, run, seeds, mutate, cross, _DAMAGE, modules,  # type: ignore[arg-type]
            SECTOR if "image" in description else 0, words=fat_words,
        )
    )  # fmt: skip


_register(
    "fat-bpb", "the boot sector", fat_structures.boot_sector, _boots, mutate_boot, splice,
    modules=("watosfs.fat.format",),
)  # fmt: skip
_register(
    "fat-fsinfo", "FSInfo", fat_structures.fsinfo,
    lambda: [image.read(1) for image in _images() if image.read(1)[:4] == b"RRaA"],
    of_structure(FSINFO, None, fat_words()), of_structure_cross(FSINFO, None),
    modules=("watosfs.fat.fsinfo",),
)  # fmt: skip
_register(
    "fat-table", "the table, chain by chain", fat_structures.table, _tables, mutate_table, splice,
    modules=("watosfs.fat.table", "watosfs.fat.pages"),
)  # fmt: skip
_register(
    "fat-directory", "the slots of a directory", fat_structures.directory, _directories,
    mutate_directory, splice,
    modules=("watosfs.fat.directory", "watosfs.fat.checker.slots", "watosfs.fat.times"),
)  # fmt: skip
_register(
    "fat-long-name", "a long name", fat_structures.long_name, _long_names, mutate_long_name, splice,
    modules=("watosfs.fat.names",),
)  # fmt: skip
_register(
    "partitions", "an image with MBR or GPT", fat_structures.partition_table, _partitioned,
    mutate_partitions, splice, modules=("watosfs.block.partitions",),
)  # fmt: skip
register(
    Harness(
        "fat-image",
        "a whole image: mount, walk, read, the plain reader, check, repair, write",
        fat_image.run,
        lambda: list(fat_seeds.images()),
        fat_image.mutate,
        fat_image.cross,
        fat_image.ERRNOS,
        fat_image.MODULES,
        SECTOR,
        words=fat_words,
    )
)
