"""docs/PROOFS.md names exactly the modules to be believed, and every group that is proved."""

import pkgutil
from importlib import import_module
from pathlib import Path

import watosfs_proofs
from watosfs_proofs.catalogue import GROUPS

DOCUMENT = (Path(__file__).parents[2] / "docs" / "PROOFS.md").read_text(encoding="utf-8")


def first_cells(heading: str) -> set[str]:
    """The names in back quotes that open the rows of the table under a heading."""
    section = DOCUMENT.partition(f"\n## {heading}")[2].partition("\n## ")[0]
    rows = [line.split("|")[1].strip() for line in section.splitlines() if line.startswith("| `")]
    return {row.strip("`") for row in rows}


def trusting_modules() -> set[str]:
    """The modules that say "Trusted:" in their docstring."""
    names = [module.name for module in pkgutil.iter_modules(watosfs_proofs.__path__)]
    modules = {name: import_module(f"watosfs_proofs.{name}") for name in names}
    return {name for name, module in modules.items() if "\nTrusted:" in str(module.__doc__)}


def test_the_trusted_base_is_listed() -> None:
    assert trusting_modules() == first_cells("3. What is assumed")


def test_every_group_is_listed_with_its_modules() -> None:
    assert {group.name for group in GROUPS} == first_cells("1. What is proved")
    for group in GROUPS:
        for module in group.modules:
            assert f"`{module.__name__}`" in DOCUMENT


def test_an_obligation_is_named_for_its_group() -> None:
    for group in GROUPS:
        assert {o.name.partition(".")[0] for o in group.make()} == {group.name}
