"""Power cuts in what is no operation of a mounted volume: making one, the mount after a crash,
repair.
"""
