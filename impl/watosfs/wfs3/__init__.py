"""WFS v3: the copy-on-write file system (B+trees, checksums, atomic commits)."""
