"""Breaking how superblock slots are read, or what a refusal tells, refutes the proof."""

import pytest

from tests.proofs.variants import variant
from watosfs.wfs3 import mounting
from watosfs_proofs.obligation import PROVED, REFUTED, settle
from watosfs_proofs.slot_obligations import slot_obligations

#: (what is broken, obligation, text, its replacement)
VARIANTS = [
    ("ours is found behind a header", "published_copy", " and copy.is_published_layout", ""),
    ("a header is not skipped", "published_copy", "(block, HEADER_SIZE)", "(block)"),
    ("one of the magics", "has_magic", "(MAGIC_WFS3, MAGIC_WFS1)", "(MAGIC_WFS3,)"),
    ("one of the places", "has_magic", "words = (block[:4], ", "words = (block[:0], "),
    ("the first bit is not told", "bits", "range(mask", "range(1, mask"),
    ("another reason is told", "refused", "problem = f\"copy {slot}: {error}\"", "pass"),
    ("damage of another block", "refused", "DamageError(\"superblock\", 0", "DamageError(\"\", 1"),
    ("a slot is read twice", "found", "block = bytes(device.read(slot))",
     "block = bytes(device.read(slot)) and bytes(device.read(slot))"),
    ("one copy is enough to agree", "found", "copies[0] == copies[1]", "None in copies"),
]  # fmt: skip


@pytest.mark.parametrize(("what", "name", "old", "new"), VARIANTS)
def test_a_slot_that_is_read_otherwise_is_refuted(what: str, name: str, old: str, new: str) -> None:
    broken = variant(mounting, old, new)
    (obligation,) = (o for o in slot_obligations(broken) if o.name == f"slots.{name}")
    assert settle(obligation).verdict == REFUTED, what


def test_production_is_proved() -> None:
    assert {settle(each).verdict for each in slot_obligations()} == {PROVED}
