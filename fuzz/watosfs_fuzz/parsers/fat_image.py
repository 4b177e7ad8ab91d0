"""Whole images of FAT: mount, walk, read, hold against the plain reader, check, repair, write.

Checks: only the documented errnos; blocks read stay within a multiple of what the device has; the
same names, sizes and bytes as ``fat_plain`` reads, and damage in the same places; ``check`` says
clean only of what can be read to the end; after a repair ``check`` is clean and all can be read; a
clean volume, changed by us, is clean again, the reserved bits of its table as before. Does not
check: times, attributes and labels; which of two owners a repair gives a cluster to.
"""

import errno
from collections.abc import Callable
from itertools import count
from typing import Final

from watosfs.fat import filedata
from watosfs.fat.check import check
from watosfs.fat.checker.report import Report
from watosfs.fat.node import Node
from watosfs.fat.volume import FatVolume
from watosfs_fuzz.parsers.budget import CountingDevice
from watosfs_fuzz.parsers.fat_mutators import cross, mutate
from watosfs_fuzz.parsers.fat_plain import Damaged, PlainFat, Slot
from watosfs_fuzz.parsers.harness import Wrong, verdict_of
from watosfs_fuzz.parsers.images import SparseImage

__all__ = ["ERRNOS", "MODULES", "cross", "mutate", "run"]

SECTOR: Final = 512
_CLUSTERS_MAX: Final = 1 << 15
ERRNOS: Final = frozenset({errno.EINVAL, errno.EUCLEAN})
#: What a change of a volume that is not clean may say besides.
_CHANGING: Final = ERRNOS | {
    errno.ENOSPC, errno.EIO, errno.EEXIST, errno.ENOENT, errno.EISDIR, errno.ENOTDIR, errno.EACCES,
    errno.ENOTEMPTY, errno.EFBIG, errno.ENAMETOOLONG, errno.EBUSY,
}  # fmt: skip
MODULES: Final = (
    "watosfs.block.byte_access", "watosfs.fat.table", "watosfs.fat.pages", "watosfs.fat.directory",
    "watosfs.fat.names", "watosfs.fat.aliases", "watosfs.fat.entries", "watosfs.fat.check",
    "watosfs.fat.checker.image", "watosfs.fat.checker.tree", "watosfs.fat.checker.slots",
    "watosfs.fat.checker.dots", "watosfs.fat.checker.lost", "watosfs.fat.checker.legal",
)  # fmt: skip
_NAMES_MAX: Final = 200
_SHOWN_BYTES: Final = 1 << 16
_NEW: Final = b"/written by the fuzzer.bin"
_NEW_DATA: Final = b"and read again " * 100
#: (is a directory, size, bytes; None where it is damaged) by path.
Tree = dict[str, tuple[bool, int, bytes | None]]


def run(data: bytes) -> str:
    """An image as an input; what became of it in words."""
    image = SparseImage.parse(data, SECTOR)
    device = CountingDevice(image)
    tree, damage = read_all(device)
    if tree is not None:
        compare(tree, plain_tree(PlainFat(device.read_all())))
    report = _check(device, "check", repair=False)
    if report is None:
        if tree is not None:
            raise Wrong("check refuses what can be mounted", damage)
        return damage
    if report.is_clean and damage:
        raise Wrong("check says clean of what cannot be read", damage)
    verdict = f"{damage}|{' '.join(sorted(report.kinds))}"
    if report.clusters_total > _CLUSTERS_MAX:
        return verdict + "|large"
    if report.is_clean and tree is not None:
        return f"{verdict}|{_change(device, is_clean=True)}"
    broken = CountingDevice(image)
    changed = _change(broken, is_clean=False) if tree is not None else ""
    _repair(device)
    return f"{verdict}|{changed}|{_change(device, is_clean=True)}"


