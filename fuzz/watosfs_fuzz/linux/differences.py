"""Calls on which the model is not compared with Linux, each with the clause that says why.

The clauses are those of ``docs/SEMANTICS.md``, "Where we differ from Linux, and why".
"""

from watosfs_fuzz.linux.table import PERFORM
from watosfs_model.kernel import Call, Kernel, calls
from watosfs_model.kernel import attribute_calls as x
from watosfs_model.kernel import numbers as n
from watosfs_model.kernel import path_calls as p
from watosfs_model.kernel import process_calls as q
from watosfs_model.open_flags import O_APPEND

#: Larger files and ranges are left out: Linux really writes what is copied or allocated.
RANGE_BYTES_MAX = 1 << 20
#: Beyond it ext4 says EFBIG.
OFFSET_MAX = 1 << 40
#: What ext4 surely has room for in an inode and a block.
ATTRIBUTE_BYTES_MAX = 1024
#: What a pipe that is not empty surely has room for, however its pages are filled.
PIPE_BYTES_SURE = 24576
_SETTABLE = 0o2000 | n.O_NONBLOCK
_KNOWN_OPEN_BITS = 0o2606777 | n.O_CLOEXEC


def reason_to_skip(kernel: Kernel, pid: int, call: Call) -> str | None:
    """The clause that a call falls under, or None for one that must agree."""
    if type(call) not in PERFORM:
        return "W1"
    for judge in (wide_numbers, large_ranges, odd_descriptors, streams, odd_names, attributes):
        clause = judge(kernel, pid, call)
        if clause is not None:
            return clause
    return None


def wide_numbers(kernel: Kernel, pid: int, call: Call) -> str | None:
    """Numbers that a C caller cannot pass, or that libc takes for something else [W2]."""
    for name in ("offset", "offset_in", "offset_out", "size", "length", "count", "start"):
        value = getattr(call, name, 0)
        if abs(value) > OFFSET_MAX:
            return "W2"
        if name in ("count", "size") and value < 0:
            return "W2"
        if name.startswith("offset_") and value < -1:
            return "W2"
    for name in call.__dataclass_fields__:  # type: ignore[attr-defined]
        value = getattr(call, name)
        is_word = "fd" in name or name in ("old", "new", "flags", "mode")
        if is_word and isinstance(value, int) and not -(1 << 31) <= value < 1 << 31:
            return "W2"
        if isinstance(value, bytes) and b"\0" in value:
            return "W2"
    times = (getattr(call, "atime_ns", 0), getattr(call, "mtime_ns", 0))
    return "W2" if min(times) < 0 else None


def large_ranges(kernel: Kernel, pid: int, call: Call) -> str | None:
    """What would take Linux gigabytes, or seconds [W3]."""
    if isinstance(call, calls.Fallocate) and call.offset + call.length > RANGE_BYTES_MAX:
        return "W3"
    if isinstance(call, calls.Read | calls.PreadFd | calls.CopyFileRange | x.Sendfile):
        return "W3" if call.count > RANGE_BYTES_MAX else None
    return None


def description_kind(kernel: Kernel, pid: int, fd: int) -> str:
    """What a descriptor leads to, or ""."""
    found = kernel.processes[pid].descriptors.get(fd)
    return kernel.descriptions[found.description].kind if found else ""


