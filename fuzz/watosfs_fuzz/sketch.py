"""What a generator remembers of the tree it works on: enough to aim, never enough to judge.

A sketch knows names, kinds, rough sizes and open descriptors. It may be wrong (an operation failed
that it took for done): then a few operations miss. Truth is the model's business.
"""

from collections.abc import Callable, Mapping, Sequence

from watosfs_model import operations as ops
from watosfs_model.open_flags import O_ACCMODE, O_CREAT, O_RDONLY, O_TRUNC
from watosfs_model.operations import Operation

FIRST_DESCRIPTOR = 3


class FileSketch:
    """A file with its rough size; hard links share it."""

    __slots__ = ("size",)

    def __init__(self, size: int = 0) -> None:
        self.size = size


class Sketch:
    """``files``, ``directories`` and ``symlinks`` are lists of paths in order of appearance."""

    __slots__ = ("descriptors", "directories", "files", "in_transaction", "nodes", "read_only",
                 "saved", "snapshots", "symlinks")  # fmt: skip

    def __init__(self) -> None:
        #: path -> a file, the target of a symlink, or None for a directory.
        self.nodes: dict[bytes, FileSketch | bytes | None] = {b"/": None}
        self.files: list[bytes] = []
        self.directories: list[bytes] = [b"/"]
        self.symlinks: list[bytes] = []
        #: descriptor -> its file (None: a directory).
        self.descriptors: dict[int, FileSketch | None] = {}
        #: Those of them that cannot be written.
        self.read_only: set[int] = set()
        self.in_transaction = False
        self.saved: dict[bytes, FileSketch | bytes | None] | None = None
        #: What each snapshot shows, in the order in which they were made.
        self.snapshots: dict[bytes, dict[bytes, FileSketch | bytes | None]] = {}

    # -- what operations do

    def apply(self, operation: Operation, value: object = None) -> bool:
        """Take an operation for done; False when it plainly could not be (then nothing changed).

        ``value`` is the descriptor that an open gave, when that is known.
        """
        effect = _EFFECTS.get(type(operation))
        return effect is None or effect(self, operation, value)

    def _mkdir(self, op: ops.Mkdir, _value: object) -> bool:
        return self._enter(op.path, None)

    def _symlink(self, op: ops.Symlink, _value: object) -> bool:
        return self._enter(op.path, op.target)

    def _open(self, op: ops.Open, value: object) -> bool:
        path = op.path
        node = self.nodes.get(path, False)
        for _ in range(3):
            if not isinstance(node, bytes):
                break
            path = node if node.startswith(b"/") else path.rpartition(b"/")[0] + b"/" + node
            node = self.nodes.get(path, False)
        if node is False:
            node = FileSketch()
            if not op.flags & O_CREAT or not self._enter(path, node):
                return False
        elif isinstance(node, FileSketch) and op.flags & O_TRUNC:
            node.size = 0
        elif isinstance(node, bytes):
            return False
        assert not isinstance(node, bool)
        fd = value if isinstance(value, int) else self.lowest_free()
        self.descriptors[fd] = node
        if op.flags & O_ACCMODE == O_RDONLY:
            self.read_only.add(fd)
        else:
            self.read_only.discard(fd)
        return True

    def lowest_free(self) -> int:
        """The number that the next open gets."""
        fd = FIRST_DESCRIPTOR
        while fd in self.descriptors:
            fd += 1
        return fd

    def _close(self, op: ops.Close, _value: object) -> bool:
        return self.descriptors.pop(op.fd, False) is not False

    def _pwrite(self, op: ops.Pwrite, _value: object) -> bool:
        file = self.descriptors.get(op.fd)
        if file is None or op.offset < 0:
            return False
        file.size = max(file.size, op.offset + len(op.data))
        return True

    def _ftruncate(self, op: ops.Ftruncate, _value: object) -> bool:
        file = self.descriptors.get(op.fd)
        if file is None or op.size < 0:
            return False
        file.size = op.size
        return True

    def _truncate(self, op: ops.Truncate, _value: object) -> bool:
        file = self.nodes.get(op.path)
        if not isinstance(file, FileSketch) or op.size < 0:
            return False
        file.size = op.size
        return True

    def _unlink(self, op: ops.Unlink, _value: object) -> bool:
        return self.nodes.get(op.path) is not None and self._leave(op.path)

    def _rmdir(self, op: ops.Rmdir, _value: object) -> bool:
        if self.nodes.get(op.path, b"") is not None or op.path == b"/":
            return False
        prefix = op.path + b"/"
        return not any(path.startswith(prefix) for path in self.nodes) and self._leave(op.path)

    def _link(self, op: ops.Link, _value: object) -> bool:
        node = self.nodes.get(op.old)
        return node is not None and self._enter(op.new, node)

    def _rename(self, op: ops.Rename, _value: object) -> bool:
        old, new = op.old, op.new
        if old not in self.nodes or b"/" in (old, new) or old == new:
            return False
        prefix = old + b"/"
        if new.startswith(prefix) or self.nodes.get(_parent(new), b"") is not None:
            return False
        if new in self.nodes:
            below = new + b"/"
            if any(path.startswith(below) for path in self.nodes):
                return False
            self._leave(new)
        moved = [old, *[path for path in self.nodes if path.startswith(prefix)]]
        for path in moved:
            node = self.nodes[path]
            self._leave(path)
            self._enter(new + path[len(old) :], node)
        return True

    def _begin(self, _op: Operation, _value: object) -> bool:
        if self.in_transaction:
            return False
        self.in_transaction = True
        self.saved = dict(self.nodes)
        return True

    def _commit(self, _op: Operation, _value: object) -> bool:
        done, self.in_transaction, self.saved = self.in_transaction, False, None
        return done

    def _abort(self, _op: Operation, _value: object) -> bool:
        if not self.in_transaction:
            return False
        if self.saved is not None:
            self._fill(self.saved)
        return self._commit(_op, None)

    def _restart(self, _op: Operation, _value: object) -> bool:
        self._abort(_op, None)
        self.descriptors.clear()
        return True

    def _snapshot(self, op: ops.Snapshot, _value: object) -> bool:
        if self.in_transaction or op.label in self.snapshots:
            return False
        self.snapshots[op.label] = dict(self.nodes)
        return True

    def _drop_snapshot(self, op: ops.Dropsnapshot, _value: object) -> bool:
        return not self.in_transaction and self.snapshots.pop(op.label, None) is not None

    def _roll_back(self, op: ops.Rollback, _value: object) -> bool:
        if self.in_transaction or self.descriptors or op.label not in self.snapshots:
            return False
        self._fill(self.snapshots[op.label])
        return True

    # -- the lists

    def _enter(self, path: bytes, node: FileSketch | bytes | None) -> bool:
        if path in self.nodes or self.nodes.get(_parent(path), b"") is not None:
            return False
        self.nodes[path] = node
        self._list_of(node).append(path)
        return True

    def _leave(self, path: bytes) -> bool:
        self._list_of(self.nodes.pop(path)).remove(path)
        return True

    def _list_of(self, node: FileSketch | bytes | None) -> list[bytes]:
        if node is None:
            return self.directories
        return self.symlinks if isinstance(node, bytes) else self.files

    def _fill(self, nodes: Mapping[bytes, FileSketch | bytes | None]) -> None:
        self.nodes = dict(nodes)
        self.directories = [path for path, node in nodes.items() if node is None]
        self.files = [path for path, node in nodes.items() if isinstance(node, FileSketch)]
        self.symlinks = [path for path, node in nodes.items() if isinstance(node, bytes)]

    def replace(self, nodes: Sequence[tuple[bytes, FileSketch | bytes | None]]) -> None:
        """Start over from a tree that is known (what a recovery found); nothing is open."""
        self._fill(dict(nodes))
        self.descriptors.clear()
        self.in_transaction, self.saved = False, None


def _parent(path: bytes) -> bytes:
    return path.rpartition(b"/")[0] or b"/"


_EFFECTS: dict[type[Operation], Callable[..., bool]] = {
    ops.Mkdir: Sketch._mkdir,
    ops.Symlink: Sketch._symlink,
    ops.Open: Sketch._open,
    ops.Close: Sketch._close,
    ops.Pwrite: Sketch._pwrite,
    ops.Ftruncate: Sketch._ftruncate,
    ops.Truncate: Sketch._truncate,
    ops.Unlink: Sketch._unlink,
    ops.Rmdir: Sketch._rmdir,
    ops.Link: Sketch._link,
    ops.Rename: Sketch._rename,
    ops.Begin: Sketch._begin,
    ops.Commit: Sketch._commit,
    ops.Abort: Sketch._abort,
    ops.Snapshot: Sketch._snapshot,
    ops.Dropsnapshot: Sketch._drop_snapshot,
    ops.Rollback: Sketch._roll_back,
    ops.Remount: Sketch._restart,
    ops.Crash: Sketch._restart,
}
