"""Places for the nodes of the free tree itself, such that placing them comes to an end.

Taking a block takes it out of the tree. If that empties a leaf, the leaf is given back, its block
is free, and wants a leaf again: so for ever (BUGS B3, B22). What is taken here leaves an entry in
every leaf.
"""

import errno
from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING

from watosfs.errors import DamageError, failure

if TYPE_CHECKING:
    from watosfs.wfs3.space import Space

_EMPTIES_LEAF, _IN_CLEAN_LEAF, _IN_DIRTY_LEAF = range(3)


class Homes:
    """Hands out blocks within one round of updating the free tree of ``space``."""

    __slots__ = ("space", "taken")

    def __init__(self, space: "Space") -> None:
        self.space = space
        #: Entries that go out of each leaf, by the leaf's identity.
        self.taken: Counter[int] = Counter()

    def alloc(self, count: int) -> Iterator[tuple[int, int]]:
        """(start, size) of runs that add up to ``count`` blocks: each time from the start of the
        largest run, which shortens its entry; single blocks when no run has two. Raises ENOSPC.
        """
        allocator = self.space.allocator
        while count:
            whole = self.largest_run()
            if whole < 2:
                start, size = self.alloc_single(), 1
            else:
                size = min(count, whole - 1)
                found = allocator.alloc(whole)
                assert found is not None
                start = found
                allocator.drop(start + size, whole - size)
            yield start, size
            count -= size

    def largest_run(self) -> int:
        """The blocks of the largest run, once one of two or more is loaded or all are."""
        free = self.space.allocator.free
        while True:
            index = free.largest()
            whole = 0 if index is None else free.ends[index] - free.starts[index]
            if whole > 1 or not self.space.load_more():
                return whole

    def alloc_single(self) -> int:
        """One block whose entry leaves others in its leaf, best in a leaf that is dirty already:
        a clean one would want a home as well. Raises ENOSPC.
        """
        allocator = self.space.allocator
        refused: list[int] = []
        best, best_leaf, best_rank = 0, 0, -1
        while best_rank < _IN_DIRTY_LEAF:
            start = allocator.alloc(1)
            if start is None:
                break
            leaf, rank = self.rank_of(start)
            if rank > best_rank:
                if best_rank >= 0:
                    refused.append(best)
                best, best_leaf, best_rank = start, leaf, rank
            else:
                refused.append(start)
        for start in refused:
            allocator.drop(start, 1)
        if best_rank < 0:
            raise failure(errno.ENOSPC, reason="a commit found no free block")
        self.taken[best_leaf] += 1
        return best

    def rank_of(self, block: int) -> tuple[int, int]:
        """(identity of the leaf that lists a free block, how well it can do without)."""
        path = self.space.tree.floor(block)
        if not path:
            raise DamageError("free tree", 0, f"no run holds {block}")
        leaf = path[-1][0]
        if len(leaf.keys) - self.taken[id(leaf)] < 2:
            return id(leaf), _EMPTIES_LEAF
        return id(leaf), _IN_CLEAN_LEAF if leaf.block else _IN_DIRTY_LEAF
