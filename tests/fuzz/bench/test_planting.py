"""Every fault of the benchmark can be planted, is undone, and says when its anchor is gone."""

import re
from pathlib import Path

import pytest

from watosfs.wfs3 import commit
from watosfs_fuzz.bench.catalogue import faults
from watosfs_fuzz.bench.planting import PLANTED, StaleFault, edit_of
from watosfs_fuzz.canaries.catalogue import applied


@pytest.mark.parametrize("identity", sorted(PLANTED))
def test_a_fault_applies(identity: str) -> None:
    with applied(identity):
        pass


def test_a_fault_is_in_force_and_then_undone() -> None:
    before = commit.commit
    with applied("SB6"):
        assert commit.commit is not before
    assert commit.commit is before


def test_an_anchor_that_is_gone_is_an_error_that_says_so() -> None:
    with pytest.raises(StaleFault, match=r"fault X1: watosfs\.wfs3\.commit\.commit .*0 times"):
        edit_of("X1", commit.commit, "no such text", "pass")


def test_an_anchor_that_is_there_twice_is_an_error() -> None:
    with pytest.raises(StaleFault, match="2 times"):
        edit_of("X2", commit.commit, "medium.flush()", "pass")


def test_the_document_names_every_planted_fault() -> None:
    text = (Path(__file__).parents[3] / "docs" / "FAULTS.md").read_text()
    rows = set(re.findall(r"^\| (\w+) \|[^\n]*\| planted", text, re.MULTILINE))
    assert rows == {fault.identity for fault in faults()}
