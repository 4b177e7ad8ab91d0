"""An image opened, mounted and, however the command ends, left in a state that was committed.

A command that fails expectedly keeps what it did: the volume unmounts, which commits. After a
broken invariant nothing more is written: the image stays as it was at its last commit.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from watosfs.cli.devices import opened_device
from watosfs.cli.failures import Failure, OutputClosed, Stopped, blame
from watosfs.cli.names import printable
from watosfs.cli.path_volume import mount
from watosfs.wfs3.volume import Volume


@contextmanager
def mounted(image: str, *, write: bool = False) -> Iterator[Volume]:
    """The volume in the image. Raises Failure if it cannot be opened, mounted or (with ``write``)
    changed.
    """
    shown = printable(image)
    with opened_device(image, write=write) as device:
        with blame(shown):
            volume = mount(device, read_only=not write)
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
