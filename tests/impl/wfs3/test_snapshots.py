"""Snapshots at the volume: what they show, what they cost, and that their space comes back."""

import errno
import os
from collections.abc import Callable
from random import Random
from typing import Any

import pytest

from watosfs.block.memory import MemoryDevice
from watosfs.block.statistics import CountingDevice
from watosfs.wfs3 import dead
from watosfs.wfs3.allocator import Allocator
from watosfs.wfs3.check import check
from watosfs.wfs3.mkfs import mkfs
from watosfs.wfs3.node import Node
from watosfs.wfs3.snapshots import SnapshotTree
from watosfs.wfs3.store import NodeStore
from watosfs.wfs3.volume import Volume

Shown = dict[bytes, tuple[object, ...]]


def contents(volume: Volume) -> Shown:
    """Every path with kind, links, size, times and bytes."""
    found: Shown = {}
    for path, inode in volume.walk():
        data = b""
        if inode.is_file:
            with volume.open(path) as handle:
                data = bytes(handle.pread(inode.size, 0))
        found[path] = inode.mode, inode.nlink, inode.size, inode.mtime_ns, inode.ctime_ns, data
    return found


def shown(volume: Volume, name: bytes) -> Shown:
    with volume.snapshot_open(name) as view:
        return contents(view)


def fresh(blocks: int = 1024) -> tuple[MemoryDevice, Volume]:
    device = MemoryDevice(blocks)
    mkfs(device)
    return device, Volume.mount(device)


def put(volume: Volume, path: bytes, data: bytes) -> None:
    with volume.open(path, os.O_RDWR | os.O_CREAT | os.O_TRUNC) as handle:
        handle.pwrite(data, 0)


def require_sound(device: MemoryDevice, volume: Volume) -> None:
    volume.sync()
    report = check(device, data=True)
    assert report.is_clean, report.problems[:5]
    assert report.snapshots == len(volume.snapshots())


def empty(volume: Volume) -> None:
    for name in volume.snapshots():
        volume.snapshot_delete(name)
    for path, inode in sorted(volume.walk(), reverse=True):
        if path != b"/":
            (volume.rmdir if inode.is_directory else volume.unlink)(path)
    volume.sync()


def free_and_its_tree(volume: Volume) -> int:
    """Free blocks, and the nodes that list them: more where free space is in many runs."""
    tree = volume.engine.space.tree
    root = tree.root_node()

    def nodes(node: Node) -> int:
        if not node.level:
            return 1
        return 1 + sum(nodes(tree.child(node, i)) for i in range(len(node.keys)))

    return volume.statfs().free + (nodes(root) if root else 0)


def refused(call: Callable[..., Any], *arguments: object) -> int | None:
    with pytest.raises(OSError) as caught:
        call(*arguments)
    return caught.value.errno


class Session:
    """Random changes of a volume with snapshots, and what each of those has to show."""

    def __init__(self, seed: int, blocks: int, fanout: int | None) -> None:
        self.random = Random(seed)
        self.device = MemoryDevice(blocks)
        mkfs(self.device)
        self.fanout = fanout
        self.volume = Volume.mount(self.device, node_entries_max=fanout)
        self.due: dict[bytes, Shown] = {}

    def step(self, number: int) -> int:
        """The errno, of those that may be; 0 for none."""
        try:
            self.change(number)
        except OSError as error:
            if error.errno not in (errno.ENOENT, errno.EEXIST, errno.ENOSPC):
                raise
            return error.errno
        return 0

    def change(self, number: int) -> None:
        random, volume = self.random, self.volume
        kind = random.choice(["write"] * 6 + ["unlink"] * 3 + ["mkdir", "make", "make"]
                             + ["delete", "roll back", "remount"])  # fmt: skip
        path = b"/f%d" % random.randrange(12)
        if kind == "write":
            size = random.choice((10, 5000, 70_000, 300_000))
            with volume.open(path, os.O_CREAT | os.O_RDWR) as handle:
                handle.pwrite(random.randbytes(1) * size, random.choice((0, 4096, 100_000)))
        elif kind == "unlink":
            volume.unlink(path)
        elif kind == "mkdir":
            volume.mkdir(b"/d%d" % random.randrange(20))
        elif kind == "make":
            volume.snapshot_create(b"s%d" % number)
            self.due[b"s%d" % number] = contents(volume)
        elif kind == "remount":
            volume.unmount()
            self.volume = Volume.mount(self.device, node_entries_max=self.fanout)
        elif self.due:
            self.change_snapshots(kind)

    def change_snapshots(self, kind: str) -> None:
        """Neither may say that space is short: only deletion gives it back."""
        name = self.random.choice(list(self.due)) if kind == "delete" else list(self.due)[-1]
        if kind == "delete":
            self.volume.snapshot_delete(name)
            del self.due[name]
        else:
            self.volume.snapshot_rollback(name)
            assert contents(self.volume) == self.due[name]

    def judge(self) -> None:
        assert self.volume.snapshots() == list(self.due)
        for name, due in self.due.items():
            assert shown(self.volume, name) == due, name
        require_sound(self.device, self.volume)


