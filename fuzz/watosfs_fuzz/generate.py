"""The campaign's generator: traces from a seed, some tens of thousands of operations a second.

Each trace has a style (what it does more of), a swarm (operations left out or favoured at random),
its own few names, and now and then a run of related operations (fill a file with holes, crowd a
directory, fill the disk) that single draws would hardly add up to. Arguments come from
``arguments``, aimed by a sketch of the tree, which learns from the outcomes when there are any.
"""

from bisect import bisect
from collections import deque
from collections.abc import Callable, Iterator
from itertools import accumulate

from watosfs_fuzz import parameters as p
from watosfs_fuzz.arguments import Arguments
from watosfs_fuzz.bursts import burst
from watosfs_fuzz.plan import ALL_OPERATIONS, plan_of
from watosfs_fuzz.seeds import random_of
from watosfs_fuzz.sketch import FileSketch, Sketch
from watosfs_model import operations as ops
from watosfs_model.open_flags import O_CREAT
from watosfs_model.operations import Operation


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
            run = burst(self.plan, self.arguments)
            self.queue.extend(op for op in run if op.name() in self.operations)
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
