"""The extent set against a plain set of blocks."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watosfs.wfs3.extents import ExtentError, ExtentSet

RUNS = st.tuples(st.integers(0, 40), st.integers(0, 6)).map(lambda r: (r[0], r[0] + r[1]))
STEPS = st.lists(st.tuples(st.sampled_from(["add", "remove", "take"]), RUNS), max_size=40)


def blocks_of(extents: ExtentSet) -> set[int]:
    return {block for start, end in extents for block in range(start, end)}


def is_legal(extents: ExtentSet) -> bool:
    runs = list(extents)
    apart = all(a[1] < b[0] for a, b in pairwise(runs))
    return apart and all(s < e for s, e in runs) and extents.count == len(blocks_of(extents))


@given(STEPS)
def test_every_step_agrees_with_a_set_of_blocks(steps: list[tuple[str, tuple[int, int]]]) -> None:
    extents, blocks = ExtentSet(), set[int]()
    for name, (start, end) in steps:
        run = set(range(start, end))
        if name == "add":
            if not run or run & blocks:
                with pytest.raises(ExtentError):
                    extents.add(start, end)
            else:
                extents.add(start, end)
                blocks |= run
        elif name == "remove":
            if not run or not run <= blocks:
                with pytest.raises(ExtentError):
                    extents.remove(start, end)
            else:
                extents.remove(start, end)
                blocks -= run
        elif run:
            fits = [b for b in sorted(blocks) if set(range(b, b + len(run))) <= blocks]
            assert extents.take(len(run)) == (fits[0] if fits else None)
            blocks -= set(range(fits[0], fits[0] + len(run))) if fits else set()
        assert blocks_of(extents) == blocks
        assert is_legal(extents)
        if run:
            assert extents.covers(start, end) == (run <= blocks)
            assert extents.meets(start, end) == bool(run & blocks)


def test_largest_is_the_lowest_of_equal_runs() -> None:
    extents = ExtentSet()
    assert extents.largest() is None
    for start, end in ((1, 3), (5, 9), (20, 24)):
        extents.add(start, end)
    index = extents.largest()
    assert index is not None
    assert extents.starts[index] == 5


def test_absorb_joins_neighbours() -> None:
    left, right = ExtentSet(), ExtentSet()
    left.add(0, 2)
    right.add(2, 4)
    left.absorb(right)
    assert list(left) == [(0, 4)]
    assert left.count == 4
