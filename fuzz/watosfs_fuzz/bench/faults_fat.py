"""The faults that are planted in FAT for the benchmark alone; FA1 and FA2 are canaries."""

from watosfs.fat.directory import Directory
from watosfs.fat.engine import Engine
from watosfs.fat.pages import Page12, Page32
from watosfs.fat.table import FatTable
from watosfs_fuzz.bench.planting import plant_edit

for _identity, _target, _description, _place, _old, _new in (
    ("FA3", "fat12", "a long name's checksum is over the wrong 11 bytes", (Directory, "insert"),
     "names.short_name_checksum(node.short_name)",
     "names.short_name_checksum(node.short_name[8:] + node.short_name[:8])"),
    ("FA5", "fat32", "FSInfo keeps its count of free clusters", (Engine, "_write_fsinfo"),
     "FsInfo(self.allocator.free_count, next_free)",
     "FsInfo(self.marks.read_fsinfo().free_count, next_free)"),
    ("FA7", "fat12", "an odd entry takes the low bits of the even one before", (Page12, "put"),
     "raw[offset] & 0x0F | (value & 0xF) << 4", "(value & 0xF) << 4"),
    ("FA7B", "fat12", "an entry at offset 511 is written in its first sector only",
     (FatTable, "_touch"),
     "((first + count) * bits - 1) // 8 // sector", "(first + count - 1) * bits // 8 // sector"),
    ("FA8", "fat32", "the top 4 bits of an entry are overwritten", (Page32, "put"),
     "self._items[index] & ~self._MASK | value", "value"),
):  # fmt: skip
    plant_edit(_identity, _description, _place, _old, _new, target=_target)
