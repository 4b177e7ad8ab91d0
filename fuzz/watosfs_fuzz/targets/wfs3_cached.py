"""WFS v3 over the write-back cache of blocks: what the cache holds back must be out at each flush.

The recorded device lies below the cache, so crashes are those of what the cache wrote. The cache is
tiny and the volume keeps few nodes of its own, so that both evict and read back.
"""

from watosfs.block.cache import CachedDevice
from watosfs.block.device import BlockDevice
from watosfs.wfs3.volume import Volume
from watosfs_fuzz.crash.log import RecordingDevice
from watosfs_fuzz.targets.wfs3 import Wfs3Target

CACHE_BLOCKS = 6
NODES_OF_THE_VOLUME = 1


class CachedWfs3Target(Wfs3Target):
    """The same volume; recovery after a crash reads the device itself."""

    name = "wfs3-cached"

    def mount(self, device: BlockDevice) -> Volume:
        """The volume on the cache on the device that is recorded."""
        if not isinstance(device, RecordingDevice):
            return super().mount(device)
        return Volume.mount(
            CachedDevice(device, CACHE_BLOCKS * device.block_size_bytes),
            clock=self.clock,
            cache_blocks=NODES_OF_THE_VOLUME,
            node_entries_max=self.geometry.node_entries_max,
        )

    def statistics(self) -> dict[str, int]:
        """The same; nothing where a broken cache hands out what cannot be read."""
        try:
            return super().statistics()
        except OSError:
            return {}
