"""Bounded-exhaustive workloads: all there, each once, and a canary among them is found."""

import json
from pathlib import Path

import pytest

from watosfs.wfs3.compressing import level_of
from watosfs_fuzz.cli.main import main
from watosfs_fuzz.exhaust import (
    COMPRESS,
    SETUP,
    after,
    changes,
    compressible,
    persisted,
    workloads,
)
from watosfs_fuzz.targets.wfs3 import Wfs3Target
from watosfs_model import System
from watosfs_model.operations import Dropsnapshot, Rollback, Snapshot


def test_every_workload_of_one_change_succeeds_in_the_model_and_comes_once() -> None:
    found = list(workloads(1))
    assert len({workload.operations for workload in found}) == len(found)
    assert [workload.number for workload in found] == list(range(len(found)))
    for workload in found:
        assert workload.operations[: len(SETUP)] == SETUP
        assert after(System.fresh(), workload.operations) is not None


def test_what_is_left_out_fails_in_the_model() -> None:
    base = after(System.fresh(), SETUP)
    assert base is not None
    kept = {workload.operations[len(SETUP) :] for workload in workloads(1)}
    for change in changes():
        for steps in persisted(change):
            assert (steps in kept) == (after(base, steps) is not None)


def test_the_order_is_always_the_same() -> None:
    first = [next(iter(workloads(2))) for _ in range(2)]
    assert first[0] == first[1]


def test_compressed_workloads_compress() -> None:
    found = list(workloads(1, is_compressed=True))
    setup = (COMPRESS, *map(compressible, SETUP))
    assert all(workload.operations[: len(setup)] == setup for workload in found)
    assert len(found) > len(list(workloads(1)))
    target = Wfs3Target()
    target.start()
    for operation in found[0].operations:
        assert not target.apply(1, operation).errno
    assert level_of(target.volume.find(b"/a")) == 1
    assert target.volume.stat(b"/a").st_blocks == 8
    target.close()


def test_workloads_with_snapshots_do_everything_to_them() -> None:
    found = list(workloads(1, has_snapshots=True))
    last = {type(operation) for workload in found for operation in workload.operations[-2:]}
    assert last >= {Snapshot, Dropsnapshot, Rollback}
    assert len(found) > len(list(workloads(1)))


@pytest.mark.slow
@pytest.mark.parametrize("kind", [[], ["--compressed"], ["--compressed", "--snapshots"]])
def test_all_workloads_of_one_change_are_clean_with_nested_crashes(
    kind: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["--ops", "1", "--nested", "2", "--jobs", "2", "--json", "--out", str(tmp_path)]
    arguments += kind
    assert main(["exhaust", *arguments]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["complete"]
    assert found["images_left_out"] == "0"
    assert not found["findings"]


def test_a_canary_is_found(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["--canary", "second-flush-missing", "--out", str(tmp_path), "--seconds", "20"]
    assert main(["exhaust", *arguments]) == 1
    assert list(tmp_path.glob("exhaust-*.trace"))


def test_a_budget_of_time_is_spent_in_slices(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    state = tmp_path / "state.json"
    state.write_text(json.dumps({"run": "wfs3 ops 1 nested 0 sector", "done": 200}))
    arguments = ["--ops", "1", "--state", str(state), "--out", str(tmp_path)]
    assert main(["exhaust", *arguments]) == 0
    assert "(200 before)" in capsys.readouterr().out
    assert json.loads(state.read_text())["done"] >= len(list(workloads(1)))
    assert main(["exhaust", "--ops", "2", "--state", str(state)]) == 2
