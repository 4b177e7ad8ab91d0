"""The benchmark's table: identical work for all, medians, peaks, peers that are missing named."""

import json
import sys

import pytest
from benchmarks.__main__ import main, medians_of, run
from benchmarks.measuring import PAGE, PAYLOAD, run_once
from benchmarks.report import figure_text, is_met, markdown
from benchmarks.subject import MIB, WORKS
from benchmarks.subjects import SUBJECTS, load

FILES = 60
WORK = {work.key: work for work in WORKS}


def installed(name: str):
    try:
        return load(name)
    except ImportError as error:
        pytest.skip(f"not installed: {error} (pip install 'watosfs[bench]')")


@pytest.mark.parametrize("name", SUBJECTS)
def test_every_subject_does_every_work(name):
    found = run_once(installed(name), FILES, pieces=1)
    always = {"create", "stat", "durable", "delete", "write", "read", "warm"}
    assert always <= set(found["figures"]) <= always | {"mount", "cold"}
    assert all(figure > 0 for figure in found["figures"].values())
    assert set(found["peaks"]) == set(found["figures"])
    assert found["files"] == FILES


@pytest.mark.parametrize("name", SUBJECTS)
def test_what_was_deleted_or_never_made_is_not_there(name):
    """Canary of the works: a subject that did nothing would be fast."""
    subject = installed(name)
    subject.start()
    subject.make_files(FILES, PAYLOAD)
    subject.make_durable_files(3, PAYLOAD)
    subject.stat_files(FILES)
    subject.delete_files(FILES)
    missing = (OSError, AssertionError, Exception)
    with pytest.raises(missing):
        subject.stat_files(1)
    subject.write(bytes(MIB), 2)
    subject.read(MIB, 2)
    with pytest.raises(missing):
        subject.read(MIB, 3)
    subject.read_at([0, 2 * MIB - PAGE], PAGE)
    with pytest.raises(missing):
        subject.read_at([2 * MIB], PAGE)
    subject.stop()


def test_a_peer_that_is_not_installed_is_named_and_the_rest_is_measured(monkeypatch, capsys):
    monkeypatch.setitem(SUBJECTS, "absent", ("absent", "Absent"))
    # The process that measures sees the real list, in which there is no such subject either.
    monkeypatch.setattr("benchmarks.__main__.measure", measure_but_absent)
    measured = run(1, FILES, ["wfs3", "absent"], with_rates=False)
    assert list(measured["medians"]) == ["wfs3"]
    assert "Not measured: absent: no-such-distribution." in markdown(measured)


def measure_but_absent(name: str, files: int):
    if name == "absent":
        raise ImportError("absent: no-such-distribution")
    return run_once(load(name), files, pieces=1)


def test_a_missing_module_is_an_import_error_with_its_distribution(monkeypatch):
    monkeypatch.setitem(sys.modules, "benchmarks.subjects.littlefs", None)
    with pytest.raises(ImportError, match="littlefs-python"):
        load("littlefs")


def test_medians_are_medians():
    assert medians_of({"a": [1.0, 100.0, 2.0], "b": [4.0]}) == {"a": 2.0, "b": 4.0}


def test_goals_know_which_way_is_better():
    assert is_met(WORK["write"], {"wfs3": {"write": 3000.0}}) is True
    assert is_met(WORK["write"], {"wfs3": {"write": 2999.0}}) is False
    assert is_met(WORK["stat"], {"wfs3": {"stat": 5.1}}) is False
    assert is_met(WORK["durable"], {"wfs3": {"durable": 1.0}, "wfs3-file": {"durable": 301.0}}) is (
        False
    )
    assert is_met(WORK["cold"], {"wfs3": {"cold": 1.0}}) is None


def test_figures_are_rounded_to_what_a_median_holds():
    assert [figure_text(value) for value in (None, 0.1932, 16.94, 4327.8)] == [
        "-",
        "0.193",
        "16.9",
        "4,328",
    ]


def test_the_command_keeps_table_figures_and_plot(monkeypatch, tmp_path, capsys):
    monkeypatch.setattr("benchmarks.__main__.measure", measure_but_absent)
    options = ["--rounds", "2", "--files", str(FILES), "--only", "wfs3,tmpfs", "--no-rates"]
    assert main([*options, "--out", str(tmp_path)]) == 0
    kept = json.loads((tmp_path / "figures.json").read_text())
    assert len(kept["rounds_taken"]["wfs3"]["write"]) == 2
    table = (tmp_path / "table.md").read_text()
    assert table in capsys.readouterr().out
    assert "| work | unit | wfs3 | tmpfs | goal | met |" in table
    pytest.importorskip("matplotlib", reason="plots need matplotlib (extra 'report')")
    assert (tmp_path / "plot.png").read_bytes().startswith(b"\x89PNG")


def test_an_unknown_subject_is_refused():
    with pytest.raises(SystemExit):
        main(["--only", "btrfs"])
