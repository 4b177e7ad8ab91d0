"""Recoveries that are recalled instead of run: the same outcomes, and wrong memories are caught."""

from itertools import count
from typing import Any

import pytest

from tests.fuzz.crash.test_explore import CORRECT, brute_force, explored, recorded
from tests.fuzz.crash.toys import BLOCKS, Journal, Store, Toy
from watosfs_fuzz.crash import recall as recall_module
from watosfs_fuzz.crash.explore import explore
from watosfs_fuzz.crash.recall import RecoveryDevice

GENERATIONS = 3


@pytest.mark.parametrize("nested", [0, 1])
@pytest.mark.parametrize("toy", CORRECT, ids=lambda toy: f"{type(toy).__name__}-{toy.variant}")
def test_recalled_recoveries_change_no_outcome(
    toy: Toy, nested: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    events = recorded(toy, GENERATIONS)
    found, report = explored(toy, events, with_accept=True, nested=nested)
    # Without a memory: each recovery starts from an empty tree.
    remember = recall_module.Recall.__call__

    def forget(self: Any, device: Any) -> Any:
        self.roots.clear()
        return remember(self, device)

    monkeypatch.setattr(recall_module.Recall, "__call__", forget)
    again, plain = explored(toy, events, with_accept=True, nested=nested)
    assert found == again
    assert report.recoveries == plain.recoveries
    assert plain.recalled == 0
    assert 0 < report.recalled < report.recoveries


@pytest.mark.parametrize("canary", ["content ignored", "writes skipped"])
def test_a_wrong_memory_is_caught_by_brute_force(
    canary: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    toy, nested = (
        (Store("no-flush"), 0) if canary == "content ignored" else (Journal("no-recovery-flush"), 1)
    )
    perform = recall_module._Action.perform

    def unseen(self: Any, device: Any) -> Any:
        return b"" if self.kind.startswith("write") else perform(self, device)

    if canary == "content ignored":
        monkeypatch.setattr(recall_module.LazyDevice, "held", lambda *_: "same")
    else:
        monkeypatch.setattr(recall_module._Action, "perform", unseen)
    events = recorded(toy)
    found, _ = explored(toy, events, with_accept=False, nested=nested)
    assert found != brute_force(toy, events, nested=nested)


def test_a_recovery_that_depends_on_more_than_its_reads_is_refused() -> None:
    calls = count()

    def recover(device: RecoveryDevice) -> int:
        return bytes(device.read(next(calls)))[0]

    events = recorded(Store(), GENERATIONS)
    with pytest.raises(AssertionError, match="not deterministic"):
        explore({}, events, BLOCKS, recover, lambda *_: None)
