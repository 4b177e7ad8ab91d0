"""Every rule of docs/FORMAT.md broken once: the checker names structure, block and field.

Each function breaks a laid-out volume and returns what must be reported. Damage that drags other
rules with it (a lost block, say) may report those too: one finding must be the one asked for.
"""

from collections.abc import Callable
from typing import TypeAlias

import pytest

from tests.impl.wfs3.image_builder import COLLIDING_NAMES, GENERATION, VolumeImage, sample_image
from watosfs.wfs3.check import check
from watosfs.wfs3.format import name_hash
from watosfs.wfs3.node import DIRECTORY, EXTENTS, FREE, INODES, Node
from watosfs.wfs3.records import Extent, Inode, decode_entry, encode_entry

#: (structure, block, field)
Expected: TypeAlias = tuple[str, int, str]
Break: TypeAlias = Callable[[VolumeImage], Expected]

RULES: dict[str, tuple[Break, dict[str, int]]] = {}


def rule(**shape: int) -> Callable[[Break], Break]:
    def register(function: Break) -> Break:
        RULES[function.__name__] = (function, shape)
        return function

    return register


def inode_of(image: VolumeImage, number: int) -> tuple[Inode, int]:
    """The inode to change and the block of the leaf that holds it."""
    for leaf in image.leaves("inodes"):
        if number in leaf.keys:
            inode: Inode = leaf.values[leaf.keys.index(number)]
            return inode, leaf.block
    raise AssertionError(number)


def change_extent(image: VolumeImage, number: int, position: int, **fields: int) -> int:
    leaf = image.leaf(f"extents {number}")
    extent: Extent = leaf.values[position]
    leaf.values[position] = extent._replace(**fields)
    return leaf.block


def add_entry(leaf: Node, name: bytes, number: int, kind: int, hashed: int | None = None) -> int:
    key = name_hash(name) if hashed is None else hashed
    entries = [*zip(leaf.keys, leaf.values, strict=True)]
    entries.append((key, encode_entry(number, kind, key, name)))
    entries.sort()
    leaf.keys, leaf.values = [key for key, _ in entries], [raw for _, raw in entries]
    return leaf.block


def drop_entry(leaf: Node, name: bytes) -> None:
    for position, raw in enumerate(leaf.values):
        if decode_entry(raw, 0).name == name:
            del leaf.keys[position], leaf.values[position]
            return
    raise AssertionError(name)


# -- superblock


@rule()
def copies_more_than_one_generation_apart(image: VolumeImage) -> Expected:
    image.copies[1] = image.superblock._replace(root_generation=GENERATION - 2)
    return "superblock", 1, "root_generation"


@rule()
def copies_of_one_generation_that_differ(image: VolumeImage) -> Expected:
    image.copies[1] = image.superblock._replace(commit_time_ns=1)
    return "superblock", 1, "root_generation"


@rule()
def copies_of_two_volumes(image: VolumeImage) -> Expected:
    older = image.superblock._replace(root_generation=GENERATION - 1, uuid=bytes(16))
    image.copies[1] = older
    return "superblock", 1, "uuid"


@rule()
def an_unknown_incompatible_feature(image: VolumeImage) -> Expected:
    image.set_superblock(incompat=image.superblock.incompat | 1 << 7)
    return "superblock", 0, "incompat"


_SUPERBLOCK_FIELDS: dict[str, object] = {
    "block_size": 512,
    "chunk_size": 4096,
    "total_blocks": 257,
    "data_start_block": 6,
    "flags": 2,
    "free_blocks": 3,
    "free_tree_block": 0,
    "inode_count": 99,
    "label": b"\xff",
    "next_inode": 12,
    "refcount_root": 2,
    "root_generation": 0,
    "root_tree_block": 1,
    "ro_compat": 0,
    "signature": b"somebody else",
    "snapshot_root": 2,
}


