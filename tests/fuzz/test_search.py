"""The search over states: what it merges, what it must not, what it finds, and how it goes on."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from watosfs.wfs3.volume import Volume
from watosfs_fuzz.case import Case
from watosfs_fuzz.cli.main import main
from watosfs_fuzz.findings import read_finding
from watosfs_fuzz.lockstep import PID
from watosfs_fuzz.search.alphabet import operations
from watosfs_fuzz.search.keys import key_of
from watosfs_fuzz.search.store import load, save
from watosfs_fuzz.search.walk import Walk
from watosfs_model import System, step
from watosfs_model import operations as ops
from watosfs_model.open_flags import O_CREAT, O_RDWR

FEW = (ops.Mkdir(b"/a", 0o755), ops.Rmdir(b"/a"), ops.Mkdir(b"/b", 0o755), ops.Sync())


def after(*made: ops.Operation) -> System:
    system = System.fresh()
    for operation in made:
        system = step(system, PID, operation)[1]
    return system


def test_states_that_differ_in_names_and_times_only_are_one() -> None:
    a, b = after(ops.Mkdir(b"/a", 0o755)), after(ops.Sync(), ops.Mkdir(b"/b", 0o755))
    assert key_of(a, 1) == key_of(b, 1)
    assert key_of(a, 1) != key_of(a, 2)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ((ops.Mkdir(b"/a", 0o755),), (ops.Mkdir(b"/a", 0o755), ops.Sync())),
        ((), (ops.Begin(),)),
        (
            (ops.Open(b"/a", O_CREAT | O_RDWR, 0o644),),
            (ops.Open(b"/a", O_CREAT | O_RDWR, 0o644), ops.Close(3)),
        ),
        ((ops.Mkdir(b"/a", 0o755),), (ops.Open(b"/a", O_CREAT, 0o644), ops.Close(3))),
    ],
)
def test_states_with_other_futures_are_not(
    one: tuple[ops.Operation, ...], other: tuple[ops.Operation, ...]
) -> None:
    assert key_of(after(*one), None) != key_of(after(*other), None)


def test_the_alphabet_is_the_same_when_names_are_swapped() -> None:
    swap = str.maketrans("ab", "ba")

    def swapped(operation: ops.Operation) -> str:
        return re.sub(r"(?<=b')/[^']*", lambda found: found[0].translate(swap), repr(operation))

    assert {repr(o) for o in operations()} == {swapped(o) for o in operations()}


def test_every_state_within_the_depth_is_entered_once() -> None:
    walk = Walk(Case(()), 2, crashes=False, alphabet=FEW[:2], is_shaped=False)
    while walk.expand_next():
        pass
    # Empty, and with a directory; nothing is durable but the empty tree.
    assert len(walk.done.visited) == 2
    assert walk.done.transitions == 4
    assert not walk.done.failing


def breaks_at_a_shape(monkeypatch: pytest.MonkeyPatch) -> None:
    """mkdir goes wrong on an empty, synced volume on which the last commit freed blocks."""
    real: Any = Volume.mkdir

    def mkdir(self: Volume, path: bytes, mode: int = 0o755) -> None:
        limbo = self.engine.space.allocator.limbo
        is_synced = not self.engine.is_dirty
        if limbo[-1].count and is_synced and not self.readdir(b"/"):
            mode = 0
        real(self, path, mode)

    monkeypatch.setattr(Volume, "mkdir", mkdir)


@pytest.mark.parametrize("is_shaped", [True, False])
def test_the_shape_of_the_trees_keeps_states_apart(
    is_shaped: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    breaks_at_a_shape(monkeypatch)
    walk = Walk(Case(()), 5, crashes=False, alphabet=FEW, is_shaped=is_shaped)
    while not walk.done.failing and walk.expand_next():
        pass
    assert bool(walk.done.failing) == is_shaped


def test_a_search_goes_on_where_it_stopped(tmp_path: Path) -> None:
    whole = Walk(Case(()), 3, alphabet=FEW)
    while whole.expand_next():
        pass
    first = Walk(Case(()), 3, alphabet=FEW)
    for _ in range(3):
        first.expand_next()
    save(tmp_path / "state", "run", first.done)
    known = load(tmp_path / "state", "run")
    assert known is not None
    second = Walk(Case(()), 3, alphabet=FEW, progress=known)
    while second.expand_next():
        pass
    assert second.done.visited == whole.done.visited
    assert second.done.transitions == whole.done.transitions
    assert second.done.exploration.images == whole.done.exploration.images
    with pytest.raises(ValueError, match="of another run"):
        load(tmp_path / "state", "other")


def test_an_expansion_that_is_cut_short_is_done_again() -> None:
    walk = Walk(Case(()), 1, crashes=False, alphabet=FEW)
    answers = iter([False, False, True])
    assert walk.expand_next(lambda: next(answers))
    assert len(walk.done.frontier) == 1
    while walk.expand_next():
        pass
    assert not walk.done.frontier


@pytest.mark.parametrize("canary", ["second-flush-missing", "rename-onto-itself-deletes"])
def test_canaries_are_found_made_short_and_replay(canary: str, tmp_path: Path) -> None:
    arguments = ["--depth", "3", "--canary", canary, "--out", str(tmp_path), "--seconds", "60"]
    assert main(["search", *arguments]) == 1
    (path,) = tmp_path.glob("*.trace")
    assert len(read_finding(path).case.operations) <= 4
    assert main(["replay", str(path)]) == 1


def test_the_command_searches_all_and_says_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    state = tmp_path / "search.json"
    arguments = ["search", "--depth", "2", "--node-entries", "4", "--json", "--state", str(state)]
    assert main([*arguments, "--seconds", "0"]) == 3
    assert json.loads(capsys.readouterr().out)["frontier"] == 1
    assert main(arguments) == 0
    figures = json.loads(capsys.readouterr().out)
    assert figures["frontier"] == 0
    assert figures["images_left_out"] == "0"
    assert figures["states"] > 20
    assert figures["findings"] == []
    assert main([*arguments, "--blocks", "512"]) == 2
