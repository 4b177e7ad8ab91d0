"""The checker as a whole: clean volumes, failing devices, hostile and published images."""

import json
import lzma
import random
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import watosfs.wfs3.check
from tests.impl.wfs3.image_builder import (
    GENERATION,
    ImageDevice,
    VolumeImage,
    sample_image,
)
from watosfs.block.memory import MemoryDevice
from watosfs.wfs3.check import check, reachable_runs
from watosfs.wfs3.format import BLOCK_SIZE
from watosfs.wfs3.node import INODES, KINDS, Node, node_crc
from watosfs.wfs3.volume import Volume

FIXTURES = Path(__file__).parents[2] / "fixtures" / "published"
PUBLISHED: list[dict[str, Any]] = json.loads((FIXTURES / "manifest.json").read_text())["images"]
SHAPES: list[dict[str, Any]] = [{}, {"leaf_entries_max": 1}, {"leaf_entries_max": 3, "gaps": False}]


@pytest.mark.parametrize("shape", SHAPES)
def test_a_whole_volume_is_clean_and_counted(shape: dict[str, Any]) -> None:
    report = check(sample_image(**shape).device(), data=True)
    assert report.is_clean
    assert report.problems == ()
    assert (report.files, report.directories, report.symlinks, report.orphans) == (7, 3, 2, 1)
    assert report.blocks_reachable + report.blocks_free == report.blocks_total == 256
    assert report.data_bytes_verified == 45 * BLOCK_SIZE
    assert report.generation == GENERATION
    assert report.layout == "raw"
    assert json.loads(json.dumps(report.to_json()))["clean"] is True


def test_an_empty_volume_is_clean() -> None:
    assert check(VolumeImage().lay_out().device()).is_clean


def test_a_full_volume_with_an_empty_free_tree_is_clean() -> None:
    used = VolumeImage(gaps=False)
    used.add_file(1, b"all", b"a" * BLOCK_SIZE * (256 - 2 - 4))
    assert check(used.lay_out().device()).is_clean
    assert used.leaf("free").keys == []


def test_a_root_with_one_child_is_a_note() -> None:
    image = sample_image()
    top = Node(INODES, 1, [0], [image.root["inodes"]], image.take())
    top.generation = GENERATION
    image.nodes[top.block] = top
    image.set_superblock(root_tree_block=top.block, free_blocks=image.superblock.free_blocks - 1)
    image.fill_free_tree()
    report = check(image.device())
    assert report.is_clean
    assert "one child" in report.notes[0]


def test_one_torn_superblock_is_a_note_and_two_are_a_problem() -> None:
    contents = sample_image().contents()
    contents[100] ^= 1
    report = check(ImageDevice(bytes(contents)))
    assert report.is_clean
    assert report.copies == (None, GENERATION)
    assert "block 0" in report.notes[0]
    contents[BLOCK_SIZE + 100] ^= 1
    report = check(ImageDevice(bytes(contents)))
    assert [problem[:3] for problem in report.problems] == [("superblock", 0, "crc32")]
    assert report.superblock is None
    assert report.generation == 0


def test_the_newest_superblock_is_checked_unless_a_slot_is_asked_for() -> None:
    image = sample_image()
    older = image.superblock._replace(root_generation=GENERATION - 1, free_blocks=1)
    image.copies[0] = older
    assert check(image.device()).is_clean
    assert not check(image.device(), slot=0).is_clean


def test_an_unknown_read_only_compatible_feature_is_a_note_that_names_the_bit() -> None:
    image = sample_image()
    image.set_superblock(ro_compat=image.superblock.ro_compat | 1 << 5)
    report = check(image.device())
    assert report.is_clean
    assert "bit 5" in report.notes[0]


@pytest.mark.parametrize("size", [0, 1, 2, 255])
def test_a_device_that_is_too_short_is_a_problem(size: int) -> None:
    report = check(ImageDevice(bytes(sample_image().contents()[: size * BLOCK_SIZE])))
    assert not report.is_clean


def test_every_unreadable_block_in_use_is_named() -> None:
    image = sample_image()
    runs = reachable_runs(image.device(), image.superblock)
    for block in [0, 1, *(start + i for start, count in runs for i in range(count))]:
        report = check(image.device(failing=[block]), data=True)
        assert (block, "read") in [problem[1:3] for problem in report.problems]