@pytest.mark.parametrize("field", _SUPERBLOCK_FIELDS)
def test_a_wrong_superblock_field_is_named(field: str) -> None:
    image = sample_image()
    image.set_superblock(**{field: _SUPERBLOCK_FIELDS[field]})
    named = "orphan_root" if field == "ro_compat" else field
    report = check(image.device())
    assert ("superblock", 0, named) in [problem[:3] for problem in report.problems]


# -- trees


@rule()
def a_root_outside_the_volume(image: VolumeImage) -> Expected:
    inode, block = inode_of(image, 2)
    inode.extent_root = 1 << 60
    return "inode", block, "extent_root"


@rule(leaf_entries_max=3)
def a_child_outside_the_volume(image: VolumeImage) -> Expected:
    root = image.root["inodes"]
    image.nodes[root].values[1] = image.total_blocks
    return "inode tree", root, "child"


@rule()
def a_tree_of_the_wrong_kind(image: VolumeImage) -> Expected:
    inode, _ = inode_of(image, 2)
    inode.extent_root = image.root["extents 9"]
    return "directory tree", image.root["extents 9"], "magic"


@rule(leaf_entries_max=3)
def a_child_of_the_wrong_level(image: VolumeImage) -> Expected:
    root = image.nodes[image.root["inodes"]]
    middle = Node(INODES, 3, [0], [root.values[1]], image.take())
    image.nodes[middle.block] = middle
    root.values[1] = middle.block
    return "inode tree", middle.block, "level"


@rule()
def a_level_beyond_fifteen(image: VolumeImage) -> Expected:
    root = image.nodes[image.root["inodes"]]
    top = Node(INODES, 16, [0], [root.block], image.take())
    image.nodes[top.block] = top
    image.set_superblock(root_tree_block=top.block)
    return "inode tree", top.block, "level"


@rule()
def an_internal_node_without_children(image: VolumeImage) -> Expected:
    node = Node(INODES, 1, [], [], image.root["inodes"])
    image.nodes[node.block] = node
    return "inode tree", node.block, "item_count"


@rule()
def a_root_newer_than_the_superblock(image: VolumeImage) -> Expected:
    leaf = image.leaf("extents 5")
    leaf.generation = GENERATION + 1
    return "extent tree", leaf.block, "generation"


@rule(leaf_entries_max=3)
def a_child_newer_than_its_parent(image: VolumeImage) -> Expected:
    image.nodes[image.root["inodes"]].generation = GENERATION - 1
    return "inode tree", image.nodes[image.root["inodes"]].values[1], "generation"


@rule()
def keys_out_of_order(image: VolumeImage) -> Expected:
    leaf = image.leaf("inodes")
    leaf.keys[3], leaf.keys[4] = leaf.keys[4], leaf.keys[3]
    leaf.values[3], leaf.values[4] = leaf.values[4], leaf.values[3]
    return "inode tree", leaf.block, "keys"


@rule()
def a_key_that_repeats(image: VolumeImage) -> Expected:
    leaf = image.leaf("inodes")
    leaf.keys[3] = leaf.keys[2]
    return "inode tree", leaf.block, "keys"


@rule(leaf_entries_max=3)
def keys_above_the_parents_range(image: VolumeImage) -> Expected:
    root = image.nodes[image.root["inodes"]]
    root.keys[1] = image.nodes[root.values[0]].keys[-1]
    return "inode tree", root.values[0], "keys"


@rule(leaf_entries_max=3)
def keys_below_the_parents_range(image: VolumeImage) -> Expected:
    root = image.nodes[image.root["inodes"]]
    leaf = image.nodes[image.nodes[root.values[1]].values[0]]
    root.keys[1] += 1
    return "inode tree", leaf.block, "keys"


@rule(leaf_entries_max=2)
def a_subtree_outside_its_bounds(image: VolumeImage) -> Expected:
    root = image.nodes[image.root["inodes"]]
    assert root.level > 1
    root.keys[1] = image.nodes[root.values[1]].keys[1] + 1
    return "inode tree", root.values[1], "keys"


