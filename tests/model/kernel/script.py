"""A kernel to be told what to do: one call after the other, by process."""

from watosfs_model import Outcome
from watosfs_model.kernel import Call, Kernel, checks, follow, observe, step
from watosfs_model.kernel.calls import Openat
from watosfs_model.kernel.numbers import AT_FDCWD, PARKED

HERE = AT_FDCWD


class Script:
    """Steps a kernel; every call's outcome must agree with `checks` and `follow`."""

    def __init__(self) -> None:
        self.kernel = Kernel.fresh()

    def call(self, call: Call, pid: int = 1) -> Outcome:
        before = self.kernel
        permitted = checks(before, pid, call)
        outcome, self.kernel = step(before, pid, call)
        assert outcome.errno in permitted or (not outcome.errno and not permitted)
        assert follow(before, pid, call, outcome) == self.kernel
        return outcome

    def value(self, call: Call, pid: int = 1) -> object:
        """The value of a call that must succeed."""
        outcome = self.call(call, pid)
        assert not outcome.errno, f"{call}: {outcome}"
        assert outcome.value != PARKED, f"{call} is parked"
        return outcome.value

    def run(self, *calls: Call, pid: int = 1) -> None:
        for call in calls:
            self.value(call, pid)

    def fails(self, call: Call, pid: int = 1) -> set[int]:
        """The permitted errnos of a call that must fail; the call is made."""
        permitted = checks(self.kernel, pid, call)
        assert self.call(call, pid).errno, f"{call} succeeds"
        return set(permitted)

    def parks(self, call: Call, pid: int = 1) -> None:
        assert self.call(call, pid) == Outcome(PARKED)

    def opened(self, path: bytes, flags: int, pid: int = 1, mode: int = 0o644) -> int:
        fd = self.value(Openat(HERE, path, flags, mode), pid)
        assert isinstance(fd, int)
        return fd

    def tree(self, volume: int = 0) -> dict[bytes, tuple[object, ...]]:
        return observe(self.kernel)[0][volume]

    def mode(self, path: bytes) -> object:
        return self.tree()[path][1]
