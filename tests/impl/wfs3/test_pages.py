"""Pages kept for small reads: no second device read, never stale, bounded.

Canary: a cache that forgets nothing when a file changes is caught by the comparison with a plain
``bytearray``.
"""

import errno
import random

import pytest

from watosfs.block.memory import MemoryDevice
from watosfs.block.statistics import CountingDevice
from watosfs.wfs3.mkfs import mkfs
from watosfs.wfs3.pages import PAGE_SIZE_BYTES, PageCache
from watosfs.wfs3.volume import Volume

PAGE = PAGE_SIZE_BYTES


@pytest.fixture
def device():
    device = CountingDevice(MemoryDevice(2048))
    mkfs(device)
    return device


@pytest.fixture
def volume(device):
    with Volume.mount(device) as volume:
        yield volume


def put(volume, path, data):
    with volume.create(path) as handle:
        handle.pwrite(data, 0)
    volume.sync()


def test_a_small_read_that_comes_back_reads_nothing_from_the_device(volume, device):
    put(volume, b"/f", bytes(range(256)) * 1024)
    with volume.open(b"/f") as handle:
        handle.pread(PAGE, 5 * PAGE)
        before = device.counts.copy()
        assert handle.pread(PAGE, 5 * PAGE) == bytes(range(256)) * 16
        assert handle.pread(3, 5 * PAGE + 7) == b"\7\10\t"
        assert (device.counts - before).blocks_read == 0
    pages = volume.engine.pages
    assert (pages.hits, pages.misses) == (2, 1)


def test_pages_of_a_changed_file_are_forgotten(volume):
    put(volume, b"/f", b"a" * 3 * PAGE)
    with volume.open(b"/f", 2) as handle:
        assert handle.pread(1, PAGE) == b"a"
        handle.pwrite(b"b", PAGE)
        assert handle.pread(2, PAGE) == b"ba"
        volume.sync()
        assert handle.pread(2, PAGE) == b"ba"
        handle.truncate(PAGE)
        assert handle.pread(2, PAGE) == b""
        handle.truncate(3 * PAGE)
        assert handle.pread(2, PAGE) == b"\0\0"


def test_pages_of_an_aborted_transaction_are_forgotten(volume):
    put(volume, b"/f", b"a" * 3 * PAGE)
    with volume.open(b"/f", 2) as handle:
        volume.begin()
        handle.pwrite(b"b" * PAGE, PAGE)
        # Memory pressure: what is dirty goes out, so the inode is clean inside the transaction.
        volume.engine.relieve()
        assert handle.pread(1, PAGE) == b"b"
        assert volume.engine.pages.count == 1
        volume.abort()
        assert handle.pread(1, PAGE) == b"a"


def test_a_closed_or_write_only_handle_reads_no_kept_page(volume):
    put(volume, b"/f", b"a" * 3 * PAGE)
    handle = volume.open(b"/f")
    handle.pread(1, 0)
    handle.close()
    with pytest.raises(OSError) as closed:
        handle.pread(1, 0)
    assert closed.value.errno == errno.EBADF
    with volume.open(b"/f", 1) as writer, pytest.raises(OSError) as refused:
        writer.pread(1, 0)
    assert refused.value.errno == errno.EBADF
    with volume.open(b"/f") as reader, pytest.raises(OSError) as negative:
        reader.pread(1, -PAGE)
    assert negative.value.errno == errno.EINVAL


def test_the_cache_is_bounded_and_forgets_the_oldest_first():
    cache = PageCache(pages_max=8)
    for number in range(3):
        for page in range(5):
            cache.keep(number, page * PAGE, bytes(PAGE))
            assert cache.count == sum(map(len, cache.files.values())) <= 8
    assert cache.find(2, 4 * PAGE, PAGE) is not None
    assert cache.find(0, 0, PAGE) is None
    cache.drop(2)
    assert cache.find(2, 4 * PAGE, PAGE) is None
    cache.clear()
    assert (cache.count, cache.files) == (0, {})


def compare_with_a_bytearray(volume, seed, steps=400):
    """Random small reads and changes of two files against plain bytes."""
    rng = random.Random(seed)
    files = {path: bytearray(b"x" * 6 * PAGE) for path in (b"/f", b"/g")}
    for path, data in files.items():
        put(volume, path, data)
    for _ in range(steps):
        path = rng.choice(list(files))
        data = files[path]
        offset = rng.randrange(6) * PAGE + rng.choice((0, 0, 1, PAGE - 2))
        action = rng.choice(("read",) * 6 + ("write", "sync", "truncate"))
        with volume.open(path, 2) as handle:
            if action == "read":
                count = rng.choice((1, 3, PAGE))
                assert handle.pread(count, offset) == data[offset : offset + count]
            elif action == "write":
                piece = bytes([rng.randrange(256)]) * rng.choice((1, PAGE))
                handle.pwrite(piece, offset)
                data.extend(bytes(max(offset + len(piece) - len(data), 0)))
                data[offset : offset + len(piece)] = piece
            elif action == "truncate":
                handle.truncate(offset)
                del data[offset:]
                data.extend(bytes(offset - len(data)))
            else:
                volume.sync()


@pytest.mark.parametrize("seed", range(5))
def test_small_reads_agree_with_plain_bytes(volume, seed):
    volume.engine.pages.pages_max = 7
    compare_with_a_bytearray(volume, seed)
    assert volume.engine.pages.hits


def test_canary_a_cache_that_keeps_pages_of_changed_files_is_caught(volume, monkeypatch):
    monkeypatch.setattr(PageCache, "drop", lambda cache, number: None)
    with pytest.raises(AssertionError):
        compare_with_a_bytearray(volume, seed=0)
