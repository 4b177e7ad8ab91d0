"""The commands in README and docs: lines of code blocks that begin with a program of ours."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
PROGRAMS = ("watosfs", "watosfs-fuzz", "watosfs-prove", "make", "python", "python3", "mkdocs")
#: Two spaces and words, or a #, after a command say what it does.
_REMARK = re.compile(r"\s{2,}\S.*$|\s+#\s.*$")
_BEGINS = re.compile(rf"(?:    )({'|'.join(PROGRAMS)})(?= )")


@dataclass(frozen=True)
class Command:
    """A line of a document."""

    document: str
    line: int
    text: str

    def __str__(self) -> str:
        return f"{self.document}:{self.line}"


def documents() -> list[Path]:
    """README and every page."""
    return [ROOT / "README.md", *sorted((ROOT / "docs").glob("**/*.md"))]


def commands() -> Iterator[Command]:
    """All of them, in order."""
    for page in documents():
        for number, line in enumerate(page.read_text().splitlines(), 1):
            if _BEGINS.match(line):
                text = _REMARK.sub("", line.strip())
                yield Command(str(page.relative_to(ROOT)), number, text)
