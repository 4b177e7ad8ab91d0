"""The kept corpora: every input passes its oracle, and they are what a set cover leaves."""

from dataclasses import replace
from pathlib import Path

import pytest

from watosfs_fuzz.cli.main import main
from watosfs_fuzz.parsers import branches, corpus, keeping, loop
from watosfs_fuzz.parsers.catalogue import harnesses, require_harness
from watosfs_fuzz.parsers.harness import Harness

CORPORA = Path(__file__).parents[2] / "corpora"
BYTES_MAX = 400_000


@pytest.fixture(params=harnesses(), ids=lambda harness: harness.name)
def harness(request: pytest.FixtureRequest) -> Harness:
    found: Harness = request.param
    if found.missing():
        pytest.skip(found.missing())
    return found


def test_every_kept_input_passes(harness: Harness) -> None:
    kept = corpus.load(CORPORA, harness.name)
    assert kept
    tally = loop.replay(harness, kept)
    assert [failure.story for failure in tally.failures.values()] == []


def test_the_corpora_stay_small() -> None:
    assert sum(path.stat().st_size for path in CORPORA.rglob("*.*")) < BYTES_MAX


def test_a_corpus_has_one_form(tmp_path: Path) -> None:
    inputs = [b"b", b"a", b"", b"a"]
    first = corpus.store(tmp_path, "one", inputs).read_bytes()
    assert corpus.store(tmp_path, "two", reversed(inputs)).read_bytes() == first
    assert corpus.load(tmp_path, "one") == [b"", b"a", b"b"]


def test_a_cover_takes_the_fewest_and_shortest() -> None:
    a, b, c = ("f", 1, 2), ("f", 2, 3), ("f", 3, 4)
    arcs = [frozenset({a}), frozenset({a, b}), frozenset({c}), frozenset({c}), frozenset({b, c})]
    assert keeping.cover(arcs, [1, 9, 5, 4, 9]) == [1, 3]
    assert keeping.cover([], []) == []


def test_keeping_twice_is_the_same(tmp_path: Path) -> None:
    harness = require_harness("fat-fsinfo")
    for folder in (tmp_path / "one", tmp_path / "two"):
        assert keeping.keep(harness, folder, executions=100) > 0
    one, two = (
        corpus.path_of(tmp_path / name, harness.name).read_bytes() for name in ("one", "two")
    )
    assert one == two


def test_an_input_that_fails_is_not_kept(tmp_path: Path) -> None:
    harness = require_harness("fat-fsinfo")
    broken = replace(harness, errnos=frozenset())
    kept = keeping.minimised(broken, [*harness.seeds(), bytes(512)])
    assert loop.replay(broken, kept).failures == {}


def test_coverage_tells_what_a_corpus_misses(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["parsers", "--coverage", "--harness", "fat-fsinfo", "--corpora"]
    assert main([*arguments, str(CORPORA)]) == 0
    assert "watosfs.fat.fsinfo" in capsys.readouterr().out
    assert main([*arguments, str(tmp_path), "--json"]) == 1
    assert '"share": 0.0' in capsys.readouterr().out


def test_a_module_without_branches_is_covered() -> None:
    assert branches.ModuleCoverage("m", 0, 0, ()).share == 1.0
