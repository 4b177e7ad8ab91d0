"""The campaign's generator: traces from a seed, some tens of thousands of operations a second.

Each trace has a style (what it does more of), a swarm (operations left out or favoured at random),
its own few names, and now and then a run of related operations (fill a file with holes, crowd a
directory, fill the disk) that single draws would hardly add up to. Arguments come from
``arguments``, aimed by a sketch of the tree, which learns from the outcomes when there are any.
"""

import random
from bisect import bisect
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import accumulate

from watosfs_model import operations as ops
from watosfs_model.open_flags import O_CREAT, O_RDWR
from watosfs_model.operations import Operation

from watosfs_fuzz import parameters as p
from watosfs_fuzz.arguments import Arguments
from watosfs_fuzz.seeds import random_of
from watosfs_fuzz.sketch import FileSketch, Sketch

#: What a target may be unable to do; the generator leaves it out.
ALL_OPERATIONS = frozenset(p.WEIGHTS)


@dataclass(frozen=True, slots=True)
class Plan:
    """What was decided about a trace before its first operation."""

    style: str
    volume_blocks: int
    length: int
    names: tuple[bytes, ...]
    weights: tuple[tuple[str, float], ...]
    error_share: float


def plan_of(
    rng: random.Random, operations: frozenset[str] = ALL_OPERATIONS, length: int | None = None
) -> Plan:
    """Draw a plan over the operations that a target supports."""
    styles = tuple(p.STYLE_WEIGHTS)
    style = rng.choices(styles, [p.STYLE_WEIGHTS[name] for name in styles])[0]
    swarm = {
        name: weight
        * p.STYLES[style].get(name, 1)
        * (1 if name in p.SWARM_KEPT else rng.choice(p.SWARM_FACTORS))
        for name, weight in p.WEIGHTS.items()
        if name in operations
    }
    if swarm.get("begin"):
        for name in ("commit", "abort"):
            swarm[name] = swarm.get(name, 0) or p.WEIGHTS[name]
    low, high = p.LENGTHS.get(style, p.LENGTHS[""])
    drawn = rng.randint(low, high)
    return Plan(
        style=style,
        volume_blocks=rng.choice(p.VOLUME_BLOCKS),
        length=drawn if length is None else length,
        names=names_of(rng, style),
        weights=tuple(swarm.items()),
        error_share=rng.choice((0.0, p.ERROR_SHARE, p.ERROR_SHARE, 2 * p.ERROR_SHARE)),
    )


def names_of(rng: random.Random, style: str) -> tuple[bytes, ...]:
    """The names of one trace: few and often met, sometimes colliding, long or odd ones."""
    if style == "crowd":
        many = p.NAMES_MANY[: rng.choice((16, 40, 100))]
        return many + sum(p.NAMES_COLLIDING, ())
    names = p.NAMES_TINY[: rng.randint(2, len(p.NAMES_TINY))]
    draw = rng.random()
    if draw < 0.25:
        names += sum(rng.sample(p.NAMES_COLLIDING, 2), ())
    elif draw < 0.35:
        names += tuple(rng.sample(p.NAMES_LONG, 2))
    elif draw < 0.45:
        names += tuple(rng.sample(p.NAMES_ODD, 3))
    return names