def read_all(device: CountingDevice) -> tuple[Tree | None, str]:
    """(the tree, or None when it does not mount; the first damage that reading met)."""
    size = device.block_count
    device.allow("mount", size + 64)
    try:
        volume = FatVolume.mount(device, read_only=True, clock=lambda: 1)
    except OSError as error:
        if error.errno not in ERRNOS:
            raise
        return None, "mount " + verdict_of(error)
    device.allow("reading", 16 * size + _NAMES_MAX * (4 * _SHOWN_BYTES // SECTOR))
    tree: Tree = {}
    damages: list[str] = []

    def attempt(path: str, node: Node, act: Callable[[], bytes | None]) -> None:
        try:
            tree[path] = (node.is_directory, node.size, act())
        except OSError as error:
            if error.errno != errno.EUCLEAN:
                raise
            tree[path] = (node.is_directory, node.size, None)
            damages.append(verdict_of(error))

    waiting = [("", volume.engine.root)]
    while waiting:
        path, node = waiting.pop(0)
        if not node.is_directory:
            attempt(path, node, lambda node=node: _contents(volume, node))  # type: ignore[misc]
            continue
        attempt(path, node, lambda node=node: _listed(volume, node))  # type: ignore[misc]
        if tree[path][2] is not None:
            for child in volume.engine.directory(node).nodes():
                if len(tree) + len(waiting) < _NAMES_MAX:
                    waiting.append((f"{path}/{child.name}", child))
    free = volume.statfs().free
    if not 0 <= free <= volume.statfs().total:
        raise Wrong("more clusters are free than there are", str(volume.statfs()))
    volume.unmount()
    return tree, damages[0] if damages else ""


def _listed(volume: FatVolume, node: Node) -> bytes:
    volume.engine.directory(node)
    return b""


def _contents(volume: FatVolume, node: Node) -> bytes:
    if node.size:
        filedata.read(volume.engine, node, node.size - 1, 1)
    return filedata.read(volume.engine, node, 0, min(node.size, _SHOWN_BYTES))


def plain_tree(plain: PlainFat) -> Tree:
    """The same by the plain reader, names in the same order."""
    tree: Tree = {}
    begun = set[int]()
    waiting = [("", True, plain.root_cluster, 0)]
    slots: dict[str, Slot] = {}
    while waiting:
        path, is_directory, first, size = waiting.pop(0)
        try:
            if not is_directory:
                tree[path] = (False, size, plain.contents(slots[path]))
                continue
            if path and (not first or first in begun):
                raise Damaged("a directory begins where another does")
            found = plain.directory(first)
            if first:
                begun.add(first)
            tree[path] = (True, size, b"")
        except Damaged:
            tree[path] = (is_directory, size, None)
            continue
        for slot in found:
            if len(tree) + len(waiting) < _NAMES_MAX:
                child = f"{path}/{slot.name}"
                slots[child] = slot
                waiting.append((child, slot.is_directory, slot.first, slot.size))
    return tree


def compare(ours: Tree, plain: Tree) -> None:
    """Raise Wrong at the first difference."""
    for path in sorted(ours.keys() | plain.keys()):
        one, two = ours.get(path), plain.get(path)
        if one != two:
            text = f"{path!r}: {_shown(one)}, plainly {_shown(two)}"
            kinds = [
                "nothing" if entry is None else "damage" if entry[2] is None else "a name"
                for entry in (one, two)
            ]
            raise Wrong(f"{kinds[0]} where the plain reader has {kinds[1]}", text)


def _shown(entry: tuple[bool, int, bytes | None] | None) -> str:
    if entry is None:
        return "not there"
    kind = "directory" if entry[0] else "file"
    what = "damaged" if entry[2] is None else f"{len(entry[2])} bytes {entry[2][:8]!r}"
    return f"{kind} of size {entry[1]}, {what}"


def _check(device: CountingDevice, phase: str, *, repair: bool) -> Report | None:
    """A report, or None when there is no boot sector to go by."""
    size = device.block_count
    device.allow(phase, 16 * size + 64, (8 * size + 64) if repair else 0)
    try:
        return check(device, repair=repair)
    except OSError as error:
        if error.errno not in ERRNOS:
            raise
        return None


def _repair(device: CountingDevice) -> None:
    """Afterwards it is clean, and all can be read."""
    before = _check(device, "repair", repair=True)
    after = _check(device, "check after repair", repair=False)
    if before is None or after is None:
        raise Wrong("check sees no volume any more")
    if not after.is_clean:
        raise Wrong("not clean after a repair", str(after.problems[0]))
    tree, damage = read_all(device)
    if tree is None or damage:
        raise Wrong("it cannot be read after a repair", damage)


def _change(device: CountingDevice, *, is_clean: bool) -> str:
    """Mount for writing, change, unmount; what was clean must be clean again."""
    size = device.block_count
    device.allow("writing", 32 * size + 4096, 32 * size + 4096)
    ticks = count(1_600_000_000_000_000_000, 2_000_000_000)
    reserved = reserved_bits(device) if is_clean else b""
    verdict = "changed"
    try:
        with FatVolume.mount(device, clock=lambda: next(ticks)) as volume:
            _write(volume)
    except OSError as error:
        if error.errno not in _CHANGING:
            raise
        verdict = verdict_of(error)
        if is_clean and error.errno not in (errno.ENOSPC, errno.EEXIST):
            raise Wrong("a clean volume cannot be changed", str(error)) from error
    if is_clean:
        report = _check(device, "check after changes", repair=False)
        if report is None or not report.is_clean:
            first = str(report.problems[0]) if report else "no volume"
            raise Wrong("a clean volume is damaged by a change", first)
        if reserved_bits(device) != reserved:
            raise Wrong("bits of the table that are reserved were changed")
    return verdict


def reserved_bits(device: CountingDevice) -> bytes:
    """The top 4 bits of each entry of FAT32's table, which nobody may change; else nothing."""
    raw = device.read_all()
    plain = PlainFat(raw)
    if plain.bits != 32:
        return b""
    tops = raw[plain.fat + 3 : plain.fat + 4 * plain.end : 4]
    return bytes(byte & 0xF0 for byte in tops)


def _write(volume: FatVolume) -> None:
    """A little of everything, on names that are there."""
    volume.write_file(_NEW, _NEW_DATA)
    if volume.read_file(_NEW) != _NEW_DATA:
        raise Wrong("what was written is not there")
    engine = volume.engine
    files = [node for node in engine.directory(engine.root).nodes() if not node.is_directory]
    for node in files[:4]:
        filedata.write(engine, node, min(node.size // 2, 1 << 20), b"changed")
        filedata.truncate(engine, node, min(node.size, 1 << 20) // 2)
    volume.sync()
    volume.mkdir(b"/new directory")
    volume.rename(_NEW, b"/new directory/moved")
    volume.unlink(b"/new directory/moved")
