"""The rule of the superblock copies: either may be lost, so neither's tree is written over."""

import pytest

from watosfs.wfs3.format import SUPERBLOCK_SLOTS
from watosfs_fuzz.canaries.catalogue import applied
from watosfs_fuzz.crash.log import FLUSH, Event, Write
from watosfs_fuzz.epochs import epoch_problem
from watosfs_fuzz.targets.wfs3 import Wfs3Target


def volume_with_two_commits() -> Wfs3Target:
    """Its copies name two different trees."""
    target = Wfs3Target()
    target.start()
    for name in (b"/a", b"/b"):
        target.volume.mkdir(name)
        target.volume.sync()
    return target


def problem_with(target: Wfs3Target, *more: Event) -> str | None:
    """What the rule says of the log with more events."""
    return epoch_problem(target.base, [*target.device.events, *more], target.block_count)


def test_commits_and_a_clean_unmount_break_no_rule() -> None:
    target = volume_with_two_commits()
    target.volume.unmount()
    assert problem_with(target) is None


def test_the_tree_of_the_older_copy_is_not_written_over() -> None:
    target = volume_with_two_commits()
    first = Wfs3Target()
    first.start()
    first.volume.mkdir(b"/a")
    first.volume.sync()
    old, new = first.volume.superblock, target.volume.superblock
    assert new.root_generation == old.root_generation + 1
    assert new.root_tree_block != old.root_tree_block
    problem = problem_with(target, Write(old.root_tree_block, bytes(4096)), FLUSH)
    assert problem is not None
    assert "older superblock copy reaches" in problem


def test_the_only_copy_of_a_commit_is_not_written_over() -> None:
    target = volume_with_two_commits()
    newest = target.volume.engine.slot
    block = SUPERBLOCK_SLOTS[newest]
    problem = problem_with(target, Write(block, target.device.read(block)), FLUSH)
    assert problem is not None
    assert f"superblock slot {block}, the only copy" in problem
    other = SUPERBLOCK_SLOTS[1 - newest]
    assert problem_with(target, Write(other, target.device.read(block)), FLUSH) is None


def test_when_both_copies_agree_either_may_be_written_over() -> None:
    target = volume_with_two_commits()
    target.volume.unmount()
    for block in SUPERBLOCK_SLOTS:
        assert problem_with(target, Write(block, bytes(4096)), FLUSH) is None


@pytest.mark.parametrize("identity", ["SB6", "OWN11"])
def test_canary_a_commit_or_a_recovery_that_writes_the_wrong_slot(identity: str) -> None:
    with applied(identity):
        target = volume_with_two_commits()
        target.volume.unmount()
        problem = target.epoch_problem()
    assert problem is not None
    assert "the only copy" in problem


def test_canary_blocks_that_are_released_too_early() -> None:
    with applied("OWN6"):
        target = volume_with_two_commits()
        for number in range(20):
            target.volume.mkdir(b"/%d" % number)
            target.volume.sync()
        problem = target.epoch_problem()
    assert problem is not None
    assert "older superblock copy reaches" in problem