@rule(leaf_entries_max=3)
def an_empty_leaf_below_a_root(image: VolumeImage) -> Expected:
    leaf = image.leaves("inodes")[-1]
    leaf.keys, leaf.values = [], []
    return "inode tree", leaf.block, "item_count"


@rule(leaf_entries_max=3)
def a_child_that_is_its_own_parent(image: VolumeImage) -> Expected:
    root = image.nodes[image.root["inodes"]]
    root.values[1] = root.block
    return "inode tree", root.block, "owner"


# -- space


@rule()
def a_tree_with_two_owners(image: VolumeImage) -> Expected:
    first, _ = inode_of(image, 5)
    second, _ = inode_of(image, 9)
    second.extent_root = first.extent_root
    return "extent tree", first.extent_root, "owner"


@rule()
def data_with_two_owners(image: VolumeImage) -> Expected:
    block = image.leaf("extents 5").values[0].disk_block
    change_extent(image, 9, 0, disk_block=block)
    return "data", block, "owner"


@rule()
def data_on_top_of_a_node(image: VolumeImage) -> Expected:
    change_extent(image, 9, 0, disk_block=image.root["directory 1"])
    return "data", image.root["directory 1"], "owner"


@rule()
def a_block_free_and_in_use(image: VolumeImage) -> Expected:
    leaf = image.leaf("free")
    leaf.values[0] += 1
    image.set_superblock(free_blocks=image.superblock.free_blocks + 1)
    start: int = leaf.keys[0] + leaf.values[0] - 1
    owner = [node.kind.name for node in image.nodes.values() if node.block == start]
    return owner[0] if owner else "data", start, "owner"


@rule()
def a_block_neither_free_nor_in_use(image: VolumeImage) -> Expected:
    leaf = image.leaf("free")
    leaf.values[-1] -= 1
    image.set_superblock(free_blocks=image.superblock.free_blocks - 1)
    return "free space", image.total_blocks - 1, "blocks"


@rule()
def free_ranges_that_touch(image: VolumeImage) -> Expected:
    leaf = image.leaf("free")
    start, count = leaf.keys[-1], leaf.values[-1]
    leaf.values[-1] = 1
    leaf.keys.append(start + 1)
    leaf.values.append(count - 1)
    return "free range", leaf.block, "start"


@rule(leaf_entries_max=2)
def free_ranges_that_touch_across_leaves(image: VolumeImage) -> Expected:
    first, second = image.leaves("free")[:2]
    first.values[-1] = second.keys[0] - first.keys[-1]
    return "free range", second.block, "start"


@rule()
def an_empty_free_range(image: VolumeImage) -> Expected:
    leaf = image.leaf("free")
    leaf.values[0] = 0
    return "free range", leaf.block, "count"


@rule()
def a_free_superblock(image: VolumeImage) -> Expected:
    leaf = image.leaf("free")
    leaf.keys.insert(0, 1)
    leaf.values.insert(0, 1)
    return "free range", leaf.block, "start"


@rule()
def a_free_range_beyond_the_volume(image: VolumeImage) -> Expected:
    leaf = image.leaf("free")
    leaf.values[-1] = 1 << 60
    return "free range", leaf.block, "count"


# -- inodes


@rule()
def an_inode_under_a_foreign_key(image: VolumeImage) -> Expected:
    inode, block = inode_of(image, 4)
    inode.number = 44
    return "inode", block, "inode_num"


@rule()
def an_inode_of_no_known_type(image: VolumeImage) -> Expected:
    inode, block = inode_of(image, 4)
    inode.mode = 0o030644
    return "inode", block, "mode"


@rule()
def a_root_inode_that_is_a_file(image: VolumeImage) -> Expected:
    inode, block = inode_of(image, 1)
    inode.mode = 0o100644
    return "inode", block, "mode"


@rule()
def no_root_inode(image: VolumeImage) -> Expected:
    leaf = image.leaf("inodes")
    del leaf.keys[0], leaf.values[0]
    return "inode tree", leaf.block, "inode_num"


