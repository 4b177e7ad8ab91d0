"""Hostile system calls: any number, any register values, pointers of every kind."""

from random import Random

from watosfs.kernel.syscall_table import HANDLERS
from watosfs.kernel.syscalls import PARKED_RAX, SystemCalls
from watosfs.kernel.user_memory import LIMIT, PAGE
from watosfs_fuzz.kernel.watosfs_target import WatosfsKernelTarget

#: Mapped for reading and writing; then a page that may only be read; then nothing.
BASE = 0x10000
PAGES = 4
READ_ONLY = BASE + PAGES * PAGE
PATHS = (b"/a", b"b", b"/d/a", b"d", b"/d", b"..", b"/", b"", b"x" * 300, b"\xff\xfe", b"/d/../a/")
EDGES = (
    0, 1, PAGE - 1, PAGE, READ_ONLY - 1, READ_ONLY, READ_ONLY + PAGE - 1, READ_ONLY + PAGE,
    LIMIT - 1, LIMIT, 1 << 63, (1 << 64) - 1, (1 << 64) - PAGE,
)  # fmt: skip
NUMBERS = (0, 1, 2, 3, 5, 8, 64, 4095, 4096, 65536, 1 << 31, (1 << 32) - 1, (1 << 63) - 1, 1 << 63,
           (1 << 64) - 1, (1 << 64) - 100, 0o102, 0o1102, 0o2101, 0o4000, 0o644, 0o777)  # fmt: skip


class HostileProcesses:
    """Makes calls until told to stop, and checks what must hold after each."""

    def __init__(self, seed: int, watched: float) -> None:
        self.watched = watched
        self.random = Random(f"registers {seed}")
        self.numbers = sorted(HANDLERS)
        self.answers: dict[int, int] = {}
        self.start()

    def start(self) -> None:
        """A fresh kernel."""
        self.target = WatosfsKernelTarget()
        self.system = SystemCalls(self.target.kernel)

    def call(self) -> None:
        """One call. Raises AssertionError when it did what it must not."""
        kernel = self.target.kernel
        if not kernel.processes:
            self.start()
            kernel = self.target.kernel
        pid = self.random.choice(list(kernel.processes))
        if kernel.processes[pid].parked is not None:
            self.target.calls += 1
            self.system.interrupt(pid)
            return
        self.prepare(pid)
        number = self.random.choice(self.numbers)
        if self.random.random() < 0.02:
            number = self.random.choice((-1, 0, 99, 1 << 40))
        registers = [self.value() for _ in range(6)]
        self.target.calls += 1
        is_watched = self.random.random() < self.watched
        before = self.target.observe() if is_watched else None
        rax = self.system.call(pid, number, registers)
        self.answers[rax if rax < 0 else 0] = self.answers.get(rax if rax < 0 else 0, 0) + 1
        assert PARKED_RAX <= rax < 1 << 63, f"call {number} {registers}: rax {rax}"
        # A failing flock may give up the lock that it converts (L2).
        if is_watched and PARKED_RAX < rax < 0 and number != 205:
            after = self.target.observe()
            assert before == after, f"call {number} {registers} failed with {rax} and had effects"
        self.check_tables()

    def prepare(self, pid: int) -> None:
        """Give the process memory with some paths and structures in it."""
        memory = self.system.memory(pid)
        if not memory.pages:
            memory.map(BASE, PAGES * PAGE)
            memory.map(READ_ONLY, PAGE, writable=False)
        for slot in range(3):
            memory.write(BASE + slot * 512, self.random.choice(PATHS) + b"\0")
        vector = b"".join(self.value().to_bytes(8, "little") for _ in range(8))
        memory.write(BASE + 2048, vector)

    def value(self) -> int:
        """A register: mostly something that means something."""
        random = self.random
        kind = random.random()
        if kind < 0.35:
            return random.choice((0, 1, 2, 3, 4, 5))
        if kind < 0.65:
            return BASE + random.choice((0, 512, 1024, 2048, 2056, 3000))
        if kind < 0.75:
            return random.choice(EDGES)
        if kind < 0.95:
            return random.choice(NUMBERS)
        return random.getrandbits(64)

    def check_tables(self) -> None:
        """References of descriptions are what the tables of live processes hold."""
        held: dict[int, int] = {}
        for process in self.target.kernel.processes.values():
            for number, (description, _) in process.descriptors.items():
                assert 0 <= number < 1024
                held[id(description)] = held.get(id(description), 0) + 1
        for process in self.target.kernel.processes.values():
            for description, _ in process.descriptors.values():
                assert description.references == held[id(description)], "miscounted"


def attack(calls: int, seed: int, watched: float = 0.05) -> dict[int, int]:
    """So many hostile calls; how often each errno came (0: success). Raises AssertionError.

    Of a share ``watched`` the whole state is compared when they fail.
    """
    processes = HostileProcesses(seed, watched)
    for _ in range(calls):
        processes.call()
    return processes.answers
