"""WATOS file-system stack: block devices, WFS v3 and the tools around them."""
