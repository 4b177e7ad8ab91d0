"""WFS v2 volumes: names, data, limits, space; random traces against a dictionary."""

import errno
import random
from collections.abc import Callable

import pytest

from watosfs.block.memory import MemoryDevice
from watosfs.wfs2.check import check
from watosfs.wfs2.format import Layout, decode_entry
from watosfs.wfs2.handle import O_APPEND, O_CREAT
from watosfs.wfs2.mkfs import mkfs
from watosfs.wfs2.volume import Wfs2Volume

Tree = dict[bytes, bytes | None]
EXPECTED = {
    errno.ENOENT, errno.EEXIST, errno.ENOTDIR, errno.EISDIR, errno.ENOTEMPTY, errno.EINVAL,
}  # fmt: skip


def made(blocks: int = 512, **options: int) -> MemoryDevice:
    device = MemoryDevice(blocks)
    mkfs(device, **options)
    return device


def clock() -> int:
    return 0


def tree_of(volume: Wfs2Volume, folder: bytes = b"") -> Tree:
    """The bytes of every file, None for folders."""
    found: Tree = {}
    for entry in volume.readdir(folder or b"/"):
        path = folder + b"/" + entry.name
        if entry.kind == "directory":
            found[path] = None
            found |= tree_of(volume, path)
        else:
            found[path] = volume.read_file(path)
    return found


def fails(number: int, call: Callable[..., object], *arguments: object) -> None:
    with pytest.raises(OSError) as caught:
        call(*arguments)
    assert caught.value.errno == number, caught.value


def test_names_with_slashes_are_folders() -> None:
    device = made()
    with Wfs2Volume.mount(device) as volume:
        volume.mkdir(b"/a")
        volume.mkdir(b"/a/b")
        volume.write_file(b"/a/b/c", b"deep")
    names = [decode_entry(raw, Layout(512, 4096), i) for i, raw in enumerate(volume.engine.durable)]
    assert [entry.name for entry in names if entry] == [b"a", b"a/b", b"a/b/c"]
    volume = Wfs2Volume.mount(device)
    assert tree_of(volume) == {b"/a": None, b"/a/b": None, b"/a/b/c": b"deep"}
    fails(errno.ENOTEMPTY, volume.rmdir, b"/a")
    fails(errno.ENOTDIR, volume.mkdir, b"/a/b/c/d")
    fails(errno.EISDIR, volume.unlink, b"/a")
    fails(errno.ENOENT, volume.unlink, b"/x")
    fails(errno.EEXIST, volume.mkdir, b"/a")
    fails(errno.EINVAL, volume.rename, b"/a", b"/a/b/x")
    volume.rename(b"/a", b"/z")
    volume.unmount()
    assert tree_of(Wfs2Volume.mount(device)) == {b"/z": None, b"/z/b": None, b"/z/b/c": b"deep"}
    assert check(device).problems == []


def test_a_path_has_55_bytes_and_a_folder_moves_only_where_all_below_it_fits() -> None:
    volume = Wfs2Volume.mount(made())
    volume.write_file(b"/" + b"n" * 55, b"")
    fails(errno.ENAMETOOLONG, volume.write_file, b"/" + b"n" * 56, b"")
    volume.mkdir(b"/a")
    volume.write_file(b"/a/" + b"m" * 53, b"")
    fails(errno.ENAMETOOLONG, volume.rename, b"/a", b"/ab")
    volume.rename(b"/a", b"/b")
    fails(errno.ENAMETOOLONG, volume.write_file, b"/b/" + b"m" * 54, b"")
    fails(errno.EINVAL, volume.write_file, b"/nul\0", b"")


def test_a_full_table_is_enospc_and_a_removed_name_makes_room() -> None:
    device = made(max_files=256)
    with Wfs2Volume.mount(device) as volume:
        for i in range(256):
            volume.write_file(b"/%d" % i, b"x")
        fails(errno.ENOSPC, volume.mkdir, b"/more")
        volume.unlink(b"/7")
        volume.mkdir(b"/more")
        assert volume.statfs().files == volume.statfs().files_max == 256
    assert check(device).problems == []


