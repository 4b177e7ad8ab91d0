"""A runner for ``watosfs`` within this process, and an image to run it on."""

import io
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from watosfs.cli.main import main


class Ran(NamedTuple):
    """How a command ended and what it printed."""

    status: int
    out: bytes
    err: str

    @property
    def lines(self) -> list[str]:
        return os.fsdecode(self.out).splitlines()


class Runner:
    """Call it with the arguments of ``watosfs``; ``ok`` also asserts that all went well."""

    def __init__(self, capture: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        self._capture = capture
        self._monkeypatch = monkeypatch

    def __call__(self, *arguments: object, stdin: bytes = b"") -> Ran:
        self._monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin)))
        self._capture.readouterr()
        status = main([os.fsdecode(str(argument)) for argument in arguments])
        out, err = self._capture.readouterr()
        return Ran(status, out, err.decode())

    def ok(self, *arguments: object, stdin: bytes = b"") -> Ran:
        ran = self(*arguments, stdin=stdin)
        assert (ran.status, ran.err) == (0, ""), ran
        return ran

    def refused(self, *arguments: object, stdin: bytes = b"", status: int = 1) -> str:
        """The one line that the command ends with; nothing on standard output."""
        ran = self(*arguments, stdin=stdin)
        assert (ran.status, ran.out) == (status, b""), ran
        assert ran.err.count("\n") == 1, ran.err
        assert ran.err.startswith("watosfs: "), ran.err
        return ran.err.removeprefix("watosfs: ").rstrip("\n")


@pytest.fixture
def watosfs(capsysbinary: pytest.CaptureFixture[bytes], monkeypatch: pytest.MonkeyPatch) -> Runner:
    return Runner(capsysbinary, monkeypatch)


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty directory, which is the current one: tests then write the names that people do."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def image(here: Path, watosfs: Runner) -> str:
    """``disk.img``: 16 MiB, empty."""
    watosfs.ok("mkfs", "disk.img", "--size", "16M")
    return "disk.img"


@pytest.fixture
def filled(image: str, watosfs: Runner) -> str:
    """``disk.img`` with /hello, /docs/a, /docs/b (one file) and /link -> docs/a."""
    watosfs.ok("put", "-", "disk.img:/hello", stdin=b"hello\n")
    watosfs.ok("mkdir", "disk.img:/docs")
    watosfs.ok("put", "-", "disk.img:/docs/a", stdin=b"a" * 5000)
    watosfs.ok("ln", "disk.img:/docs/a", "disk.img:/docs/b")
    watosfs.ok("ln", "-s", "docs/a", "disk.img:/link")
    return image


@pytest.fixture
def is_clean(watosfs: Runner) -> Callable[[str], bool]:
    """Whether ``check --data`` finds nothing."""
    return lambda image: watosfs("check", "--data", image).status == 0
