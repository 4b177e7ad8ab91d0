"""Whole images of WFS v2: mount, walk, read everything, check, repair, check again, write.

Checks: only the documented errnos; blocks read and written stay within a multiple of what the
device has; the bytes that ``wfs2_plain`` reads; ``check`` says clean only of what mounts without
damage and can be read to the end; after a repair nothing but damaged file data is left; a volume
that is clean, or was repaired, is as sound after our changes. Does not check: which of two owners
a repair gives a block to; what a change makes of an image that is not clean, but for errnos, work.
"""

import errno
from collections.abc import Iterator
from itertools import count
from typing import Final

from watosfs.wfs2 import filedata
from watosfs.wfs2.check import check
from watosfs.wfs2.checker.report import Report
from watosfs.wfs2.format import encode_superblock
from watosfs.wfs2.node import Node
from watosfs.wfs2.volume import Wfs2Volume
from watosfs_fuzz.parsers import wfs2_plain
from watosfs_fuzz.parsers.budget import CountingDevice
from watosfs_fuzz.parsers.harness import Wrong, verdict_of, words_of
from watosfs_fuzz.parsers.images import SparseImage
from watosfs_fuzz.parsers.wfs2_layouts import BLOCK
from watosfs_fuzz.parsers.wfs2_mutators import cross, mutate

__all__ = ["ERRNOS", "MODULES", "cross", "mutate", "run"]

ERRNOS: Final = frozenset({errno.EINVAL, errno.EUCLEAN})
#: What a change may say besides.
_CHANGING: Final = ERRNOS | {
    errno.EROFS, errno.ENOSPC, errno.EACCES, errno.EEXIST, errno.ENAMETOOLONG, errno.EISDIR,
    errno.ENOTDIR, errno.ENOTEMPTY,
}  # fmt: skip
#: What may stop the change of a sound volume: it is full, or a name is taken or marked.
_REFUSED: Final = frozenset({
    errno.ENOSPC, errno.EACCES, errno.EEXIST, errno.EISDIR, errno.ENOTDIR, errno.ENOTEMPTY,
    errno.ENAMETOOLONG,
})  # fmt: skip
MODULES: Final = (
    "watosfs.wfs2.superblocks", "watosfs.wfs2.table", "watosfs.wfs2.check",
    "watosfs.wfs2.checker.entries", "watosfs.wfs2.space", "watosfs.wfs2.blocks",
)  # fmt: skip
_SHOWN_BYTES: Final = 1 << 20
_OVERLAPPED: Final = "the second superblock lies in the file table"
_NEW: Final = b"/written by the fuzzer"
_NEW_DATA: Final = b"and read again " * 400
#: The bytes of a file (the first MiB), None where they are damaged, by path.
Files = dict[bytes, bytes | None]


def run(data: bytes) -> str:
    """An image as an input; what became of it in words."""
    image = SparseImage.parse(data, BLOCK)
    device = CountingDevice(image)
    files, damage = read_all(device)
    report = _check(device, "check", data=True)
    if report is None:
        if files is not None:
            raise Wrong("check refuses what can be mounted", damage)
        return damage
    if files is None:
        raise Wrong("check takes what cannot be mounted", damage)
    if report.is_clean and damage:
        raise Wrong("check says clean of what cannot be read", damage)
    verdict = f"{damage}|{' '.join(sorted(report.kinds))} {bool(report.notes)}"
    if report.is_clean:
        return f"{verdict}|{_change(device, kinds=frozenset())}"
    changed = _change(CountingDevice(image), kinds=None)
    return f"{verdict}|{changed}|{_repair(device)}"


def read_all(device: CountingDevice) -> tuple[Files | None, str]:
    """(the files, or None when it does not mount; the first damage that was met)."""
    size = device.block_count
    device.allow("mount", size + 8)
    try:
        volume = Wfs2Volume.mount(device, read_only=True, clock=lambda: 1)
    except OSError as error:
        if error.errno not in ERRNOS:
            raise
        return None, "mount " + verdict_of(error)
    if not 0 <= volume.statfs().free <= volume.statfs().total <= size:
        raise Wrong("more blocks than the device has", str(volume.statfs()))
    damages = [words_of(text) for text in volume.engine.damage if text != _OVERLAPPED]
    device.allow("reading", size + 8)
    found: Files = {}
    for path, node in _nodes(volume):
        try:
            found[path] = filedata.read(volume.engine, node, 0, min(node.size, _SHOWN_BYTES))
        except OSError as error:
            if error.errno != errno.EUCLEAN:
                raise
            found[path] = None
            damages.append(verdict_of(error))
    device.allow("unmount", 0)
    volume.unmount()
    _compare(device, volume, found)
    return found, damages[0] if damages else ""