def odd_descriptors(kernel: Kernel, pid: int, call: Call) -> str | None:
    """Directories have no offsets here [W4]; flags that only one side knows [W5]; directories and
    pipes in calls that file systems decide about [W6].
    """
    if isinstance(call, calls.Lseek):
        kind = description_kind(kernel, pid, call.fd)
        if kind == "directory" or call.whence in (n.SEEK_DATA, n.SEEK_HOLE):
            return "W4"
    if isinstance(call, calls.Read) and description_kind(kernel, pid, call.fd) == "directory":
        return "W4"
    if isinstance(call, calls.Fcntl) and call.command == n.F_SETFL and call.argument & ~_SETTABLE:
        return "W5"
    if isinstance(call, calls.Openat) and (call.flags & ~_KNOWN_OPEN_BITS or call.flags & 3 == 3):
        return "W5"
    if isinstance(call, q.LockRange) and not n.F_GETLK <= call.command <= n.F_SETLKW:
        return "W5"
    if isinstance(call, q.Setgroups) and len(call.groups) > n.GROUPS_MAX:
        return "W12"
    if isinstance(call, calls.Fallocate) and call.mode not in (0, n.FALLOC_KEEP_SIZE, 3):
        return "W6"
    return None


def streams(kernel: Kernel, pid: int, call: Call) -> str | None:
    """tmpfs begins a scan again when the entry that it stands at has gone [W13]; pipes are full by
    pages [W14]; a file is not sent into itself [W15].
    """
    if not isinstance(call, calls.Getdents | calls.Write | x.Sendfile):
        return None
    fd = call.fd_out if isinstance(call, x.Sendfile) else call.fd
    found = kernel.processes[pid].descriptors.get(fd)
    if found is None:
        return None
    description = kernel.descriptions[found.description]
    if isinstance(call, calls.Getdents):
        scan = description.scan
        if scan is None or description.is_stale or not scan.given:
            return None
        volume, number = description.file
        names = kernel.disks[volume].volume.inodes[number].entries
        has_changed = set(names) != scan.always or {name for name, _ in scan.ever} != scan.always
        return "W13" if has_changed else None
    if isinstance(call, x.Sendfile):
        if not call.count:
            return "W15"
        source = kernel.processes[pid].descriptors.get(call.fd_in)
        is_same = source and kernel.descriptions[source.description].file == description.file
        if is_same or description.flags & O_APPEND:
            return "W15"
        if description_kind(kernel, pid, call.fd_in) == "directory":
            return "W4"
    pipe = kernel.pipes.get(description.file)
    if pipe is None or not pipe.data:
        return None
    length = call.count if isinstance(call, x.Sendfile) else len(call.data)
    return "W14" if len(pipe.data) + length > PIPE_BYTES_SURE else None


def odd_names(kernel: Kernel, pid: int, call: Call) -> str | None:
    """`..` of a removed directory [W7]; links to other people's files [W8]; drives [W9]."""
    for name in ("path", "old", "new", "target"):
        path = getattr(call, name, b"")
        if isinstance(path, bytes) and path[1:2] == b":":
            return "W9"
    if isinstance(call, p.Linkat) and kernel.processes[pid].uids[1] != 0:
        return "W8"
    is_removed = any(
        inode.kind == "directory" and not inode.nlink
        for disk in kernel.disks
        for inode in disk.volume.inodes.values()
    )
    return "W7" if is_removed and uses_parent(call) else None


def uses_parent(call: Call) -> bool:
    """Whether a path of the call has a `..`, or may lead through a link that has."""
    paths = [getattr(call, name, b"") for name in ("path", "old", "new")]
    return any(isinstance(path, bytes) and path for path in paths) or isinstance(call, q.Getcwd)


def attributes(kernel: Kernel, pid: int, call: Call) -> str | None:
    """Values that ext4 has no room for [W10]; other namespaces than user [W11]; relative to a
    descriptor, which libc cannot do [W1].
    """
    if isinstance(call, x.SetxattrAt | x.Fsetxattr) and len(call.value) > ATTRIBUTE_BYTES_MAX:
        return "W10"
    key = getattr(call, "key", b"user.a")
    if not key.startswith(b"user.") and key:
        return "W11"
    if not isinstance(call, x.SetxattrAt | x.GetxattrAt | x.ListxattrAt | x.RemovexattrAt):
        return None
    if call.dirfd != n.AT_FDCWD and not call.path.startswith(b"/"):
        return "W1"
    return None
