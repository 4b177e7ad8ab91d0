"""The allocator against a plain account of every block, over whole histories."""

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from watosfs.wfs3.allocator import Allocator
from watosfs.wfs3.extents import ExtentError

LO, HI = 2, 26


class AllocatorMachine(RuleBasedStateMachine):
    """Checks: no block handed out while any root reaches it; every block accounted for.

    Does not check: which of several fitting runs is taken (first fit is tested with the extents).
    """

    @initialize(hold=st.sampled_from([1, 2, 3]), used=st.integers(0, 8))
    def start(self, hold: int, used: int) -> None:
        self.hold = hold
        self.allocator = Allocator(LO, HI, 1, HI - LO - used, hold)
        self.working = set(range(LO, LO + used))
        self.on_disk = [(LO + used, HI)]
        self.durable = [set(self.working)] * hold
        self.loaded = False

    @precondition(lambda self: not self.loaded)
    @rule()
    def load(self) -> None:
        for start, end in self.on_disk:
            self.allocator.load(start, end)
        self.allocator.frontier = HI
        self.loaded = True

    @rule(count=st.integers(1, 5))
    def alloc(self, count: int) -> None:
        start = self.allocator.alloc(count)
        if start is None:
            return
        run = set(range(start, start + count))
        assert not run & self.working
        assert not any(run & root for root in self.durable)
        self.working |= run

    @precondition(lambda self: self.working)
    @rule(data=st.data())
    def drop(self, data: st.DataObject) -> None:
        block = data.draw(st.sampled_from(sorted(self.working)))
        self.allocator.drop(block, 1)
        self.working.discard(block)
        with pytest.raises(ExtentError):
            self.allocator.drop(block, 1)

    @rule()
    def commit(self) -> None:
        self.allocator.committed()
        self.durable = [set(self.working), *self.durable[:-1]]

    @rule()
    def abort(self) -> None:
        self.allocator.aborted()
        self.working = set(self.durable[0])

    @precondition(lambda self: self.allocator.fresh.count == 0 and self.loaded)
    @rule(keep=st.integers(0, 3))
    def unload_and_load_again(self, keep: int) -> None:
        before = list(self.allocator.free)
        available = self.allocator.available
        self.allocator.unload(keep)
        assert self.allocator.available == available
        for start, end in before[keep:]:
            self.allocator.load(start, end)
        self.allocator.frontier = HI
        assert list(self.allocator.free) == before

    @invariant()
    def every_block_is_in_one_place(self) -> None:
        if not hasattr(self, "allocator"):
            return
        allocator = self.allocator
        total = allocator.available + allocator.held + len(self.working)
        assert total == HI - LO
        if self.loaded:
            assert not any(allocator.free.meets(block, block + 1) for block in self.working)


TestAllocator = AllocatorMachine.TestCase


def test_a_block_outside_the_volume_cannot_be_dropped() -> None:
    allocator = Allocator(LO, HI, 1, 0)
    for start in (LO - 1, HI):
        with pytest.raises(ExtentError):
            allocator.drop(start, 1)


def test_dropped_blocks_come_back_after_two_commits() -> None:
    allocator = Allocator(LO, HI, 1, 0, hold=2)
    allocator.frontier = HI
    allocator.drop(5, 2)
    assert allocator.alloc(1) is None
    allocator.committed()
    assert allocator.alloc(1) is None
    allocator.committed()
    assert allocator.alloc(2) == 5
