"""Block devices: the protocol that every file system here reads and writes through."""
