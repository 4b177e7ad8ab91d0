"""A tiny journaled file store behind the exec: protocol, with a crash bug to switch on.

    watosfs-fuzz campaign --target "exec:python3 fuzz/examples/journal_store.py"
    watosfs-fuzz campaign --target "exec:python3 fuzz/examples/journal_store.py --early-commit"

Files live in one directory. On the disk: block 0 the table (names, sizes, blocks), block 1 the
journal, the rest data. Everything is changed in memory; fsync, sync and remount commit all of it:
data to blocks that no durable table names, flush, the new table to the journal, flush, then to its
home, flush. ``--early-commit`` leaves out the first flush: the journal may name data that never
reached the disk. ``--eager`` takes crash images whole instead of asking for what it reads.

It stands alone on purpose: standard library only, nothing of ours, as a foreign program would.
"""

# Size: a foreign program is one file here, store and adapter, so that it can be copied whole.
import base64
import json
import sys
import zlib
from collections.abc import Callable
from typing import Any

BLOCK = 4096
TABLE, JOURNAL, FIRST_DATA = 0, 1, 2
FILE_BYTES_MAX = 4 * BLOCK
FILES_MAX = 20
O_WORDS = ["O_CREAT", "O_EXCL", "O_TRUNC", "O_WRONLY", "O_RDWR", "O_APPEND"]
ENTRY_OF_ROOT = {"kind": "directory", "size": 0, "content": None}

Message = dict[str, Any]


class Failure(Exception):
    """An operation fails; the argument is the errno's name."""


class Disk:
    """Blocks, and the log of what was written since the last reply."""

    def __init__(self, block_count: int, fetch: Callable[[int], bytes]) -> None:
        self.block_count = block_count
        self.fetch = fetch
        self.blocks: dict[int, bytes] = {}
        self.log: list[list[Any]] = []

    def read(self, block: int) -> bytes:
        """A block; one that this program has not seen is asked for."""
        if block not in self.blocks:
            self.blocks[block] = self.fetch(block)
        return self.blocks[block]

    def write(self, block: int, data: bytes) -> None:
        """Write a block, padded with zeros."""
        self.blocks[block] = data.ljust(BLOCK, b"\0")
        text = base64.b64encode(self.blocks[block]).decode()
        self.log.append(["write", block * BLOCK, text])

    def flush(self) -> None:
        """Everything before is durable once this completes."""
        self.log.append(["flush"])


class File:
    """Contents in memory, and the blocks that hold them on the disk when they do."""

    def __init__(self, data: bytes = b"", blocks: list[int] | None = None) -> None:
        self.data = data
        self.blocks = blocks

    def resize(self, size: int) -> None:
        """Cut, or grow with zeros."""
        self.data = self.data[:size].ljust(size, b"\0")
        self.blocks = None


def packed(sequence: int, table: dict[str, list[Any]]) -> bytes:
    """A table as bytes: checksum, then what it covers."""
    body = json.dumps([sequence, table], sort_keys=True).encode()
    return b"%08x%s" % (zlib.crc32(body), body)


def unpacked(data: bytes) -> tuple[int, dict[str, list[Any]]] | None:
    """A table from bytes; None when it is torn."""
    body = data[8:].rstrip(b"\0")
    if data[:8] != b"%08x" % zlib.crc32(body):
        return None
    sequence, table = json.loads(body)
    return sequence, table


