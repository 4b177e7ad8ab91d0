"""A process: credentials, working directory, descriptor table, and the call that it waits in."""

import errno
from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

from watosfs.errors import failure
from watosfs.kernel.numbers import DESCRIPTORS_DEFAULT
from watosfs.vfs.access import Credentials
from watosfs.vfs.filesystem import Pin
from watosfs.vfs.nodes import Node

if TYPE_CHECKING:
    from watosfs.kernel.descriptions import Description


class WouldBlock(Exception):
    """A call cannot end now: its process parks. Nothing has been changed (but see ``progress``)."""


class Descriptor(NamedTuple):
    """One entry of a descriptor table."""

    description: "Description"
    closes_on_exec: bool


class Process:
    """``pinned_cwd`` keeps the working directory's inode alive. ``progress`` counts the bytes that
    a parked write to a pipe has put in; ``waits_for`` is what a parked call waits on.
    """

    def __init__(self, pid: int, cwd: Node, pinned_cwd: Pin) -> None:
        self.pid = pid
        self.credentials = Credentials()
        self.umask = 0o022
        self.limit = DESCRIPTORS_DEFAULT
        self.cwd = cwd
        self.pinned_cwd = pinned_cwd
        self.descriptors: dict[int, Descriptor] = {}
        self.parked: Callable[[], object] | None = None
        self.progress = 0
        #: The name of the call that it makes, or made last.
        self.operation = ""
        self.waits_for: tuple[object, ...] | None = None

    def lowest_free(self, first: int = 0) -> int:
        """The lowest descriptor number from ``first`` on that is not in use. Raises EMFILE."""
        table = self.descriptors
        number = first
        while number in table:
            number += 1
        if number >= self.limit:
            raise failure(errno.EMFILE)
        return number

    def description(self, number: int) -> "Description":
        """What a descriptor leads to. Raises EBADF."""
        found = self.descriptors.get(number)
        if found is None:
            raise failure(errno.EBADF)
        return found.description

    def fresh(self, number: int) -> "Description":
        """The same for calls that need the inode. Raises ESTALE when the process cannot see it."""
        description = self.description(number)
        description.require_fresh()
        return description

    def change_cwd(self, node: Node) -> None:
        """Move to another directory."""
        pin = node.filesystem.open(node.number)
        self.pinned_cwd.close()
        self.cwd, self.pinned_cwd = node, pin
