"""Whole images of WFS v3: mount, walk, read everything, check, repair, write, check again.

Checks: only the documented errnos; blocks read stay within a multiple of what the device has;
``check`` says clean only of what can be read to the end; a clean image, changed by us, is clean
again and reads as it should; no node is read that is newer than what points to it; what can be
repaired is clean then, and can be read to its end. Does not check: what a read-write mount makes of
an image that is not clean, but for its errnos and the work it takes; that a repair keeps what it
could (``tests/impl/wfs3/test_repair.py``).
"""

import errno
import stat
from collections.abc import Iterator
from itertools import count
from typing import Final

from watosfs.wfs3.check import check
from watosfs.wfs3.checker.report import Report
from watosfs.wfs3.directory import entries
from watosfs.wfs3.records import Inode
from watosfs.wfs3.repair import repair
from watosfs.wfs3.volume import Volume
from watosfs_fuzz.parsers.budget import CountingDevice
from watosfs_fuzz.parsers.harness import Wrong, verdict_of
from watosfs_fuzz.parsers.images import SparseImage
from watosfs_fuzz.parsers.wfs3_mutators import cross, mutate

__all__ = ["ERRNOS", "MODULES", "cross", "mutate", "run"]

_UNIT: Final = 4096
#: What mounting, reading or changing a volume may say.
ERRNOS: Final = frozenset({
    errno.EINVAL, errno.EUCLEAN, errno.ENOTSUP, errno.ENOSPC, errno.EIO, errno.EROFS, errno.ENOENT,
    errno.ENOTDIR, errno.EISDIR, errno.EEXIST, errno.ENOTEMPTY, errno.EMLINK, errno.ENAMETOOLONG,
    errno.EFBIG, errno.ENODATA, errno.ELOOP, errno.ENXIO,
})  # fmt: skip
#: What reading a mounted volume by its own inode numbers may say.
_READING: Final = frozenset({errno.EUCLEAN})
MODULES: Final = (
    "watosfs.wfs3.mounting", "watosfs.wfs3.store", "watosfs.wfs3.filereading",
    "watosfs.wfs3.directory", "watosfs.wfs3.inodes", "watosfs.wfs3.check",
    "watosfs.wfs3.checker.attributes", "watosfs.wfs3.checker.contents",
    "watosfs.wfs3.checker.data", "watosfs.wfs3.checker.names", "watosfs.wfs3.checker.space",
    "watosfs.wfs3.checker.trees", "watosfs.wfs3.repair", "watosfs.wfs3.repairer.contents",
    "watosfs.wfs3.repairer.names", "watosfs.wfs3.repairer.rebuild",
    "watosfs.wfs3.repairer.salvage", "watosfs.wfs3.checker.population",
    "watosfs.wfs3.checker.snapshots", "watosfs.wfs3.snapshots", "watosfs.wfs3.snapshot_records",
    "watosfs.wfs3.born", "watosfs.wfs3.rollback",
)  # fmt: skip
#: No superblock, a foreign volume, no room for the new trees.
_UNREPAIRED: Final = frozenset({errno.EUCLEAN, errno.ENOTSUP, errno.ENOSPC})
_INODES_MAX: Final = 200
_READ_BYTES_MAX: Final = 1 << 20
_NEW: Final = b"/written by the fuzzer"
_NEW_DATA: Final = b"and read again " * 400
#: (kind, size, contents as far as they were read, target, attributes) by path.
Tree = dict[bytes, tuple[int, int, bytes, tuple[tuple[bytes, bytes], ...]]]