def _nodes(volume: Wfs2Volume) -> Iterator[tuple[bytes, Node]]:
    """Every file by its path, through the directories; each path leads where the walk did."""
    waiting = [(b"", volume.engine.root)]
    while waiting:
        path, node = waiting.pop()
        if not node.is_directory:
            yield path, node
            continue
        for entry in volume.readdir(path or b"/"):
            child = volume.node(path + b"/" + entry.name)
            if child.number != entry.inode_number:
                raise Wrong("a path leads elsewhere than its directory says", repr(path))
            waiting.append((path + b"/" + entry.name, child))


def _compare(device: CountingDevice, volume: Wfs2Volume, found: Files) -> None:
    """Every file as the plain reader has it, and none left out of a volume without damage."""
    device.allow("the plain reader", 1 << 20)
    plain = wfs2_plain.files(encode_superblock(volume.engine.superblock), device.read)
    for path, contents in found.items():
        if path[1:] not in plain:
            raise Wrong("a file that the plain reader has not", repr(path))
        if contents is not None and contents != plain[path[1:]]:
            raise Wrong("other bytes than the plain reader has", repr(path))
    missing = plain.keys() - {path[1:] for path in found}
    if missing and not [text for text in volume.engine.damage if text != _OVERLAPPED]:
        raise Wrong("a file is left out", repr(sorted(missing)[0]))


def _check(
    device: CountingDevice, phase: str, *, data: bool = False, repair: bool = False
) -> Report | None:
    """A report, or None when there is no superblock to go by."""
    size = device.block_count
    device.allow(phase, 8 * size + 64, (size + 64) if repair else 0)
    try:
        return check(device, data=data, repair=repair)
    except OSError as error:
        if error.errno not in ERRNOS:
            raise
        return None


def _repair(device: CountingDevice) -> str:
    """Afterwards only file data is damaged; then it is changed and still as sound."""
    try:
        before = _check(device, "repair", data=True, repair=True)
    except OSError as error:
        if error.errno != errno.EOPNOTSUPP:
            raise
        return "no repair of an overlapped volume"
    after = _check(device, "check after repair", data=True)
    if before is None or after is None:
        raise Wrong("check sees no volume any more")
    if after.kinds - {"data"}:
        raise Wrong("not clean after a repair", str(after.problems[0]))
    files, damage = read_all(device)
    if files is None or (damage and not after.kinds):
        raise Wrong("it cannot be read after a repair", damage)
    return _change(device, kinds=frozenset(after.kinds))


def _change(device: CountingDevice, *, kinds: frozenset[str] | None) -> str:
    """Mount for writing, change, unmount. ``kinds`` are the problems of a sound volume, which are
    all that it may have afterwards; None for any other.
    """
    size = device.block_count
    device.allow("writing", 16 * size + 64, 16 * size + 64)
    ticks = count(2_000_000_000_000_000_000, 1_000_000_000)
    verdict, is_writable = "changed", False
    try:
        with Wfs2Volume.mount(device, clock=lambda: next(ticks)) as volume:
            is_writable = volume.engine.read_only_reason is None
            if is_writable:
                _write(volume, with_data=bool(kinds))
    except OSError as error:
        if error.errno not in _CHANGING:
            raise
        verdict = verdict_of(error)
        if kinds is not None and error.errno not in _REFUSED:
            raise Wrong("a sound volume cannot be changed", str(error)) from error
    if kinds is None:
        return verdict
    if not is_writable:
        return "read-only"
    report = _check(device, "check after changes", data=True)
    if report is None or report.kinds - kinds:
        raise Wrong("a sound volume is damaged by a change", str(report and report.problems[0]))
    files, _ = read_all(device)
    if verdict == "changed" and (files is None or files.get(_NEW) != _NEW_DATA):
        raise Wrong("what was written is not there")
    return verdict


def _write(volume: Wfs2Volume, *, with_data: bool) -> None:
    """A little of everything, on names that are there. With ``with_data`` some data is damaged."""
    volume.write_file(_NEW, _NEW_DATA)
    nodes = [(path, node) for path, node in _nodes(volume) if path != _NEW][:6]
    for path, node in nodes:
        if node.entry.flags & 2:
            continue
        try:
            with volume.open(path, 2) as handle:
                handle.pwrite(b"changed", min(node.size // 2, 1 << 20))
                handle.truncate(min(node.size, 1 << 20) // 2)
        except OSError as error:
            if not with_data or error.errno != errno.EUCLEAN:
                raise
    volume.sync()
    for path, _ in nodes[1:3]:
        volume.unlink(path)
    volume.mkdir(b"/new directory")
    if nodes:
        volume.rename(nodes[0][0], b"/new directory/renamed")
