"""Hostile registers: an errno whatever they hold, no effect with it, consistent tables."""

import errno

import pytest

from watosfs.kernel import registers as real
from watosfs.kernel.user_memory import UserMemory
from watosfs_fuzz.kernel.registers import attack


def test_hostile_calls_raise_nothing_and_have_no_effect_when_they_fail() -> None:
    answers = attack(20_000, 1)
    assert answers[0] > 1000
    assert {-errno.EFAULT, -errno.EBADF, -errno.ENOSYS, -errno.ENOENT} <= set(answers)


def test_canary_a_fault_found_after_the_effect_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(real.Registers, "room", lambda self, index, length: self.values[index])
    with pytest.raises(AssertionError, match="had effects"):
        attack(60_000, 1, watched=1.0)


def test_canary_memory_that_lets_everything_through_is_caught(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(UserMemory, "require", lambda self, *_, **__: None)
    with pytest.raises(KeyError):
        attack(20_000, 1)
