"""``df --stats``: everything in an image read once through the kernel, and what each call took."""

from contextlib import suppress

from watosfs.cli import output
from watosfs.cli.path_volume import filesystem_of
from watosfs.cli.presentation import columns, human_size
from watosfs.kernel import attributes, data, descriptors, names, opening
from watosfs.kernel.kernel import Kernel
from watosfs.kernel.numbers import AT_FDCWD, AT_SYMLINK_NOFOLLOW, O_DIRECTORY, O_RDONLY
from watosfs.kernel.statistics import Statistics, error_name
from watosfs.wfs3.volume import Volume

_READ_BYTES = 1 << 20
_NAMES_AT_ONCE = 256
_INIT = 1


def read_everything(volume: Volume) -> Statistics:
    """List, stat and read all that a volume holds. What cannot be read is an error in the figures,
    not the end.
    """
    counters = Statistics()
    kernel = Kernel([filesystem_of(volume)], volume.engine.clock, counters)
    waiting = [b"/"]
    while waiting:
        directory = waiting.pop()
        # The kernel has counted what fails here.
        with suppress(OSError):
            for name, kind in listing(kernel, directory):
                path = directory.rstrip(b"/") + b"/" + name
                kernel.call(_INIT, attributes.fstatat, AT_FDCWD, path, AT_SYMLINK_NOFOLLOW)
                if kind == "directory":
                    waiting.append(path)
                elif kind == "symlink":
                    kernel.call(_INIT, names.readlinkat, AT_FDCWD, path)
                elif kind == "file":
                    read_file(kernel, path)
    return counters


def listing(kernel: Kernel, path: bytes) -> list[tuple[bytes, str]]:
    """The names in a directory."""
    flags = O_RDONLY | O_DIRECTORY
    fd = kernel.call(_INIT, opening.openat, AT_FDCWD, path, flags, 0)
    found: list[tuple[bytes, str]] = []
    try:
        while some := kernel.call(_INIT, data.getdents, fd, _NAMES_AT_ONCE):
            assert isinstance(some, tuple)
            found += some
    finally:
        kernel.call(_INIT, descriptors.close, fd)
    return found


def read_file(kernel: Kernel, path: bytes) -> None:
    """All of a file, a piece at a time; its damage is counted by the kernel."""
    fd = kernel.call(_INIT, opening.openat, AT_FDCWD, path, O_RDONLY, 0)
    try:
        with suppress(OSError):
            while kernel.call(_INIT, data.read, fd, _READ_BYTES):
                pass
    finally:
        kernel.call(_INIT, descriptors.close, fd)


def write_table(counters: Statistics) -> None:
    """A line for each operation."""
    rows = [["Operation", "Calls", "Read", "Mean", "Median", "99 %", "Errors"]]
    for name, totals in sorted(counters.operations.items()):
        errors = ", ".join(f"{error_name(e)} {count:,}" for e, count in totals.errors.items())
        rows.append(
            [
                name,
                f"{totals.calls:,}",
                human_size(totals.bytes_read),
                microseconds(totals.total_ns // max(totals.calls, 1)),
                f"<= {microseconds(totals.quantile_ns(0.5))}",
                f"<= {microseconds(totals.quantile_ns(0.99))}",
                errors or "-",
            ]
        )
    for line in columns(rows, left=frozenset({0, 6})):
        output.write_line(line)


def microseconds(nanoseconds: int) -> str:
    """A time in words."""
    return f"{nanoseconds / 1000:,.1f} us"
