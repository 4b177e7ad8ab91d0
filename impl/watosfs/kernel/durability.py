"""Making things durable: fsync, syncfs, sync, sync_file_range."""

import errno

from watosfs.errors import failure
from watosfs.kernel.descriptions import InodeDescription, OpenFifo, PipeEnd
from watosfs.kernel.kernel import Kernel
from watosfs.kernel.numbers import FILE_SIZE_MAX, SYNC_FILE_RANGE_FLAGS
from watosfs.kernel.process import Process


def fsync(kernel: Kernel, process: Process, number: int) -> None:
    """Return once the volume is durable; EINVAL on a pipe or FIFO."""
    description = process.fresh(number)
    if isinstance(description, PipeEnd | OpenFifo):
        raise failure(errno.EINVAL)
    assert isinstance(description, InodeDescription)
    description.filesystem.sync()


def syncfs(kernel: Kernel, process: Process, number: int) -> None:
    """The whole volume of a descriptor; EBUSY while a transaction is open. A pipe has none."""
    description = process.fresh(number)
    if isinstance(description, InodeDescription):
        description.filesystem.sync()


def sync(kernel: Kernel, process: Process) -> None:
    """Every volume, but those with an open transaction."""
    for volume in kernel.volumes:
        if volume.owner is None:
            volume.sync()


def sync_file_range(
    kernel: Kernel, process: Process, number: int, offset: int, count: int, flags: int
) -> None:
    """Checks its arguments and promises nothing, as on Linux: use fsync."""
    description = process.fresh(number)
    if flags & ~SYNC_FILE_RANGE_FLAGS or offset < 0 or count < 0:
        raise failure(errno.EINVAL)
    if offset + count > FILE_SIZE_MAX:
        raise failure(errno.EINVAL)
    if isinstance(description, PipeEnd | OpenFifo):
        raise failure(errno.ESPIPE)
