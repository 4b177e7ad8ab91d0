"""WFS v2, the flat published format, read and write: one table of whole paths, contiguous files."""
