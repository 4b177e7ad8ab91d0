"""A file or folder of a mounted WFS v2 volume, in memory."""

import stat
from collections.abc import Iterator
from dataclasses import dataclass

from watosfs.wfs2.format import FLAG_EXECUTABLE, FLAG_READ_ONLY, Entry

ROOT_NUMBER = 1


@dataclass(slots=True, eq=False)
class Node:
    """``children`` is None for a file. ``slot`` is the place in the table; None for the root, for
    a folder that only names of files make, and for what was removed.
    """

    number: int
    name: bytes
    parent: "Node | None"
    children: "dict[bytes, Node] | None"
    slot: int | None = None
    flags: int = 0
    size: int = 0
    #: (first block, count) of what the disk leads to, and of what is reserved for ``data``.
    extent: tuple[int, int] = (0, 0)
    reserved: tuple[int, int] | None = None
    data_crc: int = 0
    modified_ns: int = 0
    #: All of the file, when it waits to be written.
    data: bytearray | None = None
    handle_count: int = 0
    is_removed: bool = False

    @property
    def is_directory(self) -> bool:
        return self.children is not None

    @property
    def mode(self) -> int:
        """Type and permission bits: made from two flags."""
        if self.is_directory:
            bits = stat.S_IFDIR | 0o755
        else:
            bits = stat.S_IFREG | (0o755 if self.flags & FLAG_EXECUTABLE else 0o644)
        return bits & ~0o222 if self.flags & FLAG_READ_ONLY else bits

    def set_mode(self, mode: int) -> None:
        """Keep whether anybody may write, and of a file whether anybody may execute."""
        self.flags &= ~(FLAG_READ_ONLY | FLAG_EXECUTABLE)
        if not mode & 0o222:
            self.flags |= FLAG_READ_ONLY
        if mode & 0o111 and not self.is_directory:
            self.flags |= FLAG_EXECUTABLE

    @property
    def path(self) -> bytes:
        """The whole name as the table has it; empty for the root."""
        parts, node = [self.name], self.parent
        while node is not None:
            parts.append(node.name)
            node = node.parent
        return b"/".join(reversed(parts[:-1])) if len(parts) > 1 else b""

    def below(self) -> Iterator["Node"]:
        """Everything below a folder."""
        for child in (self.children or {}).values():
            yield child
            yield from child.below()

    def entry(self) -> Entry:
        """What the table should say."""
        start, count = self.extent
        return Entry(
            self.path, self.size, start, count, self.flags, self.data_crc, self.modified_ns
        )
