"""What a harness is: a parser under a name, with its oracle, its seeds and its mutator.

Checks: nothing leaves a parser but the errnos that its documentation names; the work stays within
the harness's counts; whatever else the harness's own ``run`` holds against the result (``Wrong``).
Does not check: times. A loop that reads nothing is caught by an alarm on CPU time (``alarm``): a
net under the counts, not one of them.
"""

import re
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field
from hashlib import sha256
from random import Random
from typing import Final

from watosfs.errors import DamageError
from watosfs_fuzz.parsers.alarm import cpu_seconds

ID_DIGITS: Final = 10
_CPU_SECONDS_MAX: Final = 5.0
_NUMBERS = re.compile(r"0x[0-9a-f]+|-?[0-9]+|b?'.*'|b?\".*\"")
_FRAMES_SHOWN: Final = 12


class Wrong(Exception):
    """A parser did what it must not; ``kind`` is a few words that name the broken rule."""

    def __init__(self, kind: str, text: str = "") -> None:
        super().__init__(f"{kind}: {text}" if text else kind)
        self.kind = kind


Mutate = Callable[[bytes, Random], bytes]
Cross = Callable[[bytes, bytes, Random], bytes]


@dataclass(frozen=True, slots=True)
class Harness:
    """``run`` parses an input and returns a verdict: a few words, the same for inputs that took
    the same way, so that a new verdict is worth keeping. ``modules`` are what its corpus must
    cover. ``unit_bytes`` is the block size of the images that inputs stand for, 0 for no image.
    """

    name: str
    description: str
    run: Callable[[bytes], str]
    seeds: Callable[[], list[bytes]]
    mutate: Mutate
    cross: Cross
    errnos: frozenset[int]
    modules: tuple[str, ...] = ()
    unit_bytes: int = 0
    words: Callable[[], list[bytes]] = field(default=list)
    #: What it needs and is not installed, with how to get it; empty when it can run.
    missing: Callable[[], str] = field(default=str)


@dataclass(frozen=True, slots=True)
class Failure:
    """What was wrong with one input. ``kind`` and ``place`` make failures the same or not."""

    harness: str
    kind: str
    place: str
    story: str
    data: bytes

    @property
    def key(self) -> tuple[str, str, str]:
        return self.harness, self.kind, self.place

    @property
    def identity(self) -> str:
        """Short, and the same for the same input."""
        return sha256(self.harness.encode() + self.data).hexdigest()[:ID_DIGITS]


HARNESSES: dict[str, Harness] = {}


def register(harness: Harness) -> Harness:
    """Enter a harness under its name."""
    assert harness.name not in HARNESSES, f"harness {harness.name} twice"
    HARNESSES[harness.name] = harness
    return harness


def execute(harness: Harness, data: bytes) -> str | Failure:
    """The verdict of one input, or what was wrong. Never raises for what an input does."""
    try:
        with cpu_seconds(_CPU_SECONDS_MAX):
            return harness.run(data)
    except OSError as error:
        if error.errno in harness.errnos:
            return verdict_of(error)
        return _failure(harness, data, f"errno {error.errno}", error)
    except Wrong as wrong:
        return _failure(harness, data, wrong.kind, wrong)
    except Exception as error:
        return _failure(harness, data, type(error).__name__, error)


def verdict_of(error: OSError) -> str:
    """An expected failure in words without its numbers."""
    text = (
        f"{error.structure} {error.problem}" if isinstance(error, DamageError) else error.strerror
    )
    return f"{error.errno} {words_of(str(text))}"


def words_of(text: str) -> str:
    """A message without its numbers and quoted names, at most 100 characters."""
    return _NUMBERS.sub("#", text)[:100]


def _failure(harness: Harness, data: bytes, kind: str, error: Exception) -> Failure:
    """The innermost place in the implementation names the failure."""
    frames = traceback.extract_tb(error.__traceback__)
    ours = [frame for frame in frames if "watosfs_fuzz" not in frame.filename]
    innermost = (ours or frames)[-1]
    module = innermost.filename.rpartition("/")[2]
    lines = [
        f"{frame.filename.rpartition('/')[2]}:{frame.lineno} {frame.name}: {frame.line}"
        for frame in frames[-_FRAMES_SHOWN:]
    ]
    story = "\n".join([*lines, f"{type(error).__name__}: {error}"])
    place = "" if isinstance(error, Wrong) else f"{module}:{innermost.name}"
    return Failure(harness.name, kind, place, story, data)
