"""The reviewed list of mutants that no proof refutes because they are no faults: equivalents.toml.

An explanation belongs to one edit of one source text. When the function changes, or the mutant is
no longer made, or it is refuted after all, the explanation is stale, and that is an error.
"""

import tomllib
from dataclasses import dataclass
from pathlib import Path

FILE = Path(__file__).with_name("equivalents.toml")


@dataclass(frozen=True)
class Explanation:
    """Why a mutant is no fault. ``function`` is "group:qualified name"."""

    id: str
    function: str
    edit: str
    why: str


def explanations(file: Path = FILE) -> dict[str, Explanation]:
    """All of them by mutant. Raises ValueError for one that is given twice or says nothing."""
    found: dict[str, Explanation] = {}
    for entry in tomllib.loads(file.read_text(encoding="utf-8")).get("mutant", []):
        one = Explanation(**entry)
        if one.id in found or not one.why.strip():
            raise ValueError(f"{file.name}: {one.id} is given twice or not explained")
        found[one.id] = one
    return found
