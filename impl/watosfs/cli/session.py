"""An image opened, mounted and, however the command ends, left in a state that was committed.

A command that fails expectedly keeps what it did: the volume unmounts, which commits. After a
broken invariant nothing more is written: the image stays as it was at its last commit.
"""

import errno
from collections.abc import Iterator
from contextlib import contextmanager

from watosfs.cli.devices import opened_device
from watosfs.cli.failures import Failure, OutputClosed, Stopped, blame
from watosfs.cli.location import image_and_snapshot
from watosfs.cli.names import printable
from watosfs.cli.path_volume import PathVolume, mount
from watosfs.errors import failure
from watosfs.wfs3.volume import Volume


@contextmanager
def mounted(image: str, *, write: bool = False) -> Iterator[Volume]:
    """The volume in the image, or what a snapshot of it shows. Raises Failure if it cannot be
    opened, mounted or (with ``write``) changed.
    """
    shown = printable(image)
    image, snapshot = image_and_snapshot(image)
    if write and snapshot is not None:
        raise Failure(f"{shown}: Read-only file system: a snapshot is only read")
    with opened_device(image, write=write) as device:
        with blame(shown):
            volume = mount(device, read_only=not write)
            if snapshot is not None:
                volume = view_of(volume, snapshot)
        refusal = volume.engine.read_only_reason
        if write and refusal is not None:
            raise Failure(f"{shown}: Read-only file system: {refusal}")
        try:
            yield volume
        except (OSError, Failure, Stopped, OutputClosed):
            with blame(shown):
                volume.unmount()
            raise
        with blame(shown):
            volume.unmount()


def view_of(volume: Volume, snapshot: bytes) -> Volume:
    """What a snapshot shows. ENOENT, ENOTSUP."""
    if isinstance(volume, PathVolume):
        raise failure(errno.ENOTSUP, reason=f"{volume.title} has no snapshots")
    return volume.snapshot_open(snapshot)
