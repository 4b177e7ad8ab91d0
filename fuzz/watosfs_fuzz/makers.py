"""Making one operation of each kind: the vocabulary that both drivers speak.

The campaign's generator and the Hypothesis machine call the same functions with different sources
of randomness, so what one can reach the other can.
"""

from collections.abc import Callable
from typing import TypeAlias

from watosfs_fuzz import parameters as p
from watosfs_fuzz import snapshot_draws
from watosfs_fuzz.arguments import Arguments
from watosfs_fuzz.plan import Plan
from watosfs_fuzz.sketch import FileSketch
from watosfs_model import operations as ops
from watosfs_model.open_flags import O_CREAT
from watosfs_model.operations import Operation

Maker: TypeAlias = Callable[[Plan, Arguments], Operation]


def mkdir(plan: Plan, a: Arguments) -> Operation:
    path = a.new_path()
    if path.count(b"/") > p.DEPTH_MAX:
        path = b"/" + a.name()
    return ops.Mkdir(path, a.pick(p.MODES) if a.random() >= 0.7 else 0o755)


def open_file(plan: Plan, a: Arguments) -> Operation:
    if len(a.sketch.descriptors) >= p.DESCRIPTORS_OPEN_MAX:
        return close(plan, a)
    flags = a.pick(p.FLAGS_COMMON if a.random() < 0.85 else p.FLAGS_RARE)
    if flags & O_CREAT and a.random() < 0.6:
        path = a.new_path()
    else:
        path = a.file() if a.random() < 0.9 else a.any_path()
    return ops.Open(path, flags, a.pick(p.MODES) if a.random() >= 0.7 else 0o644)


def close(plan: Plan, a: Arguments) -> Operation:
    return ops.Close(a.fd())


def pread(plan: Plan, a: Arguments) -> Operation:
    fd = a.file_fd(writing=False)
    size = a.size_of(fd)
    count = a.pick(p.LENGTHS_WRITTEN) if a.random() >= 0.3 else min(size, 2 * p.CHUNK)
    if a.is_error():
        count = -1
    return ops.Pread(fd, count, a.offset(size))


def pwrite(plan: Plan, a: Arguments) -> Operation:
    if not a.sketch.descriptors and a.random() < 0.9:
        return open_file(plan, a)
    fd = a.file_fd(writing=True)
    is_large = plan.style == "full" and a.random() >= 0.6
    length = a.pick(p.SIZES_CHUNK) if is_large else a.length()
    return ops.Pwrite(fd, a.data(length), a.offset(a.size_of(fd)))


def ftruncate(plan: Plan, a: Arguments) -> Operation:
    fd = a.file_fd(writing=True)
    return ops.Ftruncate(fd, a.offset(a.size_of(fd)))


def truncate(plan: Plan, a: Arguments) -> Operation:
    path = a.file()
    node = a.sketch.nodes.get(path)
    return ops.Truncate(path, a.offset(node.size if isinstance(node, FileSketch) else 0))


def unlink(plan: Plan, a: Arguments) -> Operation:
    return ops.Unlink(a.any_path() if a.random() >= 0.85 else a.file())


def rmdir(plan: Plan, a: Arguments) -> Operation:
    return ops.Rmdir(a.any_path() if a.random() >= 0.9 else a.existing(a.sketch.directories[1:]))


def rename(plan: Plan, a: Arguments) -> Operation:
    old = a.any_path()
    draw = a.random()
    if draw < 0.5:
        return ops.Rename(old, a.new_path())
    return ops.Rename(old, a.fresh_path() if draw < 0.7 else a.any_path())


def link(plan: Plan, a: Arguments) -> Operation:
    old = a.file() if a.random() < 0.9 else a.any_path()
    return ops.Link(old, a.new_path())


def symlink(plan: Plan, a: Arguments) -> Operation:
    return ops.Symlink(a.target(), a.new_path())


def readlink(plan: Plan, a: Arguments) -> Operation:
    return ops.Readlink(a.existing(a.sketch.symlinks or a.sketch.files))


def readdir(plan: Plan, a: Arguments) -> Operation:
    return ops.Readdir(a.existing(a.sketch.directories))


