"""Every kept trace of a failing device is fine now."""

from pathlib import Path

import pytest

from watosfs_fuzz.cli.main import main

TRACES = sorted((Path(__file__).parent / "faults").glob("*.trace"))


def test_there_are_traces() -> None:
    assert TRACES


@pytest.mark.parametrize("trace", TRACES, ids=lambda path: path.stem)
def test_a_trace_that_once_failed_is_fine(trace: Path) -> None:
    assert main(["faults", "--replay", str(trace)]) == 0
