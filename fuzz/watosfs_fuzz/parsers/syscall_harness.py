"""A harness for the structures behind pointers of system calls, in a process's memory.

An input is 512 bytes of memory and then calls, 50 bytes each: a number and six registers. Checks:
every call ends with a value or an errno; descriptors and their references stay consistent.
"""

import struct
from functools import cache
from random import Random
from typing import Final

from watosfs.kernel.syscall_table import HANDLERS
from watosfs.kernel.syscalls import PARKED_RAX, SystemCalls
from watosfs.kernel.user_memory import PAGE
from watosfs_fuzz.kernel.registers import BASE, EDGES, NUMBERS, PAGES, READ_ONLY
from watosfs_fuzz.kernel.watosfs_target import WatosfsKernelTarget
from watosfs_fuzz.parsers.dictionary import number_words
from watosfs_fuzz.parsers.harness import Harness, Wrong, register
from watosfs_fuzz.parsers.mutators import any_bytes, splice

_MEMORY: Final = 512
_CALL = struct.Struct("<HQQQQQQ")
_CALLS_MAX: Final = 8


def run(data: bytes) -> str:
    """Memory and calls; the answers in words."""
    target = WatosfsKernelTarget()
    system = SystemCalls(target.kernel)
    pid = next(iter(target.kernel.processes))
    memory = system.memory(pid)
    memory.map(BASE, PAGES * PAGE)
    memory.map(READ_ONLY, PAGE, writable=False)
    memory.write(BASE, data[:_MEMORY])
    numbers = sorted(HANDLERS)
    answers = []
    for at in range(_MEMORY, len(data) - _CALL.size + 1, _CALL.size)[:_CALLS_MAX]:
        process = target.kernel.processes.get(pid)
        if process is None or process.parked is not None:
            break
        number, *registers = _CALL.unpack_from(data, at)
        target.calls += 1
        rax = system.call(pid, numbers[number % len(numbers)], registers)
        if not PARKED_RAX <= rax < 1 << 63:
            raise Wrong("neither a value nor an errno", f"call {number}: {rax}")
        answers.append(f"{numbers[number % len(numbers)]}:{min(rax, 1)}")
    _require_consistent(target)
    return " ".join(answers)


def _require_consistent(target: WatosfsKernelTarget) -> None:
    held: dict[int, int] = {}
    found = {}
    for process in target.kernel.processes.values():
        for description, _ in process.descriptors.values():
            held[id(description)] = held.get(id(description), 0) + 1
            found[id(description)] = description
    for key, description in found.items():
        if description.references != held[key]:
            raise Wrong("references are miscounted", f"{description.references}, not {held[key]}")


@cache
def seeds() -> tuple[bytes, ...]:
    """Every call once with pointers into memory that holds paths, vectors and locks."""
    memory = bytearray(_MEMORY)
    memory[0:3], memory[64:67], memory[128:135] = b"/a\0", b"/d\0", b"user.k\0"
    memory[192:224] = struct.pack("<QQQQ", BASE, 8, BASE + 64, 16)
    memory[256:288] = struct.pack("<H6xqqI4x", 1, 0, 10, 0)
    memory[320:344] = struct.pack("<QQI4x", BASE, 8, 0)
    numbers = sorted(HANDLERS)
    makers = [
        _CALL.pack(index, *registers)
        for index in range(len(numbers))
        for registers in (
            (BASE, 0o102, 0o644, 0, 0, 0),
            (3, BASE + 192, 2, 0, 0, 0),
            ((1 << 64) - 100, BASE, 0o102, 0o644, 0, 0),
            (0, 6, BASE + 256, 0, 0, 0),
            ((1 << 64) - 100, BASE, BASE + 128, BASE + 320, 0, 0),
        )
    ]
    opening = makers[2::5]
    return tuple(bytes(memory) + opening[i % len(opening)] + call for i, call in enumerate(makers))


def mutate(data: bytes, random: Random) -> bytes:
    """A register, a number, or the memory."""
    raw = bytearray(data.ljust(_MEMORY + _CALL.size, b"\0"))
    if random.random() < 0.4:
        return any_bytes(bytes(raw[:_MEMORY]), random, number_words())[:_MEMORY].ljust(
            _MEMORY, b"\0"
        ) + bytes(raw[_MEMORY:])
    calls = range(_MEMORY, len(raw) - _CALL.size + 1, _CALL.size)
    at = random.choice(calls)
    number, *registers = _CALL.unpack_from(raw, at)
    if random.random() < 0.2:
        number = random.randrange(len(HANDLERS))
    else:
        registers[random.randrange(6)] = random.choice((
            random.randrange(8), BASE + random.choice((0, 64, 128, 192, 256, 320)),
            random.choice(EDGES), random.choice(NUMBERS),
        ))  # fmt: skip
    call = _CALL.pack(number, *registers)
    if random.random() < 0.3:
        raw += call
    else:
        raw[at : at + _CALL.size] = call
    return bytes(raw[: _MEMORY + _CALLS_MAX * _CALL.size])


register(
    Harness(
        "syscall",
        "structures in the memory of a process, by system calls",
        run,
        lambda: list(seeds()),
        mutate,
        splice,
        frozenset(),
        ("watosfs.kernel.registers", "watosfs.kernel.user_memory"),
        words=number_words,
    )
)
