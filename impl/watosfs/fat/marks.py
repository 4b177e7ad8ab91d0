"""What is written beside files: the dirty marks, FSInfo, the label's copy in the boot sector."""

from watosfs.block.byte_access import ByteAccess
from watosfs.fat.format import EXTENDED_SIGNATURE, STATE_DIRTY, Geometry
from watosfs.fat.fsinfo import FSINFO_SIZE, FsInfo, decode_fsinfo, encode_fsinfo
from watosfs.fat.table import FatTable


class Marks:
    """Reads and writes them, each as the device does; what was written last is not flushed."""

    def __init__(self, access: ByteAccess, geometry: Geometry, table: FatTable) -> None:
        self._access = access
        self._geometry = geometry
        self._table = table

    def is_dirty(self) -> bool:
        """Whether the volume was not unmounted, the last time."""
        state = self._access.read(self._geometry.state_offset, 1)[0]
        return bool(state & STATE_DIRTY) or not self._table.is_clean()

    def set_dirty(self, is_dirty: bool) -> None:
        """Set or clear both marks: in the boot sector, and in entry 1 of the table. The copies of
        the table never differ without the mark in the boot sector: it comes first and goes last.
        """
        if is_dirty:
            self._write_state(STATE_DIRTY)
        self._table.set_clean(not is_dirty)
        if self._table.is_dirty and is_dirty:
            self._access.device.flush()
        self._table.write()
        if not is_dirty:
            self._access.device.flush()
            self._write_state(0)

    def _write_state(self, mark: int) -> None:
        offset = self._geometry.state_offset
        state = self._access.read(offset, 1)[0] & ~STATE_DIRTY
        self._access.write(offset, bytes([state | mark]))

    def read_fsinfo(self) -> FsInfo:
        """The hints of FAT32; unknown where there are none."""
        start = self._geometry.fsinfo_start
        if start is None:
            return FsInfo()
        return decode_fsinfo(self._access.read(start, FSINFO_SIZE)) or FsInfo()

    def has_fsinfo(self) -> bool:
        """Whether there is a sector for the hints, with its signatures."""
        start = self._geometry.fsinfo_start
        return (
            start is not None and decode_fsinfo(self._access.read(start, FSINFO_SIZE)) is not None
        )

    def write_fsinfo(self, info: FsInfo) -> None:
        """Write the hints where ``has_fsinfo``."""
        assert self._geometry.fsinfo_start is not None
        self._access.write(self._geometry.fsinfo_start, encode_fsinfo(info))

    def write_label(self, label: bytes) -> None:
        """Write the label's copy in the boot sector, and in its backup."""
        for start in (self._geometry.backup_start, 0):
            if start is not None:
                offset = start + self._geometry.label_offset
                if self._access.read(offset - 5, 1)[0] == EXTENDED_SIGNATURE:
                    self._access.write(offset, label)
