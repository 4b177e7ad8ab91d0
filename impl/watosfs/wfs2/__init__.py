"""WFS v2, the flat published format: contiguous files and one table of whole paths."""
