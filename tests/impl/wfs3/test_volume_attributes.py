"""Extended attributes: kept through mounts and crashes, freed with their owner, checked."""

import errno

import pytest

from watosfs.block.memory import MemoryDevice
from watosfs.wfs3.check import check
from watosfs.wfs3.format import ATTRIBUTES_MAX
from watosfs.wfs3.handle import O_RDWR
from watosfs.wfs3.mkfs import mkfs
from watosfs.wfs3.packed_attributes import decode, encode
from watosfs.wfs3.paths import Follow
from watosfs.wfs3.volume import Volume


@pytest.fixture
def volume() -> Volume:
    device = MemoryDevice(1024)
    mkfs(device)
    volume = Volume.mount(device)
    volume.create("/f").close()
    return volume


def remounted(volume: Volume) -> Volume:
    device = volume.engine.device
    volume.unmount()
    return Volume.mount(device)


@pytest.mark.parametrize("size", [0, 1, 147, 148, 4096, ATTRIBUTES_MAX - 12])
def test_a_value_of_any_size_comes_back_after_a_mount(volume: Volume, size: int) -> None:
    volume.setxattr("/f", b"user.k", bytes(size))
    volume = remounted(volume)
    assert volume.getxattr("/f", b"user.k") == bytes(size)
    assert check(volume.engine.device, data=True).problems == ()


def test_a_holder_whose_number_does_not_fit_is_refused_before_anything_changes(
    volume: Volume,
) -> None:
    volume.setxattr("/f", b"user.k", b"old")
    volume.create("/g").close()
    volume.engine.next_inode = 1 << 48
    with pytest.raises(OSError) as caught:
        volume.setxattr("/g", b"user.k", b"value")
    assert caught.value.errno == errno.ENOSPC
    volume.setxattr("/f", b"user.k", b"new")
    volume = remounted(volume)
    assert volume.getxattr("/f", b"user.k") == b"new"
    assert volume.listxattr("/g") == []


def test_all_attributes_of_an_inode_share_one_room(volume: Volume) -> None:
    volume.setxattr("/f", b"user.k", bytes(ATTRIBUTES_MAX - 12))
    with pytest.raises(OSError) as caught:
        volume.setxattr("/f", b"user.l", b"")
    assert caught.value.errno == errno.ENOSPC
    with pytest.raises(OSError) as caught:
        volume.setxattr("/f", b"user.k", bytes(ATTRIBUTES_MAX + 1))
    assert caught.value.errno == errno.E2BIG
    assert volume.listxattr("/f") == [b"user.k"]


def test_removing_the_last_one_or_the_owner_gives_all_space_back(volume: Volume) -> None:
    volume.sync()
    before = volume.statfs().free
    volume.setxattr("/f", b"user.k", bytes(30_000))
    volume.setxattr("/", b"user.k", bytes(9_000))
    volume.removexattr("/", b"user.k")
    volume.unlink("/f")
    volume.create("/f").close()
    volume.sync()
    volume.engine.commit(force=True)
    assert volume.statfs().free == before
    volume.unmount()
    assert check(volume.engine.device, data=True).problems == ()


def test_an_unlinked_open_file_keeps_its_attributes_until_it_is_closed(volume: Volume) -> None:
    volume.setxattr("/f", b"user.k", b"v")
    handle = volume.open("/f", O_RDWR)
    volume.unlink("/f")
    assert volume.attributes.of(handle.inode()) == {b"user.k": b"v"}
    handle.close()
    volume = remounted(volume)
    assert check(volume.engine.device, data=True).problems == ()


def test_abort_takes_attributes_back(volume: Volume) -> None:
    volume.setxattr("/f", b"user.k", b"old")
    volume.begin()
    volume.setxattr("/f", b"user.k", bytes(5000))
    volume.setxattr("/f", b"user.l", b"new")
    volume.abort()
    assert volume.listxattr("/f") == [b"user.k"]
    assert volume.getxattr("/f", b"user.k") == b"old"


def test_replacing_attributes_reads_and_writes_no_more_than_they_are(volume: Volume) -> None:
    volume.setxattr("/f", b"user.k", b"v")
    holder = volume.engine.attributes_holder(volume.find("/f"))
    assert holder is not None
    assert holder.inline == encode({b"user.k": b"v"})
    assert not holder.blocks


@pytest.mark.parametrize(
    "raw",
    [
        b"\x06\x00",
        b"\x06\x00\x01\x00\x00\x00user.k",
        encode({b"user.a": b""}) * 2,
        b"\x05\x00\x00\x00\x00\x00user.",
        b"\x06\x00\x00\x00\x00\x00other.",
        b"\xff\xff\xff\xff\xff\xffuser.k",
    ],
    ids=["cut head", "cut value", "key twice", "no name", "wrong namespace", "huge"],
)
def test_what_is_no_packed_attribute_is_damage(raw: bytes) -> None:
    with pytest.raises(OSError) as caught:
        decode(raw, 7)
    assert caught.value.errno == errno.EUCLEAN


def test_packing_goes_both_ways() -> None:
    attributes = {b"user.b": b"2", b"user.a": b"", b"user.\xff": bytes(300)}
    assert decode(encode(attributes), 1) == attributes


def test_the_checker_tells_a_holder_that_nobody_owns(volume: Volume) -> None:
    volume.setxattr("/f", b"user.k", b"v")
    volume.engine.modify(volume.find("/f").number).attributes_inode = 0
    volume.unmount()
    problems = check(volume.engine.device).problems
    assert [(found.structure, found.field) for found in problems] == [("inode", "flags")]


def test_the_checker_tells_attributes_that_cannot_be_read(volume: Volume) -> None:
    volume.setxattr("/f", b"user.k", b"v")
    holder = volume.engine.attributes_holder(volume.find("/f"))
    assert holder is not None
    volume.engine.modify(holder.number).inline = b"\xff" * holder.size
    with pytest.raises(OSError) as caught:
        volume.listxattr("/f")
    assert caught.value.errno == errno.EUCLEAN
    volume.unmount()
    problems = check(volume.engine.device).problems
    assert [(found.structure, found.field) for found in problems] == [("inode", "attributes")]


def test_a_holder_that_points_to_itself_is_damage_and_not_a_loop(volume: Volume) -> None:
    volume.setxattr("/f", b"user.k", b"v")
    holder = volume.engine.attributes_holder(volume.find("/f"))
    assert holder is not None
    volume.engine.modify(holder.number).attributes_inode = holder.number
    with pytest.raises(OSError) as caught:
        volume.unlink("/f")
    assert caught.value.errno == errno.EUCLEAN
    volume.unmount()
    assert check(volume.engine.device).problems


def test_a_fifo_is_clean_to_the_checker(volume: Volume) -> None:
    place = volume.place("/p", Follow.NEVER)
    with volume.change():
        volume.namespace.create(place, 0o600, 0o010000)
    volume.unmount()
    assert check(volume.engine.device, data=True).problems == ()
