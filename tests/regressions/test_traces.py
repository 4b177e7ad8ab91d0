"""Every kept trace is fine now; one that names a canary fails again with it."""

from pathlib import Path

import pytest

from watosfs_fuzz.cli.main import main

TRACES = sorted(Path(__file__).parent.glob("*.trace"))


def test_there_are_traces() -> None:
    assert TRACES


@pytest.mark.parametrize("trace", TRACES, ids=lambda path: path.stem)
def test_a_trace_that_once_failed_is_fine(trace: Path, tmp_path: Path) -> None:
    text = trace.read_text()
    lines = text.splitlines(keepends=True)
    sound = tmp_path / trace.name
    sound.write_text("".join(line for line in lines if not line.startswith("# canary:")))
    assert main(["replay", str(sound)]) == 0
    if "# canary:" in text:
        assert main(["replay", str(trace)]) == 1