def stat(plan: Plan, a: Arguments) -> Operation:
    return ops.Stat(a.any_path())


def lstat(plan: Plan, a: Arguments) -> Operation:
    return ops.Lstat(a.any_path())


def fstat(plan: Plan, a: Arguments) -> Operation:
    return ops.Fstat(a.fd())


def chmod(plan: Plan, a: Arguments) -> Operation:
    return ops.Chmod(a.any_path(), a.pick(p.MODES))


def compress(plan: Plan, a: Arguments) -> Operation:
    levels = p.COMPRESSION_LEVELS_WRONG if a.is_error() else p.COMPRESSION_LEVELS
    return ops.Compress(b"/" if a.random() < p.COMPRESSED_ROOTS else a.any_path(), a.pick(levels))


def chown(plan: Plan, a: Arguments) -> Operation:
    return ops.Chown(a.any_path(), a.pick(p.OWNERS), a.pick(p.OWNERS))


def utimens(plan: Plan, a: Arguments) -> Operation:
    times = p.TIMES_NS_WRONG if a.is_error() else p.TIMES_NS
    return ops.Utimens(a.any_path(), a.pick(times), a.pick(p.TIMES_NS))


def setxattr(plan: Plan, a: Arguments) -> Operation:
    return ops.Setxattr(a.any_path(), a.key(), a.data(a.value_length()), a.xattr_flags())


def getxattr(plan: Plan, a: Arguments) -> Operation:
    return ops.Getxattr(a.any_path(), a.key())


def listxattr(plan: Plan, a: Arguments) -> Operation:
    return ops.Listxattr(a.any_path())


def removexattr(plan: Plan, a: Arguments) -> Operation:
    return ops.Removexattr(a.any_path(), a.key())


def fsync(plan: Plan, a: Arguments) -> Operation:
    return ops.Fsync(a.fd())


def fdatasync(plan: Plan, a: Arguments) -> Operation:
    return ops.Fdatasync(a.fd())


def begin(plan: Plan, a: Arguments) -> Operation:
    if a.sketch.in_transaction and a.random() < 0.8:
        return ops.Commit()
    return ops.Begin()


def commit(plan: Plan, a: Arguments) -> Operation:
    return _end(a, ops.Commit())


def abort(plan: Plan, a: Arguments) -> Operation:
    return _end(a, ops.Abort())


def _end(a: Arguments, operation: Operation) -> Operation:
    if not a.sketch.in_transaction and a.random() < 0.9:
        return ops.Begin()
    return operation


MAKERS: dict[str, Maker] = {
    "mkdir": mkdir, "rmdir": rmdir, "open": open_file, "close": close, "pread": pread,
    "pwrite": pwrite, "truncate": truncate, "ftruncate": ftruncate, "unlink": unlink,
    "rename": rename, "link": link, "symlink": symlink, "readlink": readlink, "readdir": readdir,
    "stat": stat, "lstat": lstat, "fstat": fstat, "chmod": chmod, "chown": chown,
    "compress": compress, "utimens": utimens, "setxattr": setxattr, "getxattr": getxattr,
    "listxattr": listxattr, "removexattr": removexattr, "fsync": fsync, "fdatasync": fdatasync,
    "begin": begin, "commit": commit, "abort": abort, "statfs": lambda _plan, _a: ops.Statfs(),
    "sync": lambda _plan, _a: ops.Sync(), "remount": lambda _plan, _a: ops.Remount(),
    "crash": lambda _plan, _a: ops.Crash(),
}  # fmt: skip
assert MAKERS.keys() == p.WEIGHTS.keys(), "an operation lacks its maker or its weight"
#: Those of snapshots are drawn apart (``snapshot_draws``).
ALL_MAKERS: dict[str, Maker] = {
    **MAKERS,
    "snapshot": lambda _plan, a: snapshot_draws.snapshot(a.rng, a.sketch),
    "dropsnapshot": lambda _plan, a: snapshot_draws.dropsnapshot(a.rng, a.sketch),
    "rollback": lambda _plan, a: snapshot_draws.rollback(a.rng, a.sketch),
}
