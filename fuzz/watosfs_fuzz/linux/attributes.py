"""Extended attributes by Linux' own calls."""

import ctypes
from typing import Any

from watosfs_fuzz.linux.calls import refuse_flags, system_call
from watosfs_model.kernel import attribute_calls as x
from watosfs_model.kernel import numbers as n


def subject(call: Any) -> tuple[str, object]:
    """The prefix of the call's name, and its first argument: "l" and "f" forms."""
    if hasattr(call, "fd"):
        return "f", call.fd
    refuse_flags(call.at_flags, n.AT_SYMLINK_NOFOLLOW)
    return ("l" if call.at_flags else ""), call.path


def set_attribute(call: x.SetxattrAt | x.Fsetxattr) -> None:
    """setxattr, lsetxattr, fsetxattr."""
    prefix, first = subject(call)
    value = call.value.bytes()
    length = ctypes.c_size_t(len(value))
    system_call(f"{prefix}setxattr", first, call.key, value, length, call.flags)


def get_attribute(call: x.GetxattrAt | x.Fgetxattr) -> bytes | int:
    """getxattr and its forms: with size 0 the length."""
    prefix, first = subject(call)
    room = ctypes.create_string_buffer(max(call.size, 1))
    length = system_call(f"{prefix}getxattr", first, call.key, room, ctypes.c_size_t(call.size))
    return room.raw[:length] if call.size else length


def list_attributes(call: x.ListxattrAt | x.Flistxattr) -> frozenset[bytes] | int:
    """listxattr and its forms: with size 0 the length. Only what users see: namespace user."""
    prefix, first = subject(call)
    room = ctypes.create_string_buffer(max(call.size, 1))
    length = system_call(f"{prefix}listxattr", first, room, ctypes.c_size_t(call.size))
    if not call.size:
        return length
    return frozenset(key for key in room.raw[:length].split(b"\0") if key)


def remove_attribute(call: x.RemovexattrAt | x.Fremovexattr) -> None:
    """removexattr and its forms."""
    prefix, first = subject(call)
    system_call(f"{prefix}removexattr", first, call.key)
