"""Extended attributes by path: setxattr, getxattr, listxattr, removexattr [E1..E6, F8]."""

from watosfs_model import extended
from watosfs_model import operations as ops
from watosfs_model.change import Change
from watosfs_model.resolution import find
from watosfs_model.state import Inode, System


def subject(system: System, path: bytes) -> Inode:
    """What the path leads to, a last symlink followed. Raises Refused."""
    return system.volume.inodes[find(system.volume, path)]


def setxattr_checks(system: System, op: ops.Setxattr) -> set[int]:
    return extended.set_checks(subject(system, op.path), op.key, len(op.value), op.flags)


def setxattr_core(change: Change, op: ops.Setxattr) -> None:
    number = find(change.before.volume, op.path)
    attributes = extended.with_value(change[number], op.key, op.value.bytes())
    change.update(number, attributes=attributes, ctime_ns=change.now_ns)  # [E5]


def getxattr_checks(system: System, op: ops.Getxattr) -> set[int]:
    return extended.get_checks(subject(system, op.path), op.key)


def getxattr_core(change: Change, op: ops.Getxattr) -> bytes:
    return subject(change.before, op.path).attributes[op.key]


def listxattr_core(change: Change, op: ops.Listxattr) -> frozenset[bytes]:
    return frozenset(subject(change.before, op.path).attributes)


def removexattr_checks(system: System, op: ops.Removexattr) -> set[int]:
    return extended.remove_checks(subject(system, op.path), op.key)


def removexattr_core(change: Change, op: ops.Removexattr) -> None:
    number = find(change.before.volume, op.path)
    attributes = extended.without_key(change[number], op.key)
    change.update(number, attributes=attributes, ctime_ns=change.now_ns)  # [E5]
