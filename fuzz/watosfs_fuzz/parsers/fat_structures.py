"""Harnesses for the structures of FAT: boot sector, FSInfo, table, directory, long names; and for
the partition tables of the image around it.

Checks: what is accepted round-trips; geometry stays within the device; the table and directories
are read as the plain reader reads them, in no more steps than there are clusters.
"""

from itertools import islice
from typing import Final

from watosfs.block.byte_access import ByteAccess
from watosfs.block.partitions import open_partition, partitions
from watosfs.errors import DamageError
from watosfs.fat import names
from watosfs.fat.checker.report import Report
from watosfs.fat.checker.slots import Slots
from watosfs.fat.directory import Directory
from watosfs.fat.entries import decode_entry, encode_entry
from watosfs.fat.format import Geometry, decode_boot_sector, geometry_of
from watosfs.fat.fsinfo import decode_fsinfo, encode_fsinfo
from watosfs.fat.table import FatTable
from watosfs.fat.times import decode_time, encode_time
from watosfs_fuzz.parsers.budget import CountingDevice
from watosfs_fuzz.parsers.fat_plain import Damaged, PlainFat, checksum_of
from watosfs_fuzz.parsers.harness import Wrong, verdict_of
from watosfs_fuzz.parsers.images import SparseImage

SECTOR: Final = 512
_BITS: Final = (12, 16, 32)
_FIRSTS: Final = 16
_DIRECTORY_BYTES_MAX: Final = 1 << 14


def boot_sector(data: bytes) -> str:
    """512 bytes and the size of the device in sectors (4 bytes)."""
    raw = data[:SECTOR]
    size = int.from_bytes(data[SECTOR : SECTOR + 4].ljust(4, b"\0"), "little") * SECTOR
    boot = decode_boot_sector(raw)
    if decode_boot_sector(boot.encode()) != boot:
        raise Wrong("a boot sector does not round-trip")
    found = geometry_of(boot, size)
    end = found.data_start + found.cluster_count * found.cluster_size
    if end > size or found.root_start > found.data_start or found.cluster_count < 1:
        raise Wrong("a volume larger than its device is accepted", f"{end} of {size} bytes")
    if found.cluster_end * found.bits > found.fat_size * 8:
        raise Wrong("a table with fewer entries than clusters is accepted")
    if found.fat_start + found.fat_count * found.fat_size > found.root_start:
        raise Wrong("the tables run into the root directory")
    if found.active_fat >= found.fat_count or found.cluster_size > 65536:
        raise Wrong("a geometry that cannot be is accepted", str(found))
    for start in (found.fsinfo_start, found.backup_start):
        if start is not None and not 0 < start < found.fat_start:
            raise Wrong("a reserved sector outside the reserved area is accepted")
    plain = PlainFat(raw)
    if (plain.bits, plain.end, plain.data) != (found.bits, found.cluster_end, found.data_start):
        raise Wrong("another geometry than by the specification", str(found))
    return f"{found.bits} {found.sector_size} {found.is_mirrored} {found.fsinfo_start is None}"


def fsinfo(data: bytes) -> str:
    """The 512 bytes of FSInfo."""
    found = decode_fsinfo(data[:SECTOR].ljust(SECTOR, b"\0"))
    if found is not None and decode_fsinfo(encode_fsinfo(found)) != found:
        raise Wrong("FSInfo does not round-trip")
    return str(found is None)


