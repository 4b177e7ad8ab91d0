"""What an observation remembers is bounded: contents are large, and every write makes a new one."""

from watosfs_model import observation
from watosfs_model.observation import Remembered, fields_of
from watosfs_model.state import BLOCK_BYTES, FILE, Inode


def a_file(seed: int, block_count: int) -> Inode:
    block = bytes([seed % 255 + 1]) * BLOCK_BYTES
    blocks = dict.fromkeys(range(block_count), block)
    return Inode(FILE, 0o644, 1, 0, 0, 0, size=block_count * BLOCK_BYTES, blocks=blocks)


def test_contents_remembered_are_bounded_in_bytes():
    remembered = Remembered()
    kept = []
    for seed in range(200):
        inode = a_file(seed, 256)
        kept.append(inode)
        remembered.keep(inode, ("entry", seed))
        held = sum(BLOCK_BYTES * len(known.blocks) for known, _ in remembered.entries.values())
        assert held == remembered.content_bytes <= observation._REMEMBERED_BYTES_MAX
    assert remembered.get(kept[-1]) == ("entry", 199)
    assert remembered.get(kept[0]) is None


def test_small_ones_are_bounded_in_number():
    remembered = Remembered()
    kept = [a_file(seed, 0) for seed in range(observation._REMEMBERED_MAX + 1)]
    for inode in kept:
        remembered.keep(inode, ("entry",))
    assert len(remembered.entries) == 1


def test_an_inode_is_read_once():
    inode = a_file(1, 2)
    assert fields_of(inode) is fields_of(inode)
