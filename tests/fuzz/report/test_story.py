"""The story of a crash: the place, the writes, the trees, and the flush that was taken out."""

from pathlib import Path

import pytest

from tests.fuzz.report.crashes import JOURNAL, SUPERBLOCK
from watosfs_fuzz.crash.log import Flush, Write
from watosfs_fuzz.findings import Finding, read_finding, write_finding
from watosfs_fuzz.report.again import run_again
from watosfs_fuzz.report.evidence import Evidence
from watosfs_fuzz.report.roles import NamesBlocks, naming_of
from watosfs_fuzz.report.story import story
from watosfs_fuzz.report.timeline import KEPT, LOST, OVERWRITTEN, TORN, fate_of, sector_letters
from watosfs_fuzz.targets.model import ModelTarget
from watosfs_fuzz.targets.wfs3 import Wfs3Target
from watosfs_model.data import Fill
from watosfs_model.open_flags import O_CREAT, O_RDWR
from watosfs_model.operations import Mkdir, Open, Operation, Pwrite, Sync
from watosfs_model.trace import format_trace

REGRESSIONS = Path(__file__).parents[2] / "regressions"


def evidence_in(path: Path) -> Evidence:
    evidence = run_again(read_finding(path)).evidence
    assert evidence is not None
    return evidence


def test_the_flush_that_a_canary_takes_out_is_named_survives_crash(tmp_path: Path) -> None:
    path = tmp_path / "finding.trace"
    path.write_text(SUPERBLOCK)
    evidence = evidence_in(path)
    text = "\n".join(story(evidence))
    assert evidence.place == "between write 4 and flush 1 of commit 1 (in operation 2)"
    assert "lost        write 3  block 7, free-tree leaf\n" in text
    assert "kept        write 4  block 1, superblock slot 1 (generation 2)\n" in text
    assert "out of order: write 4 (block 1, superblock slot 1 (generation 2)) persisted" in text
    assert "missing barrier: a flush between write 3 (block 7, free-tree leaf) and write 4" in text
    # Three nodes stand before the superblock, so no order of two writes is enough.
    assert evidence.experiment.order is None


def test_the_mechanism_check_is_told_by_the_crash_that_it_leads_to_survives_crash() -> None:
    evidence = evidence_in(REGRESSIONS / "no-flush-before-superblock.trace")
    assert evidence.experiment.flush is not None
    assert "superblock slot" in "\n".join(story(evidence))


def test_an_acknowledgement_before_the_last_flush_is_named_survives_crash() -> None:
    text = "\n".join(story(evidence_in(REGRESSIONS / "second-flush-missing.trace")))
    assert "- /a  file, 0 bytes, b''" in text
    assert "missing barrier: a flush between write 4" in text
    assert "and the end of operation 2" in text


def test_no_barrier_is_claimed_where_order_is_not_the_fault_survives_crash() -> None:
    evidence = evidence_in(REGRESSIONS / "orphan-not-reclaimed.trace")
    found = evidence.experiment
    assert (found.pair, found.order, found.flush) == (None, None, None)
    assert "no single flush and no order of two writes" in "\n".join(story(evidence))


def test_a_foreign_program_gets_the_same_story_survives_crash(tmp_path: Path) -> None:
    path = tmp_path / "journal.trace"
    path.write_text(JOURNAL)
    evidence = evidence_in(path)
    text = "\n".join(story(evidence))
    assert evidence.place == "between write 2 and flush 1 of operation 3"
    assert "lost        write 1  block 2\n" in text
    assert "missing order: write 1 must persist before write 2" in text
    assert "missing barrier: a flush between write 1 (block 2) and write 2 (block 1)" in text
    assert "! /a\n      content is b'\\x00', should be b'a'" in text


def test_a_sound_trace_has_no_story_survives_crash(tmp_path: Path) -> None:
    path = tmp_path / "sound.trace"
    path.write_text(JOURNAL.replace(" --early-commit", ""))
    again = run_again(read_finding(path))
    assert again.failure is None
    assert again.evidence is None


def test_a_campaigns_finding_carries_the_story(tmp_path: Path) -> None:
    path = tmp_path / "journal.trace"
    path.write_text(JOURNAL)
    evidence = evidence_in(path)
    told = Finding(evidence.finding.case, evidence.failure, report=tuple(story(evidence)))
    assert "# what is missing:\n" in format_trace(told.trace())
    assert read_finding(write_finding(told, tmp_path)).case == told.case


def test_every_write_of_wfs3_has_a_role() -> None:
    target = Wfs3Target()
    target.start()
    script: tuple[Operation, ...] = (
        Mkdir(b"/d", 0o755),
        Open(b"/d/a", O_CREAT | O_RDWR, 0o644),
        Pwrite(3, Fill(1, 70_000), 0),
        Sync(),
    )
    for operation in script:
        assert target.apply(1, operation).errno == 0
    naming = naming_of(target, target.base, target.device.events)
    roles = set(naming.roles.values())
    assert {
        "data of /d/a chunk 0", "data of /d/a chunk 1", "extent-tree leaf of /d/a",
        "directory-tree leaf of /", "directory-tree leaf of /d", "inode-tree leaf",
        "free-tree leaf", "superblock slot 1 (generation 2)",
    } == roles  # fmt: skip
    assert naming.commits is not None
    events = zip(target.device.events, naming.commits, strict=True)
    assert {commit for event, commit in events if isinstance(event, Write | Flush)} == {1}


def test_a_target_may_name_its_blocks() -> None:
    class Named(ModelTarget):
        def role(self, block: int) -> str | None:
            return "table"

    assert isinstance(Named(), NamesBlocks)
    assert not isinstance(ModelTarget(), NamesBlocks)


@pytest.mark.parametrize(
    ("found", "later", "letters", "fate"),
    [
        (b"n" * 4096, [], "=+++++++", KEPT),
        (b"n" * 512 + b"o" * 3584, [], "=-------", LOST),
        (b"n" * 1024 + b"o" * 3072, [], "=+------", TORN),
        (b"n" * 512 + b"x" * 3584, [b"n" * 512 + b"x" * 3584], "=^^^^^^^", OVERWRITTEN),
    ],
)
def test_the_fate_of_a_write_is_that_of_its_sectors(
    found: bytes, later: list[bytes], letters: str, fate: str
) -> None:
    before, data = b"n" * 512 + b"o" * 3584, b"n" * 4096
    assert sector_letters(before, data, later, {4: found}, 4) == letters
    assert fate_of(letters) == fate