@rule()
def a_file_inline_and_in_extents(image: VolumeImage) -> Expected:
    inode, block = inode_of(image, 5)
    inode.inline = b"x"
    return "inode", block, "inline_size"


@rule()
def an_inline_file_of_another_size(image: VolumeImage) -> Expected:
    inode, block = inode_of(image, 4)
    inode.size = 6
    return "inode", block, "inline_size"


@rule()
def a_directory_with_a_size(image: VolumeImage) -> Expected:
    inode, block = inode_of(image, 2)
    inode.size = 1
    return "inode", block, "size"


@rule()
def a_directory_with_blocks(image: VolumeImage) -> Expected:
    inode, block = inode_of(image, 2)
    inode.blocks = 1
    return "inode", block, "blocks"


@rule()
def a_directory_with_inline_data(image: VolumeImage) -> Expected:
    inode, block = inode_of(image, 2)
    inode.inline = b"x"
    return "inode", block, "inline_size"


@rule()
def a_shared_inode_without_the_feature(image: VolumeImage) -> Expected:
    inode, block = inode_of(image, 4)
    inode.refcount = 2
    return "inode", block, "refcount"


@rule()
def a_file_of_impossible_size(image: VolumeImage) -> Expected:
    inode, block = inode_of(image, 6)
    inode.size = 1 << 63
    return "inode", block, "size"


@rule()
def blocks_that_no_extent_holds(image: VolumeImage) -> Expected:
    inode, block = inode_of(image, 5)
    inode.blocks += 1
    return "inode", block, "blocks"


@rule()
def blocks_of_a_file_without_extents(image: VolumeImage) -> Expected:
    inode, block = inode_of(image, 11)
    inode.blocks = 1
    return "inode", block, "blocks"


@rule()
def a_symlink_without_a_target(image: VolumeImage) -> Expected:
    inode, block = inode_of(image, 7)
    inode.size, inode.inline = 0, b""
    return "inode", block, "size"


@rule()
def a_symlink_that_is_a_hole(image: VolumeImage) -> Expected:
    inode, block = inode_of(image, 7)
    inode.inline = b""
    return "inode", block, "inline_size"


@rule()
def a_symlink_of_4096_bytes(image: VolumeImage) -> Expected:
    inode, block = inode_of(image, 8)
    inode.size = 4096
    return "inode", block, "size"


# -- extents


@rule()
def an_extent_under_a_foreign_key(image: VolumeImage) -> Expected:
    return "extent", change_extent(image, 5, 1, file_offset=4096), "file_offset"


@rule()
def an_extent_inside_a_block(image: VolumeImage) -> Expected:
    leaf = image.leaf("extents 6")
    leaf.keys[0] = 8193
    return "extent", change_extent(image, 6, 0, file_offset=8193), "file_offset"


@rule()
def an_extent_of_part_of_a_block(image: VolumeImage) -> Expected:
    return "extent", change_extent(image, 6, 0, length=100), "length"


@rule()
def an_extent_of_no_length(image: VolumeImage) -> Expected:
    return "extent", change_extent(image, 6, 0, length=0), "length"


@rule()
def an_extent_above_64_kib(image: VolumeImage) -> Expected:
    return "extent", change_extent(image, 5, 0, length=65536 + 4096), "length"


@rule()
def an_extent_across_a_chunk_border(image: VolumeImage) -> Expected:
    return "extent", change_extent(image, 6, 0, length=65536), "file_offset"


@rule()
def extents_that_overlap(image: VolumeImage) -> Expected:
    leaf = image.leaf("extents 5")
    leaf.keys[1] = 61440
    return "extent", change_extent(image, 5, 1, file_offset=61440), "file_offset"


@rule(leaf_entries_max=2)
def extents_that_overlap_across_leaves(image: VolumeImage) -> Expected:
    leaf = image.leaves("extents 5")[1]
    extent: Extent = leaf.values[0]
    leaf.keys[0] -= 4096
    leaf.values[0] = extent._replace(file_offset=leaf.keys[0])
    image.nodes[image.root["extents 5"]].keys[1] = leaf.keys[0]
    return "extent", leaf.block, "file_offset"


