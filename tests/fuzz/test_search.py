<<<<<<< HEAD
"""State-graph search: all states, each once, and the trees behind equal files told apart."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from watosfs_fuzz.canaries.catalogue import applied
from watosfs_fuzz.cli.main import main
from watosfs_fuzz.exhaust import SETUP
from watosfs_fuzz.findings import read_finding
from watosfs_fuzz.search import walk as walk_module
from watosfs_fuzz.search.alphabet import ALPHABETS, NAMES, Alphabet
from watosfs_fuzz.search.canonical import state_key
from watosfs_fuzz.search.checkpoint import ReplayCheckpoints, Wfs3Checkpoints
from watosfs_fuzz.search.state_file import load, run_name, save
from watosfs_fuzz.search.walk import Search, Settings
from watosfs_fuzz.target import Geometry
from watosfs_fuzz.targets.registry import make_target
from watosfs_model import System, step
from watosfs_model.data import Fill
from watosfs_model.open_flags import O_CREAT, O_RDWR
from watosfs_model.operations import (
    Begin,
    Chmod,
    Mkdir,
    Open,
    Operation,
    Pwrite,
    Sync,
    Truncate,
    Unlink,
)

#: Nodes of three entries: ten names make trees of three levels.
HIGH_TREES = Geometry(2048, 3)
DEEP_CANARY = "left-join-loses-entry"
#: Few actions that between them touch names, data, attributes of inodes and durability.
SMALL = Alphabet(
    "small",
    "for tests",
    SETUP,
    (
        (Mkdir(b"/f", 0o755),),
        (Unlink(b"/d/b"),),
        (Pwrite(3, Fill(2, 300), 4900),),
        (Truncate(b"/a", 100),),
        (Open(b"/d/f", O_CREAT | O_RDWR, 0o600),),
        (Begin(),),
        (Sync(),),
    ),
)


def searched(settings: Settings) -> Search:
    """A search that has gone on until it was over."""
    search = Search(settings)
    search.begin()
    search.run()
    return search


def after(*operations: Operation) -> System:
    """The model after some operations."""
    system = System.fresh()
    for operation in operations:
        outcome, system = step(system, 1, operation)
        assert not outcome.errno
    return system


def key(system: System, *names: bytes, shape: object = ()) -> bytes:
    """The key of a state."""
    return state_key(system, make_target("model", Geometry()).dialect, names, repr(shape))


# -- keys


def test_the_way_to_a_state_is_no_part_of_its_key() -> None:
    one = after(Mkdir(b"/a", 0o755), Mkdir(b"/b", 0o700), Sync())
    other = after(Mkdir(b"/b", 0o700), Sync(), Mkdir(b"/a", 0o755), Sync())
    assert key(one) == key(other)


def test_interchangeable_names_are_renamed_by_what_they_lead_to() -> None:
    one = after(Mkdir(b"/n0", 0o755), Mkdir(b"/n1", 0o700))
    other = after(Mkdir(b"/n1", 0o755), Mkdir(b"/n2", 0o700))
    assert key(one, *NAMES) == key(other, *NAMES)
    assert key(one) != key(other)


@pytest.mark.parametrize(
    "more", [Chmod(b"/a", 0o700), Mkdir(b"/b", 0o755), Sync(), Begin()], ids=lambda o: o.name()
)
def test_what_a_user_or_a_crash_can_tell_apart_has_another_key(more: Operation) -> None:
    base = (Mkdir(b"/a", 0o755),)
    assert key(after(*base)) != key(after(*base, more))


def test_the_shape_is_part_of_the_key() -> None:
    system = after(Mkdir(b"/a", 0o755))
    assert key(system, shape=1) != key(system, shape=2)


# -- checkpoints


def test_going_back_to_a_checkpoint_is_the_same_as_starting_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    settings = Settings(SMALL, 3, use_shape=False)
    forked = searched(settings)
    assert isinstance(forked.checkpoints, Wfs3Checkpoints)
    monkeypatch.setattr(walk_module, "checkpoints_for", ReplayCheckpoints)
    replayed = searched(settings)
    assert forked.is_complete
    assert replayed.is_complete
    assert forked.walk.transitions == replayed.walk.transitions
    assert forked.walk.visited == replayed.walk.visited


def test_what_happens_after_a_checkpoint_leaves_it_alone() -> None:
    search = Search(Settings(SMALL, 3))
    search.begin()
    start = search.walk.stack[0]
    kept = search.key(), dict(search.target.device.image)  # type: ignore[attr-defined]
    for action in (*SMALL.actions, (Sync(),)):
        search.checkpoints.back(start.checkpoint)
        for operation in action:
            search.target.apply(1, operation)
    search.take(start, ())
    assert (search.key(), search.target.device.image) == kept  # type: ignore[attr-defined]


def test_a_crash_after_a_checkpoint_covers_the_same_failures_as_one_after_the_whole_trace() -> None:
    with applied("second-flush-missing"):
        search = searched(Settings(SMALL, 2, crash=True))
        assert search.walk.found
        assert search.walk.exploration.images_left_out == 0
        report = search.walk.found[0].case.run()
    assert report.failure is not None
    assert report.failure.key == search.walk.found[0].failure.key


# -- searching


def test_a_small_graph_is_searched_without_a_finding() -> None:
    search = searched(Settings(SMALL, 3, crash=True))
    assert not search.walk.found
    assert search.is_complete
    assert search.frontier == 0
    assert search.walk.transitions > len(search.walk.visited) > len(SMALL.actions)
    assert search.walk.exploration.recoveries > 0


def test_every_short_path_ends_in_a_visited_state() -> None:
    search = searched(Settings(SMALL, 2))
    keys = set(search.walk.visited)
    for first in range(len(SMALL.actions)):
        for second in range(len(SMALL.actions)):
            search.restart((first, second))
            assert search.key() in keys


def test_a_target_that_cannot_be_forked_is_searched_by_replaying() -> None:
    search = searched(Settings(SMALL, 2, target="model"))
    assert isinstance(search.checkpoints, ReplayCheckpoints)
    assert search.is_complete
    assert not search.walk.found


def test_a_target_that_cannot_crash_is_refused() -> None:
    with pytest.raises(ValueError, match="cannot crash"):
        Search(Settings(SMALL, 2, target="model", crash=True))


# -- what only it finds


def test_canary_of_a_tree_shape_is_found() -> None:
    with applied(DEEP_CANARY):
        search = searched(Settings(ALPHABETS["names"], 11, geometry=HIGH_TREES))
        assert [found.failure.subject for found in search.walk.found] == ["rmdir"]
        assert search.walk.found[0].case.run(crashes=False).failure is not None


def test_without_the_shape_the_whole_search_misses_it() -> None:
    with applied(DEEP_CANARY):
        search = searched(Settings(ALPHABETS["names"], 11, geometry=HIGH_TREES, use_shape=False))
        assert search.is_complete
        assert not search.walk.found


def test_short_traces_on_a_fresh_volume_miss_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["--ops", "1", "--canary", DEEP_CANARY, "--out", str(tmp_path)]
    assert main(["exhaust", *arguments]) == 0
    with applied(DEEP_CANARY):
        search = searched(Settings(ALPHABETS["changes"], 2))
        assert search.is_complete
        assert not search.walk.found


def test_without_the_canary_the_same_search_finds_nothing() -> None:
    search = searched(Settings(ALPHABETS["names"], 11, geometry=HIGH_TREES))
    assert search.is_complete
    assert not search.walk.found


# -- in slices, and the command


def test_a_search_in_slices_visits_what_one_in_a_piece_does(tmp_path: Path) -> None:
    settings = Settings(SMALL, 3)
    whole = searched(settings)
    file, name = tmp_path / "state.json", run_name(settings, 0, None)
    slices = 0
    while True:
        search = Search(settings)
        if file.exists():
            load(search, name, file)
        else:
            search.begin()
        search.run(transitions_max=37)
        save(search, name, file)
        slices += 1
        if search.is_complete:
            break
    assert slices > 3
    assert search.walk.visited == whole.walk.visited
    assert search.walk.transitions == whole.walk.transitions


@pytest.mark.parametrize(
    "damage",
    [
        lambda text: text.replace("depth 3", "depth 4"),
        lambda text: text[:100],
        lambda text: "[]",
        lambda text: text.replace('"next"', '"then"'),
    ],
    ids=["another search", "cut", "a list", "a part missing"],
)
def test_the_state_file_of_anything_else_is_refused(
    tmp_path: Path, damage: Callable[[str], str]
) -> None:
    settings = Settings(SMALL, 3)
    search = Search(settings)
    search.begin()
    search.run(transitions_max=10)
    file, name = tmp_path / "state.json", run_name(settings, 0, None)
    save(search, name, file)
    load(Search(settings), name, file)
    file.write_text(damage(file.read_text()))
    with pytest.raises(ValueError, match=r"state\.json"):
        load(Search(settings), name, file)


def test_the_command_finds_keeps_and_replays(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    state = tmp_path / "state.json"
    arguments = ["search", "--alphabet", "names", "--depth", "11", "--node-entries", "3"]
    arguments += ["--canary", DEEP_CANARY, "--findings-max", "1", "--out", str(tmp_path)]
    assert main([*arguments, "--state", str(state), "--json"]) == 1
    told = json.loads(capsys.readouterr().out)
    assert told["frontier"] > 0
    assert not told["complete"]
    (file,) = told["findings"]
    assert read_finding(Path(file)).canary == DEEP_CANARY
    assert main(["replay", file]) == 1


def test_the_command_stops_when_the_time_is_over_and_goes_on_later(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    state = tmp_path / "state.json"
    arguments = ["search", "--depth", "1", "--state", str(state), "--out", str(tmp_path), "--crash"]
    assert main([*arguments, "--seconds", "0"]) == 3
    assert "frontier            " in capsys.readouterr().out
    assert main(arguments) == 0
    assert "complete            yes" in capsys.readouterr().out
    assert main([*arguments, "--seed", "5"]) == 2


def test_an_interrupt_saves(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import signal

    state = tmp_path / "state.json"
    advance = Search.advance

    def interrupted(self: Search) -> None:
        advance(self)
        if self.walk.transitions == 20:
            signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr(Search, "advance", interrupted)
    assert main(["search", "--state", str(state), "--out", str(tmp_path)]) == 130
    saved = json.loads(state.read_text())
    assert saved["transitions"] == 20
    assert sum(saved["next"]) > 0
=======
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
>>>>>>> main
