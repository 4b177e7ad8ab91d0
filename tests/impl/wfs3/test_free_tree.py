"""The free tree on disk, with nodes that split early: its fixed point and its separators
(BUGS B1 to B3).
"""

import errno
import random

import pytest

from watosfs.block.memory import MemoryDevice
from watosfs.wfs3.check import check
from watosfs.wfs3.mkfs import mkfs
from watosfs.wfs3.space import subtract
from watosfs.wfs3.volume import Volume


def mounted(block_count: int, entries: int | None) -> tuple[MemoryDevice, Volume]:
    device = MemoryDevice(block_count)
    mkfs(device, clock=lambda: 0)
    return device, Volume.mount(device, clock=lambda: 0, node_entries_max=entries)


@pytest.mark.parametrize("entries", [3, 4, 5, 8, None])
@pytest.mark.parametrize("seed", range(8))
def test_fragmenting_and_joining_free_space_keeps_every_commit_clean(
    seed: int, entries: int | None
) -> None:
    device, volume = mounted(4096, entries)
    rng = random.Random(seed)
    names = [b"/f%d" % i for i in range(60)]
    there: set[bytes] = set()
    for step in range(400):
        name = rng.choice(names)
        if name in there and rng.random() < 0.6:
            volume.unlink(name)
            there.discard(name)
        elif name not in there:
            with volume.create(name) as handle:
                handle.pwrite(b"x" * rng.choice((100, 4096, 12_000, 70_000)), 0)
            there.add(name)
        if step % 5 == 0:
            volume.sync()
            report = check(device)
            assert report.is_clean, [str(problem) for problem in report.problems]
    for name in sorted(there):
        volume.unlink(name)
    volume.unmount()
    report = check(device)
    assert report.is_clean
    assert report.blocks_free >= 4096 - 8


@pytest.mark.parametrize(("entries", "blocks"), [(4, 3000), (5, 3000), (8, 2000), (None, 4000)])
@pytest.mark.parametrize("seed", [6, 7, 16, 43])
def test_free_space_of_single_blocks_only_settles(
    seed: int, entries: int | None, blocks: int
) -> None:
    # B22: taking the only entry of a leaf for that leaf itself went on for ever.
    device, volume = mounted(blocks, entries)
    rng = random.Random(seed)
    used = taken_up(volume, rng)
    for step in range(rng.randrange(5, 25)):
        if not has_committed(volume, b"/f%d" % step):
            break
        listed = {
            block
            for start, count in volume.engine.space.tree.items(0, blocks)
            for block in range(start, start + count)
        }
        assert not listed & used
        if rng.random() < 0.4:
            volume.unmount()
            volume = Volume.mount(device, clock=lambda: 0, node_entries_max=entries)
            volume.engine.space.reserve = 0
        space = volume.engine.space
        if rng.random() < 0.5:
            give_back(volume, used, rng, rng.randrange(1, 6))
        elif space.allocator.available > blocks // 10:
            used |= {space.alloc(1) for _ in range(rng.randrange(6))} - {None}


def has_committed(volume: Volume, name: bytes) -> bool:
    """Whether there was room for one more file and a commit."""
    try:
        volume.create(name).close()
        volume.sync()
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise
        return False
    return True


def taken_up(volume: Volume, rng: random.Random) -> set[int | None]:
    """Take every block but some that have no free neighbour; the blocks taken."""
    space = volume.engine.space
    space.reserve = 0
    used: set[int | None] = set()
    while (block := space.alloc(1)) is not None:
        used.add(block)
    give_back(volume, used, rng, rng.randrange(len(used) // 4, len(used) // 2))
    return used


def give_back(volume: Volume, used: set[int | None], rng: random.Random, count: int) -> None:
    """Some even blocks are free again."""
    even = sorted(block for block in used if block is not None and block % 2 == 0)
    for block in rng.sample(even, min(count, len(even))):
        volume.engine.space.allocator.drop(block, 1)
        used.discard(block)


def test_high_trees_come_from_early_splits() -> None:
    _, volume = mounted(8192, 3)
    for i in range(60):
        volume.create(f"/f{i}").close()
    assert volume.engine.inode_tree.height >= 3
    volume.sync()
    assert {entry.name for entry in volume.readdir("/")} == {b"f%d" % i for i in range(60)}


@pytest.mark.parametrize(
    ("run", "runs", "pieces"),
    [
        ((0, 10), [], [(0, 10)]),
        ((0, 10), [(2, 4)], [(0, 2), (4, 10)]),
        ((0, 10), [(0, 10)], []),
        ((5, 10), [(0, 6), (9, 20)], [(6, 9)]),
        ((5, 10), [(0, 5), (10, 20)], [(5, 10)]),
    ],
)
def test_subtracting_runs_leaves_the_rest(
    run: tuple[int, int], runs: list[tuple[int, int]], pieces: list[tuple[int, int]]
) -> None:
    assert subtract(run, [a for a, _ in runs], [b for _, b in runs]) == pieces
