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

    def ancestors(self) -> list[int]:
        """Inode numbers from the file system's root to this directory."""
        found = [self.number]
        node = self.parent
        while node is not None:
            found.append(node.number)
            node = node.parent
        return found[::-1]


class NodeTable:
    """The nodes that somebody holds, and what is mounted where."""

    def __init__(self, root: Filesystem) -> None:
        self.nodes: WeakValueDictionary[tuple[int, int], Node] = WeakValueDictionary()
        self.root = Node(root, root.root, None)
        self.nodes[id(root), root.root] = self.root
        self.mounted: dict[Node, Node] = {}
        self.covered: dict[Node, Node] = {}

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
        return node if node.parent is None else node.parent

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
        return filesystem is self.root.filesystem or any(
            root.filesystem is filesystem for root in self.covered
        )
