"""The contract of volumes that are changed in place: what it lets pass, and what not."""

import pytest

from watosfs_fuzz.dialect import Tree
from watosfs_fuzz.oracles.parts import contract, is_alias
from watosfs_fuzz.targets.descriptors import shown
from watosfs_model.content import written
from watosfs_model.state import Inode, Volume


def volume(files: dict[bytes, tuple[int, bytes]]) -> Volume:
    """A root with files: name -> (number, bytes)."""
    root = Inode("directory", 0o755, 2, 0, 0, 0, entries={n: i for n, (i, _) in files.items()})
    inodes = {1: root}
    for number, data in files.values():
        blocks = written({}, 0, data)
        inodes[number] = Inode("file", 0o644, 1, 0, 0, 0, size=len(data), blocks=blocks)
    return Volume(inodes, 9)


def tree(**files: bytes) -> Tree:
    """A root with files."""
    found: Tree = {b"/": shown("directory", 0, None)}
    for name, data in files.items():
        found[b"/" + name.encode()] = shown("file", len(data), data)
    return found


OLD = volume({b"a": (2, b"xxxx"), b"kept": (3, b"k")})
LONGER = volume({b"a": (2, b"yyyyzz"), b"kept": (3, b"k")})
RENAMED = volume({b"b": (2, b"xxxx"), b"kept": (3, b"k")})
SHORTER = volume({b"a": (2, b"x"), b"kept": (3, b"k")})


@pytest.mark.parametrize(
    ("states", "found"),
    [
        ([OLD, LONGER], tree(a=b"xxxx", kept=b"k")),
        ([OLD, LONGER], tree(a=b"xyxy", kept=b"k")),
        ([OLD, LONGER], tree(a=b"xxyyzz", kept=b"k")),
        ([OLD, RENAMED], tree(b=b"xxxx", kept=b"k")),
        ([OLD, RENAMED], tree(kept=b"k") | {b"/FSCK0000.REC": shown("file", 5, b"xxxx\0")}),
        ([OLD, SHORTER, OLD], tree(a=b"x\0\0x", kept=b"k")),
    ],
)
def test_what_clauses_47_to_49_leave_open(states: list[Volume], found: Tree) -> None:
    assert contract(states)(found) is None


@pytest.mark.parametrize(
    ("states", "found", "clause"),
    [
        ([OLD], tree(a=b"xxxy", kept=b"k"), "(48)"),
        ([OLD, LONGER], tree(a=b"xxxxz", kept=b"k"), "(48)"),
        ([OLD, LONGER], tree(a=b"xxxx\0z", kept=b"k"), "(48)"),
        ([OLD, LONGER], tree(a=b"xxxx"), "(15)"),
        ([OLD, LONGER], tree(kept=b"k"), "(15)"),
        ([OLD, RENAMED], tree(a=b"xxxx", kept=b"k", c=b"xxxx"), "(47)"),
        ([OLD, RENAMED], tree(kept=b"k"), "(49)"),
        ([SHORTER, OLD], tree(a=b"x\0\0x", kept=b"k"), "(48)"),
    ],
)
def test_what_they_forbid(states: list[Volume], found: Tree, clause: str) -> None:
    problem = contract(states)(found)
    assert problem is not None
    assert problem.endswith(clause)


def test_an_alias_is_of_a_long_name_only() -> None:
    assert is_alias(b"ABCDEF~1", b"abcdefghij")
    assert not is_alias(b"ABCDEF~1", b"abc")
    assert not is_alias(b"ABCDEF~1", b"xbcdefghij")
    assert not is_alias(b"abcdef", b"abcdefghij")
