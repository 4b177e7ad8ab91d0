"""The parts of the independent checker; ``watosfs.wfs3.check`` is the door.

Independent means: built on ``format``, ``records``, ``packed_attributes`` and ``node`` (which byte
is where) and on nothing that decides what to write, so that a mistake in the trees, the allocator
or the commit cannot hide itself here.
"""
