"""Full volumes: what is refused, what must still work, what comes back."""

import errno
import random

import pytest

from watosfs.block.memory import MemoryDevice
from watosfs.wfs3.check import check
from watosfs.wfs3.handle import O_RDWR, Handle
from watosfs.wfs3.mkfs import mkfs
from watosfs.wfs3.volume import Volume


def fill(volume: Volume, piece: int) -> list[str]:
    """Create files of ``piece`` bytes until ENOSPC; their names."""
    names: list[str] = []
    while True:
        name = f"/fill{len(names)}"
        try:
            with volume.create(name) as handle:
                names.append(name)
                handle.pwrite(bytes([len(names) % 251 + 1]) * piece, 0)
        except OSError as error:
            if error.errno != errno.ENOSPC:
                raise
            return names


def write_until_full(handle: Handle) -> int:
    """Append 64 KiB pieces until ENOSPC; the size reached."""
    size = 0
    while True:
        try:
            size += handle.pwrite(b"q" * 65536, size)
        except OSError as error:
            if error.errno != errno.ENOSPC:
                raise
            return size


def assert_clean(device: MemoryDevice) -> None:
    report = check(device, data=True)
    assert report.is_clean, [str(problem) for problem in report.problems]


@pytest.mark.parametrize("piece", [100, 5000, 70000])
@pytest.mark.parametrize("blocks", [256, 1000])
def test_a_full_volume_can_be_emptied_again(piece: int, blocks: int) -> None:
    device = MemoryDevice(blocks)
    mkfs(device)
    volume = Volume.mount(device)
    initial = volume.statfs().free
    names = fill(volume, piece)
    assert volume.statfs().available < 64 + 16
    assert names
    volume.sync()
    assert_clean(device)
    order = list(names)
    random.Random(blocks).shuffle(order)
    for name in order:
        volume.unlink(name)
    volume.sync()
    assert volume.statfs().free >= initial - 3
    volume.unmount()
    assert_clean(device)


def test_a_refused_write_changes_nothing() -> None:
    device = MemoryDevice(256)
    mkfs(device)
    volume = Volume.mount(device)
    fill(volume, 4096)
    with volume.open("/fill0", O_RDWR) as handle:
        before = handle.stat(), handle.pread(10000, 0)
        with pytest.raises(OSError) as caught:
            handle.pwrite(b"z" * 900_000, 5)
        assert caught.value.errno == errno.ENOSPC
        assert (handle.stat(), handle.pread(10000, 0)) == before


def test_truncating_in_the_middle_of_a_chunk_works_on_a_full_volume() -> None:
    device = MemoryDevice(256)
    mkfs(device)
    volume = Volume.mount(device)
    with volume.create("/big") as handle:
        handle.pwrite(b"b" * 300_000, 0)
    fill(volume, 3000)
    volume.truncate("/big", 100_001)
    volume.sync()
    with volume.open("/big") as handle:
        assert handle.pread(200_000, 0) == b"b" * 100_001
    assert_clean(device)


def test_an_abort_works_on_a_full_volume_and_gives_the_space_back() -> None:
    device = MemoryDevice(256)
    mkfs(device)
    volume = Volume.mount(device)
    volume.create("/keep").close()
    volume.sync()
    before = volume.statfs().free
    volume.begin()
    fill(volume, 9000)
    volume.abort()
    assert [entry.name for entry in volume.readdir("/")] == [b"keep"]
    assert volume.statfs().free == before
    volume.unmount()
    assert_clean(device)


def test_free_space_of_a_16_tib_volume_costs_nothing_to_mount() -> None:
    device = MemoryDevice(1 << 32)
    mkfs(device)
    with Volume.mount(device) as volume:
        with volume.create("/far") as handle:
            handle.pwrite(b"end", 1 << 40)
        assert volume.statfs().total == 1 << 32
    with Volume.mount(device) as volume, volume.open("/far") as handle:
        assert handle.pread(3, 1 << 40) == b"end"
    assert_clean(device)


def test_fragmented_free_space_is_used_to_the_last_admissible_block() -> None:
    device = MemoryDevice(1024)
    mkfs(device)
    volume = Volume.mount(device)
    names = fill(volume, 4096)
    for name in names[::2]:
        volume.unlink(name)
    volume.sync()
    with volume.create("/big") as handle:
        size = write_until_full(handle)
        volume.sync()
        assert handle.pread(size, 0) == b"q" * size
        assert size > len(names) // 2 * 4096 // 2
    volume.unmount()
    assert_clean(device)
