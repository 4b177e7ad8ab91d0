"""The table of system calls, and the shape that most of them have: registers in, a number out."""

import errno
from collections.abc import Callable

from watosfs.errors import failure
from watosfs.kernel.kernel import Kernel
from watosfs.kernel.numbers import AT_FDCWD
from watosfs.kernel.process import Process
from watosfs.kernel.registers import Registers

Handler = Callable[[Kernel, Process, Registers], int]

HANDLERS: dict[int, Handler] = {}


def handler(number: int) -> Callable[[Handler], Handler]:
    """Register the handler of a number."""

    def register(function: Handler) -> Handler:
        assert number not in HANDLERS, f"system call {number} twice"
        HANDLERS[number] = function
        return function

    return register


def simple(number: int, function: Callable[..., object], shape: str) -> None:
    """A call that maps registers to arguments one by one and gives a number or nothing.

    ``shape`` has a letter for each register: f descriptor, s string, t text with its length in the
    next register, u unsigned 32 bits, i signed 64 bits, d data with its length in the next.
    """

    def handle(kernel: Kernel, process: Process, r: Registers) -> int:
        arguments: list[object] = []
        index = 0
        for letter in shape:
            arguments.append(READERS[letter](r, index))
            index += 2 if letter in "td" else 1
        result = function(kernel, process, *arguments)
        return result if isinstance(result, int) else 0

    # What statistics call it.
    is_named = function.__name__ != "<lambda>"
    handle.__name__ = function.__name__ if is_named else f"call_{number}"
    HANDLERS[number] = handle


READERS: dict[str, Callable[[Registers, int], object]] = {
    "f": Registers.fd,
    "s": Registers.string,
    "t": Registers.text,
    "u": Registers.unsigned32,
    "i": Registers.signed,
    "d": Registers.data,
}


def at_cwd(function: Callable[..., object], *rest: object) -> Callable[..., object]:
    """The plain form of an *at call: from the working directory."""
    return lambda kernel, process, path, *more: function(
        kernel, process, AT_FDCWD, path, *more, *rest
    )


def put_link(r: Registers, index: int, target: bytes) -> int:
    """A symlink's target, cut to the room; EINVAL for none."""
    room = r.unsigned(index + 1)
    if not room:
        raise failure(errno.EINVAL)
    r.memory.write(r.room(index, min(len(target), room)), target[:room])
    return min(len(target), room)
