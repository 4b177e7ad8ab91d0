"""Repair: after it ``check`` is clean, and what was not damaged is still there."""

import errno
import random
from collections.abc import Iterator

import pytest

from tests.impl.wfs3.damaged_volumes import (
    BLOCKS,
    a_volume,
    clock,
    owners_of,
    resealed,
    tree_of,
    with_block,
    write,
)
from tests.impl.wfs3.image_builder import VolumeImage
from watosfs.block.memory import MemoryDevice
from watosfs.wfs3.check import check
from watosfs.wfs3.extents import ExtentSet
from watosfs.wfs3.format import BLOCK_SIZE, decode_superblock, encode_superblock
from watosfs.wfs3.mkfs import mkfs
from watosfs.wfs3.node import INODES, KINDS
from watosfs.wfs3.repair import Repaired, repair
from watosfs.wfs3.repairer.rebuild import Rebuild
from watosfs.wfs3.volume import Volume


def repaired(device: MemoryDevice) -> Repaired:
    done = repair(device, clock=clock)
    assert done.after.is_clean, done.after.problems[:3]
    assert check(device, data=True).is_clean
    return done


def test_a_clean_volume_is_left_alone() -> None:
    device = a_volume()
    before = [bytes(device.read(block)) for block in range(BLOCKS)]
    done = repair(device)
    assert not done.is_changed
    assert done.losses == ()
    assert [bytes(device.read(block)) for block in range(BLOCKS)] == before


@pytest.mark.parametrize("block", sorted(owners_of(a_volume())))
def test_any_block_may_be_lost(block: int) -> None:
    """Afterwards the volume is clean, says what is missing, and the rest has kept its contents."""
    device = a_volume()
    structure, number = owners_of(device)[block]
    before = tree_of(device)
    broken = with_block(device, block, random.Random(block).randbytes(BLOCK_SIZE))
    assert not check(broken, data=True).is_clean
    done = repaired(broken)
    after = tree_of(broken)
    if structure in ("free tree", "orphan tree"):
        assert after == before
        assert done.losses == ()
        return
    assert done.losses
    if structure == "inode tree":
        for n, (_, content) in after.items():
            if n in before and content != before[n][1]:
                # Attributes are kept in an inode of their own.
                assert isinstance(content, tuple)
                assert content[1] == {}
                assert content[0] == before[n][1][0]  # type: ignore[index]
        return
    for other, (paths, content) in before.items():
        if other == number:
            continue
        # Attributes are kept in an inode of their own.
        is_owner = other not in after or after[other][1] != content
        if is_owner:
            assert structure in ("data", "extent tree")
            assert isinstance(content, tuple)
            assert after[other][1] == (content[0], {})
            continue
        if structure == "directory tree":
            assert all(p in paths or p.startswith(b"/lost+found/") for p in after[other][0])
        else:
            assert sorted(after[other][0]) == sorted(paths)


