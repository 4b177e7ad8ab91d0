"""The list of targets, and dialects as values."""

import sys

import pytest

from watosfs_fuzz.cli.main import main
from watosfs_fuzz.dialect import ALL_CALLS, Dialect
from watosfs_fuzz.target import Geometry
from watosfs_fuzz.targets.registry import TARGETS, make_target
from watosfs_model import System, observe
from watosfs_model.data import Literal
from watosfs_model.open_flags import O_CREAT, O_RDWR
from watosfs_model.operations import Crash, Mkdir, Open, Pwrite, Rename, Truncate

LIMITED = Dialect(
    ALL_CALLS - {Mkdir},
    can_crash=False,
    names="[a-z]{1,3}",
    file_bytes_max=100,
    open_flags=O_CREAT | O_RDWR,
)


def test_targets_are_listed_with_what_they_can_do(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["targets"]) == 0
    text = capsys.readouterr().out
    for name in TARGETS:
        assert f"\n{name} " in f"\n{text}"
    assert "power cuts: yes" in text
    assert "exec:" in text


def test_a_missing_package_is_named_and_stops_nothing(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("littlefs", "littlefs_context"):
        monkeypatch.delitem(sys.modules, f"watosfs_fuzz.targets.{name}", raising=False)
    monkeypatch.setitem(sys.modules, "littlefs", None)
    assert main(["targets"]) == 0
    assert "needs littlefs-python" in capsys.readouterr().out
    assert main(["campaign", "--target", "littlefs", "--ops", "1"]) == 2
    assert "needs littlefs-python" in capsys.readouterr().err


def test_an_unknown_target_is_wrong_usage(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["campaign", "--target", "ext5"])
    assert caught.value.code == 2
    assert "no target 'ext5'" in capsys.readouterr().err


def test_a_dialect_accepts_what_is_within_its_limits() -> None:
    assert LIMITED.accepts(Open(b"/abc/d", O_CREAT | O_RDWR, 0o7777))
    assert LIMITED.accepts(Open(b"/", O_RDWR, 0))
    assert LIMITED.accepts(Pwrite(3, Literal(b"x" * 40), 60))
    assert LIMITED.accepts(Truncate(b"/a", -1))


@pytest.mark.parametrize(
    "operation",
    [
        Mkdir(b"/a", 0o755),
        Crash(),
        Open(b"/abcd", O_RDWR, 0),
        Open(b"/a/../b", O_RDWR, 0),
        Open(b"/a/", O_RDWR, 0),
        Open(b"//a", O_RDWR, 0),
        Open(b"a", O_RDWR, 0),
        Open(b"", O_RDWR, 0),
        Open(b"/a\n", O_RDWR, 0),
        Open(b"/a", O_RDWR | 0o1000, 0),
        Rename(b"/a", b"/B"),
        Pwrite(3, Literal(b"x" * 40), 61),
        Truncate(b"/a", 101),
    ],
    ids=repr,
)
def test_a_dialect_refuses_what_is_beyond_its_limits(operation: object) -> None:
    assert not LIMITED.accepts(operation)  # type: ignore[arg-type]


def test_fields_that_a_dialect_leaves_out_are_not_shown() -> None:
    fields = frozenset({"kind", "size", "content"})
    dialect = Dialect(frozenset(), can_crash=False, fields=fields)
    tree, _ = dialect.shown(observe(System.fresh()))
    assert tree == {b"/": ("directory", *[None] * 4, 0, *[None] * 6)}


@pytest.mark.filterwarnings("ignore::UserWarning", "ignore::DeprecationWarning")
def test_every_target_that_is_here_starts_empty() -> None:
    for name in TARGETS:
        try:
            target = make_target(name, Geometry())
        except ValueError:  # a package is missing
            continue
        target.start()
        assert list(target.observe()[0]) == [b"/"]
        target.close()
