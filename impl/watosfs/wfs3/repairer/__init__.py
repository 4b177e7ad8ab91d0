"""The parts of ``watosfs.wfs3.repair``: what can be saved, how it is named, how it is stored.

Like the checker it reads the format only; the new generation is written by the code that writes
every other.
"""