@rule()
def an_extent_beyond_the_size(image: VolumeImage) -> Expected:
    inode, _ = inode_of(image, 5)
    inode.size = 4096
    return "extent", image.leaf("extents 5").block, "length"


@rule()
def an_extent_outside_the_volume(image: VolumeImage) -> Expected:
    return "extent", change_extent(image, 5, 0, disk_block=(1 << 64) - 1), "disk_block"


@rule()
def an_extent_on_a_superblock(image: VolumeImage) -> Expected:
    return "extent", change_extent(image, 6, 0, disk_block=1), "disk_block"


@rule()
def an_extent_with_flags(image: VolumeImage) -> Expected:
    return "extent", change_extent(image, 5, 0, flags=2), "flags"


@rule()
def a_shared_extent_without_the_feature(image: VolumeImage) -> Expected:
    return "extent", change_extent(image, 5, 0, refcount=2), "refcount"


@rule()
def an_extent_from_the_future(image: VolumeImage) -> Expected:
    return "extent", change_extent(image, 5, 0, generation=GENERATION + 1), "generation"


@rule()
def data_that_its_crc_denies(image: VolumeImage) -> Expected:
    block = image.leaf("extents 5").values[0].disk_block
    change_extent(image, 5, 0, crc32=1)
    return "data", block, "crc32"


@rule()
def old_bytes_beyond_the_size(image: VolumeImage) -> Expected:
    inode, _ = inode_of(image, 9)
    inode.size -= 1
    return "data", image.leaf("extents 9").values[0].disk_block, "padding"


# -- names


@rule()
def a_name_with_a_slash(image: VolumeImage) -> Expected:
    return "directory entry", add_entry(image.leaf("directory 2"), b"a/b", 4, 1), "name"


@rule()
def an_empty_name(image: VolumeImage) -> Expected:
    return "directory entry", add_entry(image.leaf("directory 2"), b"", 4, 1), "name"


@rule()
def a_name_under_a_foreign_hash(image: VolumeImage) -> Expected:
    return "directory entry", add_entry(image.leaf("directory 2"), b"x", 4, 1, 5), "name_hash"


@rule()
def a_name_that_is_there_twice(image: VolumeImage) -> Expected:
    return "directory entry", add_entry(image.leaf("directory 2"), b"e", 4, 1), "name"


@rule(leaf_entries_max=2)
def a_name_that_is_there_twice_across_leaves(image: VolumeImage) -> Expected:
    leaves = image.leaves("directory 1")
    first = decode_entry(leaves[1].values[0], 0)
    add_entry(leaves[0], first.name, first.inode_number, first.kind)
    return "directory entry", leaves[1].block, "name"


@rule()
def a_name_of_an_inode_that_does_not_exist(image: VolumeImage) -> Expected:
    return "directory entry", add_entry(image.leaf("directory 2"), b"x", 99, 1), "inode_num"


@rule()
def a_name_of_an_orphan(image: VolumeImage) -> Expected:
    return "directory entry", add_entry(image.leaf("directory 2"), b"x", 9, 1), "inode_num"


@rule()
def an_entry_of_another_type(image: VolumeImage) -> Expected:
    leaf = image.leaf("directory 2")
    drop_entry(leaf, b"linked")
    return "directory entry", add_entry(leaf, b"linked", 10, 3), "type"


@rule()
def dots_below_the_root(image: VolumeImage) -> Expected:
    return "directory entry", add_entry(image.leaf("directory 2"), b"..", 1, 2), "name"


@rule()
def dots_that_name_another_inode(image: VolumeImage) -> Expected:
    leaf = image.leaf("directory 1")
    drop_entry(leaf, b"..")
    return "directory entry", add_entry(leaf, b"..", 2, 2), "inode_num"


@rule()
def a_root_without_dots(image: VolumeImage) -> Expected:
    drop_entry(image.leaf("directory 1"), b"..")
    return "inode", inode_of(image, 1)[1], "extent_root"


