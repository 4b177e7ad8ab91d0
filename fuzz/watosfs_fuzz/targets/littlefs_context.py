"""The device under littlefs: its callbacks in terms of our blocks (extra ``targets``)."""

import errno

from littlefs import UserContext, lfs

from watosfs.block.device import BlockDevice


class DeviceContext(UserContext):
    """The device under littlefs. What the device raises goes around the C code: littlefs sees an
    input error, and ``LittlefsTarget.call`` raises it again.
    """

    def __init__(self, device: BlockDevice) -> None:
        self.device = device
        self.raised: BaseException | None = None

    def read(self, cfg: lfs.LFSConfig, block: int, off: int, size: int) -> bytearray:
        try:
            return bytearray(self.device.read(block)[off : off + size])
        except BaseException as error:
            self.raised = self.raised or error
            return bytearray(size)

    def prog(self, cfg: lfs.LFSConfig, block: int, off: int, data: bytes) -> int:
        try:
            whole = bytearray(self.device.read(block))
            whole[off : off + len(data)] = data
            self.device.write(block, bytes(whole))
        except BaseException as error:
            self.raised = self.raised or error
            return -errno.EIO
        return 0

    def erase(self, cfg: lfs.LFSConfig, block: int) -> int:
        return 0

    def sync(self, cfg: lfs.LFSConfig) -> int:
        try:
            self.device.flush()
        except BaseException as error:
            self.raised = self.raised or error
            return -errno.EIO
        return 0
