"""Branches of the parsing modules: which ones an input takes, and which ones a corpus misses.

A branch is an exit of a line that has more than one. Counted by coverage.py, on the modules that
the harnesses name as theirs; what runs at import has none of interest and is not counted.
"""

import importlib
import importlib.util
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from watosfs_fuzz.parsers.harness import Failure, Harness, execute

if TYPE_CHECKING:
    from coverage import Coverage

MISSING: Final = "coverage.py is not installed: pip install 'watosfs[test]'"
#: The share of a module's branches that the kept corpora must take.
SHARE_MIN: Final = 0.95
#: (file, from line, to line).
Arc = tuple[str, int, int]


@dataclass(frozen=True, slots=True)
class ModuleCoverage:
    """``missed`` are the lines that have an exit which was not taken."""

    module: str
    branches: int
    taken: int
    missed: tuple[int, ...]

    @property
    def share(self) -> float:
        """Between 0 and 1; a module without branches is covered."""
        return self.taken / self.branches if self.branches else 1.0


def is_installed() -> bool:
    """Whether branches can be counted here."""
    return importlib.util.find_spec("coverage") is not None


def file_of(module: str) -> str:
    """The source file of a module."""
    path = importlib.import_module(module).__file__
    assert path is not None, module
    return path


def _counter(modules: Iterable[str]) -> "Coverage":
    from coverage import Coverage

    files = sorted({file_of(module) for module in modules})
    return Coverage(data_file=None, branch=True, include=files, config_file=False)


def arcs_of(harness: Harness, inputs: Sequence[bytes]) -> tuple[list[frozenset[Arc]], list[int]]:
    """(the jumps between lines that each input makes in the harness' modules; which ones fail)."""
    counter = _counter(harness.modules)
    failed = []
    counter.start()
    try:
        for index, data in enumerate(inputs):
            counter.switch_context(str(index))
            if isinstance(execute(harness, data), Failure):
                failed.append(index)
    finally:
        counter.stop()
    found = counter.get_data()
    files = sorted(found.measured_files())
    arcs = []
    for index in range(len(inputs)):
        found.set_query_context(str(index))
        arcs.append(frozenset((name, *arc) for name in files for arc in found.arcs(name) or ()))
    return arcs, failed


def coverage_of(corpora: Iterable[tuple[Harness, Sequence[bytes]]]) -> list[ModuleCoverage]:
    """Every parsing module, by name, under all of the inputs."""
    todo = list(corpora)
    modules = sorted({module for harness, _ in todo for module in harness.modules})
    counter = _counter(modules)
    counter.start()
    try:
        for harness, inputs in todo:
            for data in inputs:
                execute(harness, data)
    finally:
        counter.stop()
    rows = []
    for module in modules:
        lines = counter.branch_stats(file_of(module))
        rows.append(
            ModuleCoverage(
                module,
                sum(total for total, _ in lines.values()),
                sum(taken for _, taken in lines.values()),
                tuple(sorted(line for line, (total, taken) in lines.items() if taken < total)),
            )
        )
    return rows
