"""The rules that one inode must keep on its own (``docs/FORMAT.md`` section 4)."""

import stat
from collections.abc import Callable
from typing import Final, NamedTuple

from watosfs.errors import DamageError
from watosfs.wfs3.format import ATTRIBUTES_MAX, FILE_SIZE_MAX, INLINE_SIZE_MAX, PATH_MAX
from watosfs.wfs3.records import (
    ENTRY_TYPES,
    INODE_FLAG_INLINE,
    TYPE_DIRECTORY,
    TYPE_FIFO,
    TYPE_FILE,
    TYPE_SYMLINK,
    Inode,
    decode_inode,
)

_STORED_TYPES: Final = (TYPE_FILE, TYPE_DIRECTORY, TYPE_SYMLINK, TYPE_FIFO)


class InodeFacts(NamedTuple):
    """One inode, reduced to what other structures are compared with.

    ``number`` is the key it is found by; ``kind`` the directory entry type that its mode asks for
    (0 when the mode is of no known type). ``attributes`` is the packed extended attributes when the
    inode holds some inline.
    """

    number: int
    kind: int
    nlink: int
    size: int
    blocks: int
    extent_root: int
    attributes_inode: int
    holds_attributes: bool
    attributes: bytes
    remarks: list[tuple[str, str, str]]


def inode_facts(key: int, raw: bytes, strict: bool) -> InodeFacts:
    """The facts of the inode packed in ``raw``, found under ``key``."""
    remarks: list[tuple[str, str, str]] = []

    def remark(field: str, text: str) -> None:
        remarks.append(("inode", field, f"inode {key}: {text}"))

    try:
        inode = decode_inode(raw, 0)
    except DamageError:
        remark("inline_size", f"it is above {INLINE_SIZE_MAX}")
        inode = decode_inode(raw[:88] + bytes(168), 0)
        return InodeFacts(key, 0, inode.nlink, inode.size, 0, 0, 0, False, b"", remarks)
    kind = ENTRY_TYPES.get(stat.S_IFMT(inode.mode), 0)
    if inode.number != key or not key:
        remark("inode_num", f"it is {inode.number} under key {key}")
    if kind not in _STORED_TYPES or inode.mode >> 16:
        remark("mode", f"{inode.mode:#o} is no file, directory, symbolic link or fifo")
    if strict:
        _judge(inode, kind, remark)
    return InodeFacts(
        key, kind, inode.nlink, inode.size, inode.blocks, inode.extent_root,
        inode.attributes_inode, inode.holds_attributes,
        inode.inline if inode.holds_attributes else b"", remarks,
    )  # fmt: skip


def _judge(inode: Inode, kind: int, remark: Callable[[str, str], None]) -> None:
    inline_size = len(inode.inline)
    if inode.refcount != 1:
        remark("refcount", f"{inode.refcount} is not 1")
    if bool(inode.flags & INODE_FLAG_INLINE) != bool(inline_size):
        remark("flags", f"{inode.flags:#x} with {inline_size} bytes inline")
    if inode.attributes_inode and kind not in (TYPE_FILE, TYPE_DIRECTORY):
        remark("attributes_inode", f"{inode.attributes_inode} of no file or directory")
    if inode.holds_attributes:
        if kind != TYPE_FILE or inode.attributes_inode or inode.nlink != 1:
            remark("flags", f"{inode.flags:#x}: it holds attributes, and is more than that")
        if not 0 < inode.size <= ATTRIBUTES_MAX:
            remark("size", f"{inode.size} bytes of attributes are not 1..{ATTRIBUTES_MAX}")
    if kind == TYPE_FIFO and (inode.size or inode.extent_root or inline_size):
        remark("size", f"{inode.size} of a fifo is not 0")
    if not inode.extent_root and inode.blocks:
        remark("blocks", f"{inode.blocks} without an extent tree")
    if kind == TYPE_DIRECTORY:
        if inode.size:
            remark("size", f"{inode.size} of a directory is not 0")
        if inode.blocks and inode.extent_root:
            remark("blocks", f"{inode.blocks} of a directory is not 0")
        if inline_size:
            remark("inline_size", f"{inline_size} of a directory is not 0")
        return
    if inline_size and inode.extent_root:
        remark("inline_size", f"{inline_size} bytes inline beside extent tree {inode.extent_root}")
    elif inline_size and inline_size != inode.size:
        remark("inline_size", f"{inline_size} is not the size, {inode.size}")
    if kind == TYPE_SYMLINK:
        if not 1 <= inode.size < PATH_MAX:
            remark("size", f"{inode.size} of a symbolic link is outside 1..{PATH_MAX - 1}")
        elif inode.size <= INLINE_SIZE_MAX and not inline_size:
            remark("inline_size", f"a target of {inode.size} bytes is not inline")
        elif not inline_size and inode.blocks != 1:
            remark("blocks", f"{inode.blocks} for a target of {inode.size} bytes")
    elif inode.size > FILE_SIZE_MAX:
        remark("size", f"{inode.size} is above {FILE_SIZE_MAX}")
