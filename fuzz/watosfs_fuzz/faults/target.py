"""WFS v3 on a device that fails, as a target: what is below it can be made healthy again."""

from random import Random

from watosfs.block.device import BLOCK_SIZE_BYTES, BlockDevice
from watosfs.wfs3.volume import Volume
from watosfs_fuzz.crash.log import ZERO_BLOCK
from watosfs_fuzz.faults.device import SPACE, FaultPlan, FaultyDevice
from watosfs_fuzz.target import Geometry
from watosfs_fuzz.targets.wfs3 import Wfs3Target

_SECTOR_BYTES = 512


def ration(volume: Volume, device: FaultyDevice) -> None:
    """Let the volume find no room, by the plan, for operations that free none."""
    engine = volume.engine
    has_room = engine.has_room

    def rationed(cost: int, *, frees: bool, last: bool = False, drops: int) -> bool:
        if not (frees or last) and device.must_fail(SPACE):
            device.fired += 1
            return False
        return has_room(cost, frees=frees, last=last, drops=drops)

    # The short cut for volumes with plenty of room would never ask.
    engine.has_plenty = lambda cost, drops: False  # type: ignore[method-assign]
    engine.has_room = rationed  # type: ignore[method-assign]


class FaultyWfs3Target(Wfs3Target):
    """Mkfs and the first mount are healthy; then the plan begins to count."""

    def __init__(self, geometry: Geometry, plan: FaultPlan) -> None:
        self.plan = plan
        self.faulty: FaultyDevice | None = None
        super().__init__(geometry)

    def start(self) -> None:
        self.faulty = None
        super().start()
        assert self.faulty is not None
        self.faulty.is_healthy = False

    def mount(self, device: BlockDevice) -> Volume:
        """Through the plan; the first time before it begins."""
        if self.faulty is None:
            self.faulty = FaultyDevice(device, self.plan)
            self.faulty.is_healthy = True
        volume = super().mount(self.faulty)
        if self.plan.kind == SPACE:
            ration(volume, self.faulty)
        return volume

    @property
    def fired(self) -> int:
        """Faults so far."""
        return self.faulty.fired if self.faulty else 0

    def healthy_volume(self) -> Volume:
        """What a process finds that starts anew on the same medium, all writes having arrived and
        no more faults. Raises what mounting raises.
        """
        device = type(self.device)(self.block_count, self.device.image)
        return super().mount(device)

    def rot(self, random: Random, size_bytes: int) -> int:
        """Change the resting image: a bit (0), a sector or a block; the block that it hit. Used
        blocks are preferred, because rot in the others shows nothing.
        """
        image = self.device.image
        block = random.choice(sorted(image))
        data = bytearray(image.get(block, ZERO_BLOCK))
        if not size_bytes:
            bit = random.randrange(8 * BLOCK_SIZE_BYTES)
            data[bit // 8] ^= 1 << bit % 8
        else:
            at = random.randrange(0, BLOCK_SIZE_BYTES, max(size_bytes, _SECTOR_BYTES))
            data[at : at + size_bytes] = random.randbytes(size_bytes)
        image[block] = bytes(data)
        return block
