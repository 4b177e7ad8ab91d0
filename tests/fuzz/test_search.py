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
