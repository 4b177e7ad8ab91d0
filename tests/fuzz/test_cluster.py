"""A campaign on a Dask cluster: a real scheduler and real workers, one of them killed half-way."""

import importlib.util
import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pytest

from watosfs_fuzz.campaign import run_campaign
from watosfs_fuzz.cluster import Cluster
from watosfs_fuzz.tally import Settings, Tally

if importlib.util.find_spec("distributed") is None:
    pytest.skip(
        "distributed is missing: pip install 'watosfs[distributed]'", allow_module_level=True
    )

SETTINGS = Settings(
    seed=2, seconds=None, operations=2500, guided=True, canary="second-flush-missing"
)


def started(stack: ExitStack, *command: str) -> subprocess.Popen[bytes]:
    """A program of distributed, killed at the end at the latest."""
    process = stack.enter_context(
        subprocess.Popen(
            [sys.executable, "-m", *command],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
    )
    stack.callback(process.kill)
    return process


class Machines:
    """A scheduler and workers, each a process with one thread."""

    def __init__(self, stack: ExitStack, folder: Path, workers: int, threads: int = 1) -> None:
        from distributed import Client

        file = str(folder / "scheduler.json")
        local = "--host", "127.0.0.1", "--no-dashboard"
        common = "--scheduler-file", file
        started(stack, "distributed.cli.dask_scheduler", *common, *local, "--port", "0")
        self.workers = [
            started(
                stack, "distributed.cli.dask_worker", *common, *local, "--no-nanny",
                "--nthreads", str(threads), "--local-directory", str(folder),
            )
            for _ in range(workers)
        ]  # fmt: skip
        with Client(scheduler_file=file, set_as_default=False) as client:
            client.wait_for_workers(workers, timeout=60)
            self.address: str = client.scheduler.address


@pytest.fixture
def machines(tmp_path: Path) -> Iterator[Machines]:
    with ExitStack() as stack:
        yield Machines(stack, tmp_path, 2)


@pytest.mark.slow
def test_a_worker_that_is_killed_loses_no_finding(machines: Machines, tmp_path: Path) -> None:
    alone = run_campaign(SETTINGS, tmp_path / "alone", lambda tally: None)
    assert alone.findings
    told: list[int] = []

    def kill_one(tally: Tally) -> None:
        told.append(tally.traces)
        if len(told) == 3:
            machines.workers[0].kill()
            machines.workers[0].wait()

    settings = replace(SETTINGS, scheduler=machines.address)
    together = run_campaign(settings, tmp_path / "together", kill_one)
    assert machines.workers[0].poll() is not None
    assert together.traces == alone.traces
    summaries = [
        json.loads((tmp_path / name / "summary.json").read_text()) for name in ("alone", "together")
    ]
    assert summaries[0] == summaries[1]
    for finding in together.findings:
        assert (tmp_path / "together" / f"{finding.identity}.trace").exists()


@pytest.mark.slow
def test_stop_reaches_the_workers(machines: Machines, tmp_path: Path) -> None:
    crew = Cluster(machines.address)
    settings = replace(SETTINGS, operations=None, seconds=600, canary=None)

    def stop(_tally: Tally) -> None:
        crew.stop()

    tally = run_campaign(settings, tmp_path, stop, crew)
    assert tally.is_interrupted
    assert tally.traces < 100


@pytest.mark.slow
def test_workers_with_threads_are_refused(tmp_path: Path) -> None:
    with ExitStack() as stack:
        machines = Machines(stack, tmp_path, 1, threads=2)
        with pytest.raises(ValueError, match="--nthreads 1"):
            Cluster(machines.address)


def test_nobody_there_is_told() -> None:
    with pytest.raises(ValueError, match="no Dask scheduler at tcp://127"):
        Cluster("tcp://127.0.0.1:1")
