"""The free tree on disk, with nodes that split early: its fixed point and its separators
(BUGS B1 to B3).
"""

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