def test_every_second_node_lost_still_gives_a_clean_volume() -> None:
    device = a_volume()
    owners = owners_of(device)
    rng = random.Random(9)
    for _ in range(30):
        broken = device
        for block in rng.sample(sorted(owners), len(owners) // 4):
            broken = with_block(broken, block, rng.randbytes(BLOCK_SIZE))
        repaired(broken)
        with Volume.mount(broken, clock=clock) as volume:
            write(volume, b"/new", b"n" * 5000)
        assert check(broken, data=True).is_clean


def test_lies_under_a_right_crc_are_repaired() -> None:
    device = a_volume()
    owners = owners_of(device)
    nodes = [block for block, (structure, _) in sorted(owners.items()) if structure != "data"]
    rng = random.Random(11)
    wrong = 0
    for _ in range(300):
        block = rng.choice(nodes)
        data = bytearray(device.read(block))
        at = rng.randrange(4, 32 + 120)
        data[at] ^= 1 << rng.randrange(8)
        broken = with_block(device, block, resealed(bytes(data)))
        wrong += not check(broken, data=True).is_clean
        repaired(broken)
    assert wrong > 100, wrong


def test_what_lost_its_name_is_in_lost_and_found() -> None:
    device = a_volume()
    before = tree_of(device)
    (number,) = [n for n, (paths, _) in before.items() if paths == [b"/d0/sub"]]
    blocks = [b for b, owner in owners_of(device).items() if owner == ("directory tree", number)]
    broken = device
    for block in blocks:
        broken = with_block(broken, block, bytes(BLOCK_SIZE))
    done = repaired(broken)
    after = tree_of(broken)
    for old, (paths, content) in before.items():
        if any(path.startswith(b"/d0/sub/") for path in paths):
            kept = [path for path in paths if not path.startswith(b"/d0/sub/")]
            assert after[old] == (kept or [b"/lost+found/#%d" % old], content)
    assert any("a part of its directory tree" in loss for loss in done.losses)


def test_a_block_that_two_files_have_is_given_to_both() -> None:
    device = a_volume()
    superblock = decode_superblock(bytes(device.read(0)))
    assert superblock is not None
    with Volume.mount(device, clock=clock) as volume:
        write(volume, b"/one", b"1" * 8192)
        write(volume, b"/two", b"1" * 8192)
    before = tree_of(device)
    with Volume.mount(device, read_only=True) as volume:
        roots = [volume.find(path).extent_root for path in (b"/one", b"/two")]
    broken = with_block(device, roots[1], bytes(device.read(roots[0])))
    assert any("used twice" in str(p) for p in check(broken, data=True).problems)
    repaired(broken)
    assert tree_of(broken) == before


def test_no_superblock_no_repair() -> None:
    device = a_volume()
    broken = with_block(with_block(device, 0, bytes(BLOCK_SIZE)), 1, bytes(BLOCK_SIZE))
    with pytest.raises(OSError) as caught:
        repair(broken)
    assert caught.value.errno == errno.EUCLEAN


def test_features_that_are_not_known_are_not_written() -> None:
    device = a_volume()
    superblock = decode_superblock(bytes(device.read(0)))
    assert superblock is not None
    strange = encode_superblock(superblock._replace(ro_compat=1 << 30, free_blocks=1))
    broken = with_block(with_block(device, 0, strange), 1, strange)
    with pytest.raises(OSError) as caught:
        repair(broken)
    assert caught.value.errno == errno.ENOTSUP


def power_cuts(device: MemoryDevice) -> Iterator[MemoryDevice]:
    """The device after each of a repair's writes, all before it persisted; and some mixtures."""
    recording = Recording(device)
    repair(recording, clock=clock)
    rng = random.Random(3)
    for end in range(len(recording.log) + 1):
        image = with_block(device, 0, bytes(device.read(0)))
        flushed = max((i for i in range(end) if recording.log[i] is None), default=0)
        for index, event in enumerate(recording.log[:end]):
            if event is not None and (index < flushed or rng.random() < 0.5):
                image.write(*event)
        yield image


class Recording(MemoryDevice):
    """Notes writes, and None for a flush."""

    def __init__(self, source: MemoryDevice) -> None:
        super().__init__(source.block_count)
        for index in range(source.block_count):
            super().write(index, bytes(source.read(index)))
        self.log: list[tuple[int, bytes] | None] = []

    def write(self, block: int, data: object) -> None:
        raw = bytes(data)  # type: ignore[call-overload]
        for at in range(0, len(raw), BLOCK_SIZE):
            self.log.append((block + at // BLOCK_SIZE, raw[at : at + BLOCK_SIZE]))
        super().write(block, raw)

    def flush(self) -> None:
        self.log.append(None)
        super().flush()


def a_broken_one() -> tuple[MemoryDevice, list[tuple[int, int]]]:
    """A damaged volume, and the blocks that can still be reached in it."""
    device = a_volume()
    owners = owners_of(device)
    (block, *_) = [b for b, (structure, _) in owners.items() if structure == "extent tree"]
    return with_block(device, block, bytes(BLOCK_SIZE)), [(b, 1) for b in owners if b != block]


def test_a_power_cut_leaves_the_old_generation_or_the_new_one() -> None:
    broken, reached = a_broken_one()
    problems = [str(problem) for problem in check(broken, data=True).problems]
    results = set()
    for image in power_cuts(broken):
        report = check(image, data=True)
        results.add(report.is_clean)
        if not report.is_clean:
            assert [str(p) for p in report.problems] == problems
            assert all(image.read(b) == broken.read(b) for b, _ in reached)
        repaired(image)
    assert results == {True, False}


def test_canary_a_repair_in_place_is_seen_by_the_power_cuts(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def run(self: Rebuild, kept: object, old: object, known_free: object) -> None:
        original(self, kept, type(old)(), None)  # type: ignore[arg-type]

    original = Rebuild.run
    monkeypatch.setattr(Rebuild, "run", run)
    with pytest.raises(AssertionError):
        test_a_power_cut_leaves_the_old_generation_or_the_new_one()


def test_canary_double_use_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    class Blind(ExtentSet):
        def meets(self, start: int, end: int) -> bool:
            return False

    monkeypatch.setattr("watosfs.wfs3.repairer.salvage.ExtentSet", Blind)
    with pytest.raises(Exception, match=r"overlaps the set|used twice"):
        test_a_block_that_two_files_have_is_given_to_both()


def test_a_full_volume_is_repaired_from_the_reserve() -> None:
    device = MemoryDevice(256)
    mkfs(device, clock=clock)
    with Volume.mount(device, clock=clock) as volume:
        with pytest.raises(OSError, match="No space"):
            fill(volume)
        volume.sync()
    owners = owners_of(device)
    (block, *_) = [b for b, (structure, _) in owners.items() if structure == "directory tree"]
    repaired(with_block(device, block, bytes(BLOCK_SIZE)))


def fill(volume: Volume) -> None:
    for index in range(100_000):
        volume.mkdir(b"/%d" % index, 0o755)


def test_without_a_free_block_it_is_refused_and_nothing_changes() -> None:
    used = VolumeImage(gaps=False)
    used.add_file(1, b"all", b"a" * BLOCK_SIZE * (256 - 2 - 4))
    image = used.lay_out().device()
    device = with_block(image, 0, bytes(image.read(0)))
    for block in range(2, 256):
        data = bytearray(device.read(block))
        if decoded_kind(data) is INODES:
            data[32 + 8 + 80] ^= 4  # the refcount of the root inode
            device.write(block, resealed(bytes(data)))
    before = [bytes(device.read(block)) for block in range(256)]
    assert not check(device).is_clean
    with pytest.raises(OSError, match="No space") as caught:
        repair(device, clock=clock)
    assert caught.value.errno == errno.ENOSPC
    assert [bytes(device.read(block)) for block in range(256)] == before


def decoded_kind(data: bytearray) -> object:
    return KINDS.get(int.from_bytes(data[:4], "little"))


def test_snapshots_are_not_dropped_unasked() -> None:
    device = a_volume()
    with Volume.mount(device, clock=clock) as volume:
        volume.snapshot_create(b"kept")
    broken = with_block(device, volume.superblock.free_tree_block, bytes(BLOCK_SIZE))
    before = [bytes(broken.read(block)) for block in range(BLOCKS)]
    with pytest.raises(OSError, match="snapshots") as caught:
        repair(broken, clock=clock)
    assert caught.value.errno == errno.ENOTSUP
    assert [bytes(broken.read(block)) for block in range(BLOCKS)] == before
    done = repair(broken, clock=clock, drop_snapshots=True)
    assert done.losses == ("snapshot b'kept' is dropped",)
    assert check(broken, data=True).is_clean
    assert Volume.mount(broken, clock=clock).snapshots() == []
    assert tree_of(broken) == tree_of(device)
