"""SQLite as a file system: a table of files by path, a large one in rows of 64 KiB.

What an application would do that keeps its files in SQLite; journal and synchronous mode are the
defaults (rollback journal, full).
"""

import sqlite3
from collections.abc import Callable

from benchmarks.subject import DIRECTORIES, MIB
from benchmarks.subjects.image import Image

_ROW = 1 << 16
_SCHEMA = """
create table files (path text primary key, size integer, mtime integer, data blob) without rowid;
create table rows (file integer, at integer, data blob, primary key (file, at)) without rowid;
"""


class SqliteInMemory:
    """``:memory:``; one transaction where others commit once."""

    files = 5000

    def start(self) -> None:
        self.db = sqlite3.connect(":memory:", isolation_level=None)
        self.db.executescript(_SCHEMA)

    def make_files(self, count: int, payload: bytes) -> None:
        self.db.execute("begin")
        for i in range(count):
            self.put(f"/d{i % DIRECTORIES}/file{i}", payload)
        self.db.execute("commit")

    def put(self, path: str, payload: bytes) -> None:
        """A new small file."""
        self.db.execute("insert into files values (?, ?, 0, ?)", (path, len(payload), payload))

    def make_durable_files(self, count: int, payload: bytes) -> None:
        for i in range(count):
            self.put(f"/d0/durable{i}", payload)

    def stat_files(self, count: int) -> None:
        for i in range(count):
            row = self.db.execute(
                "select size, mtime from files where path = ?", (f"/d{i % DIRECTORIES}/file{i}",)
            ).fetchone()
            assert row is not None

    def delete_files(self, count: int) -> None:
        self.db.execute("begin")
        for i in range(count):
            self.db.execute("delete from files where path = ?", (f"/d{i % DIRECTORIES}/file{i}",))
        self.db.execute("commit")

    def write(self, piece: bytes, pieces: int) -> None:
        self.db.execute("begin")
        view = memoryview(piece)
        for i in range(pieces):
            self.db.executemany(
                "insert into rows values (1, ?, ?)",
                [(i * MIB + at, view[at : at + _ROW]) for at in range(0, len(piece), _ROW)],
            )
        self.db.execute("commit")

    def read(self, size: int, pieces: int) -> None:
        for i in range(pieces):
            rows = self.db.execute(
                "select data from rows where file = 1 and at >= ? and at < ? order by at",
                (i * size, (i + 1) * size),
            )
            assert len(b"".join([data for (data,) in rows])) == size

    def read_at(self, offsets: list[int], size: int) -> None:
        for offset in offsets:
            (data,) = self.db.execute(
                "select substr(data, ?, ?) from rows where file = 1 and at = ?",
                (offset % _ROW + 1, size, offset - offset % _ROW),
            ).fetchone()
            assert len(data) == size

    def remount(self) -> Callable[[], None] | None:
        return None

    def stop(self) -> None:
        self.db.close()


class SqliteOnFile(SqliteInMemory):
    """A database file."""

    def start(self) -> None:
        self.image = Image()
        self.mount()
        self.db.executescript(_SCHEMA)

    def mount(self) -> None:
        """Connect and read the schema."""
        self.db = sqlite3.connect(self.image.path, isolation_level=None)
        self.db.execute("select count(*) from sqlite_schema").fetchone()

    def remount(self) -> Callable[[], None]:
        self.db.close()
        self.image.forget_pages()
        return self.mount

    def stop(self) -> None:
        super().stop()
        self.image.remove()
