"""Where a local file has data and where it has holes."""

import errno
import os


def data_range(descriptor: int, offset: int, size: int) -> tuple[int, int]:
    """The first run of data from ``offset`` on, (size, size) if only a hole is left. All of the
    rest is data where the host knows no holes.
    """
    try:
        start = os.lseek(descriptor, offset, os.SEEK_DATA)
        return start, min(os.lseek(descriptor, start, os.SEEK_HOLE), size)
    except OSError as error:
        if error.errno == errno.ENXIO:
            return size, size
        return offset, size
