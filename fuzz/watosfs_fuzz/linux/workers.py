"""Real processes that make the calls of a script: forked one from another, each with a socket.

All live in a directory that is their root (chroot), so that absolute paths and ``..`` mean what
they mean to the model. That takes root, or a user namespace where nobody but user 0 exists.
"""

import ctypes
import errno
import os
import pickle
import resource
import signal
import socket
import sys
import traceback
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from watosfs_fuzz.linux.calls import DESCRIPTORS_OF_SCRIPT, close_on_exec
from watosfs_fuzz.linux.table import PERFORM
from watosfs_model import Outcome
from watosfs_model.kernel.calls import Call
from watosfs_model.kernel.process_calls import Exec

PROCESSES_MAX: Final = 6
ANSWER_SECONDS: Final = 10.0
DESCRIPTORS_AT_START: Final = 64
_FIRST_SOCKET: Final = 900
_TRACEBACKS: Final = 899
_MESSAGE_BYTES: Final = 1 << 21
_CLONE_NEWUSER: Final = 0x10000000


@dataclass(frozen=True)
class Forking:
    """Order to fork; the child answers on the socket of this index. ``execs``: close what closes on
    exec in the child.
    """

    index: int
    execs: bool


class NoAnswer(Exception):
    """A process did not answer in time: Linux waits where the model says that it need not."""


class Workers:
    """The processes of one script, by index. Index 0 exists after ``start``."""

    def __init__(self) -> None:
        self.sockets: list[socket.socket] = []
        self.first = 0

    def start(self, root: bytes) -> None:
        """The first process, at home in ``root``. Raises ``OSError`` where it may not chroot."""
        pairs = [
            socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET) for _ in range(PROCESSES_MAX)
        ]
        self.sockets = [ours for ours, _ in pairs]
        for ours in self.sockets:
            ours.settimeout(ANSWER_SECONDS)
        sys.stderr.flush()
        self.first = os.fork()
        if self.first == 0:
            try:
                os.dup2(2, _TRACEBACKS)
                for index, (_, theirs) in enumerate(pairs):
                    os.dup2(theirs.fileno(), _FIRST_SOCKET + index)
                settle(root)
                work(0)
            except BaseException:
                os.write(_TRACEBACKS, traceback.format_exc().encode())
            finally:
                os._exit(1)
        for _, theirs in pairs:
            theirs.close()

    def call(self, index: int, call: Call) -> Outcome:
        """Let a process make a call. Raises NoAnswer."""
        return self.ask(index, call)

    def fork(self, index: int, child: int, *, execs: bool) -> int:
        """Let a process fork; the child's number for Linux."""
        found = self.ask(index, Forking(child, execs)).value
        assert isinstance(found, int)
        return found

    def ask(self, index: int, order: object) -> Outcome:
        """Send, and wait for the answer."""
        link = self.sockets[index]
        link.send(pickle.dumps(order))
        try:
            answer = link.recv(_MESSAGE_BYTES)
        except TimeoutError:
            raise NoAnswer(f"no answer to {order}") from None
        if not answer:
            raise RuntimeError(f"the process died in {order}")
        found: Outcome = pickle.loads(answer)
        return found

    def end(self) -> None:
        """All processes are gone when their sockets are."""
        for link in self.sockets:
            link.close()
        self.sockets = []
        with suppress(ProcessLookupError):
            os.kill(self.first, signal.SIGKILL)
        os.waitpid(self.first, 0)


def settle(root: bytes) -> None:
    """In the child: the directory is the root, everything else is as the model's process 1."""
    if os.geteuid() != 0:
        enter_user_namespace()
    os.chroot(root)
    os.chdir(b"/")
    os.umask(0o022)
    if os.environ.get("WATOSFS_ONE_USER") is None:
        os.setgroups([])
    os.closerange(0, _TRACEBACKS)
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (DESCRIPTORS_AT_START, hard))
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    signal.signal(signal.SIGPIPE, signal.SIG_IGN)


def enter_user_namespace() -> None:
    """Become user 0 of a namespace of one's own. Raises ``OSError`` where that is forbidden."""
    user, group = os.geteuid(), os.getegid()
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(_CLONE_NEWUSER) < 0:
        raise OSError(ctypes.get_errno(), "unshare: neither root nor a user namespace")
    for name, text in (
        ("setgroups", "deny"), ("uid_map", f"0 {user} 1"), ("gid_map", f"0 {group} 1"),
    ):  # fmt: skip
        with open(f"/proc/self/{name}", "w") as file:
            file.write(text)
    os.environ["WATOSFS_ONE_USER"] = "1"


def work(index: int) -> None:
    """In the child: answer orders until nobody sends any."""
    link = socket.socket(fileno=_FIRST_SOCKET + index)
    while message := link.recv(_MESSAGE_BYTES):
        order = pickle.loads(message)
        if isinstance(order, Forking):
            child = os.fork()
            if child == 0:
                link = socket.socket(fileno=_FIRST_SOCKET + order.index)
                if order.execs:
                    close_on_exec(Exec())
            else:
                link.send(pickle.dumps(Outcome(child)))
            continue
        link.send(pickle.dumps(answer(order)))
    os._exit(0)


def answer(call: Call) -> Outcome:
    """How a call ended."""
    try:
        return Outcome(PERFORM[type(call)](call))
    except OSError as error:
        return Outcome(None, error.errno or errno.EIO)
    except (ValueError, OverflowError):
        # Python refuses what no C caller could pass: a NUL in a path, a number too large.
        return Outcome(None, errno.EINVAL)


assert DESCRIPTORS_OF_SCRIPT < _TRACEBACKS
