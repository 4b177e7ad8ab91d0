"""docs/ABI.md lists exactly the numbers that have handlers."""

import re
from pathlib import Path

from watosfs.kernel.layouts import FLOCK, IOVEC, STAT, XATTR_ARGUMENTS
from watosfs.kernel.syscall_table import HANDLERS

DOCUMENT = Path(__file__).parents[3] / "docs" / "ABI.md"


def test_the_document_and_the_table_have_the_same_numbers() -> None:
    rows = re.findall(r"^\| ([0-9, ]+) \|", DOCUMENT.read_text(), re.MULTILINE)
    listed = {int(number) for row in rows for number in row.split(",")}
    assert listed == set(HANDLERS)


def test_the_structures_have_the_sizes_that_are_written_down() -> None:
    text = DOCUMENT.read_text()
    layouts = {"stat": STAT, "iovec": IOVEC, "flock": FLOCK, "xattr": XATTR_ARGUMENTS}
    for name, layout in layouts.items():
        assert f"| {name}, {layout.size}" in text
