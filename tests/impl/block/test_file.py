"""The file device: creating, sparse images, whole runs in one call, short transfers, failures."""

import errno
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from watosfs.block.file import FileDevice

BLOCK = 4096


@pytest.fixture
def image(tmp_path: Path) -> Path:
    path = tmp_path / "image"
    FileDevice.open(path, create_size=64 * BLOCK).close()
    return path


def refused(number: int, call: Callable[..., Any], *arguments: Any, **named: Any) -> OSError:
    with pytest.raises(OSError) as caught:
        call(*arguments, **named)
    assert caught.value.errno == number, caught.value
    return caught.value


def fails(number: int) -> Callable[..., Any]:
    def call(*arguments: object) -> None:
        raise OSError(number, os.strerror(number))

    return call


def test_a_new_image_is_sparse_zeros_of_the_size_asked_for(tmp_path: Path) -> None:
    path = tmp_path / "image"
    with FileDevice.open(path, create_size=8 << 40) as device:
        assert device.block_count == (8 << 40) // BLOCK
        assert not any(device.read(device.block_count - 1))
        device.write(device.block_count - 1, b"x" * BLOCK)
    assert path.stat().st_size == 8 << 40
    assert path.stat().st_blocks * 512 <= 1 << 20


def test_creating_never_overwrites_what_is_there(image: Path) -> None:
    image.write_bytes(b"precious" * BLOCK)
    refused(errno.EEXIST, FileDevice.open, image, create_size=BLOCK)
    assert image.read_bytes() == b"precious" * BLOCK


def test_an_image_that_the_host_cannot_hold_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "ftruncate", fails(errno.EFBIG))
    refused(errno.EFBIG, FileDevice.open, tmp_path / "image", create_size=64 * BLOCK)
    assert list(tmp_path.iterdir()) == []


def test_trailing_bytes_that_are_no_whole_block_are_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "image"
    path.write_bytes(b"a" * (2 * BLOCK) + b"tail")
    with FileDevice.open(path) as device:
        assert device.block_count == 2
        device.write(0, b"b" * (2 * BLOCK))
        refused(errno.EINVAL, device.read, 2)
    assert path.read_bytes() == b"b" * (2 * BLOCK) + b"tail"


def test_what_cannot_be_an_image_is_refused_by_name(tmp_path: Path) -> None:
    refused(errno.ENOENT, FileDevice.open, tmp_path / "missing")
    refused(errno.EISDIR, FileDevice.open, tmp_path)
    refused(errno.EISDIR, FileDevice.open, tmp_path, read_only=True)
    os.mkfifo(tmp_path / "fifo")
    refused(errno.EINVAL, FileDevice.open, tmp_path / "fifo")
    refused(errno.EINVAL, FileDevice.open, "/dev/null")
    (tmp_path / "short").write_bytes(b"short")
    error = refused(errno.EINVAL, FileDevice.open, tmp_path / "short")
    assert error.filename == str(tmp_path / "short")
    refused(errno.EINVAL, FileDevice.open, tmp_path / "new", create_size=1)
    refused(errno.EINVAL, FileDevice.open, tmp_path / "new", create_size=BLOCK, read_only=True)
    refused(errno.EINVAL, FileDevice.open, tmp_path / "new", block_size_bytes=1000)
    assert not (tmp_path / "new").exists()


def test_a_read_only_device_reads_and_changes_nothing(image: Path) -> None:
    with FileDevice.open(image, read_only=True) as device:
        assert device.capabilities.read_only
        assert not any(device.read(0, 64))
        refused(errno.EROFS, device.write, 0, bytes(BLOCK))
        refused(errno.EROFS, device.writev, [(0, bytes(BLOCK))])
        refused(errno.EROFS, device.discard, 0, 1)
        refused(errno.EROFS, device.resize, BLOCK)
        device.flush()


def test_everything_after_close_is_refused(image: Path) -> None:
    device = FileDevice.open(image)
    device.close()
    device.close()
    for call in (device.read, device.discard):
        refused(errno.EBADF, call, 0, 1)
    refused(errno.EBADF, device.write, 0, bytes(BLOCK))
    refused(errno.EBADF, device.flush)
    refused(errno.EBADF, device.resize, BLOCK)


def test_closing_twice_spares_a_descriptor_that_was_opened_since(image: Path) -> None:
    device = FileDevice.open(image)
    device.close()
    with image.open("rb") as other:
        device.close()
        del device
        assert other.read(1) == b"\0"


