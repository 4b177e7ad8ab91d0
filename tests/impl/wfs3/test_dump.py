"""Block descriptions: structures decoded, damage marked, the rest as a hexdump."""

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.impl.wfs3.image_builder import COLLIDING_NAMES, ImageDevice, sample_image
from watosfs.wfs3.dump import describe_block, hexdump
from watosfs.wfs3.format import BLOCK_SIZE

IMAGE = sample_image()
DEVICE = IMAGE.device()


def test_a_superblock_shows_its_features_by_name() -> None:
    shown = describe_block(DEVICE, 1)
    assert shown.structure == "superblock"
    assert shown.fields["incompat"] == "raw-data"
    assert shown.fields["ro_compat"] == "orphan-tree"
    assert shown.fields["compat"] == "nanosecond-times"
    assert shown.fields["label"] == "built by hand"
    assert shown.fields["commit_time_ns"] == "2023-11-14T22:13:20.123456789Z"
    assert re.search(r"root_generation +9\n", str(shown))


def test_an_unknown_feature_bit_is_shown_as_such() -> None:
    image = sample_image()
    image.set_superblock(incompat=1 | 1 << 9)
    assert describe_block(image.device(), 0).fields["incompat"] == "raw-data, unknown bit 9 (0x200)"


def test_inodes_show_mode_and_times() -> None:
    shown = describe_block(DEVICE, IMAGE.root["inodes"])
    assert shown.structure == "inode tree"
    assert shown.entries[0]["mode"] == "drwxr-xr-x (0o40755)"
    assert shown.entries[3]["mtime"] == "2023-11-14T22:13:20.123456789Z"
    assert shown.entries[3]["inline"] == "'hello'"


def test_directory_entries_show_names_and_types() -> None:
    shown = describe_block(DEVICE, IMAGE.root["directory 2"])
    names = {entry["name"]: entry["type"] for entry in shown.entries}
    assert names["'e'"] == "directory"
    assert names[repr(COLLIDING_NAMES[0])[1:]] == "file"


def test_extents_free_ranges_and_orphans_are_decoded() -> None:
    extent = describe_block(DEVICE, IMAGE.root["extents 5"]).entries[1]
    assert (extent["file_offset"], extent["length"]) == (65536, 65536)
    assert set(describe_block(DEVICE, IMAGE.root["free"]).entries[0]) == {"start", "count"}
    assert describe_block(DEVICE, IMAGE.root["orphans"]).entries[0]["inode_num"] == 9


def test_an_internal_node_shows_its_children() -> None:
    image = sample_image(leaf_entries_max=2)
    root = image.root["directory 1"]
    shown = describe_block(image.device(), root)
    assert [entry["child"] for entry in shown.entries] == image.nodes[root].values


def test_a_wrong_crc_is_marked() -> None:
    contents = IMAGE.contents()
    contents[IMAGE.root["inodes"] * BLOCK_SIZE + 4000] ^= 1
    shown = describe_block(ImageDevice(bytes(contents)), IMAGE.root["inodes"])
    assert "INVALID" in shown.fields["crc32"]


def test_anything_else_is_a_hexdump_with_zero_runs_folded() -> None:
    block = IMAGE.leaf("extents 9").values[0].disk_block
    shown = describe_block(DEVICE, block + 1)
    assert shown.structure == "data"
    assert shown.lines[0].startswith("0000  6f 6f 6f")
    assert shown.lines[0].endswith("|oooooooooooooooo|")
    assert shown.lines[-1] == "0390  zero up to 1000"
    assert hexdump(bytes(BLOCK_SIZE)) == ["0000  zero up to 1000"]


def test_a_block_outside_the_device_is_an_os_error() -> None:
    with pytest.raises(OSError, match="outside"):
        describe_block(DEVICE, 256)


@given(
    st.sampled_from(sorted(IMAGE.nodes)), st.integers(0, 4088), st.binary(min_size=1, max_size=8)
)
def test_no_contents_make_a_description_fail(block: int, offset: int, raw: bytes) -> None:
    contents = IMAGE.contents()
    contents[block * BLOCK_SIZE + offset : block * BLOCK_SIZE + offset + len(raw)] = raw
    shown = describe_block(ImageDevice(bytes(contents)), block)
    json.dumps(shown.to_json())
    assert str(shown).startswith(f"block {block}: ")
