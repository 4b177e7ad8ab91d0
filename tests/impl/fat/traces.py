"""Seeded random traces on FAT volumes, beside a plain dictionary that says what must come of them.

Checks: each operation's success or errno, each byte that is read, and at the end names, kinds,
sizes, times and bytes of the whole tree.
Does not check: which clusters or aliases are taken (nobody but the referees can say that they are
wrong), access days.
"""

import errno
import random
from collections.abc import Callable
from dataclasses import dataclass, field

from watosfs.block.device import BlockDevice
from watosfs.fat.handle import O_CREAT, O_RDWR, Handle
from watosfs.fat.mkfs import Options, mkfs
from watosfs.fat.volume import FatVolume

START_NS = 1_700_000_000 * 10**9
_NAMES = (
    "A", "b", "FOO.TXT", "foo.txt", "Foo.Txt", "bar.C", "BAZ.c", "README", "x.y.z", ".hidden",
    "with space.txt", "longfilename one.txt", "longfilename two.txt", "longfilename three.txt",
    "longfilename four.text", "longfilename five.txt", "longfilename six.txt", "LONGFI~1.TXT",
    "LONGFI~2.TXT", "plus+comma,semi;eq=[x]", "trailing.", "trailing. . ", "a.tar.gz", "~", "~1",
    "Übergröße.txt", "übergröße.TXT", "naïve", "Ω.dat", "名前.txt", "прив\u0435т мир.doc",
    "e\u0301clair", "clef \U0001d11e.txt", "n" * 255, "N" * 13, "n" * 12 + ".txt", "m" * 26,
    "12345678.123", "123456789.123", "12345678.1234", "É.x", "€uro", " leading", "{brace}", "a'b",
)  # fmt: skip
_SIZES = (0, 1, 13, 511, 512, 513, 1000, 2048, 4095, 4096, 4097, 9000, 20000, 70000)


def key_of(name: str) -> str:
    """What makes two of the names above the same."""
    name = name.rstrip(". ")
    return "".join(c.upper() if len(c.upper()) == 1 and c <= "\uffff" else c for c in name)


@dataclass
class Item:
    """A file (``data``) or a directory (``items`` by key) as it must be."""

    name: str
    mtime_ns: int
    data: bytearray | None = None
    items: "dict[str, Item]" = field(default_factory=dict)

    @property
    def is_directory(self) -> bool:
        return self.data is None


def geometry(rng: random.Random, bits: int, is_small: bool) -> tuple[int, Options]:
    """(bytes of the device, options) of a small volume of a type."""
    sector = rng.choice((512, 512, 512, 1024, 2048, 4096))
    per_cluster = rng.choice((1, 1, 1, 2, 4, 8))
    fats = rng.choice((2, 2, 2, 1))
    clusters = {12: rng.randint(60, 1500), 16: rng.randint(4200, 5000), 32: 0}
    if bits == 16:
        sector, per_cluster = rng.choice((512, 1024)), 1
    elif bits == 32 and is_small:
        clusters[32] = rng.randint(200, 1500)
    elif bits == 32:
        # mtools goes by the number of clusters, and takes a small FAT32 for FAT12.
        sector, per_cluster, clusters[32] = rng.choice((512, 512, 512, 1024)), 1, 67_000
    size = (clusters[bits] + 40) * sector * per_cluster + 140 * sector
    entries = rng.choice((0, 64, 112)) if bits != 32 else 0
    label = rng.choice((b"", b"WATOS", b"A LABEL"))
    return -(-size // 4096) * 4096, Options(
        bits=bits, sector_size=sector, sectors_per_cluster=per_cluster, fat_count=fats,
        root_entry_count=entries, label=label, volume_id=0x1234_5678,
    )  # fmt: skip


def errno_of(operation: Callable[..., object], *arguments: object) -> int:
    """What an operation fails with, 0 when it succeeds."""
    try:
        operation(*arguments)
    except OSError as error:
        return error.errno or errno.EIO
    return 0