def test_a_file_moves_when_it_grows_and_enospc_changes_nothing() -> None:
    device = made()
    with Wfs2Volume.mount(device) as volume:
        volume.write_file(b"/a", b"a" * 4092)
        volume.write_file(b"/b", b"b")
        volume.sync()
        with volume.open(b"/a", 2 | O_APPEND) as handle:
            handle.pwrite(b"c" * 5000, 0)
            volume.sync()
            free = volume.statfs().free
            fails(errno.ENOSPC, handle.pwrite, b"d" * 2_000_000, 0)
            fails(errno.ENOSPC, handle.truncate, 1 << 30)
            fails(errno.EFBIG, handle.truncate, 1 << 62)
        assert volume.statfs().free == free
        assert volume.read_file(b"/a") == b"a" * 4092 + b"c" * 5000
    assert check(device).problems == []


def test_an_open_file_outlives_its_name_and_its_blocks_come_back() -> None:
    volume = Wfs2Volume.mount(made())
    volume.sync()
    free = volume.statfs().free
    handle = volume.create(b"/f")
    handle.pwrite(b"hello" * 3000, 0)
    volume.sync()
    volume.unlink(b"/f")
    volume.sync()
    assert handle.pread(5, 5) == b"hello"
    assert volume.statfs().free < free
    handle.close()
    volume.sync()
    assert volume.statfs().free == free


def test_read_only_marks_and_mounts_are_kept() -> None:
    device = made()
    with Wfs2Volume.mount(device) as volume:
        volume.write_file(b"/f", b"x")
        volume.chmod(b"/f", 0o555)
        fails(errno.EACCES, volume.write_file, b"/f", b"y")
    with Wfs2Volume.mount(device, read_only=True) as volume:
        assert volume.stat(b"/f").st_mode & 0o777 == 0o555
        fails(errno.EROFS, volume.write_file, b"/g", b"y")
        fails(errno.EROFS, volume.unlink, b"/f")
        fails(errno.EROFS, volume.rename, b"/f", b"/g")


def step(volume: Wfs2Volume, wanted: Tree, rng: random.Random) -> None:
    """One random change to both."""
    names = [bytes([c]) for c in b"abc"]
    path = b"".join(b"/" + rng.choice(names) for _ in range(rng.randrange(1, 4)))
    kind = rng.randrange(8)
    try:
        if kind < 2:
            volume.mkdir(path)
            wanted[path] = None
        elif kind < 4:
            data = rng.randbytes(rng.choice((0, 1, 4092, 4093, 9000)))
            offset = rng.choice((0, 0, 10, 5000))
            with volume.open(path, 2 | O_CREAT) as handle:
                wanted.setdefault(path, b"")
                before = wanted[path] or b""
                handle.pwrite(data, offset)
            if data:
                before = before.ljust(offset, b"\0")
                wanted[path] = before[:offset] + data + before[offset + len(data) :]
        elif kind == 4:
            volume.unlink(path)
            del wanted[path]
        elif kind == 5:
            volume.rmdir(path)
            del wanted[path]
        elif kind == 6:
            new = b"".join(b"/" + rng.choice(names) for _ in range(rng.randrange(1, 4)))
            volume.rename(path, new)
            if new != path:
                moved = {p: d for p, d in wanted.items() if p == path or p.startswith(path + b"/")}
                for old in moved:
                    del wanted[old]
                wanted.update({new + old[len(path) :]: data for old, data in moved.items()})
        else:
            volume.sync()
    except OSError as error:
        if error.errno not in EXPECTED:
            raise


@pytest.mark.parametrize("seed", range(20))
def test_random_traces_agree_with_a_dictionary(seed: int) -> None:
    rng = random.Random(seed)
    device, wanted = made(), Tree()
    volume = Wfs2Volume.mount(device, clock=clock)
    for _ in range(150):
        step(volume, wanted, rng)
        if not rng.randrange(20):
            assert tree_of(volume) == wanted
        if not rng.randrange(40):
            volume.unmount()
            assert check(device).problems == []
            volume = Wfs2Volume.mount(device, clock=clock)
    assert tree_of(volume) == wanted
    volume.unmount()
    assert check(device).problems == []
    assert tree_of(Wfs2Volume.mount(device)) == wanted
