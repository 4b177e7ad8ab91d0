"""Devices that fail: overlays over pristine data, and the judge of what may then happen."""