def test_runs_that_follow_one_another_cost_one_call(
    image: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[tuple[str, int, int]] = []

    def counted(name: str, real: Callable[..., int]) -> Callable[..., int]:
        def call(fd: int, buffers: Sequence[memoryview], offset: int, *flags: int) -> int:
            calls.append((name, offset // BLOCK, sum(b.nbytes for b in buffers) // BLOCK))
            return real(fd, buffers, offset, *flags)

        return call

    with FileDevice.open(image) as device:
        monkeypatch.setattr(os, "pwritev", counted("pwritev", os.pwritev))
        monkeypatch.setattr(os, "preadv", counted("preadv", os.preadv))
        device.writev([(1, b"a" * BLOCK), (2, b"b" * (2 * BLOCK)), (9, b"c" * BLOCK), (10, b"")])
        found = device.readv([(1, 1), (2, 2), (9, 1), (1, 3)])
    assert [bytes(data[:1]) for data in found] == [b"a", b"b", b"c", b"a"]
    assert calls == [
        ("pwritev", 1, 3),
        ("pwritev", 9, 1),
        ("preadv", 1, 3),
        ("preadv", 9, 1),
        ("preadv", 1, 3),
    ]


def test_more_runs_than_one_call_takes_are_all_transferred(tmp_path: Path) -> None:
    count = 2500
    with FileDevice.open(tmp_path / "image", create_size=count * BLOCK) as device:
        device.writev([(i, b"%-4096d" % i) for i in range(count)])
        found = device.readv([(i, 1) for i in range(count)])
    assert [int(bytes(data)) for data in found] == list(range(count))


def test_short_transfers_are_continued_where_they_stopped(
    image: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pread, preadv, pwritev = os.pread, os.preadv, os.pwritev
    monkeypatch.setattr(os, "pread", lambda fd, size, at: pread(fd, min(size, 1000), at))
    monkeypatch.setattr(os, "preadv", lambda fd, views, at: preadv(fd, [views[0][:1000]], at))
    monkeypatch.setattr(
        os, "pwritev", lambda fd, views, at, flags: pwritev(fd, [views[0][:1000]], at, flags)
    )
    data = os.urandom(5 * BLOCK)
    with FileDevice.open(image) as device:
        device.writev([(3, data[:BLOCK]), (4, data[BLOCK:])])
        assert bytes(device.read(3, 5)) == data
        assert b"".join(device.readv([(3, 2), (5, 3)])) == data
        device.write(20, data, fua=True)
        assert bytes(device.read(20, 5)) == data


def test_an_image_cut_off_behind_our_back_is_an_error_and_not_zeros(image: Path) -> None:
    with FileDevice.open(image) as device:
        os.truncate(image, 2 * BLOCK)
        refused(errno.EIO, device.read, 1, 2)
        refused(errno.EIO, device.readv, [(1, 2)])
        assert len(device.read(1)) == BLOCK


def test_after_one_failed_flush_every_later_one_fails(
    image: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with FileDevice.open(image) as device:
        device.write(0, b"x" * BLOCK)
        with monkeypatch.context() as patch:
            patch.setattr(os, "fdatasync", fails(errno.EIO))
            error = refused(errno.EIO, device.flush)
            assert error.filename == str(image)
        refused(errno.EIO, device.flush)
        refused(errno.EIO, device.write, 1, b"y" * BLOCK, fua=True)
        device.write(2, b"z" * BLOCK)
        assert bytes(device.read(0)) == b"x" * BLOCK
    with FileDevice.open(image) as device:
        device.flush()


def test_a_failed_fua_write_fails_every_later_flush(
    image: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with FileDevice.open(image) as device:
        with monkeypatch.context() as patch:
            patch.setattr(os, "pwritev", fails(errno.EIO))
            refused(errno.EIO, device.write, 0, b"x" * BLOCK, fua=True)
        refused(errno.EIO, device.flush)


def test_a_host_without_write_through_gets_fua_by_a_sync(
    image: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, synced = os.pwritev, []

    def without_flags(fd: int, views: Sequence[memoryview], at: int, flags: int) -> int:
        if flags:
            raise OSError(errno.EOPNOTSUPP, "no flags here")
        return real(fd, views, at)

    with FileDevice.open(image) as device:
        monkeypatch.setattr(os, "pwritev", without_flags)
        monkeypatch.setattr(os, "fdatasync", synced.append)
        for block in range(2):
            device.write(block, b"x" * BLOCK, fua=True)
        device.write(2, b"x" * BLOCK)
        assert bytes(device.read(0, 3)) == b"x" * (3 * BLOCK)
    assert len(synced) == 2


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EIO])
def test_a_host_that_is_full_is_a_failing_medium_and_not_a_full_volume(
    image: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    with FileDevice.open(image) as device:
        monkeypatch.setattr(os, "pwritev", fails(number))
        error = refused(errno.EIO, device.write, 0, bytes(BLOCK))
        assert os.strerror(number) in str(error)
        assert isinstance(error.__cause__, OSError)
        assert error.__cause__.errno == number


def test_discarded_blocks_read_as_zeros_or_as_before_and_their_neighbours_stay(image: Path) -> None:
    with FileDevice.open(image) as device:
        device.write(0, b"x" * (64 * BLOCK))
        device.flush()
        device.discard(1, 62)
        device.discard(0, 0)
        assert bytes(device.read(0)) == bytes(device.read(63)) == b"x" * BLOCK
        assert set(bytes(device.read(1, 62))) <= {0, ord("x")}


def test_an_image_grows_and_shrinks(image: Path) -> None:
    with FileDevice.open(image) as device:
        device.write(63, b"x" * BLOCK)
        device.resize(100 * BLOCK)
        assert device.block_count == 100
        assert bytes(device.read(63, 2)) == b"x" * BLOCK + bytes(BLOCK)
        device.resize(10 * BLOCK)
        refused(errno.EINVAL, device.read, 10)
        refused(errno.EINVAL, device.resize, BLOCK - 1)
    assert image.stat().st_size == 10 * BLOCK