@pytest.mark.parametrize(
    ("blocks", "fanout"), [(4096, None), (4096, 3), (256, None), (1024, 3), (512, None)]
)
@pytest.mark.parametrize("seed", [1, 2])
def test_snapshots_show_what_was_and_all_space_comes_back(
    seed: int, blocks: int, fanout: int | None
) -> None:
    session = Session(seed, blocks, fanout)
    free = free_and_its_tree(session.volume)
    full = 0
    for number in range(120):
        full += session.step(number) == errno.ENOSPC
        if number % 4 == 0:
            session.judge()
    session.judge()
    assert full or blocks > 1024
    empty(session.volume)
    require_sound(session.device, session.volume)
    assert free_and_its_tree(session.volume) == free


def test_a_snapshot_costs_two_commits_whatever_the_volume_holds() -> None:
    writes = []
    for files in (10, 1000):
        device = MemoryDevice(16_384)
        mkfs(device)
        counting = CountingDevice(device)
        volume = Volume.mount(counting)
        for number in range(files):
            put(volume, b"/%d" % number, b"x" * 5000)
        volume.sync()
        before = counting.counts.blocks_written
        volume.snapshot_create(b"s")
        writes.append(counting.counts.blocks_written - before)
    assert writes[0] == writes[1] <= 8


def test_deleting_costs_what_only_that_snapshot_holds() -> None:
    reads = []
    for files in (20, 1500):
        device = MemoryDevice(32_768)
        mkfs(device)
        volume = Volume.mount(device)
        for number in range(files):
            put(volume, b"/%d" % number, b"x" * 5000)
        for name in (b"one", b"two", b"three"):
            volume.snapshot_create(name)
            put(volume, b"/0", name * 2000)
        volume.unmount()
        counting = CountingDevice(device)
        volume = Volume.mount(counting)
        before = counting.counts.blocks_read
        volume.snapshot_delete(b"two")
        reads.append(counting.counts.blocks_read - before)
    assert reads[1] <= reads[0] + 4


def test_names_and_their_errors() -> None:
    device, volume = fresh()
    for name in (b"", b".", b"..", b"a/b", b"a\0b"):
        assert refused(volume.snapshot_create, name) == errno.EINVAL
    assert refused(volume.snapshot_create, b"x" * 256) == errno.ENAMETOOLONG
    volume.snapshot_create(b"x" * 255)
    assert refused(volume.snapshot_create, b"x" * 255) == errno.EEXIST
    for call in (volume.snapshot_delete, volume.snapshot_rollback, volume.snapshot_open):
        assert refused(call, b"none") == errno.ENOENT
    volume.snapshot_create(b"\xff new")
    assert refused(volume.snapshot_rollback, b"x" * 255) == errno.EBUSY
    with volume.create(b"/open"):
        assert refused(volume.snapshot_rollback, b"\xff new") == errno.EBUSY
    volume.begin()
    for call in (volume.snapshot_create, volume.snapshot_delete, volume.snapshot_rollback):
        assert refused(call, b"\xff new") == errno.EBUSY
    volume.abort()
    volume.unmount()
    assert Volume.mount(device).snapshots() == [b"x" * 255, b"\xff new"]
    reader = Volume.mount(device, read_only=True)
    assert refused(reader.snapshot_create, b"y") == errno.EROFS
    assert refused(reader.snapshot_delete, b"\xff new") == errno.EROFS
    assert b"/open" in contents(reader)
    assert b"/open" not in shown(reader, b"\xff new")


def test_a_view_is_read_only_and_ends_with_its_snapshot() -> None:
    _, volume = fresh()
    put(volume, b"/file", b"before")
    volume.snapshot_create(b"s")
    put(volume, b"/file", b"after")
    view = volume.snapshot_open(b"s")
    assert refused(view.mkdir, b"/d") == errno.EROFS
    with view.open(b"/file") as handle:
        assert handle.pread(100, 0) == b"before"
    volume.snapshot_delete(b"s")
    assert refused(view.open, b"/file") == errno.EBADF


