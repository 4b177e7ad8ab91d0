"""Power cuts in mkfs, the mount after a crash and repair: nothing bad is left, and were it, it
would be seen.
"""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from watosfs.block.device import BlockDevice
from watosfs.wfs3.extents import ExtentSet
from watosfs.wfs3.repairer.rebuild import Rebuild
from watosfs_fuzz.cli.interrupt import TASKS
from watosfs_fuzz.cli.main import main
from watosfs_fuzz.crash.persistence import ORDERED
from watosfs_fuzz.crash.recall import RecoveryDevice
from watosfs_fuzz.upkeep import wfs3
from watosfs_fuzz.upkeep.task import Task, cut_everywhere


class Careless:
    """A device that leaves out the n-th flush, or makes the n-th write last of all."""

    def __init__(self, device: BlockDevice, flush: int | None = None) -> None:
        self.device = device
        self.left_out = flush
        self.flushes = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self.device, name)

    def flush(self) -> None:
        self.flushes += 1
        if self.flushes - 1 != self.left_out:
            self.device.flush()


def without_flush(task: Task, number: int) -> Task:
    run: Callable[[BlockDevice], object] = task.run
    return replace(task, run=lambda device: run(Careless(device, number)))  # type: ignore[arg-type]


@pytest.mark.parametrize("name", TASKS)
@pytest.mark.parametrize("nested", [0, 1, 2])
def test_no_crash_leaves_anything_bad(name: str, nested: int) -> None:
    found = cut_everywhere(TASKS[name], nested)
    assert not found.failures
    assert not found.images_left_out
    assert found.windows >= 5
    assert found.recoveries >= 4


@pytest.mark.parametrize(
    ("name", "flush"),
    [
        ("wfs3-mkfs", 1),
        ("wfs3-mkfs", 2),
        ("wfs3-mkfs-over", 0),
        ("wfs3-mkfs-over", 1),
        ("wfs3-mount", 2),
        ("wfs3-repair", 0),
        ("fat12-mkfs-over", 0),
        ("fat16-mkfs-over", 1),
        ("fat32-mkfs-over", 2),
    ],
)
def test_a_flush_left_out_is_seen(name: str, flush: int) -> None:
    assert cut_everywhere(without_flush(TASKS[name], flush)).failures


@pytest.mark.parametrize("bits", [12, 16, 32])
def test_a_repair_that_frees_before_it_looks_is_seen(bits: int) -> None:
    task = TASKS[f"fat{bits}-repair"]

    def run(device: BlockDevice) -> object:
        from watosfs.fat.volume import FatVolume

        with FatVolume.mount(device) as volume:
            volume.unlink(b"/three")
        return task.run(device)

    assert cut_everywhere(replace(task, run=run)).failures


def test_a_repair_in_place_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    def run(self: Rebuild, kept: ExtentSet, old: ExtentSet, known_free: ExtentSet | None) -> None:
        original(self, kept, ExtentSet(), old)

    original = Rebuild.run
    wfs3.mended()
    monkeypatch.setattr(Rebuild, "run", run)
    assert cut_everywhere(TASKS["wfs3-repair"]).failures


def test_a_mount_that_leaves_orphans_is_seen() -> None:
    task = TASKS["wfs3-mount"]

    def look(device: RecoveryDevice) -> object:
        found = wfs3.look_for_orphans(device)
        assert isinstance(found, tuple)
        return (*found[:2], 1)

    reasons = {f.reason for f in cut_everywhere(replace(task, look=look)).failures}
    assert reasons == {"1 orphans are left"}


def test_an_exception_of_recovery_is_a_failure() -> None:
    def look(device: RecoveryDevice) -> object:
        raise KeyError("lost")

    found = cut_everywhere(replace(TASKS["wfs3-mkfs"], look=look)).failures
    assert all("KeyError" in failure.reason for failure in found)
    assert found


def test_writes_in_order_need_no_flush() -> None:
    task = without_flush(TASKS["wfs3-mkfs-over"], 0)
    assert not cut_everywhere(task, persistence=ORDERED).failures


def test_the_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["interrupt", "wfs3-mkfs", "fat12-repair", "--nested", "1", "--json"]) == 0
    figures = json.loads(capsys.readouterr().out)
    assert set(figures) == {"wfs3-mkfs", "fat12-repair"}
    assert figures["fat12-repair"]["failures"] == []
    assert main(["interrupt", "--list"]) == 0
    assert "fat32-repair" in capsys.readouterr().out
    assert main(["interrupt", "floppy"]) == 2
    assert main(["interrupt", "wfs3-mount"]) == 0
    assert "wfs3-mount" in capsys.readouterr().out
