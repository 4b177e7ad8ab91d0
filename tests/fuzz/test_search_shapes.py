"""Search over states by checkpoints: they are what replaying gives; and a fault of a tree's shape
that only states with shapes lead to.
"""

from dataclasses import replace
from pathlib import Path

import pytest

from watosfs_fuzz.canaries.catalogue import applied, deep_canaries
from watosfs_fuzz.case import Case
from watosfs_fuzz.cli.main import main
from watosfs_fuzz.crash.log import FLUSH, Event, Mark, Write
from watosfs_fuzz.findings import read_finding
from watosfs_fuzz.search import walk as walk_module
from watosfs_fuzz.search.alphabet import ALPHABETS, MANY_NAMES
from watosfs_fuzz.search.checkpoint import Checkpoint, since_last_flush
from watosfs_fuzz.search.keys import key_of
from watosfs_fuzz.search.walk import Walk
from watosfs_fuzz.target import Geometry
from watosfs_model import System, step
from watosfs_model.data import Fill
from watosfs_model.open_flags import O_CREAT, O_RDWR
from watosfs_model.operations import (
    Abort,
    Begin,
    Close,
    Mkdir,
    Open,
    Operation,
    Pwrite,
    Remount,
    Rmdir,
    Sync,
    Unlink,
)

CANARY = "left-join-loses-entry"
GROWING = ALPHABETS["names"]
#: Nodes of three entries: ten names make three levels.
HIGH_TREES = Case((), geometry=Geometry(2048, 3))
SMALL = (
    Mkdir(b"/a", 0o755),
    Open(b"/b", O_CREAT | O_RDWR, 0o644),
    Pwrite(3, Fill(1, 9000), 0),
    Unlink(b"/b"),
    Close(3),
    Begin(),
    Abort(),
    Sync(),
    Remount(),
)


def walked(walk: Walk) -> Walk:
    """The walk, gone on with until something was found or all was visited."""
    while not walk.done.failing and walk.expand_next():
        pass
    return walk


def growing(*, is_shaped: bool) -> Walk:
    """The search in which trees grow and shrink."""
    return Walk(
        HIGH_TREES,
        11,
        crashes=False,
        is_shaped=is_shaped,
        alphabet=GROWING.operations,
        names=GROWING.names,
    )


def after(*made: Operation) -> System:
    """The model after some operations."""
    system = System.fresh()
    for operation in made:
        system = step(system, 1, operation)[1]
    return system


# -- checkpoints


@pytest.mark.parametrize("device", ["sector", "ordered", "lying-flush"])
def test_checkpoints_find_what_replaying_does(device: str, monkeypatch: pytest.MonkeyPatch) -> None:
    like = Case((), device=device, cap=20)
    depth = 2 if device == "lying-flush" else 3
    kept = walked(Walk(like, depth, alphabet=SMALL))
    assert kept.kept is not None
    monkeypatch.setattr(walk_module, "can_keep", lambda run: False)
    replayed = walked(Walk(like, depth, alphabet=SMALL))
    assert replayed.kept is None
    assert kept.done.visited == replayed.done.visited
    assert kept.done.transitions == replayed.done.transitions
    assert kept.done.exploration == replayed.done.exploration
    assert kept.done.replayed < replayed.done.replayed


def test_what_happens_after_a_checkpoint_leaves_it_alone() -> None:
    run = HIGH_TREES.start(crashes=False)
    for operation in SMALL[:3]:
        run.apply(operation)
    checkpoint, found = Checkpoint(run), run.target.observe()
    for tried in SMALL:
        checkpoint.back()
        assert run.target.observe() == found
        run.apply(tried)
        run.apply(Sync())
        assert run.report.failure is None


def test_a_target_without_checkpoints_is_replayed() -> None:
    walk = walked(Walk(Case((), target="model"), 2, alphabet=SMALL))
    assert walk.kept is None
    assert walk.done.replayed > 0
    assert not walk.done.failing


def test_a_log_is_cut_at_its_last_flush() -> None:
    old, new, late = b"o" * 4096, b"n" * 4096, b"l" * 4096
    begin, end, third = Mark(("begin", 1)), Mark(("end", 1)), Mark(("begin", 2))
    log: list[Event] = [begin, Write(7, new), Write(8, new), FLUSH, end, third]
    assert since_last_flush({7: old}, log) == ({7: new, 8: new}, [third])
    log.append(Write(7, late))
    assert since_last_flush({7: old}, log) == (
        {7: new, 8: new},
        [begin, end, third, Write(7, late)],
    )


# -- keys over many names


def test_many_names_are_put_in_the_order_of_what_they_lead_to() -> None:
    one = after(Mkdir(b"/n0", 0o755), Mkdir(b"/n1", 0o700))
    other = after(Mkdir(b"/n5", 0o700), Mkdir(b"/n2", 0o755))
    assert key_of(one, None, MANY_NAMES) == key_of(other, None, MANY_NAMES)
    assert key_of(one, None) != key_of(other, None)


def test_which_of_many_names_is_durable_matters_only_as_to_what_it_is_now() -> None:
    stays = after(Mkdir(b"/n0", 0o755), Sync(), Mkdir(b"/n1", 0o755))
    other = after(Mkdir(b"/n1", 0o755), Sync(), Mkdir(b"/n0", 0o755))
    replaced = after(
        Mkdir(b"/n0", 0o755), Sync(), Mkdir(b"/n1", 0o755), Mkdir(b"/n2", 0o755), Rmdir(b"/n0")
    )
    assert key_of(stays, None, MANY_NAMES) == key_of(other, None, MANY_NAMES)
    assert key_of(stays, None, MANY_NAMES) != key_of(replaced, None, MANY_NAMES)


# -- the canary of a shape


def test_a_fault_that_needs_a_certain_tree_is_found() -> None:
    with applied(CANARY):
        walk = walked(growing(is_shaped=True))
        assert [failure.subject for _, failure, _ in walk.done.failing] == ["rmdir"]
        assert walk.done.failing[0][0].run(crashes=False).failure is not None


def test_without_the_shape_the_whole_search_misses_it() -> None:
    with applied(CANARY):
        walk = walked(growing(is_shaped=False))
    assert not walk.done.failing
    assert not walk.done.frontier


def test_short_paths_miss_it() -> None:
    with applied(CANARY):
        walk = walked(Walk(replace(HIGH_TREES, off=frozenset()), 2, crashes=False))
    assert not walk.done.failing
    assert not walk.done.frontier


def test_canaries_of_shapes_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["canaries"]) == 0
    listed = capsys.readouterr().out
    for canary in deep_canaries():
        assert f"search    {canary.name} " in listed


@pytest.mark.slow
def test_the_command_finds_it_makes_it_short_and_replays(tmp_path: Path) -> None:
    arguments = ["--alphabet", "names", "--depth", "11", "--node-entries", "3", "--no-crashes"]
    arguments += ["--blocks", "2048", "--canary", CANARY, "--out", str(tmp_path)]
    assert main(["search", *arguments]) == 1
    (path,) = tmp_path.glob("*.trace")
    assert len(read_finding(path).case.operations) <= 11
    assert main(["replay", str(path)]) == 1
