"""Clauses of docs/SEMANTICS.md and their citations in the model go together."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
GROUP = re.compile(r"\[([A-Z][0-9]+(?:, [A-Z][0-9]+)*)\]")
RANGE = re.compile(r"\[([A-Z])([0-9]+)\.\.[A-Z]([0-9]+)\]")


def cited() -> set[str]:
    found: set[str] = set()
    for path in sorted((ROOT / "model").rglob("*.py")):
        for group in GROUP.findall(path.read_text()):
            found |= set(group.split(", "))
    return found


def clauses(text: str) -> set[str]:
    return set(re.findall(r"^- \*\*([A-Z][0-9]+)\*\*", text, re.MULTILINE))


def written() -> set[str]:
    return clauses((ROOT / "docs" / "SEMANTICS.md").read_text())


def planned() -> set[str]:
    """Clauses of the sections whose title says that nobody has built them yet."""
    sections = (ROOT / "docs" / "SEMANTICS.md").read_text().split("\n## ")
    return {
        clause
        for section in sections
        if section.split("\n", 1)[0].endswith("(planned)")
        for clause in clauses(section)
    }


def defined() -> set[str]:
    return {clause for clause in written() if not clause.startswith("W")}


def test_every_difference_from_linux_is_named_where_the_comparison_leaves_it_out() -> None:
    source = (ROOT / "fuzz" / "watosfs_fuzz" / "linux" / "differences.py").read_text()
    used = set(re.findall(r'"(W[0-9]+)"', source))
    assert used == {clause for clause in written() if clause.startswith("W")}


def test_every_cited_clause_is_written_down() -> None:
    assert cited() - defined() == set()


def test_every_clause_is_cited_where_it_is_decided() -> None:
    assert defined() - cited() - planned() == set()


def test_a_section_that_is_built_is_no_longer_called_planned() -> None:
    assert cited() & planned() == set()
