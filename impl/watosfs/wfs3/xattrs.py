"""Extended attributes: kept as the data of a hidden inode that their owner points to.

So they are inline when small, checksummed, copy-on-write and part of every transaction, without a
structure of their own (``docs/FORMAT.md`` section 4.1). Changing one writes them all anew: they are
at most 64 KiB.
"""

import errno
import stat
from typing import TYPE_CHECKING, Final

from watosfs.errors import DamageError, failure
from watosfs.wfs3.format import ATTRIBUTES_MAX, RO_COMPAT_ATTRIBUTES
from watosfs.wfs3.packed_attributes import KEY_MAX, PREFIX, decode, encode
from watosfs.wfs3.records import INODE_FLAG_ATTRIBUTES, Inode

if TYPE_CHECKING:
    from watosfs.wfs3.namespace import Namespace

XATTR_CREATE: Final = 1
XATTR_REPLACE: Final = 2
#: The number of a holder has 48 bits in the inode of its owner.
HOLDERS_END: Final = 1 << 48


def check_key(key: bytes) -> None:
    """Raise ERANGE, EINVAL or EOPNOTSUPP for what is no key of a user's attribute (xattr(7))."""
    if not 1 <= len(key) <= KEY_MAX:
        raise failure(errno.ERANGE, reason=f"a key of {len(key)} bytes")
    if b"\0" in key:
        raise failure(errno.EINVAL, reason="NUL byte in a key")
    if not key.startswith(PREFIX):
        raise failure(errno.EOPNOTSUPP, reason=f"{key!r} does not begin with user.")
    if key == PREFIX:
        raise failure(errno.EINVAL, reason="a key without a name")


class ExtendedAttributes:
    """Reads and changes the attributes of inodes; the caller has found the inode."""

    __slots__ = ("names",)

    def __init__(self, names: "Namespace") -> None:
        self.names = names

    def of(self, inode: Inode) -> dict[bytes, bytes]:
        """All attributes of an inode. Raises DamageError."""
        engine = self.names.engine
        holder = engine.attributes_holder(inode)
        if holder is None:
            return {}
        number, size = holder.number, holder.size
        if not 0 < size <= ATTRIBUTES_MAX:
            raise DamageError("inode", 0, f"inode {number}: {size} bytes of attributes")
        return decode(bytes(engine.data.read(holder, 0, size)), number)

    def get(self, inode: Inode, key: bytes) -> bytes:
        """One value; ENODATA without it, and the errnos of ``check_key``."""
        check_key(key)
        value = self.of(inode).get(key)
        if value is None:
            raise failure(errno.ENODATA, reason=repr(key))
        return value

    def set(self, inode: Inode, key: bytes, value: bytes, flags: int) -> None:
        """Set one. EEXIST (XATTR_CREATE), ENODATA (XATTR_REPLACE), E2BIG, ENOSPC, EPERM, EINVAL."""
        check_key(key)
        if flags & ~(XATTR_CREATE | XATTR_REPLACE):
            raise failure(errno.EINVAL, reason=f"flags {flags:#x}")
        if len(value) > ATTRIBUTES_MAX:
            raise failure(errno.E2BIG, reason=f"a value of {len(value)} bytes")
        attributes = self.changing(inode)
        if flags & XATTR_CREATE and key in attributes:
            raise failure(errno.EEXIST, reason=repr(key))
        if flags & XATTR_REPLACE and key not in attributes:
            raise failure(errno.ENODATA, reason=repr(key))
        attributes[key] = value
        self.store(inode, attributes, frees=False)

    def remove(self, inode: Inode, key: bytes) -> None:
        """Remove one; ENODATA without it, EPERM."""
        check_key(key)
        attributes = self.changing(inode)
        if attributes.pop(key, None) is None:
            raise failure(errno.ENODATA, reason=repr(key))
        self.store(inode, attributes, frees=True)

    def changing(self, inode: Inode) -> dict[bytes, bytes]:
        """The attributes of an inode that may have some; EPERM, EOPNOTSUPP."""
        if not (inode.is_file or inode.is_directory):
            raise failure(errno.EPERM, reason="only files and directories have attributes")
        if not self.names.engine.superblock.ro_compat & RO_COMPAT_ATTRIBUTES:
            raise failure(errno.EOPNOTSUPP, reason="the volume was made without attributes")
        return self.of(inode)

    def store(self, inode: Inode, attributes: dict[bytes, bytes], *, frees: bool) -> None:
        """Replace all attributes and set ctime; ENOSPC when they are too many."""
        engine = self.names.engine
        data = encode(attributes)
        if len(data) > ATTRIBUTES_MAX:
            raise failure(errno.ENOSPC, reason=f"{len(data)} bytes of attributes")
        holder = engine.attributes_holder(inode)
        if data and holder is None and engine.next_inode >= HOLDERS_END:
            raise failure(errno.ENOSPC, reason="no number for a holder of attributes is left")
        drops = 0 if holder is None else self.names.runs_of(holder)
        cost = engine.namespace_cost() + engine.data.cost_of_new(len(data))
        engine.admit(cost, frees=frees, drops=drops)
        now = engine.clock()
        owner = engine.modify(inode.number)
        owner.ctime_ns = now
        if not data:
            engine.delete_attributes(owner)
            return
        if holder is not None:
            holder = engine.modify(holder.number)
            engine.data.drop_all(holder)
            holder.size = 0
        else:
            holder = engine.new_inode(stat.S_IFREG, now, 1)
            holder.flags = INODE_FLAG_ATTRIBUTES
            owner.attributes_inode = holder.number
        holder.mtime_ns = holder.ctime_ns = now
        engine.data.write(holder, 0, data)
