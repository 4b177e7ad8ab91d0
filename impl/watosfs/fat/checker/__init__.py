"""The rules of a sound FAT volume: a reader of its own, apart from the one that mounts."""
