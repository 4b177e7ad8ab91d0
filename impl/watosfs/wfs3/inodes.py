"""Inodes of the working tree: decoded once, changed in place, packed at commit."""

from itertools import islice

from watosfs.errors import DamageError
from watosfs.wfs3.btree import BTree
from watosfs.wfs3.filedata import FileData
from watosfs.wfs3.node import DIRECTORY, EXTENTS
from watosfs.wfs3.pages import PAGE_SIZE_BYTES, PageCache
from watosfs.wfs3.records import Inode, decode_inode
from watosfs.wfs3.store import NodeStore

_INODES_IN_MEMORY_MAX = 16384


class InodeTable:
    """The inode tree with its decoded inodes, and the directory and extent trees that hang on them.

    A dirty inode is the object in its dirty leaf; a dirty tree's inode is dirty too.
    """

    store: NodeStore
    inode_tree: BTree
    data: FileData
    next_inode: int
    inode_count: int

    def __init__(self) -> None:
        self.inodes: dict[int, Inode] = {}
        self.dirty_inodes: dict[int, Inode] = {}
        self.dirty_trees: dict[int, BTree] = {}
        #: Of inodes that are not dirty.
        self.pages = PageCache()

    def inode(self, number: int) -> Inode:
        """The inode, decoded. Raises DamageError when a name leads to none."""
        inode = self.inodes.get(number)
        if inode is None:
            raw = self.inode_tree.get(number)
            if raw is None:
                raise DamageError("inode tree", 0, f"inode {number} is missing")
            if type(raw) is Inode:
                # A dirty leaf that another entry of this number led to.
                raise DamageError("inode tree", 0, f"inode {number} is there twice")
            inode = decode_inode(raw, 0)
            if inode.number != number:
                raise DamageError("inode", 0, f"inode_num {inode.number} under key {number}")
            if inode.inline and inode.size != len(inode.inline) and self.store.strict:
                problem = f"inode {number}: {len(inode.inline)} bytes inline of {inode.size}"
                raise DamageError("inode", 0, problem)
            if inode.blocks > self.store.total_blocks and self.store.strict:
                raise DamageError("inode", 0, f"inode {number}: {inode.blocks} blocks")
            self.remember(inode)
        return inode

    def remember(self, inode: Inode) -> None:
        """Cache a decoded inode; clean ones are forgotten, oldest first, when there are too
        many.
        """
        inodes = self.inodes
        if len(inodes) >= _INODES_IN_MEMORY_MAX:
            for number in list(islice(inodes, len(inodes) // 4)):
                if number not in self.dirty_inodes:
                    del inodes[number]
        inodes[inode.number] = inode

    def modify(self, number: int) -> Inode:
        """The inode, to be changed in place: its leaf is dirty and will pack it at commit."""
        dirty = self.dirty_inodes.get(number)
        if dirty is not None:
            return dirty
        inode = self.inode(number)
        path = self.inode_tree.floor(number)
        if not path or path[-1][0].keys[path[-1][1]] != number:
            raise DamageError("inode tree", 0, f"inode {number} is missing")
        self.inode_tree.make_path_dirty(path)
        self.pages.drop(number)
        leaf, i = path[-1]
        leaf.values[i] = inode
        self.dirty_inodes[number] = inode
        return inode

    def may_keep_page(self, inode: Inode, offset: int) -> bool:
        """Whether the page at ``offset`` of a file is one that ``pages`` may hold: whole, within
        one extent, and of an inode that nothing has changed since the last commit.
        """
        return (
            offset + PAGE_SIZE_BYTES <= inode.size
            and inode.number not in self.dirty_inodes
            and self.store.strict
        )

    def new_inode(self, mode: int, now_ns: int, nlink: int) -> Inode:
        """A fresh inode with the next number, in the tree and dirty."""
        number = self.next_inode
        self.next_inode = number + 1
        self.inode_count += 1
        inode = Inode(number, mode, now_ns, nlink)
        self.inode_tree.insert(number, inode)
        self.dirty_inodes[number] = inode
        self.remember(inode)
        return inode

    def delete_inode(self, inode: Inode) -> None:
        """Free the inode and all that it owns."""
        if inode.is_directory:
            self.changing_tree(inode).clear()
        else:
            self.data.drop_all(inode)
        self.delete_attributes(inode)
        number = inode.number
        self.inode_tree.delete(self.inode_tree.lower_bound(number))
        self.pages.drop(number)
        self.inodes.pop(number, None)
        self.dirty_inodes.pop(number, None)
        self.dirty_trees.pop(number, None)

    def delete_attributes(self, inode: Inode) -> None:
        """Free the inode that holds the extended attributes of a dirty one."""
        hidden = self.attributes_holder(inode)
        if hidden is not None:
            inode.attributes_inode = 0
            self.delete_inode(self.modify(hidden.number))

    def attributes_holder(self, inode: Inode) -> Inode | None:
        """The inode whose data are the extended attributes of this one. Raises DamageError."""
        number = inode.attributes_inode
        if not number:
            return None
        holder = self.inode(number)
        if not holder.holds_attributes or not holder.is_file or holder.attributes_inode:
            raise DamageError("inode", 0, f"inode {number} does not hold attributes")
        return holder

    def tree(self, inode: Inode) -> BTree:
        """The inode's directory or extent tree, for reading."""
        tree = self.dirty_trees.get(inode.number)
        if tree is not None:
            return tree
        return BTree(self.store, DIRECTORY if inode.is_directory else EXTENTS, inode.extent_root)

    def changing_tree(self, inode: Inode) -> BTree:
        """The same, to be changed: its new root is put into the inode at commit."""
        number = inode.number
        tree = self.dirty_trees.get(number)
        if tree is None:
            self.modify(number)
            tree = self.dirty_trees[number] = self.tree(inode)
        return tree