def test_every_damaged_block_in_use_is_named() -> None:
    image = sample_image(leaf_entries_max=3)
    runs = reachable_runs(image.device(), image.superblock)
    for block in (start + i for start, count in runs for i in range(count)):
        contents = image.contents()
        contents[block * BLOCK_SIZE + 3000] ^= 0x40
        report = check(ImageDevice(bytes(contents)), data=True)
        first = max(start for start in [*image.data, *image.nodes] if start <= block)
        assert (first, "crc32") in [problem[1:3] for problem in report.problems]


def test_damage_hides_no_further_problems_behind_guesses() -> None:
    image = sample_image()
    contents = image.contents()
    contents[image.root["directory 1"] * BLOCK_SIZE + 3000] ^= 1
    report = check(ImageDevice(bytes(contents)))
    assert len(report.problems) == 1
    assert any("not checked" in note for note in report.notes)


def test_reachable_runs_are_the_complement_of_the_free_tree() -> None:
    image = sample_image(leaf_entries_max=3)
    runs = reachable_runs(image.device(), image.superblock)
    free = [
        (start, count)
        for leaf in image.leaves("free")
        for start, count in zip(leaf.keys, leaf.values, strict=True)
    ]
    position = 2
    for start, count in sorted(runs + free):
        assert start == position
        position += count
    assert position == image.total_blocks


def test_a_memo_changes_neither_the_verdict_nor_what_depends_on_the_place() -> None:
    memo: dict[Any, Any] = {}
    image = sample_image()
    assert check(image.device(), data=True, memo=memo) == check(image.device(), data=True)
    assert check(image.device(), data=True, memo=memo).is_clean
    image.set_superblock(root_generation=GENERATION - 2)
    report = check(image.device(), memo=memo)
    assert {problem.field for problem in report.problems} == {"generation"}


def test_a_free_range_of_2_to_the_60_blocks_costs_no_more_than_a_small_one() -> None:
    image = sample_image()
    image.leaf("free").values[-1] = 1 << 60
    device = image.device()
    assert not check(device).is_clean
    assert device.blocks_read < 40


def test_the_report_is_capped_and_says_so() -> None:
    image = VolumeImage(total_blocks=2048)
    for number in range(1200):
        image.add_file(1, b"f%d" % number)
    image.lay_out()
    for inode in image.inodes.values():
        inode.refcount = 5
    report = check(image.device())
    assert len(report.problems) == 1000
    assert report.problems_omitted == 201


def test_a_problem_reads_as_a_sentence() -> None:
    image = sample_image()
    image.inodes[4].refcount = 7
    (problem,) = check(image.device()).problems
    block = image.root["inodes"]
    assert str(problem) == f"inode at block {block}, refcount: inode 4: 7 is not 1"


def test_progress_counts_up_to_the_total() -> None:
    calls: list[tuple[str, int, int]] = []
    check(sample_image().device(), data=True, progress=lambda *call: calls.append(call))
    assert ("inodes", 13, 13) in calls
    assert calls[-1][0] == "data"
    assert calls[-1][1] == calls[-1][2]


# -- hostile images


def mend(contents: bytearray) -> None:
    """Make the CRC of every node right again, so that hostile values get past it."""
    for start in range(0, len(contents), BLOCK_SIZE):
        if int.from_bytes(contents[start : start + 4], "little") in KINDS:
            block = contents[start : start + BLOCK_SIZE]
            contents[start + 24 : start + 28] = node_crc(block).to_bytes(4, "little")


SAMPLES = [
    (image, [block * BLOCK_SIZE for block in image.nodes])
    for image in (sample_image(), sample_image(leaf_entries_max=2))
]


@settings(max_examples=300)
@given(
    sample=st.sampled_from(range(len(SAMPLES))),
    changes=st.lists(
        st.tuples(st.integers(0, 1 << 16), st.integers(0, 4095), st.binary(min_size=1, max_size=9)),
        min_size=1,
        max_size=6,
    ),
    mended=st.booleans(),
)
def test_no_change_to_a_volume_makes_check_raise_or_read_without_bound(
    sample: int, changes: list[tuple[int, int, bytes]], mended: bool
) -> None:
    image, places = SAMPLES[sample]
    contents = image.contents()
    places = [0, BLOCK_SIZE, *places]
    for place, offset, raw in changes:
        start = places[place % len(places)] + offset
        contents[start : start + len(raw)] = raw
    if mended:
        mend(contents)
    device = ImageDevice(bytes(contents[: image.total_blocks * BLOCK_SIZE]))
    report = check(device, data=True, memo={})
    assert device.blocks_read <= 2 * image.total_blocks + 2
    json.dumps(report.to_json())
    [str(problem) for problem in report.problems]
    if report.superblock is not None:
        reachable_runs(device, report.superblock)


