"""System calls: numbers and register values in, rax out (``docs/ABI.md``).

Every pointer is checked, and everything copied in, before a call has any effect; buffers for
results are checked for writing before, too. Failures are negative errnos. A parked call gives
PARKED_RAX; ``resume`` runs all of it again.
"""

import errno
from collections.abc import Callable, Sequence

from watosfs.kernel import syscall_table
from watosfs.kernel.kernel import PARKED, Kernel
from watosfs.kernel.process import Process
from watosfs.kernel.registers import Registers
from watosfs.kernel.user_memory import UserMemory

#: No errno and no result: the process waits.
PARKED_RAX = -4096

Handler = Callable[[Kernel, Process, Registers], int]


class SystemCalls:
    """The entry of a kernel: one address space for each process."""

    def __init__(self, kernel: Kernel) -> None:
        self.kernel = kernel
        self.memories: dict[int, UserMemory] = {}

    def memory(self, pid: int) -> UserMemory:
        """The address space of a process (a child's begins empty: nothing is loaded here)."""
        return self.memories.setdefault(pid, UserMemory())

    def call(self, pid: int, number: int, registers: Sequence[int]) -> int:
        """One call: rdi, rsi, rdx, r10, r8, r9 as 64-bit values; missing ones are 0. The signed
        value of rax.
        """
        handler = syscall_table.HANDLERS.get(number)
        if handler is None:
            return -errno.ENOSYS
        values = [value & (1 << 64) - 1 for value in registers[:6]]
        arguments = Registers(self.memory(pid), values + [0] * (6 - len(values)))
        return self.guarded(lambda: self.kernel.call(pid, handler, arguments))

    def resume(self, pid: int) -> int:
        """Try a parked call again."""
        return self.guarded(lambda: self.kernel.resume(pid))

    def interrupt(self, pid: int) -> int:
        """A signal ends a parked call."""
        return self.guarded(lambda: self.kernel.interrupt(pid))

    def guarded(self, run: Callable[[], object]) -> int:
        """Run, and say how it ended in one number."""
        try:
            result = run()
        except OSError as error:
            return -(error.errno or errno.EIO)
        if result is PARKED:
            return PARKED_RAX
        assert isinstance(result, int)
        return result
