"""Directories as B+trees keyed by the hash of the name (``docs/FORMAT.md`` section 5).

Names whose hashes are equal are neighbours in the tree, so every search walks all entries of its
hash.
"""

from collections.abc import Iterator

from watosfs.errors import DamageError
from watosfs.wfs3.btree import BTree, Path
from watosfs.wfs3.format import name_hash
from watosfs.wfs3.records import DirectoryEntry, decode_entry, encode_entry, entry_hash, entry_names

DOT_NAMES = (b".", b"..")


def find(tree: BTree, name: bytes) -> Path:
    """The path to the entry called ``name``, or the empty list."""
    hashed = name_hash(name)
    path, walked = tree.lower_bound(hashed), 0
    while path:
        walked += 1
        leaf, i = path[-1]
        keys, values = leaf.keys, leaf.values
        while i < len(keys) and keys[i] == hashed:
            if entry_names(values[i], name):
                path[-1] = (leaf, i)
                return path
            i += 1
        if i < len(keys):
            return []
        path = tree.next_leaf(path, walked)
    return path


def lookup(tree: BTree, name: bytes) -> tuple[int, int] | None:
    """(inode number, kind) of the entry called ``name``, or None."""
    path = find(tree, name)
    if not path:
        return None
    leaf, i = path[-1]
    raw = leaf.values[i]
    return int.from_bytes(raw[:8], "little"), raw[8]


def add(tree: BTree, name: bytes, inode_number: int, kind: int) -> None:
    """Enter a name that is not there yet."""
    hashed = name_hash(name)
    tree.insert(hashed, encode_entry(inode_number, kind, hashed, name))


def remove(tree: BTree, name: bytes) -> None:
    """Take out a name that is there."""
    path = find(tree, name)
    assert path, f"name {name!r} vanished from its directory"
    tree.delete(path)


def replace(tree: BTree, name: bytes, inode_number: int, kind: int) -> None:
    """Let a name that is there lead to another inode."""
    path = find(tree, name)
    assert path, f"name {name!r} vanished from its directory"
    tree.make_path_dirty(path)
    leaf, i = path[-1]
    leaf.values[i] = encode_entry(inode_number, kind, name_hash(name), name)


def entries(tree: BTree) -> Iterator[DirectoryEntry]:
    """Every entry but ``.`` and ``..``, in hash order. Raises DamageError."""
    for key, raw in tree.items():
        entry = decode_entry(raw, 0)
        if entry.name in DOT_NAMES:
            continue
        if entry_hash(raw) != key:
            raise DamageError("directory entry", 0, f"name_hash of {entry.name!r} is not its key")
        yield entry


def is_empty(tree: BTree) -> bool:
    """Whether the directory has no entry but ``.`` and ``..``."""
    return next(entries(tree), None) is None
