"""An image opened, mounted and, however the command ends, left in a state that was committed.

A command that fails expectedly keeps what it did: the volume unmounts, which commits. After a
broken invariant nothing more is written: the image stays as it was at its last commit.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import cast

from watosfs.block.file import FileDevice
from watosfs.cli import wfs2_images
from watosfs.cli.failures import Failure, OutputClosed, Stopped, blame
from watosfs.cli.names import printable
from watosfs.wfs2.superblocks import is_wfs2
from watosfs.wfs3.volume import Volume


@contextmanager
def opened_device(image: str, *, write: bool = False) -> Iterator[FileDevice]:
    """The image as a block device."""
    with blame(printable(image)):
        device = FileDevice.open(image, read_only=not write)
    try:
        yield device
    finally:
        device.close()


@contextmanager
def mounted(image: str, *, write: bool = False) -> Iterator[Volume]:
    """The volume in the image. Raises Failure if it cannot be opened, mounted or (with ``write``)
    changed.
    """
    shown = printable(image)
    with opened_device(image, write=write) as device:
        with blame(shown):
            volume = _volume(device, read_only=not write)
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


def _volume(device: FileDevice, *, read_only: bool) -> Volume:
    """What is on a device. Of a WFS v2 volume the commands use what both have."""
    if is_wfs2(device):
        return cast(Volume, wfs2_images.mounted(device, read_only=read_only))
    return Volume.mount(device, read_only=read_only)
