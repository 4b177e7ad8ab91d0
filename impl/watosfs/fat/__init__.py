"""FAT12, FAT16 and FAT32, read and write, on whole images and on partitions."""