def run(data: bytes) -> str:
    """An image as an input (see ``images``); what became of it in words."""
    device = CountingDevice(SparseImage.parse(data, _UNIT))
    size = device.block_count
    tree, damage = read_all(device)
    seen = frozenset(device.blocks_read)
    device.allow("check", 2 * size + 4)
    report = check(device, data=True)
    if report.is_clean and damage:
        raise Wrong("check says clean of what cannot be read", damage)
    if tree is not None and not damage:
        _newer(report, seen)
    fields = sorted({f"{problem.structure}.{problem.field}" for problem in report.problems})
    verdict = f"{damage}|{' '.join(fields)[:300]}"
    if not report.is_clean:
        verdict = f"{verdict}|{_repair(CountingDevice(SparseImage.parse(data, _UNIT)))}"
    if tree is None:
        return verdict
    return f"{verdict}|{_change(device, report, tree)}"


def _repair(device: CountingDevice) -> str:
    """What a repair makes of an image that is not clean."""
    size = device.block_count
    device.allow("repair", 16 * size + 64, 4 * size + 64)
    try:
        done = repair(device, clock=lambda: 1)
    except OSError as error:
        if error.errno not in _UNREPAIRED:
            raise
        return "repair " + verdict_of(error)
    if not done.after.is_clean:
        raise Wrong("not clean after a repair", str(done.after.problems[0]))
    found, damage = read_all(device)
    if found is None or damage:
        raise Wrong("it cannot be read after a repair", damage)
    return f"repaired with {len(done.losses)} losses"


def _newer(report: Report, seen: frozenset[int]) -> None:
    """A node that is newer than what points to it must not be read, when nothing else is wrong."""
    problems = report.problems
    # Of a record in a leaf, an extent's, the reader makes nothing: FORMAT says so of nodes alone.
    if all(p.field == "generation" and p.structure.endswith(" tree") for p in problems):
        for problem in problems:
            if problem.block in seen:
                raise Wrong("a node newer than what points to it is read", str(problem))


