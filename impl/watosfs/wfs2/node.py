"""A file or directory in memory: its place in the tree, its entry, and the draft of a change."""

from dataclasses import dataclass, field

from watosfs.wfs2.entries import EXECUTABLE, READ_ONLY, Entry

ROOT_NUMBER = 1


@dataclass(slots=True)
class Draft:
    """Where the next version of a file is being written, in blocks no entry leads to yet.

    Of its ``blocks``, those in ``fresh`` (by index) are written. Of the version on disk the first
    ``kept`` blocks still count; what is neither fresh nor kept is zeros.
    """

    start: int
    blocks: int
    kept: int
    fresh: set[int] = field(default_factory=set)
    #: There was no room elsewhere: the file is changed where it is (CRASH_MODEL, clause 43).
    in_place: bool = False


@dataclass(slots=True, eq=False)
class Node:
    """One file or directory; ``number`` is its inode number while the volume is mounted.

    ``entry`` is what the slot on disk holds or will hold, but for the name, which is that of the
    path, and the size of a file with a draft.
    """

    number: int
    entry: Entry
    name: bytes = b""
    parent: "Node | None" = None
    slot: int | None = None
    size: int = 0
    children: "dict[bytes, Node] | None" = None
    draft: Draft | None = None
    #: The entry as the medium has it.
    durable: Entry | None = None
    handle_count: int = 0
    is_removed: bool = False
    #: Why the contents cannot be had: the entry overlaps another.
    damage: str = ""

    @property
    def is_directory(self) -> bool:
        return self.children is not None

    @property
    def path(self) -> bytes:
        """The whole path as an entry has it; empty for the root."""
        if self.parent is None:
            return self.name
        above = self.parent.path
        return above + b"/" + self.name if above else self.name

    @property
    def mode(self) -> int:
        """Type and permission bits: r for all, w for root, x by the flags."""
        if self.is_directory:
            return 0o040755 if not self.entry.flags & READ_ONLY else 0o040555
        mode = 0o100444 if self.entry.flags & READ_ONLY else 0o100644
        return mode | 0o111 if self.entry.flags & EXECUTABLE else mode

    def ancestry(self) -> "list[Node]":
        """This node and every directory above it."""
        found: list[Node] = []
        node: Node | None = self
        while node is not None:
            found.append(node)
            node = node.parent
        return found

    def below(self) -> "list[Node]":
        """This node and all below it."""
        found, position = [self], 0
        while position < len(found):
            children = found[position].children
            if children:
                found.extend(children.values())
            position += 1
        return found