@rule()
def a_missing_link(image: VolumeImage) -> Expected:
    drop_entry(image.leaf("directory 1"), b"again")
    return "inode", inode_of(image, 10)[1], "nlink"


@rule()
def a_link_too_many(image: VolumeImage) -> Expected:
    add_entry(image.leaf("directory 1"), b"third", 10, 1)
    return "inode", inode_of(image, 10)[1], "nlink"


@rule()
def a_directory_that_miscounts_its_children(image: VolumeImage) -> Expected:
    inode, block = inode_of(image, 2)
    inode.nlink = 2
    return "inode", block, "nlink"


@rule()
def a_file_without_a_name(image: VolumeImage) -> Expected:
    drop_entry(image.leaf("directory 3"), b"empty")
    return "inode", inode_of(image, 11)[1], "nlink"


@rule()
def a_directory_with_two_names(image: VolumeImage) -> Expected:
    add_entry(image.leaf("directory 1"), b"e-too", 3, 2)
    return "inode", inode_of(image, 3)[1], "nlink"


@rule()
def a_root_that_has_a_name(image: VolumeImage) -> Expected:
    add_entry(image.leaf("directory 2"), b"root", 1, 2)
    return "inode", inode_of(image, 1)[1], "nlink"


@rule()
def a_cycle_of_directories(image: VolumeImage) -> Expected:
    drop_entry(image.leaf("directory 1"), b"d")
    add_entry(image.leaf("directory 3"), b"d", 2, 2)
    inode_of(image, 1)[0].nlink -= 1
    inode_of(image, 3)[0].nlink += 1
    return "inode", inode_of(image, 3)[1], "parent"


# -- orphans


@rule()
def an_inode_without_links_that_is_no_orphan(image: VolumeImage) -> Expected:
    drop_entry(image.leaf("directory 3"), b"empty")
    inode, block = inode_of(image, 11)
    inode.nlink = 0
    return "inode", block, "nlink"


@rule()
def an_orphan_that_does_not_exist(image: VolumeImage) -> Expected:
    leaf = image.leaf("orphans")
    leaf.keys.append(77)
    leaf.values.append(1)
    return "orphan tree", leaf.block, "inode_num"


@rule()
def an_orphan_that_has_a_name(image: VolumeImage) -> Expected:
    leaf = image.leaf("orphans")
    leaf.keys.append(11)
    leaf.values.append(1)
    return "orphan tree", leaf.block, "inode_num"


@rule()
def an_orphan_directory_with_entries(image: VolumeImage) -> Expected:
    drop_entry(image.leaf("directory 2"), b"e")
    inode, block = inode_of(image, 3)
    inode.nlink = 0
    inode_of(image, 2)[0].nlink -= 1
    leaf = image.leaf("orphans")
    leaf.keys.insert(0, 3)
    leaf.values.insert(0, 1)
    return "inode", block, "nlink"


@pytest.mark.parametrize("name", RULES)
def test_a_broken_rule_is_named(name: str) -> None:
    break_it, shape = RULES[name]
    image = sample_image(**shape)
    assert check(image.device(), data=True).is_clean
    expected = break_it(image)
    report = check(image.device(), data=True, memo={})
    assert expected in [problem[:3] for problem in report.problems], report.problems


def test_names_with_equal_hashes_may_straddle_two_leaves() -> None:
    assert name_hash(COLLIDING_NAMES[0]) == name_hash(COLLIDING_NAMES[1])
    image = sample_image(leaf_entries_max=1)
    keys = [leaf.keys[0] for leaf in image.leaves("directory 2")]
    assert keys.count(name_hash(COLLIDING_NAMES[0])) == 2
    assert check(image.device()).is_clean


def test_every_kind_of_tree_has_a_broken_rule() -> None:
    structures = {RULES[name][0](sample_image(**RULES[name][1]))[0] for name in RULES}
    assert {INODES.name, DIRECTORY.name, EXTENTS.name, "orphan tree", "free range"} <= structures
    assert FREE.name in structures or "free space" in structures