class Store:
    """The mounted store. ``files`` by name, ``handles`` by descriptor: file, readable, writable,
    appending.
    """

    def __init__(self, disk: Disk, *, early_commit: bool) -> None:
        self.disk = disk
        self.early_commit = early_commit
        self.files: dict[str, File] = {}
        self.handles: dict[int, tuple[File, bool, bool, bool]] = {}
        self.sequence = 0
        self.durable: set[int] = set()

    def format(self) -> None:
        """An empty store."""
        for block in (TABLE, JOURNAL):
            self.disk.write(block, packed(0, {}))
        self.disk.flush()

    def mount(self) -> None:
        """Take the newer of table and journal, and bring the table home."""
        journal, home = unpacked(self.disk.read(JOURNAL)), unpacked(self.disk.read(TABLE))
        if journal is None and home is None:
            raise Failure("EUCLEAN")
        self.sequence, table = max(
            (found for found in (journal, home) if found), key=lambda t: t[0]
        )
        if home is None or home[0] < self.sequence:
            self.disk.write(TABLE, packed(self.sequence, table))
            self.disk.flush()
        for name, (size, blocks) in table.items():
            data = b"".join(self.disk.read(block) for block in blocks)
            self.files[name] = File(data[:size], blocks)
            self.durable.update(blocks)

    def commit(self) -> None:
        """Make everything so far durable, as a whole."""
        used = set(self.durable)
        free = (b for b in range(FIRST_DATA, self.disk.block_count) if b not in used)
        for file in self.files.values():
            if file.blocks is None:
                pieces = [file.data[i : i + BLOCK] for i in range(0, len(file.data), BLOCK)]
                file.blocks = [next(free) for _ in pieces]
                for block, piece in zip(file.blocks, pieces, strict=True):
                    self.disk.write(block, piece)
        if not self.early_commit:
            self.disk.flush()
        self.sequence += 1
        table = {name: [len(file.data), file.blocks] for name, file in self.files.items()}
        for place in (JOURNAL, TABLE):
            self.disk.write(place, packed(self.sequence, table))
            self.disk.flush()
        self.durable = {block for file in self.files.values() for block in file.blocks or ()}

    def room_bytes(self) -> int:
        """So much surely fits: old and new versions of everything need a place until the commit."""
        blocks = sum(-(-len(file.data) // BLOCK) for file in self.files.values())
        free = self.disk.block_count - FIRST_DATA - blocks - len(self.durable)
        return 0 if len(self.files) >= FILES_MAX else max(free - 1, 0) * BLOCK

    # -- operations: each returns its value or raises Failure

    def do_open(self, path: str, flags: str, mode: int) -> int:
        words = flags.split("|")
        if "O_WRONLY" in words and "O_RDWR" in words:
            raise Failure("EINVAL")
        name = self.name_in(path)
        file = self.files.get(name)
        if file is not None and "O_EXCL" in words and "O_CREAT" in words:
            raise Failure("EEXIST")
        if file is None and "O_CREAT" not in words:
            raise Failure("ENOENT")
        if file is None:
            if len(self.files) >= FILES_MAX:
                raise Failure("ENOSPC")
            file = self.files[name] = File()
        if "O_TRUNC" in words:
            file.resize(0)
        number = next(n for n in range(3, 5000) if n not in self.handles)
        readable, writable = "O_WRONLY" not in words, "O_RDONLY" not in words
        self.handles[number] = (file, readable, writable, "O_APPEND" in words)
        return number

    def do_close(self, fd: int) -> None:
        self.handle(fd)
        del self.handles[fd]

    def do_pread(self, fd: int, count: int, offset: int) -> str:
        file, readable, _, _ = self.handle(fd)
        if not readable:
            raise Failure("EBADF")
        if count < 0 or offset < 0:
            raise Failure("EINVAL")
        return base64.b64encode(file.data[offset : offset + count]).decode()

    def do_pwrite(self, fd: int, data: str, offset: int) -> int:
        file, _, writable, appending = self.handle(fd)
        new = base64.b64decode(data)
        if not writable:
            raise Failure("EBADF")
        if offset < 0:
            raise Failure("EINVAL")
        if new:
            at = len(file.data) if appending else offset
            end = max(at + len(new), len(file.data))
            self.need_room(file, end)
            file.resize(end)
            file.data = file.data[:at] + new + file.data[at + len(new) :]
        return len(new)

    def do_ftruncate(self, fd: int, size: int) -> None:
        file, _, writable, _ = self.handle(fd)
        if not writable:
            raise Failure("EINVAL")
        if size < 0:
            raise Failure("EINVAL")
        self.need_room(file, size)
        file.resize(size)

    def do_unlink(self, path: str) -> None:
        name = self.name_in(path)
        if name not in self.files:
            raise Failure("ENOENT")
        del self.files[name]

    def do_rename(self, old: str, new: str) -> None:
        source, target = self.name_in(old), self.name_in(new)
        if source not in self.files:
            raise Failure("ENOENT")
        self.files[target] = self.files.pop(source)

    def do_readdir(self, path: str) -> list[list[str]]:
        if path != "/":
            raise Failure("ENOTDIR" if self.name_in(path) in self.files else "ENOENT")
        return [[name, "file"] for name in self.files]

    def do_fsync(self, fd: int) -> None:
        self.handle(fd)
        self.commit()

    def do_sync(self) -> None:
        self.commit()

    # -- what they share

    def handle(self, fd: int) -> tuple[File, bool, bool, bool]:
        """An open file."""
        if fd not in self.handles:
            raise Failure("EBADF")
        return self.handles[fd]

    def name_in(self, path: str) -> str:
        """The name of a path in the one directory. The directory itself is not opened here."""
        first, *rest = path[1:].split("/")
        if not first:
            raise Failure("EOPNOTSUPP")
        if rest:
            raise Failure("ENOTDIR" if first in self.files else "ENOENT")
        return first

    def need_room(self, file: File, size: int) -> None:
        """Room for ``file`` to become ``size`` bytes and everything else to be written anew."""
        others = [other for other in self.files.values() if other is not file]
        total = size + sum(-(-len(other.data) // BLOCK) * BLOCK for other in others)
        free = self.disk.block_count - FIRST_DATA - len(self.durable)
        # Appending goes beyond the limit that hello declares: refused, as nothing else would fail.
        if size > FILE_BYTES_MAX:
            raise Failure("EOPNOTSUPP")
        if total > free * BLOCK:
            raise Failure("ENOSPC")

    def entry(self, file: File) -> Message:
        """A file as it is observed."""
        text = base64.b64encode(file.data).decode()
        return {"kind": "file", "size": len(file.data), "content": text}


class Program:
    """Answers the requests, one line each."""

    def __init__(self, arguments: list[str]) -> None:
        self.early_commit = "--early-commit" in arguments
        self.recovery = "image" if "--eager" in arguments else "reads"
        self.store = self.new_store(1, lambda block: bytes(BLOCK))

    def new_store(self, block_count: int, fetch: Callable[[int], bytes]) -> Store:
        return Store(Disk(block_count, fetch), early_commit=self.early_commit)

    def hello(self, request: Message) -> Message:
        operations = sorted(name[3:] for name in dir(Store) if name.startswith("do_"))
        return {
            "protocol": 1,
            "name": "journal store",
            "operations": [*operations, "remount"],
            "fields": ["kind", "size", "content"],
            "names": "[a-z0-9.]{1,12}",
            "file_bytes_max": FILE_BYTES_MAX,
            "open_flags": O_WORDS,
            "may_refuse": True,
            "recovery": self.recovery,
        }

    def start(self, request: Message) -> Message:
        self.store = self.new_store(request["block_count"], lambda block: bytes(BLOCK))
        self.store.format()
        self.store.mount()
        return {}

    def load(self, request: Message) -> Message:
        image = {int(at): base64.b64decode(text) for at, text in request.get("image", {}).items()}

        def fetch(block: int) -> bytes:
            if self.recovery == "image":
                return image.get(block * BLOCK, bytes(BLOCK))
            return base64.b64decode(ask({"read": [block * BLOCK, BLOCK]})["data"])

        self.store = self.new_store(request["block_count"], fetch)
        self.store.mount()
        return {}

    def apply(self, request: Message) -> Message:
        name = request["operation"]
        if name == "remount":
            self.store.commit()
            disk = self.store.disk
            self.store = Store(disk, early_commit=self.early_commit)
            self.store.mount()
            return {}
        arguments = {k: v for k, v in request.items() if k not in ("call", "number", "operation")}
        return {"value": getattr(self.store, f"do_{name}")(**arguments)}

    def observe(self, request: Message) -> Message:
        store = self.store
        tree = {"/" + name: store.entry(file) for name, file in store.files.items()}
        files = {str(fd): store.entry(handle[0]) for fd, handle in store.handles.items()}
        tree["/"] = ENTRY_OF_ROOT
        return {"tree": tree, "open_files": files, "room_bytes": store.room_bytes()}

    def reply(self, request: Message) -> Message:
        """The reply to any request, with what was written meanwhile."""
        try:
            reply: Message = getattr(self, request["call"])(request)
        except Failure as failure:
            reply = {"errno": failure.args[0]}
        reply["log"], self.store.disk.log = self.store.disk.log, []
        return reply


def ask(question: Message) -> Message:
    """A line out, a line in."""
    print(json.dumps(question), flush=True)
    answer: Message = json.loads(sys.stdin.readline())
    return answer


def main() -> None:
    program = Program(sys.argv[1:])
    for line in sys.stdin:
        print(json.dumps(program.reply(json.loads(line))), flush=True)


if __name__ == "__main__":
    main()