def _geometry(bits: int, clusters: int) -> Geometry:
    fat_size = -(-(clusters + 2) * bits // 8 // SECTOR) * SECTOR
    data_start = SECTOR + fat_size + SECTOR
    return Geometry(
        bits, SECTOR, SECTOR, data_start // SECTOR + clusters, SECTOR, fat_size, 1, 0, True,
        SECTOR + fat_size, 16, 2, data_start, clusters, 0xF8, None, None,
    )  # fmt: skip


def _boot_of(geometry: Geometry) -> bytes:
    raw = bytearray(SECTOR)
    raw[11:13], raw[13], raw[14:16], raw[16] = b"\0\2", 1, b"\1\0", 1
    raw[17:19] = b"\x10\0"
    raw[32:36] = geometry.total_sectors.to_bytes(4, "little")
    sectors = geometry.fat_size // SECTOR
    if geometry.bits == 32:
        raw[36:40] = sectors.to_bytes(4, "little")
    else:
        raw[22:24] = sectors.to_bytes(2, "little")
    return bytes(raw)


def table(data: bytes) -> str:
    """A byte for the type, then the table itself: each chain by our reader and by the plain one."""
    bits = _BITS[data[0] % 3] if data else 12
    clusters = min(max(len(data) * 8 // bits - 3, 1), 4000)
    geometry = _geometry(bits, clusters)
    fat = data[1:][: geometry.fat_size].ljust(geometry.fat_size, b"\0")
    raw = _boot_of(geometry) + fat
    image = SparseImage.of_bytes(raw, SECTOR)
    image.block_count = geometry.total_sectors
    device = CountingDevice(image)
    device.allow("the table", 2 * len(raw) // SECTOR)
    found, plain = FatTable(ByteAccess(device), geometry), PlainFat(raw)
    # A small table of every type: the specification would have FAT12 for so few clusters.
    plain.bits, plain.mask = bits, (1 << min(bits, 28)) - 1
    verdicts = set[str]()
    for first in range(1, min(clusters + 3, _FIRSTS)):
        verdicts.add(_chain(found, plain, first))
    for cluster in range(2, min(clusters + 2, _FIRSTS)):
        value = found.get(cluster)
        found.put(cluster, value ^ 1)
        found.put(cluster, value)
    device.allow("writing the table", 64, 2 * len(raw) // SECTOR)
    found.write()
    if b"".join(device.read(1 + i) for i in range(len(fat) // SECTOR)) != fat:
        raise Wrong("a table does not round-trip")
    return f"{bits} " + " ".join(sorted(verdicts))


def _chain(found: FatTable, plain: PlainFat, first: int) -> str:
    clusters: list[int] | None = []
    verdict = "whole"
    try:
        for start, length in islice(found.runs(first), plain.end + 1):
            assert clusters is not None
            clusters += range(start, start + length)
            # A chain that leads back into the middle of a run gives the rest of it once more.
            if len(clusters) > 2 * plain.end:
                raise Wrong("a chain longer than the volume", f"from cluster {first}")
    except DamageError as error:
        clusters, verdict = None, verdict_of(error).rpartition(" a ")[2]
    try:
        wanted: list[int] | None = plain.chain(first)
    except Damaged:
        wanted = None
    if clusters != wanted:
        raise Wrong("another chain than the plain reader's", f"{clusters} not {wanted}")
    return verdict


def directory(data: bytes) -> str:
    """The slots of a directory."""
    size = min(-(-len(data) // SECTOR) or 1, _DIRECTORY_BYTES_MAX // SECTOR) * SECTOR
    raw = data[:size].ljust(size, b"\0")
    geometry = _geometry(16, 5000)
    plain = PlainFat(_boot_of(geometry))
    wanted = [(slot.name, slot.is_directory, slot.first, slot.size) for slot in plain.names(raw)]
    numbers = iter(range(1 << 20))
    found = Directory(geometry, None, None, bytearray(raw), lambda: next(numbers))
    ours = [(node.name, node.is_directory, node.first, node.size) for node in found.nodes()]
    if ours != wanted:
        raise Wrong("other names than the plain reader's", f"{ours} not {wanted}"[:800])
    for node in found.nodes():
        if found.lookup(node.name) is None:
            raise Wrong("a name that is listed is not found", repr(node.name))
        decode_time(*node.modified, 0)
    for at in range(0, size, 32):
        entry = decode_entry(raw, at)
        if encode_entry(*entry) != raw[at : at + 32]:
            raise Wrong("a directory entry does not round-trip")
        time = decode_time(entry.created_date, entry.created_time, entry.created_hundredths)
        if time and decode_time(*encode_time(time)) != time:
            raise Wrong("a time does not round-trip", str(entry))
    return f"{min(len(ours), 5)} " + _mended(raw)


def _mended(raw: bytes) -> str:
    """The checker's view: what it mends needs no mending again."""
    report, mended = Report(), bytearray(raw)
    Slots(mended, "", True, report)
    again = Report()
    Slots(bytearray(mended), "", True, again)
    if again.problems:
        raise Wrong("mended names are not clean", str(again.problems[0]))
    return " ".join(sorted({problem.text[-24:] for problem in report.problems}))


def long_name(data: bytes) -> str:
    """The 11 bytes of a short name, then the slots of a long one."""
    short = data[:11].ljust(11, b" ")
    parts, count = names.LongNameParts(), 0
    for at in range(11, len(data) - 31, 32):
        parts.add(data[at : at + 32], count)
        count += 1
    is_pending = parts.is_pending
    if names.short_name_checksum(short) != checksum_of(short):
        raise Wrong("another checksum than by the specification", repr(short))
    text = parts.take(short)
    if text is None:
        return f"none {is_pending}"
    if names.unit_count(text) > 260:
        raise Wrong("a name of more units than its slots have")
    if text and names.unit_count(text) <= 255:
        again = names.LongNameParts()
        slots = names.encode_long_name(text, names.short_name_checksum(short))
        for at in range(0, len(slots), 32):
            again.add(slots[at : at + 32], at // 32)
        if again.take(short) != text:
            raise Wrong("a long name does not round-trip", repr(text))
        if names.decode_name(names.encode_name(text)) != text:
            raise Wrong("the bytes of a name do not round-trip", repr(text))
    return f"{min(count, 3)} {text.isascii()} {bool(text)}"


def partition_table(data: bytes) -> str:
    """An image with a partition table."""
    device = CountingDevice(SparseImage.parse(data, SECTOR))
    device.allow("partitions", 4 * 128 + 2 * 8192 + 16)
    found = partitions(device)
    for partition in found:
        end = partition.start_bytes + partition.size_bytes
        if partition.size_bytes <= 0 or not partition.start_bytes > 0 or end > _bytes_of(device):
            raise Wrong("a partition outside the device", str(partition))
    if found:
        device.allow("opening one", 4 * 128 + 2 * 8192 + 16)
        open_partition(device, found[0].number)
    return f"{min(len(found), 6)} {len(found[0].kind) if found else 0}"


def _bytes_of(device: CountingDevice) -> int:
    return device.block_count * device.block_size_bytes
