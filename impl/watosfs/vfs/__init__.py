"""The virtual file system: one tree of names over several volumes, with permissions."""
