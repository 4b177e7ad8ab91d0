"""Each oracle alone: what it finds, and that it can be switched off by name."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from watosfs.block.device import BlockDevice
from watosfs.wfs3.mounting import read_superblocks
from watosfs.wfs3.volume import Volume
from watosfs_fuzz.canaries.catalogue import applied
from watosfs_fuzz.case import Case
from watosfs_fuzz.cli.main import main
from watosfs_fuzz.findings import Finding, read_finding, write_finding
from watosfs_fuzz.oracles.catalogue import ORACLES, without
from watosfs_fuzz.tally import Settings
from watosfs_fuzz.target import Geometry
from watosfs_fuzz.targets.registry import make_target
from watosfs_fuzz.targets.wfs3 import Wfs3Target
from watosfs_fuzz.worker import run_task
from watosfs_model import operations as ops
from watosfs_model.data import Fill
from watosfs_model.open_flags import O_CREAT, O_RDWR

REGRESSIONS = Path(__file__).parents[1] / "regressions"
#: Broken variants whose damage only a crash shows, and the oracles that see it when alone.
SEEN_BY = {
    "free-count-drifts": {"check", "progress", "leak"},
    "merge-loses-entry": {"check"},
    "no-flush-before-superblock": {"recovery", "check", "epoch"},
    "orphan-not-reclaimed": {"check", "leak"},
    "second-flush-missing": {"state", "durability", "outcomes", "generation"},
    "split-key-off-by-one": {"progress"},
}
WORKLOAD = Case(
    (
        ops.Mkdir(b"/d", 0o755),
        ops.Open(b"/d/f", O_CREAT | O_RDWR, 0o644),
        ops.Pwrite(3, Fill(1, 9000), 0),
        ops.Sync(),
        ops.Unlink(b"/d/f"),
        ops.Sync(),
    )
)


def alone(name: str) -> frozenset[str]:
    """All the others."""
    return frozenset(ORACLES) - {name}


@pytest.mark.parametrize("canary", SEEN_BY)
def test_which_oracles_see_which_canary(canary: str) -> None:
    finding = read_finding(REGRESSIONS / f"{canary}.trace")
    seen = set()
    with applied(finding.canary):
        for name in ORACLES:
            failure = replace(finding.case, off=alone(name)).run().failure
            if failure is not None:
                assert failure.subject.startswith(name) or failure.kind == name
                seen.add(name)
        assert replace(finding.case, off=frozenset(ORACLES)).run().failure is None
    assert seen == SEEN_BY[canary]


def test_every_oracle_but_one_has_a_canary_here_or_its_own_test() -> None:
    assert set().union(*SEEN_BY.values()) == ORACLES.keys() - {"read-only"}


def test_only_the_read_only_oracle_sees_a_read_only_mount_that_writes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    real: Callable[..., Volume] = Volume.mount

    def mount(device: BlockDevice, *, read_only: bool = False, **options: Any) -> Volume:
        if read_only:
            device.write(1, device.read(1))
        return real(device, read_only=read_only, **options)

    monkeypatch.setattr(Volume, "mount", staticmethod(mount))
    failure = WORKLOAD.run().failure
    assert failure is not None
    assert failure.subject == "read-only"
    assert "made 1 writes" in failure.story
    assert replace(WORKLOAD, off=frozenset({"read-only"})).run().failure is None


def test_what_a_read_only_mount_shows_is_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    real: Callable[..., Any] = Wfs3Target.read_only_problem

    def read_only_problem(self: Wfs3Target, device: Any, done: int, tree: Any) -> Any:
        return real(self, device, done, tree[:-1])

    monkeypatch.setattr(Wfs3Target, "read_only_problem", read_only_problem)
    failure = WORKLOAD.run().failure
    assert failure is not None
    assert "another tree" in failure.story


def test_what_is_tried_out_is_tried_once_for_each_state(monkeypatch: pytest.MonkeyPatch) -> None:
    tried = 0
    real = Wfs3Target.leak_problem

    def leak_problem(self: Wfs3Target) -> str | None:
        nonlocal tried
        tried += 1
        return real(self)

    monkeypatch.setattr(Wfs3Target, "leak_problem", leak_problem)
    report = WORKLOAD.run()
    assert report.failure is None
    assert 3 <= tried < report.exploration.recoveries


def test_generations_follow_the_superblock() -> None:
    target = make_target("wfs3", Geometry())
    assert isinstance(target, Wfs3Target)
    target.start()
    for operation in WORKLOAD.operations:
        target.apply(1, operation)
        newest = read_superblocks(target.device).superblock.root_generation
        assert target.generations[target.operations_done] == newest
    assert sorted(target.generations) == list(range(len(WORKLOAD.operations) + 1))


def test_an_unknown_oracle_is_named() -> None:
    with pytest.raises(ValueError, match="no oracle 'delphi'"):
        without(["state", "delphi"])
    assert main(["campaign", "--without", "delphi"]) == 2


def test_a_finding_keeps_what_was_off(tmp_path: Path) -> None:
    finding = read_finding(REGRESSIONS / "second-flush-missing.trace")
    case = replace(finding.case, off=without(["state", "generation"]))
    path = write_finding(Finding(case, finding.failure, None, finding.canary), tmp_path)
    assert read_finding(path).case.off == case.off
    assert main(["crash", str(path)]) == 1
    assert main(["crash", str(path), "--without", "durability", "--without", "outcomes"]) == 0


def test_a_campaign_leaves_oracles_out() -> None:
    settings = Settings(seed=1, canary="second-flush-missing", off=without(ORACLES))
    found = {finding.failure.kind for finding in run_task(settings, 0, frozenset()).findings}
    assert "crash" not in found
