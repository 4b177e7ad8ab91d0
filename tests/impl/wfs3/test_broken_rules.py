"""Every rule of docs/FORMAT.md broken once: what a repair makes of it, and what a volume does."""

import errno
import os

import pytest

from tests.impl.wfs3.damaged_volumes import clock, with_block
from tests.impl.wfs3.image_builder import VolumeImage, sample_image
from tests.impl.wfs3.test_check_rules import RULES, inode_of
from watosfs.block.memory import MemoryDevice
from watosfs.wfs3.check import check
from watosfs.wfs3.format import COUNTER_MAX
from watosfs.wfs3.mkfs import mkfs
from watosfs.wfs3.records import INODE_FLAG_ATTRIBUTES, Inode
from watosfs.wfs3.repair import repair
from watosfs.wfs3.volume import Volume

#: What may not be written, by an errno.
REFUSED = {"an_unknown_incompatible_feature": errno.EUCLEAN}


def broken(name: str) -> MemoryDevice:
    """The sample volume with a rule broken."""
    break_it, shape = RULES[name]
    image = sample_image(**shape)
    break_it(image)
    return writable(image)


def writable(image: VolumeImage) -> MemoryDevice:
    device = image.device()
    return with_block(device, 0, bytes(device.read(0)))


@pytest.mark.parametrize("name", RULES)
def test_a_broken_rule_is_repaired(name: str) -> None:
    device = broken(name)
    if name in REFUSED:
        with pytest.raises(OSError, match="unknown incompatible feature") as caught:
            repair(device, clock=clock)
        assert caught.value.errno == REFUSED[name]
        return
    done = repair(device, clock=clock)
    assert done.after.is_clean, done.after.problems[:3]
    assert check(device, data=True).is_clean


def root_of(image: VolumeImage, copy: int, **fields: int) -> None:
    image.copies[copy] = image.copies[copy]._replace(**fields)


def test_a_copy_whose_generation_cannot_be_does_not_count() -> None:
    image = sample_image()
    root_of(image, 1, root_generation=COUNTER_MAX + 1)
    done = repair(device := writable(image), clock=clock)
    assert done.after.is_clean
    assert done.after.generation < COUNTER_MAX
    assert check(device, data=True).is_clean


def test_after_the_last_generation_there_is_none() -> None:
    image = sample_image()
    root_of(image, 1, root_generation=COUNTER_MAX)
    with pytest.raises(OSError, match="no generation comes after") as caught:
        repair(writable(image), clock=clock)
    assert caught.value.errno == errno.ENOTSUP


def test_an_inode_number_that_cannot_be_is_dropped() -> None:
    image = sample_image()
    leaf = image.leaves("inodes")[-1]
    leaf.keys[-1] = leaf.values[-1].number = (1 << 64) - 1
    assert repair(writable(image), clock=clock).after.is_clean


@pytest.mark.parametrize("number", [2, 3, 11])
def test_only_a_file_holds_attributes(number: int) -> None:
    image = sample_image()
    inode_of(image, number)[0].flags |= INODE_FLAG_ATTRIBUTES
    assert repair(writable(image), clock=clock).after.is_clean


@pytest.mark.parametrize("nlink", [0, 1, 2])
def test_a_name_does_not_go_below_no_links(nlink: int) -> None:
    """BUGS B46."""
    image = sample_image()
    numbers = {}
    with Volume.mount(writable(image), clock=clock) as volume:
        volume.mkdir(b"/p", 0o755)
        volume.mkdir(b"/p/d", 0o755)
        volume.create(b"/p/f").close()
        volume.sync()
        for path in (b"/p", b"/p/f"):
            numbers[path] = volume.stat(path).st_ino
            volume.engine.modify(numbers[path]).nlink = nlink
        if nlink == 0:
            for call in (
                lambda: volume.unlink(b"/p/f"),
                lambda: volume.rename(b"/inline", b"/p/f"),
            ):
                assert refusal(call) == errno.EUCLEAN
        for call in (lambda: volume.rmdir(b"/p/d"), lambda: volume.rename(b"/p/d", b"/moved")):
            assert refusal(call) == errno.EUCLEAN
        volume.sync()


def with_file(**fields: int) -> Volume:
    """A volume with a file ``/file`` of two blocks whose inode or extent says something else."""
    device = MemoryDevice(256)
    mkfs(device, clock=clock)
    with Volume.mount(device, clock=clock) as volume:
        with volume.create(b"/file") as handle:
            handle.pwrite(b"x" * 8000, 0)
        volume.sync()
        inode = volume.engine.modify(volume.stat(b"/file").st_ino)
        for name, value in fields.items():
            if name in Inode.__slots__:
                setattr(inode, name, value)
                continue
            tree = volume.engine.changing_tree(inode)
            path = tree.lower_bound(0)
            tree.make_path_dirty(path)
            leaf, i = path[-1]
            leaf.values[i] = leaf.values[i]._replace(**{name: value})
    return Volume.mount(device, clock=clock)


def test_more_blocks_than_a_volume_has_are_not_counted() -> None:
    """BUGS B84."""
    volume = with_file(blocks=(1 << 64) - 1)
    assert refusal(lambda: volume.truncate(b"/file", 100_000)) == errno.EUCLEAN


def test_fewer_blocks_than_are_given_up_are_not_counted() -> None:
    """BUGS B84."""
    volume = with_file(blocks=1)
    with volume.open(b"/file", os.O_WRONLY) as handle:
        handle.pwrite(b"y" * 8000, 0)
        assert refusal(volume.sync) == errno.EUCLEAN


def test_an_extent_without_length_is_not_passed_over() -> None:
    """BUGS B85."""
    volume = with_file(length=0)
    with volume.open(b"/file") as handle:
        assert refusal(lambda: handle.seek_hole(0)) == errno.EUCLEAN


def test_a_number_that_is_there_twice_is_not_read_from_memory() -> None:
    """BUGS B83: a dirty leaf held the inode that another entry of its number had led to."""
    volume = with_file()
    engine = volume.engine
    number = volume.stat(b"/file").st_ino
    inode = engine.modify(number)
    engine.inodes.pop(number)
    assert refusal(lambda: engine.inode(number)) == errno.EUCLEAN
    engine.inodes[number] = inode
    volume.sync()
    assert engine.inode(number).size == 8000


def refusal(call: object) -> int | None:
    with pytest.raises(OSError) as caught:
        call()  # type: ignore[operator]
    return caught.value.errno
