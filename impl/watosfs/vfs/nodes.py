"""Directories in use, with their parents: where ``..`` and the working directory lead.

A node lives as long as a path, a descriptor or a working directory holds it; there is one for each
directory, so that a rename moves every holder along.
"""

from weakref import WeakValueDictionary

from watosfs.vfs.filesystem import Attributes, Filesystem


class Node:
    """One directory of one file system. ``parent`` is None for a file system's root."""

    __slots__ = ("__weakref__", "filesystem", "number", "parent")

    def __init__(self, filesystem: Filesystem, number: int, parent: "Node | None") -> None:
        self.filesystem = filesystem
        self.number = number
        self.parent = parent

    def attributes(self) -> Attributes:
        """The directory's inode."""
        return self.filesystem.attributes(self.number)

    def is_visible(self) -> bool:
        """Whether the actor sees the directory: somebody else's transaction may have made it."""
        return self.filesystem.is_visible(self.number)

    def above(self) -> "Node | None":
        """The parent in the file system, as the actor sees it; None for the root."""
        parent = self.parent
        if parent is None or not self.filesystem.has_moved_directories:
            return parent
        number = self.filesystem.parent_of(self.number)
        return parent if not number or number == parent.number else self.at(number)

    def at(self, number: int) -> "Node":
        """Another directory of the file system, found by number."""
        filesystem = self.filesystem
        if number == filesystem.root:
            return Node(filesystem, number, None)
        above = filesystem.parent_of(number)
        return Node(filesystem, number, self.at(above) if above else self.parent)

    def ancestors(self) -> list[int]:
        """Inode numbers from the file system's root to this directory."""
        found = [self.number]
        node = self.above()
        while node is not None:
            found.append(node.number)
            node = node.above()
        return found[::-1]


class NodeTable:
    """The nodes that somebody holds, and what is mounted where."""

    def __init__(self, root: Filesystem) -> None:
        self.nodes: WeakValueDictionary[tuple[int, int], Node] = WeakValueDictionary()
        self.root = Node(root, root.root, None)
        self.nodes[id(root), root.root] = self.root
        self.mounted: dict[Node, Node] = {}
        self.covered: dict[Node, Node] = {}
        #: Roots of volumes by drive letter, upper case.
        self.drives: dict[bytes, Node] = {}

    def child(self, parent: Node, number: int) -> Node:
        """The directory below ``parent``, without what may be mounted on it."""
        filesystem = parent.filesystem
        node = self.nodes.get((id(filesystem), number))
        if node is None:
            node = self.nodes[id(filesystem), number] = Node(filesystem, number, parent)
        return node

    def above(self, node: Node) -> Node:
        """What ``..`` means: out of a mounted root it leads beside the mount point."""
        while node in self.covered:
            node = self.covered[node]
        parent = node.above()
        if parent is None:
            return node
        return self.nodes.setdefault((id(parent.filesystem), parent.number), parent)

    def forget_missing(self, filesystem: Filesystem) -> None:
        """An abort took directories; their numbers may come again."""
        for key, node in list(self.nodes.items()):
            if node.filesystem is filesystem and not node.is_visible():
                del self.nodes[key]

    def reparent(self, filesystem: Filesystem) -> None:
        """A transaction that moved directories ended: look every parent up again."""
        for node in [n for n in self.nodes.values() if n.filesystem is filesystem]:
            number = filesystem.parent_of(node.number) if node.parent is not None else 0
            if number:
                parent = node.at(number)
                node.parent = self.nodes.setdefault((id(filesystem), number), parent)

    def drive(self, path: bytes) -> Node | None:
        """The root of the drive that a path (or a symlink's target) begins with, if it is in
        use.
        """
        return self.drives.get(path[:1].upper()) if path[1:2] == b":" else None

    def letter_of(self, root: Node) -> bytes | None:
        """The drive whose root a directory is."""
        return next((letter for letter, node in self.drives.items() if node is root), None)

    def mount_drive(self, letter: bytes, filesystem: Filesystem) -> None:
        """Let a drive be a file system; nothing leads out of its root."""
        root = Node(filesystem, filesystem.root, None)
        self.nodes[id(filesystem), filesystem.root] = self.drives[letter] = root

    def unmount_drive(self, letter: bytes) -> None:
        """The drive is not in use any more."""
        root = self.drives.pop(letter)
        self.nodes.pop((id(root.filesystem), root.number), None)

    def mount(self, point: Node, filesystem: Filesystem) -> None:
        """Cover a directory with a file system's root."""
        root = Node(filesystem, filesystem.root, None)
        self.nodes[id(filesystem), filesystem.root] = root
        self.mounted[point] = root
        self.covered[root] = point

    def unmount(self, root: Node) -> None:
        """Take the cover off again."""
        del self.mounted[self.covered.pop(root)]
        self.nodes.pop((id(root.filesystem), root.number), None)

    def is_mounted(self, filesystem: Filesystem) -> bool:
        """Whether the file system is somewhere in the tree."""
        roots = (self.root, *self.covered, *self.drives.values())
        return any(root.filesystem is filesystem for root in roots)
