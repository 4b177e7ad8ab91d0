"""The structures of FAT as a mutator sees them, from Microsoft's specification."""

from typing import Final

from watosfs_fuzz.parsers.layout import layout_of

SECTOR: Final = 512
_COMMON: Final = "3s8sHBHBHHBHHHII"
_COMMON_NAMES: Final = (
    "jump oem_name bytes_per_sector sectors_per_cluster reserved_sectors fat_count root_entry_count"
    " total_sectors_16 media fat_size_16 sectors_per_track head_count hidden_sectors"
    " total_sectors_32 "
)
_EXTENDED_NAMES: Final = "drive_number state boot_signature volume_id volume_label type_name"
BOOT_16: Final = layout_of(
    "boot sector", _COMMON + "BBBI11s8s448xH", _COMMON_NAMES + _EXTENDED_NAMES + " signature"
)
BOOT_32: Final = layout_of(
    "boot sector of FAT32",
    _COMMON + "IHHIHH12xBBBI11s8s420xH",
    _COMMON_NAMES
    + "fat_size_32 ext_flags version root_cluster fsinfo_sector backup_boot_sector "
    + _EXTENDED_NAMES
    + " signature",
)
FSINFO: Final = layout_of("FSInfo", "I480xIII12xI", "lead structure free_count next_free trail")
ENTRY: Final = layout_of(
    "directory entry",
    "11sBBBHHHHHHHI",
    "name attributes case created_hundredths created_time created_date accessed_date cluster_high"
    " modified_time modified_date cluster_low size",
)
LONG: Final = layout_of(
    "long name slot", "B10sBBB12sH4s", "order first attributes type checksum second cluster third"
)
assert (BOOT_16.size, BOOT_32.size, FSINFO.size) == (512, 512, 512)
assert (ENTRY.size, LONG.size) == (32, 32)
