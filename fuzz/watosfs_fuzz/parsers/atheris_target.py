"""One harness as a libFuzzer target under Atheris: what ``--engine atheris`` and OSS-Fuzz start.

    python -m watosfs_fuzz.parsers.atheris_target HARNESS OUT [libFuzzer's arguments]

Only the implementation is instrumented (``watosfs``, not ``watosfs_fuzz``), so that new coverage
is of the parsers and not of their oracles: nothing of it may be imported before this module does.
Mutations and cross-over are the harness' own; one in ten is of bytes, with the dictionary's words.
(``atheris.Mutate``, which would be libFuzzer's own, ends the process in Atheris 3.0.0: "Fuzz() must
be called before Mutate() can be called".)
"""

import sys
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from watosfs_fuzz.parsers.harness import Harness

_BYTES: Final = 0.1


class Found(Exception):
    """An input failed; its finding is written. Ends libFuzzer."""


def instrumented(name: str) -> "Harness":
    """The harness, with every module of the implementation instrumented. ValueError: no such."""
    import atheris

    assert "watosfs.errors" not in sys.modules, "imported before it could be instrumented"
    with atheris.instrument_imports(include=["watosfs"]):
        from watosfs_fuzz.parsers.catalogue import require_harness
    return require_harness(name)


def custom_mutator(harness: "Harness") -> Any:
    """(data, size at most, seed) -> data, as libFuzzer calls it."""
    from watosfs_fuzz.parsers.mutators import any_bytes

    words = harness.words()

    def mutate(data: bytes, size_max: int, seed: int) -> bytes:
        random = Random(seed)
        if random.random() < _BYTES:
            return any_bytes(bytes(data), random, words)[:size_max]
        return harness.mutate(bytes(data), random)[:size_max]

    return mutate


def custom_crossover(harness: "Harness") -> Any:
    """(data, data, size at most, seed) -> data, as libFuzzer calls it."""

    def cross(one: bytes, two: bytes, size_max: int, seed: int) -> bytes:
        return harness.cross(bytes(one), bytes(two), Random(seed))[:size_max]

    return cross


def runner(harness: "Harness", out: Path | None) -> Any:
    """What libFuzzer calls with each input: a failure ends the run, and is a finding in ``out``."""
    from watosfs_fuzz.parsers import findings
    from watosfs_fuzz.parsers.harness import Failure, execute

    def run(data: bytes) -> None:
        result = execute(harness, data)
        if isinstance(result, Failure):
            command = ""
            if out is not None:
                command = findings.command(findings.write(result, out), harness.name)
            raise Found(f"{result.kind} {result.place}\n{result.story}\n{command}")

    return run


def main(name: str, out: Path | None, arguments: list[str]) -> None:
    """Fuzz one harness; libFuzzer ends the process, and keeps what failed in a file of its own."""
    import atheris

    harness = instrumented(name)
    atheris.Setup(
        [sys.argv[0], *arguments],
        runner(harness, out),
        custom_mutator=custom_mutator(harness),
        custom_crossover=custom_crossover(harness),
    )
    atheris.Fuzz()


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), sys.argv[3:])