def test_words_of_every_node_set_to_extremes_are_survived() -> None:
    image = sample_image(leaf_entries_max=3)
    chooser = random.Random(3)
    extremes = [0, 1, 2, 255, (1 << 16) - 1, (1 << 31), (1 << 63), (1 << 64) - 1]
    places = [(block, 8 * word) for block in image.nodes for word in range(60)]
    for block, offset in chooser.sample(places, 400):
        contents = image.contents()
        start = block * BLOCK_SIZE + offset
        contents[start : start + 8] = chooser.choice(extremes).to_bytes(8, "little")
        mend(contents)
        device = ImageDevice(bytes(contents))
        check(device, data=True)
        assert device.blocks_read <= 2 * image.total_blocks + 2


def test_many_extents_on_the_same_blocks_are_read_once() -> None:
    image = VolumeImage(total_blocks=256)
    for number in range(40):
        image.add_file(1, b"f%d" % number, bytes(65536) if not number else b"x" * 4096)
    image.lay_out()
    target = image.leaf("extents 2").values[0]
    for number in range(3, 42):
        leaf = image.leaf(f"extents {number}")
        leaf.values[0] = target._replace(length=65536)
    device = image.device()
    assert not check(device, data=True).is_clean
    assert device.blocks_read <= 256 + 2


def test_garbage_is_a_problem_and_nothing_more() -> None:
    contents = random.Random(7).randbytes(256 * BLOCK_SIZE)
    report = check(ImageDevice(contents), data=True)
    assert len(report.problems) == 1


# -- images of the published tools


def published_device(name: str) -> ImageDevice:
    return ImageDevice(lzma.decompress((FIXTURES / f"{name}.xz").read_bytes()))


@pytest.mark.parametrize("entry", PUBLISHED, ids=lambda entry: entry["image"])
def test_a_published_image_is_read_as_its_tools_wrote_it(entry: dict[str, Any]) -> None:
    device = published_device(entry["image"])
    report = check(device, data=True)
    assert report.layout == "published"
    assert "published layout" in report.notes[0]
    if entry["image"] == "v1_mkfs_empty_1m.img":
        # The unpatched tool never points the superblock at the tree that holds the root inode.
        assert [problem[:3] for problem in report.problems] == [("inode tree", 2, "inode_num")]
        return
    assert report.is_clean, report.problems
    kinds = [found["type"] for found in entry["disk"]["entries"]]
    assert report.files == kinds.count("file")
    assert report.directories == 1 + kinds.count("dir")


@settings(max_examples=60)
@given(
    name=st.sampled_from(["v1_core_nested_2m.img", "v1_core_extents_1m.img", "v3_empty_1m.img"]),
    changes=st.lists(
        st.tuples(st.integers(0, 60 * BLOCK_SIZE), st.binary(min_size=1, max_size=9)),
        min_size=1, max_size=6,
    ),
)  # fmt: skip
def test_no_change_to_a_published_image_makes_check_raise(
    name: str, changes: list[tuple[int, bytes]]
) -> None:
    contents = bytearray(published_device(name).contents)
    for start, raw in changes:
        contents[start : start + len(raw)] = raw
    mend(contents)
    device = ImageDevice(bytes(contents))
    check(device, data=True)
    assert device.blocks_read <= 2 * device.block_count + 2


# -- the volume itself, the one place where both sides of the independence meet


def test_a_volume_written_by_hand_mounts_and_is_clean_again_afterwards() -> None:
    image = sample_image(leaf_entries_max=4)
    device = MemoryDevice(image.total_blocks)
    device.write(0, bytes(image.contents()))
    volume = Volume.mount(device)
    names = {entry.name for entry in volume.readdir(b"/")}
    assert {b"d", b"inline", b"big", b"sparse", b"short-link", b"long-link", b"again"} <= names
    volume.mkdir(b"/d/new", 0o755)
    volume.unlink(b"/big")
    volume.unmount()
    report = check(device, data=True)
    assert report.is_clean, report.problems
    assert report.orphans == 0
    assert report.copies == (report.generation, report.generation)


def test_the_checker_imports_nothing_that_decides_what_to_write() -> None:
    package = Path(watosfs.wfs3.check.__file__).parent
    sources = [package / "check.py", package / "dump.py", *(package / "checker").glob("*.py")]
    structures = {"format", "records", "snapshot_records", "packed_attributes", "node"}
    allowed = structures | {"compression", "checker"}
    for source in sources:
        for module in re.findall(r"^from watosfs\.wfs3\.(\w+)", source.read_text(), re.MULTILINE):
            assert module in allowed, source