def read_all(device: CountingDevice) -> tuple[Tree | None, str]:
    """(the tree, or None when it does not mount; the first damage that reading met)."""
    size = device.block_count
    device.allow("mount", size + 4)
    try:
        volume = Volume.mount(device, read_only=True, clock=lambda: 1)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.EUCLEAN, errno.ENOTSUP):
            raise
        return None, "mount " + verdict_of(error)
    if not volume.statfs().total <= size:
        raise Wrong("a volume larger than its device is mounted", str(volume.statfs()))
    device.allow("reading", 8 * size + _READ_BYTES_MAX // _UNIT)
    found: Tree = {}
    damages: list[str] = []
    for path, inode in _inodes(volume, damages):
        try:
            found[path] = _entry(volume, inode)
        except OSError as error:
            if error.errno not in _READING:
                raise
            damages.append(verdict_of(error))
    device.allow("unmount", 0)
    volume.unmount()
    return found, damages[0] if damages else ""


def _inodes(volume: Volume, damages: list[str]) -> Iterator[tuple[bytes, Inode]]:
    """Every inode once, by the first path that leads to it; what cannot be read is left out."""
    waiting, seen = [(b"/", 1)], {1}
    while waiting:
        path, number = waiting.pop()
        try:
            inode = volume.engine.inode(number)
            yield path, inode
            if not inode.is_directory:
                continue
            for index, entry in enumerate(entries(volume.engine.tree(inode))):
                if index >= _INODES_MAX:
                    break
                if entry.inode_number not in seen and len(seen) < _INODES_MAX:
                    seen.add(entry.inode_number)
                    waiting.append((path.rstrip(b"/") + b"/" + entry.name, entry.inode_number))
        except OSError as error:
            if error.errno not in _READING:
                raise
            damages.append(verdict_of(error))


def _entry(volume: Volume, inode: Inode) -> tuple[int, int, bytes, tuple[tuple[bytes, bytes], ...]]:
    kind = stat.S_IFMT(inode.mode)
    attributes = tuple(sorted(volume.attributes.of(inode).items()))
    if inode.is_symlink:
        return kind, inode.size, volume.namespace.target_of(inode.number), attributes
    if not inode.is_file:
        return kind, inode.size, b"", attributes
    return kind, inode.size, b"".join(_data(volume, inode)), attributes


def _data(volume: Volume, inode: Inode) -> Iterator[bytes]:
    """What is stored of a file, run by run; a file of holes has nothing, however large."""
    reader, at, left = volume.engine.data, 0, _READ_BYTES_MAX
    while left > 0:
        start = reader.seek(inode, at, data=True)
        if start is None or start >= inode.size:
            return
        end = reader.seek(inode, start, data=False)
        if end is None or end <= start:
            raise Wrong("data without an end", f"at {start} of inode {inode.number}")
        piece = reader.read(inode, start, min(end - start, left))
        if len(piece) != min(end - start, left, inode.size - start):
            raise Wrong("a read of another length", f"{len(piece)} at {start}")
        yield piece
        left -= len(piece)
        at = end


def _change(device: CountingDevice, report: Report, tree: Tree) -> str:
    """Mount for writing, change, unmount; what was clean must be clean and have the change."""
    size = device.block_count
    device.allow("writing", 16 * size + 64, 16 * size + 64)
    ticks = count(1_000_000_000, 1_000_000_000)
    try:
        volume = Volume.mount(device, clock=lambda: next(ticks), cache_blocks=256)
        is_writable = volume.engine.read_only_reason is None
        if is_writable:
            _write(volume, tree)
        volume.unmount()
    except OSError as error:
        if report.is_clean and error.errno not in (errno.ENOSPC, errno.EEXIST):
            raise Wrong("a clean volume cannot be changed", str(error)) from error
        if error.errno not in ERRNOS:
            raise
        return verdict_of(error)
    if not report.is_clean or not is_writable:
        return "changed" if is_writable else "read-only"
    device.allow("second check", 2 * size + 4)
    again = check(device, data=True)
    if not again.is_clean:
        raise Wrong("a clean volume is damaged by a change", str(again.problems[0]))
    found, damage = read_all(device)
    if found is None or damage:
        raise Wrong("a clean volume cannot be read after a change", damage)
    if len(tree) < _INODES_MAX and found.get(_NEW, (0, 0, b""))[2] != _NEW_DATA:
        raise Wrong("what was written is not there")
    return "changed and clean"


def _write(volume: Volume, tree: Tree) -> None:
    """A little of everything, on names that are there."""
    with volume.create(_NEW) as handle:
        handle.pwrite(_NEW_DATA, 0)
    try:
        volume.setxattr(_NEW, b"user.new", b"value")
    except OSError as error:
        if error.errno != errno.EOPNOTSUPP:  # a volume that was made without attributes
            raise
    for path, (kind, size, *_) in list(tree.items())[:12]:
        if kind == stat.S_IFREG:
            with volume.open(path, 2) as handle:
                handle.pwrite(b"changed", min(size // 2, 1 << 40))
                handle.truncate(min(size, 1 << 40) // 2)
        elif kind == stat.S_IFLNK:
            volume.unlink(path)
    volume.sync()
    files = [path for path, entry in tree.items() if entry[0] == stat.S_IFREG][:4]
    for path in files[1:]:
        volume.unlink(path)
    if files:
        volume.rename(files[0], b"/renamed")
    volume.mkdir(b"/new directory")
    _change_snapshots(volume)


def _change_snapshots(volume: Volume) -> None:
    """Look into some, delete one, make one and go back to it."""
    names = volume.snapshots()
    for name in names[:2]:
        with volume.snapshot_open(name) as view:
            view.readdir(b"/")
        volume.snapshot_use(name)
    if names:
        volume.snapshot_delete(names[0])
    try:
        volume.snapshot_create(_NEW[1:])
    except OSError as error:
        if error.errno != errno.EOVERFLOW:  # from generation 2**32 - 1 on
            raise
        return
    volume.mkdir(b"/later")
    volume.snapshot_rollback(_NEW[1:])
