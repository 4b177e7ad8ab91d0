"""What is in a directory: as Linux has it, and as the model has its first volume."""

import os
from typing import TypeAlias

from watosfs_fuzz.linux.calls import status
from watosfs_model.kernel import Kernel, observe

#: Kind, mode, owners, links, size, contents, extended attributes.
Found: TypeAlias = tuple[object, ...]
BLOCK = 4096
#: Larger files are compared by their blocks that are not zero.
WHOLE_BYTES_MAX = 1 << 20


def content_blocks(path: bytes, size: int) -> object:
    """The bytes of a file, or of a large one the (index, bytes) of the blocks that are not zero."""
    with open(path, "rb") as file:
        if size <= WHOLE_BYTES_MAX:
            return file.read()
        found: list[tuple[int, bytes]] = []
        at = 0
        while True:
            try:
                at = os.lseek(file.fileno(), at, os.SEEK_DATA)
            except OSError:  # ENXIO: no data follows
                return tuple(found)
            at -= at % BLOCK
            data = os.pread(file.fileno(), BLOCK, at)
            if any(data):
                found.append((at // BLOCK, data.ljust(BLOCK, b"\0")))
            at += BLOCK


def real_tree(root: bytes) -> dict[bytes, Found]:
    """Everything below a directory, by path from it."""
    tree: dict[bytes, Found] = {}
    waiting = [(root, b"/")]
    while waiting:
        path, name = waiting.pop()
        found = status(os.lstat(path))
        content: object = None
        if found[0] == "file":
            content = content_blocks(path, found[5])
        elif found[0] == "symlink":
            content = os.readlink(path)
        elif found[0] == "fifo":
            content = b""
        tree[name] = (*found, content, attributes_of(path, found[0]))
        if found[0] == "directory":
            for child in os.listdir(path):
                waiting.append((path + b"/" + child, name.rstrip(b"/") + b"/" + child))
    return tree


def attributes_of(path: bytes, kind: str) -> tuple[tuple[bytes, bytes], ...]:
    """The extended attributes of namespace user."""
    if kind not in ("file", "directory"):
        return ()
    keys = sorted(os.fsencode(key) for key in os.listxattr(path, follow_symlinks=False))
    return tuple((key, os.getxattr(path, key)) for key in keys if key.startswith(b"user."))


def model_tree(kernel: Kernel) -> dict[bytes, Found]:
    """The same of the model's first volume."""
    trees = observe(kernel)[0]
    assert isinstance(trees, tuple)
    tree: dict[bytes, Found] = {}
    for path, entry in trees[0].items():
        kind, mode, uid, gid, nlink, size = entry[:6]
        size = size if kind in ("file", "symlink") else 0
        tree[path] = (kind, mode, uid, gid, nlink, size, entry[9], entry[10])
    return tree
