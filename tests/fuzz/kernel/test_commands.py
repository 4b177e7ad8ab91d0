"""The commands of the kernel level: budgets, findings that replay, exit status."""

from pathlib import Path

import pytest

from watosfs_fuzz.cli.main import main


def test_a_sound_kernel_gives_no_finding(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["kernel", "--traces", "40", "--out", str(tmp_path)]) == 0
    first = capsys.readouterr().out
    assert "findings            0" in first
    main(["kernel", "--traces", "40", "--out", str(tmp_path)])
    assert capsys.readouterr().out == first


def test_a_broken_kernel_gives_a_trace_that_replays(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["--canary", "dup-own-offset", "--findings-max", "1", "--out", str(tmp_path)]
    assert main(["kernel", "--traces", "400", *arguments]) == 1
    (trace,) = tmp_path.glob("*.trace")
    assert main(["kernel-replay", str(trace)]) == 1
    assert "# state of dup" in capsys.readouterr().out
    trace.write_text(trace.read_text().replace("# canary: dup-own-offset\n", ""))
    assert main(["kernel-replay", str(trace)]) == 0


@pytest.mark.parametrize(
    "text", ["", "1 sync\n", "# level: kernel\nx exit\n", "# level: kernel\n1 nonsense\n"]
)
def test_a_bad_trace_is_wrong_usage(text: str, tmp_path: Path) -> None:
    trace = tmp_path / "bad.trace"
    trace.write_text(text)
    assert main(["kernel-replay", str(trace)]) == 2


def test_interleavings_are_counted(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["interleave", "--calls", "1"]) == 0
    out = capsys.readouterr().out
    # Two processes with one call each of twelve: 12 * 12 programs, in 2 orders.
    assert "interleavings       288 of all programs" in out
    assert "complete            yes" in out


def test_interleavings_find_a_broken_fork() -> None:
    assert main(["interleave", "--calls", "1", "--canary", "fork-copies-offset"]) == 1
