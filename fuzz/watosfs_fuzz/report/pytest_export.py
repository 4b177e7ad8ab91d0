"""A finding as a regression test in one file: it fails while the bug is there, and passes once no
crash of the trace goes wrong any more.
"""

from pathlib import Path

from watosfs_fuzz.findings import Finding, write_whole
from watosfs_model.trace import format_trace

_TEMPLATE = '''\
"""A failure that watosfs-fuzz found, with its story below.

Run it with `pytest {file}`{where}.
"""

from pathlib import Path

import pytest

from watosfs_fuzz.findings import read_finding
from watosfs_fuzz.report.again import run_again
from watosfs_fuzz.report.story import story

TRACE = (
{lines}
)


def test_finding_{identity}{suffix}(tmp_path: Path) -> None:
    path = tmp_path / "finding.trace"
    path.write_text(TRACE, encoding="ascii")
    again = run_again(read_finding(path))
    if again.failure is not None:
        told = [] if again.evidence is None else story(again.evidence)
        pytest.fail("\\n".join([again.failure.story, "", *told]), pytrace=False)
'''


def test_text(finding: Finding, file: str) -> str:
    """The source of the test. ``finding`` carries its story, if there is one."""
    is_crash = finding.failure.kind in ("crash", "epoch")
    is_program = finding.case.target.startswith("exec:")
    return _TEMPLATE.format(
        file=file,
        where=", from where the command of its target line works" if is_program else "",
        lines="\n".join(
            f"    {line!r}" for line in format_trace(finding.trace()).splitlines(keepends=True)
        ),
        identity=finding.identity,
        suffix="_survives_crash" if is_crash else "",
    )


def write_test(finding: Finding, path: Path) -> Path:
    """Write the test, whole or not at all; its path."""
    return write_whole(path, test_text(finding, path.name))
