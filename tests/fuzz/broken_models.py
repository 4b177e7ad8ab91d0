"""Targets with a planted fault, made from the model: to test the fuzzer without a file system."""

import errno
from dataclasses import replace

from watosfs_fuzz.target import Observed
from watosfs_fuzz.targets.model import ModelTarget
from watosfs_model import Outcome
from watosfs_model.operations import (
    Ftruncate,
    Link,
    Mkdir,
    Open,
    Operation,
    Pread,
    Pwrite,
    Rename,
    Rmdir,
    Unlink,
)


class WrongErrno(ModelTarget):
    """rmdir of a directory with entries fails with the wrong errno."""

    def apply(self, pid: int, operation: Operation) -> Outcome:
        outcome = super().apply(pid, operation)
        if isinstance(operation, Rmdir) and outcome.errno == errno.ENOTEMPTY:
            return Outcome(None, errno.EIO)
        return outcome


class WrongValue(ModelTarget):
    """A read across a block border loses its last byte."""

    def apply(self, pid: int, operation: Operation) -> Outcome:
        outcome = super().apply(pid, operation)
        if (
            isinstance(operation, Pread)
            and isinstance(outcome.value, bytes)
            and operation.offset < 4096 < operation.offset + len(outcome.value)
        ):
            return Outcome(outcome.value[:-1])
        return outcome


class FullDiskLie(ModelTarget):
    """ENOSPC for the third name, with room to spare."""

    def apply(self, pid: int, operation: Operation) -> Outcome:
        if isinstance(operation, Mkdir) and len(self.observe()[0]) >= 3:
            self.system = replace(self.system, operations=self.system.operations + 1)
            return Outcome(None, errno.ENOSPC)
        return super().apply(pid, operation)


class SecondLinkLost(ModelTarget):
    """Unlinking one of two names shows a link count that is one too low."""

    broken = False

    def start(self) -> None:
        super().start()
        self.broken = False

    def apply(self, pid: int, operation: Operation) -> Outcome:
        before = self.observe()[0]
        outcome = super().apply(pid, operation)
        if isinstance(operation, Unlink) and not outcome.errno:
            entry = before.get(operation.path)
            self.broken |= entry is not None and entry[4] == 2
        return outcome

    def observe(self) -> Observed:
        tree, files = super().observe()
        if self.broken:
            tree = {
                path: (*entry[:4], 0, *entry[5:]) if entry[0] == "file" else entry
                for path, entry in tree.items()
            }
        return tree, files


class Escapes(ModelTarget):
    """A rename lets an exception out that is no OSError."""

    def apply(self, pid: int, operation: Operation) -> Outcome:
        outcome = super().apply(pid, operation)
        if isinstance(operation, Rename) and not outcome.errno and operation.old != operation.new:
            raise KeyError("the cache has lost a name")
        return outcome


class AbortSurvivor(ModelTarget):
    """What was written to an unlinked file of 5,000 bytes or more shows up again after a fsync."""

    def observe(self) -> Observed:
        tree, files = super().observe()
        big = [fd for fd, entry in files.items() if entry[4] == 0 and int(str(entry[5])) >= 5000]
        if big:
            tree = {**tree, b"/lost": files[big[0]]}
        return tree, files


class SnapshotFollows(ModelTarget):
    """A snapshot shows the modes that files have now."""

    def observe(self) -> Observed:
        tree, files = super().observe()
        for path, entry in list(tree.items()):
            now = tree.get(b"/" + path.partition(b"/")[2])
            if path.startswith(b"@") and now is not None and entry[0] == now[0] == "file":
                tree[path] = (entry[0], now[1], *entry[2:])
        return tree, files


PLANTED: dict[type[ModelTarget], tuple[str, str]] = {
    WrongErrno: ("outcome", "rmdir"),
    WrongValue: ("outcome", "pread"),
    FullDiskLie: ("space", "mkdir"),
    SecondLinkLost: ("state", "unlink"),
    Escapes: ("exception", "KeyError in apply"),
    AbortSurvivor: ("state", "unlink"),
    SnapshotFollows: ("state", "chmod"),
}
USED = (Ftruncate, Link, Open, Pwrite)
