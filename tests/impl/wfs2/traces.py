"""Random operations on a WFS v2 volume, beside a dictionary that says what is there."""

import errno
import random

from watosfs.block.memory import MemoryDevice
from watosfs.wfs2.handle import O_CREAT, O_RDWR, O_TRUNC
from watosfs.wfs2.volume import Wfs2Volume

NAMES = ("a", "b", "c", "long name", "d" * 30)
SIZES = (0, 1, 100, 4091, 4092, 4093, 8184, 8185, 20000, 60000)


class Trace:
    """``tree`` is what the volume holds; ``synced`` what it held at the last sync, and
    ``touched`` the paths that an operation named since (what is below them counts too).
    """

    def __init__(self, seed: int, volume: Wfs2Volume) -> None:
        self.rng = random.Random(seed)
        self.volume = volume
        self.tree: dict[str, bytes | None] = {}
        self.synced: dict[str, bytes | None] = {}
        self.touched: set[str] = set()
        self.refusals: dict[int, int] = {}
        #: What each path held at any time since the last sync; absent is not in the set.
        self.versions: dict[str, set[bytes | None]] = {}

    def run(self, steps: int) -> None:
        for _ in range(steps):
            name = self.rng.choice(
                ("write", "write", "write", "append", "truncate", "mkdir", "remove", "rename",
                 "sync", "overwrite")
            )  # fmt: skip
            try:
                getattr(self, name)()
                self.remember()
            except OSError as error:
                self.remember()
                if error.errno not in (errno.ENOSPC, errno.ENAMETOOLONG):
                    raise
                self.refusals[error.errno] = self.refusals.get(error.errno, 0) + 1

    def remember(self) -> None:
        for path, data in self.tree.items():
            self.versions.setdefault(path, set()).add(data)

    def directory(self) -> str:
        return self.rng.choice(["", *(p for p, data in self.tree.items() if data is None)])

    def path(self) -> str:
        """Mostly one that is there."""
        if self.tree and self.rng.random() < 0.5:
            return self.rng.choice(list(self.tree))
        return f"{self.directory()}/{self.rng.choice(NAMES)}"

    def touch(self, *paths: str) -> None:
        self.touched.update(paths)

    def data(self) -> bytes:
        return self.rng.randbytes(self.rng.choice(SIZES))

    def write(self, offset: int | None = None) -> None:
        path = self.path()
        if path in self.tree and self.tree[path] is None:
            return
        self.touch(path)
        old = self.tree.get(path) or b""
        at = self.rng.choice((0, len(old), len(old) // 2, len(old) + 5000))
        at = at if offset is None else min(offset, len(old))
        data = self.data()
        with self.volume.open(path, O_CREAT | O_RDWR) as handle:
            self.tree[path] = old
            self.remember()
            handle.pwrite(data, at)
        if data:
            old = old.ljust(at, b"\0")
        new = old[:at] + data + old[at + len(data) :] if data else old
        self.tree[path] = new

    def append(self) -> None:
        self.write(1 << 40)

    def overwrite(self) -> None:
        path = self.path()
        if path in self.tree and self.tree[path] is None:
            return
        self.touch(path)
        data = self.data()
        with self.volume.open(path, O_CREAT | O_TRUNC | O_RDWR) as handle:
            self.tree[path] = b""
            self.remember()
            handle.pwrite(data, 0)
        self.tree[path] = data

    def truncate(self) -> None:
        path = self.path()
        old = self.tree.get(path)
        if old is None:
            return
        self.touch(path)
        size = self.rng.choice(SIZES)
        self.volume.truncate(path, size)
        self.tree[path] = old[:size].ljust(size, b"\0")

    def mkdir(self) -> None:
        path = self.path()
        if path in self.tree:
            return
        self.touch(path)
        self.volume.mkdir(path)
        self.tree[path] = None

    def remove(self) -> None:
        path = self.path()
        if path not in self.tree or any(p.startswith(path + "/") for p in self.tree):
            return
        self.touch(path)
        (self.volume.rmdir if self.tree[path] is None else self.volume.unlink)(path)
        del self.tree[path]

    def rename(self) -> None:
        old, new = self.path(), self.path()
        if old not in self.tree or new == old or new.startswith(old + "/"):
            return
        is_directory = self.tree[old] is None
        if new in self.tree and (
            (self.tree[new] is None) != is_directory
            or any(p.startswith(new + "/") for p in self.tree)
        ):
            return
        self.touch(old, new)
        for path, data in self.tree.items():
            # A rename that replaces is durable before it returns.
            if path == old or path.startswith(old + "/"):
                self.versions.setdefault(new + path[len(old) :], set()).add(data)
        self.volume.rename(old, new)
        self.tree.pop(new, None)
        for path in [p for p in self.tree if p == old or p.startswith(old + "/")]:
            self.tree[new + path[len(old) :]] = self.tree.pop(path)

    def sync(self) -> None:
        self.volume.sync()
        self.synced, self.touched, self.versions = dict(self.tree), set(), {}
        self.remember()


def tree_on(device: MemoryDevice) -> dict[str, bytes | None]:
    """Everything on a device, mounted anew and read-only."""
    volume = Wfs2Volume.mount(device, read_only=True)
    found: dict[str, bytes | None] = {}
    for node in volume.engine.root.below()[1:]:
        path = "/" + node.path.decode()
        found[path] = None if node.is_directory else volume.read_file(path)
    return found