class Generator:
    """One trace, an operation at a time.

    ``learn`` tells it how an operation ended and ``recovered`` what a crash left; without them it
    assumes that whatever could succeed did.
    """

    def __init__(
        self,
        seed: int,
        trace_number: int,
        *,
        operations: frozenset[str] = ALL_OPERATIONS,
        length: int | None = None,
    ) -> None:
        rng = random_of(seed, trace_number, "generate")
        self.plan = plan_of(rng, operations, length)
        self.operations = operations
        self.sketch = Sketch()
        self.arguments = Arguments(rng, self.sketch, self.plan.names, self.plan.error_share)
        self.rng = rng
        self.queue: deque[Operation] = deque()
        self.left = self.plan.length
        self.bursts_left = 3
        self.makers = [_MAKERS[name] for name, _ in self.plan.weights]
        self.weights = list(accumulate(weight for _, weight in self.plan.weights))

    def next(self) -> Operation | None:
        """The next operation, or None when the trace is long enough."""
        if not self.left:
            return None
        self.left -= 1
        if self.queue:
            return self.queue.popleft()
        draw = self.rng.random()
        if self.bursts_left and draw < 0.04:
            self.bursts_left -= 1
            self.burst()
            if self.queue:
                return self.queue.popleft()
        total = self.weights[-1]
        return self.makers[bisect(self.weights, self.rng.random() * total)](self)

    def learn(self, operation: Operation, errno: int | None, value: object) -> None:
        """How ``operation`` ended."""
        if errno is None:
            self.sketch.apply(operation, value)

    def recovered(self, nodes: list[tuple[bytes, FileSketch | bytes | None]]) -> None:
        """A crash left this tree."""
        self.sketch.replace(nodes)
        self.queue.clear()

    def __iter__(self) -> Iterator[Operation]:
        """All operations, each taken for done."""
        while (operation := self.next()) is not None:
            self.sketch.apply(operation)
            yield operation

    # -- single operations

    def _mkdir(self) -> Operation:
        a = self.arguments
        path = a.new_path()
        if path.count(b"/") > p.DEPTH_MAX:
            path = b"/" + a.name()
        return ops.Mkdir(path, a.pick(p.MODES) if a.random() < 0.3 else 0o755)

    def _open(self) -> Operation:
        a = self.arguments
        if len(self.sketch.descriptors) >= p.DESCRIPTORS_OPEN_MAX:
            return self._close()
        flags = a.pick(p.FLAGS_COMMON if a.random() < 0.85 else p.FLAGS_RARE)
        if flags & O_CREAT and a.random() < 0.6:
            path = a.new_path()
        else:
            path = a.file() if a.random() < 0.9 else a.any_path()
        return ops.Open(path, flags, a.pick(p.MODES) if a.random() < 0.3 else 0o644)

    def _close(self) -> Operation:
        return ops.Close(self.arguments.fd())

    def _pread(self) -> Operation:
        a = self.arguments
        fd = a.fd()
        size = a.size_of(fd)
        count = min(size, 2 * p.CHUNK) if a.random() < 0.3 else a.pick(p.LENGTHS_WRITTEN)
        if a.is_error():
            count = -1
        return ops.Pread(fd, count, a.offset(size))

    def _pwrite(self) -> Operation:
        a = self.arguments
        if not self.sketch.descriptors and a.random() < 0.9:
            return self._open()
        fd = a.fd()
        if self.plan.style == "full" and a.random() < 0.4:
            length = a.pick(p.SIZES_CHUNK)
        else:
            length = a.length()
        return ops.Pwrite(fd, a.data(length), a.offset(a.size_of(fd)))

    def _ftruncate(self) -> Operation:
        a = self.arguments
        fd = a.fd()
        return ops.Ftruncate(fd, a.offset(a.size_of(fd)))

    def _truncate(self) -> Operation:
        a = self.arguments
        path = a.file()
        node = self.sketch.nodes.get(path)
        return ops.Truncate(path, a.offset(node.size if isinstance(node, FileSketch) else 0))

    def _unlink(self) -> Operation:
        a = self.arguments
        return ops.Unlink(a.any_path() if a.random() < 0.15 else a.file())

    def _rmdir(self) -> Operation:
        a = self.arguments
        return ops.Rmdir(a.any_path() if a.random() < 0.1 else a.existing(self.sketch.directories))

    def _rename(self) -> Operation:
        a = self.arguments
        old = a.any_path()
        draw = a.random()
        if draw < 0.5:
            return ops.Rename(old, a.new_path())
        return ops.Rename(old, a.fresh_path() if draw < 0.7 else a.any_path())

    def _link(self) -> Operation:
        a = self.arguments
        old = a.file() if a.random() < 0.9 else a.any_path()
        return ops.Link(old, a.new_path())

    def _symlink(self) -> Operation:
        a = self.arguments
        return ops.Symlink(a.target(), a.new_path())

    def _readlink(self) -> Operation:
        a = self.arguments
        return ops.Readlink(a.existing(self.sketch.symlinks or self.sketch.files))

    def _readdir(self) -> Operation:
        return ops.Readdir(self.arguments.existing(self.sketch.directories))

    def _stat(self) -> Operation:
        return ops.Stat(self.arguments.any_path())

    def _lstat(self) -> Operation:
        return ops.Lstat(self.arguments.any_path())

    def _fstat(self) -> Operation:
        return ops.Fstat(self.arguments.fd())

    def _chmod(self) -> Operation:
        return ops.Chmod(self.arguments.any_path(), self.arguments.pick(p.MODES))

    def _chown(self) -> Operation:
        a = self.arguments
        return ops.Chown(a.any_path(), a.pick(p.OWNERS), a.pick(p.OWNERS))

    def _utimens(self) -> Operation:
        a = self.arguments
        times = p.TIMES_NS_WRONG if a.is_error() else p.TIMES_NS
        return ops.Utimens(a.any_path(), a.pick(times), a.pick(p.TIMES_NS))

    def _fsync(self) -> Operation:
        return ops.Fsync(self.arguments.fd())

    def _fdatasync(self) -> Operation:
        return ops.Fdatasync(self.arguments.fd())

    def _begin(self) -> Operation:
        if self.sketch.in_transaction and self.rng.random() < 0.8:
            return ops.Commit()
        return ops.Begin()

    def _commit(self) -> Operation:
        return self._end(ops.Commit())

    def _abort(self) -> Operation:
        return self._end(ops.Abort())

    def _end(self, operation: Operation) -> Operation:
        if not self.sketch.in_transaction and self.rng.random() < 0.9:
            return ops.Begin()
        return operation

    # -- runs of related operations

    def burst(self) -> None:
        """Queue a run of operations that only together reach something."""
        style = self.plan.style
        if style == "crowd":
            self._crowd()
        elif style == "extents":
            self._holes()
        elif style == "deep":
            self._deepen()
        elif style == "full":
            self._fill()
        else:
            self.rng.choice((self._crowd, self._holes, self._deepen, self._fill, self._regrow))()
        allowed = self.operations
        self.queue = deque(op for op in self.queue if op.name() in allowed)

    def _crowd(self) -> None:
        """Many names in one directory, then most of them gone again: splits and merges."""
        a = self.arguments
        directory = a.directory().rstrip(b"/")
        count = self.rng.choice((10, 16, 30, 60) if self.plan.style == "crowd" else (5, 10, 16))
        paths = [directory + b"/" + name for name in self.rng.sample(p.NAMES_MANY, count)]
        for path in paths:
            self.queue.append(ops.Symlink(b"t", path) if a.random() < 0.2 else ops.Mkdir(path, 511))
        if a.random() < 0.6:
            for path in self.rng.sample(paths, count * 3 // 4):
                self.queue.append(ops.Rmdir(path))

    def _new_file(self) -> int:
        """Queue the making of a file; the descriptor that it will most likely have."""
        self.queue.append(ops.Open(self.arguments.new_path(), O_CREAT | O_RDWR, 0o644))
        fd = 3
        while fd in self.sketch.descriptors:
            fd += 1
        return fd

    def _holes(self) -> None:
        """Every other block of a file: as many extents as its size allows."""
        a = self.arguments
        fd = self._new_file()
        count = self.rng.choice((10, 40, 100) if self.plan.style == "extents" else (4, 10))
        places = list(range(count))
        if a.random() < 0.5:
            self.rng.shuffle(places)
        step = self.rng.choice((2 * p.BLOCK, 2 * p.BLOCK, p.CHUNK, 3 * p.BLOCK))
        for place in places:
            self.queue.append(ops.Pwrite(fd, a.data(a.pick((1, 100, 4096))), place * step))
        if a.random() < 0.5:
            self.queue.append(ops.Ftruncate(fd, int(a.random() * count * step)))

    def _deepen(self) -> None:
        """A directory in a directory in a directory."""
        a = self.arguments
        path = a.directory().rstrip(b"/")
        for _ in range(self.rng.randint(2, p.DEPTH_MAX)):
            path += b"/" + a.pick(self.plan.names)
            self.queue.append(ops.Mkdir(path, 0o755))
        self.queue.append(ops.Open(path + b"/f", O_CREAT | O_RDWR, 0o644))

    def _fill(self) -> None:
        """Write until nothing fits, with smaller pieces at the end."""
        a = self.arguments
        fd = self._new_file()
        offset = 0
        for length in (131072, 65536, 16384, 4096, 4096):
            times = self.plan.volume_blocks * p.BLOCK // 131072 if length == 131072 else 2
            for _ in range(times):
                self.queue.append(ops.Pwrite(fd, a.data(length), offset))
                offset += length

    def _regrow(self) -> None:
        """Write, cut, grow, look: what was cut must not come back."""
        a = self.arguments
        fd = self._new_file()
        length = a.pick(p.LENGTHS_WRITTEN)
        cut = max(0, a.pick((length - 1, length // 2, length - p.BLOCK, 0)))
        self.queue.append(ops.Pwrite(fd, a.data(length), 0))
        if a.random() < 0.5:
            self.queue.append(ops.Fsync(fd))
        self.queue.append(ops.Ftruncate(fd, cut))
        self.queue.append(ops.Ftruncate(fd, length + a.pick(p.NUDGES)))
        self.queue.append(ops.Pread(fd, length, 0))


_MAKERS: dict[str, Callable[[Generator], Operation]] = {
    "mkdir": Generator._mkdir, "rmdir": Generator._rmdir, "open": Generator._open,
    "close": Generator._close, "pread": Generator._pread, "pwrite": Generator._pwrite,
    "truncate": Generator._truncate, "ftruncate": Generator._ftruncate,
    "unlink": Generator._unlink, "rename": Generator._rename, "link": Generator._link,
    "symlink": Generator._symlink, "readlink": Generator._readlink,
    "readdir": Generator._readdir, "stat": Generator._stat, "lstat": Generator._lstat,
    "fstat": Generator._fstat, "statfs": lambda _: ops.Statfs(), "chmod": Generator._chmod,
    "chown": Generator._chown, "utimens": Generator._utimens, "fsync": Generator._fsync,
    "fdatasync": Generator._fdatasync, "sync": lambda _: ops.Sync(), "begin": Generator._begin,
    "commit": Generator._commit, "abort": Generator._abort, "remount": lambda _: ops.Remount(),
    "crash": lambda _: ops.Crash(),
}  # fmt: skip
assert _MAKERS.keys() == p.WEIGHTS.keys()
