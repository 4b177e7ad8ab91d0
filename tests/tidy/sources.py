"""The Python files of this project, parsed: what the rules of tests/tidy are applied to."""

import ast
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
#: Where the import packages live: each source root holds one.
SOURCE_ROOTS = ("model", "impl", "fuzz", "proofs")
IGNORED = {".venv", ".git", "findings", "build", "dist", "node_modules", "site"}


@dataclass(frozen=True)
class Source:
    """One Python file: its path in the repository and its text."""

    path: str
    text: str

    @cached_property
    def tree(self) -> ast.Module:
        return ast.parse(self.text, self.path)

    @property
    def module(self) -> str:
        """The dotted name it is imported by."""
        parts = list(Path(self.path).with_suffix("").parts)
        if parts[0] in SOURCE_ROOTS:
            parts = parts[1:]
        if parts[-1] == "__init__":
            parts = parts[:-1]
        return ".".join(parts)

    @property
    def is_shipped(self) -> bool:
        """Part of one of the four packages."""
        return Path(self.path).parts[0] in SOURCE_ROOTS

    def imports(self) -> Iterator[tuple[int, str]]:
        """(line, dotted name) of everything imported anywhere in the file, also inside functions.

        ``from a import b`` counts as ``a.b``: b may be a module, and if it is a name, the prefix
        tells as much.
        """
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Import):
                for alias in node.names:
                    yield node.lineno, alias.name
            elif isinstance(node, ast.ImportFrom) and not node.level:
                for alias in node.names:
                    yield node.lineno, f"{node.module}.{alias.name}"


def text_files() -> list[str]:
    """Every file that git tracks or would (else every file that is not ignored), sorted."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=REPOSITORY,
        capture_output=True,
        check=False,
    )
    if listed.returncode == 0:
        names = [name.decode() for name in listed.stdout.split(b"\0") if name]
    else:
        names = [str(path.relative_to(REPOSITORY)) for path in REPOSITORY.rglob("*")]
    return sorted(
        name
        for name in names
        if not IGNORED & set(Path(name).parts) and (REPOSITORY / name).is_file()
    )


@lru_cache
def sources() -> tuple[Source, ...]:
    """Every Python file of the project."""
    return tuple(
        Source(name, (REPOSITORY / name).read_text(encoding="utf-8"))
        for name in text_files()
        if name.endswith(".py")
    )