def test_numbers_are_not_used_again_after_a_rollback() -> None:
    device, volume = fresh()
    volume.snapshot_create(b"s")
    put(volume, b"/file", b"x")
    number = volume.stat(b"/file").st_ino
    volume.snapshot_rollback(b"s")
    put(volume, b"/file", b"y")
    assert volume.stat(b"/file").st_ino > number
    require_sound(device, volume)


def test_a_removed_file_that_was_open_is_gone_after_a_rollback() -> None:
    device, volume = fresh()
    put(volume, b"/file", b"x" * 50_000)
    with volume.open(b"/file"):
        volume.unlink(b"/file")
        volume.snapshot_create(b"s")
        assert b"/file" not in shown(volume, b"s")
    volume.snapshot_rollback(b"s")
    volume.sync()
    assert check(device).orphans == 0
    require_sound(device, volume)


def test_a_rollback_is_one_commit() -> None:
    """BUGS B86: it went on to reclaim what had been removed while open, and could fail when it was
    done.
    """
    device = MemoryDevice(1024)
    mkfs(device)
    counting = CountingDevice(device)
    volume = Volume.mount(counting)
    put(volume, b"/file", b"x" * 50_000)
    with volume.open(b"/file"):
        volume.unlink(b"/file")
        volume.snapshot_create(b"s")
    volume.sync()
    generation = volume.superblock.root_generation
    volume.snapshot_rollback(b"s")
    assert volume.superblock.root_generation == generation + 1


def test_space_of_its_own_and_shared() -> None:
    _, volume = fresh()
    put(volume, b"/file", b"x" * 40_960)
    volume.snapshot_create(b"one")
    assert volume.snapshot_use(b"one").exclusive == 0
    volume.unlink(b"/file")
    volume.snapshot_create(b"two")
    one = volume.snapshot_use(b"one")
    # Ten blocks of data, the extent tree, the inode leaf, the root directory.
    assert one.exclusive == 13
    before = volume.statfs().free
    volume.snapshot_delete(b"one")
    assert volume.statfs().free >= before + one.exclusive


def test_no_snapshot_where_extents_no_longer_know_their_generation() -> None:
    device, volume = fresh()
    volume.engine.superblock = volume.engine.superblock._replace(
        root_generation=dead.GENERATION_MAX
    )
    assert refused(volume.snapshot_create, b"s") == errno.EOVERFLOW
    del device


def leaky_delete(monkeypatch: pytest.MonkeyPatch) -> None:
    """Deletion takes entries out of the list and frees nothing."""
    shorten = SnapshotTree.shorten

    def leaking(self: SnapshotTree, key: int, first: int) -> bool:
        with monkeypatch.context() as patch:
            patch.setattr(Allocator, "drop", lambda *_: None)
            return shorten(self, key, first)

    monkeypatch.setattr(SnapshotTree, "shorten", leaking)


def freed_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a snapshot shows is entered in the list, and freed as well."""
    drop = NodeStore.drop

    def dropping(self: NodeStore, birth: int, start: int, count: int) -> None:
        drop(self, birth, start, count)
        if dead.is_kept(birth, self.dead.newest):
            self.allocator.drop(start, count)

    monkeypatch.setattr(NodeStore, "drop", dropping)


def one_too_young(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the newest snapshot's own generation wrote is not kept."""
    monkeypatch.setattr(
        "watosfs.wfs3.store.is_kept", lambda birth, newest: birth < newest and newest > 0
    )


def neighbours_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    """Deleting frees what the snapshot before shows too."""
    monkeypatch.setattr(SnapshotTree, "before", lambda self, generation: -1)


@pytest.mark.parametrize("broken", [leaky_delete, freed_twice, one_too_young, neighbours_forgotten])
def test_the_checker_sees_broken_arithmetic(
    broken: Callable[[pytest.MonkeyPatch], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    device, volume = fresh()
    put(volume, b"/file", b"x" * 40_960)
    volume.snapshot_create(b"one")
    broken(monkeypatch)
    put(volume, b"/other", b"y" * 40_960)
    volume.snapshot_create(b"two")
    with pytest.raises(OSError) if broken is freed_twice else monkeypatch.context():
        volume.unlink(b"/file")
        volume.unlink(b"/other")
        volume.sync()
        volume.snapshot_delete(b"two")
    assert broken is freed_twice or not check(device).is_clean
