"""The choices of one run of recovery, and of all: an odometer, and the power cut that is one."""


class PowerCut(BaseException):
    """Recovery itself was cut short (nested crash); no handler of errors may catch it."""


class Choices:
    """An odometer over a tree of choices whose shape is found by walking it."""

    __slots__ = ("bounds", "picked", "position")

    def __init__(self) -> None:
        self.picked: list[int] = []
        self.bounds: list[int] = []
        self.position = 0

    def choose(self, count: int) -> int:
        """One of ``count`` branches; the same in every run until ``advance`` moves on."""
        at = self.position
        self.position = at + 1
        if at == len(self.picked):
            self.picked.append(0)
            self.bounds.append(count)
        assert self.bounds[at] == count, "recovery is not deterministic"
        return self.picked[at]

    def advance(self) -> bool:
        """Move to the next path; False when all were walked."""
        del self.picked[self.position :], self.bounds[self.position :]
        self.position = 0
        while self.picked and self.picked[-1] + 1 == self.bounds[-1]:
            self.picked.pop()
            self.bounds.pop()
        if not self.picked:
            return False
        self.picked[-1] += 1
        return True