class Trace:
    """One trace: ``run`` makes a volume on ``device``, changes it, and leaves it unmounted."""

    def __init__(self, seed: int, bits: int, *, is_small: bool = False) -> None:
        self.rng = random.Random(f"{seed}:{bits}")
        self.size_bytes, self.options = geometry(self.rng, bits, is_small)
        self.root = Item("", 0)
        self.step = 0
        self.is_made = False
        self.names = self.rng.sample(_NAMES, self.rng.randint(4, len(_NAMES)))
        self.volume: FatVolume
        self.handle: Handle
        self.full_count = 0
        #: What was there at the last sync, and every path that an operation named since.
        self.synced: dict[str, tuple[bytes | None, int]] = {}
        self.touched: set[str] = set()

    def clock(self) -> int:
        """Two seconds for each operation."""
        return START_NS + self.step * 2 * 10**9

    def prepare(self, device: BlockDevice) -> None:
        """Make the volume, once."""
        if not self.is_made:
            mkfs(device, self.options, clock=self.clock)
            self.is_made = True

    def run(self, device: BlockDevice, steps: int) -> None:
        self.prepare(device)
        self.volume = FatVolume.mount(device, clock=self.clock)
        operations = (
            *[self.write] * 6, *[self.mkdir] * 3, self.truncate, self.truncate, self.unlink,
            self.unlink, self.rmdir, *[self.rename] * 3, self.utimens, self.read, self.sync,
        )  # fmt: skip
        if self.options.bits == 32 and not self.rng.randrange(4):
            self.fill()
        for _ in range(steps):
            self.step += 1
            self.rng.choice(operations)()
            if not self.rng.randrange(25):
                self.volume.unmount()
                self.note_synced()
                self.volume = FatVolume.mount(device, clock=self.clock)
        self.volume.unmount()

    def fill(self) -> None:
        """Leave little space, or what follows would never be short of it."""
        space = self.volume.statfs()
        data = bytes((space.free - self.rng.randint(10, 300)) * space.block_size)
        self.volume.write_file(b"/filler", data)
        self.root.items["FILLER"] = Item("filler", self.clock(), bytearray(data))

    # -- choosing

    def directories(self) -> list[tuple[str, Item]]:
        found, waiting = [], [("", self.root)]
        while waiting:
            path, item = waiting.pop()
            found.append((path, item))
            waiting += [(f"{path}/{i.name}", i) for i in item.items.values() if i.is_directory]
        return found

    def place(self) -> tuple[str, Item, str]:
        path, parent = self.rng.choice(self.directories())
        if parent.items and self.rng.random() < 0.6:
            name = self.rng.choice(list(parent.items.values())).name
            if not self.rng.randrange(4):
                name = name.swapcase() if name.isascii() else name
        else:
            name = self.rng.choice(self.names)
            if "~" in name and key_of(name) not in parent.items and self.is_there(path, name):
                name = "b"  # it is another's alias
        self.touched.add(f"{path}/{key_of(name)}")
        return path, parent, name

    def is_there(self, path: str, name: str) -> bool:
        try:
            self.volume.stat(f"{path}/{name}".encode())
        except FileNotFoundError:
            return False
        return True

    def attempt(self, expected: int, operation: Callable[..., object], *arguments: object) -> bool:
        """Whether it succeeded. It must fail with ``expected``, or not at all; or space is out."""
        number = errno_of(operation, *arguments)
        if number == errno.ENOSPC and not expected:
            self.full_count += 1
            return False
        assert number == expected, (self.step, operation, arguments[0], number, expected)
        return not number

    # -- operations

    def write(self) -> None:
        path, parent, name = self.place()
        item = parent.items.get(key_of(name))
        expected = errno.EISDIR if item is not None and item.is_directory else 0
        size = self.rng.choice(_SIZES)
        if not self.rng.randrange(12):
            space = self.volume.statfs()
            size = min(space.free * space.block_size * self.rng.randint(1, 11) // 10, 1 << 20)
        data = self.rng.randbytes(size)
        full = f"{path}/{name}".encode()
        offset = 0
        if item is not None and item.data is not None:
            near = (0, len(item.data), len(item.data), len(item.data) // 2, len(item.data) + 700)
            offset = self.rng.choice(near)
        if not self.attempt(expected, self.open_to_write, full):
            return
        with self.handle as handle:
            if item is None:
                item = Item(name.rstrip(". "), self.clock(), bytearray())
                parent.items[key_of(name)] = item
            if self.attempt(0, handle.pwrite, data, offset) and size:
                assert item.data is not None
                item.data += bytes(max(0, offset - len(item.data)))
                item.data[offset : offset + size] = data
                item.mtime_ns = self.clock()

    def open_to_write(self, path: bytes) -> None:
        self.handle = self.volume.open(path, O_CREAT | O_RDWR)

    def truncate(self) -> None:
        path, parent, name = self.place()
        item = parent.items.get(key_of(name))
        expected = errno.ENOENT if item is None else errno.EISDIR if item.is_directory else 0
        size = self.rng.choice(_SIZES)
        if item is not None and item.data and self.rng.randrange(2):
            size = len(item.data) // 2
        done = self.attempt(expected, self.volume.truncate, f"{path}/{name}".encode(), size)
        if done and item is not None and item.data is not None:
            item.data += bytes(max(0, size - len(item.data)))
            del item.data[size:]
            item.mtime_ns = self.clock()

    def mkdir(self) -> None:
        path, parent, name = self.place()
        expected = errno.EEXIST if key_of(name) in parent.items else 0
        if self.attempt(expected, self.volume.mkdir, f"{path}/{name}".encode()):
            parent.items[key_of(name)] = Item(name.rstrip(". "), self.clock())

    def unlink(self) -> None:
        path, parent, name = self.place()
        item = parent.items.get(key_of(name))
        expected = errno.ENOENT if item is None else errno.EISDIR if item.is_directory else 0
        if self.attempt(expected, self.volume.unlink, f"{path}/{name}".encode()):
            del parent.items[key_of(name)]

    def rmdir(self) -> None:
        path, parent, name = self.place()
        item = parent.items.get(key_of(name))
        expected = (
            errno.ENOENT if item is None
            else errno.ENOTDIR if not item.is_directory
            else errno.ENOTEMPTY if item.items else 0
        )  # fmt: skip
        if self.attempt(expected, self.volume.rmdir, f"{path}/{name}".encode()):
            del parent.items[key_of(name)]

    def rename(self) -> None:
        old_path, old_parent, old_name = self.place()
        new_path, new_parent, new_name = self.place()
        item = old_parent.items.get(key_of(old_name))
        target = new_parent.items.get(key_of(new_name))
        expected = 0
        if item is None:
            expected = errno.ENOENT
        elif item.is_directory and f"{new_path}/".startswith(f"{old_path}/{item.name}/"):
            expected = errno.EINVAL
        elif target is not None and target is not item:
            if target.is_directory and not item.is_directory:
                expected = errno.EISDIR
            elif item.is_directory and not target.is_directory:
                expected = errno.ENOTDIR
            elif target.items:
                expected = errno.ENOTEMPTY
        old, new = f"{old_path}/{old_name}".encode(), f"{new_path}/{new_name}".encode()
        if self.attempt(expected, self.volume.rename, old, new):
            assert item is not None
            del old_parent.items[key_of(old_name)]
            item.name = new_name.rstrip(". ")
            new_parent.items[key_of(new_name)] = item

    def utimens(self) -> None:
        path, parent, name = self.place()
        item = parent.items.get(key_of(name))
        # Up to February 2100, which mtools takes for a leap year.
        when = self.rng.randrange(315_532_800, 4_107_542_400, 2) * 10**9
        expected = 0 if item is not None else errno.ENOENT
        if self.attempt(expected, self.volume.utimens, f"{path}/{name}".encode(), when, when):
            assert item is not None
            item.mtime_ns = when

    def read(self) -> None:
        path, parent, name = self.place()
        item = parent.items.get(key_of(name))
        if item is not None and item.data is not None:
            offset, count = self.rng.choice(_SIZES), self.rng.choice(_SIZES)
            with self.volume.open(f"{path}/{name}".encode()) as handle:
                assert handle.pread(count, offset) == item.data[offset : offset + count]

    def sync(self) -> None:
        self.volume.sync()
        self.note_synced()

    def note_synced(self) -> None:
        self.synced = tree_of(self.root)
        self.touched = set()


def tree_of(root: Item) -> dict[str, tuple[bytes | None, int]]:
    """path -> (bytes or None, time of change), of what must be there."""
    found: dict[str, tuple[bytes | None, int]] = {}
    waiting = [("", root)]
    while waiting:
        path, item = waiting.pop()
        if item is not root:
            data = None if item.data is None else bytes(item.data)
            found[path] = (data, 0 if item.is_directory else item.mtime_ns)
        waiting += [(f"{path}/{child.name}", child) for child in item.items.values()]
    return found


def tree_on(volume: FatVolume) -> dict[str, tuple[bytes | None, int]]:
    """The same, as a volume has it."""
    found: dict[str, tuple[bytes | None, int]] = {}
    waiting = [b""]
    while waiting:
        path = waiting.pop()
        for entry in volume.readdir(path or b"/"):
            inner = path + b"/" + entry.name
            shown = inner.decode("utf-8", "surrogatepass")
            if entry.kind == "directory":
                waiting.append(inner)
                found[shown] = (None, 0)
            else:
                found[shown] = (volume.read_file(inner), volume.stat(inner).st_mtime_ns)
    return found
