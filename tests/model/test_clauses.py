"""Clauses of docs/SEMANTICS.md, each on a small trace: what the last operation gives."""

import errno

import pytest

from watosfs_model import System, crash_states, observe, step
from watosfs_model.trace import parse_trace

FILE = 'open "/f" O_CREAT|O_RDWR 0o644\n'
TREE = 'mkdir "/d" 0o755\nmkdir "/d/e" 0o755\nsymlink "d" "/s"\nsymlink "gone" "/dangling"\n'
LOOP = 'symlink "/l" "/l"\n'
NAME_TOO_LONG = "x" * 256

#: (clause, trace, errno of its last operation; 0 for success)
OUTCOMES = [
    ("P1", 'stat ""', errno.ENOENT),
    ("E1", f'setxattr "/" "user.{"k" * 251}" "v" 0', errno.ERANGE),
    ("E1", 'setxattr "/" "" "v" 0', errno.ERANGE),
    ("E1", 'setxattr "/" "trusted.k" "v" 0', errno.EOPNOTSUPP),
    ("E1", 'setxattr "/" "user." "v" 0', errno.EINVAL),
    ("E1", f'setxattr "/" "user.{"k" * 250}" "" 0', 0),
    ("E2", TREE + 'setxattr "/s" "user.k" "v" 0\ngetxattr "/d" "user.k"', 0),
    ("E3", 'setxattr "/" "user.k" "v" 2', errno.ENODATA),
    ("E3", 'setxattr "/" "user.k" "v" 0\nsetxattr "/" "user.k" "v" 1', errno.EEXIST),
    ("E3", 'getxattr "/" "user.k"', errno.ENODATA),
    ("E3", 'removexattr "/" "user.k"', errno.ENODATA),
    ("E4", 'setxattr "/" "user.k" fill(1,65537) 0', errno.E2BIG),
    ("E4", 'setxattr "/" "user.k" fill(1,65524) 0', 0),
    ("E4", 'setxattr "/" "user.k" fill(1,65525) 0', errno.ENOSPC),
    ("E6", FILE + 'setxattr "/f" "user.k" "v" 0\nlink "/f" "/g"\ngetxattr "/g" "user.k"', 0),
    ("P2", f'stat "/{NAME_TOO_LONG}"', errno.ENAMETOOLONG),
    ("P2", f'mkdir "/{"x" * 255}" 0o755', 0),
    ("P3", 'stat "/a\\x00b"', errno.EINVAL),
    ("P4", TREE + 'stat "/s/e/../../d//e/."', 0),
    ("P4", 'stat "/../.."', 0),
    ("P5", TREE + 'stat "/s/e"', 0),
    ("P6", TREE + 'stat "/dangling"', errno.ENOENT),
    ("P6", TREE + 'lstat "/dangling"', 0),
    ("P7", LOOP + 'stat "/l"', errno.ELOOP),
    ("P8", FILE + 'stat "/f/"', errno.ENOTDIR),
    ("N1", TREE + 'mkdir "/dangling" 0o755', errno.EEXIST),
    ("N1", 'mkdir "/" 0o755', errno.EEXIST),
    ("N3", 'rmdir "/"', errno.EBUSY),
    ("N3", TREE + 'rmdir "/d/."', errno.EINVAL),
    ("N3", TREE + 'rmdir "/d"', errno.ENOTEMPTY),
    ("N3", FILE + 'rmdir "/f"', errno.ENOTDIR),
    ("N4", TREE + 'unlink "/d"', errno.EISDIR),
    ("N5", FILE + 'symlink "a" "/f"', errno.EEXIST),
    ("N5", 'symlink "a" "/n/"', errno.ENOENT),
    ("N6", TREE + 'link "/d" "/x"', errno.EPERM),
    ("N7", 'symlink "" "/x"', errno.ENOENT),
    ("N8", FILE + 'readlink "/f"', errno.EINVAL),
    ("N10", TREE + 'rename "/d" "/d/e/x"', errno.EINVAL),
    ("N10", TREE + 'rename "/d/e" "/d"', errno.ENOTEMPTY),
    ("N10", TREE + FILE + 'rename "/d" "/f"', errno.ENOTDIR),
    ("N10", TREE + FILE + 'rename "/f" "/d/e"', errno.EISDIR),
    ("N10", TREE + 'mkdir "/z" 0o755\nrename "/z" "/d/e"', 0),
    ("N11", FILE + 'link "/f" "/g"\nrename "/f" "/g"\nstat "/f"', 0),
    ("D2", 'open "/f" O_CREAT|O_DIRECTORY 0o644', errno.EINVAL),
    ("D3", FILE + 'open "/f" O_CREAT|O_EXCL 0o644', errno.EEXIST),
    ("D3", TREE + 'open "/dangling" O_CREAT|O_RDWR 0o644\nstat "/gone"', 0),
    ("D3", TREE + 'open "/s" O_NOFOLLOW|O_RDONLY 0o0', errno.ELOOP),
    ("D4", TREE + 'open "/d" O_RDWR 0o0', errno.EISDIR),
    ("D5", "pread 3 1 0", errno.EBADF),
    ("D5", 'open "/f" O_CREAT|O_WRONLY 0o644\npread 3 1 0', errno.EBADF),
    ("F1", FILE + 'pwrite 3 "a" -1', errno.EINVAL),
    ("F1", FILE + 'pwrite 3 "a" 9223372036854775807', errno.EFBIG),
    ("F7", 'open "/f" O_CREAT|O_RDONLY 0o644\nftruncate 3 5', errno.EINVAL),
    ("T5", FILE + 'utimens "/f" -1 0', errno.EINVAL),
    ("X1", "begin\nbegin", errno.EBUSY),
    ("X1", "commit", errno.EINVAL),
    ("X2", FILE + "begin\nfsync 3", errno.EBUSY),
    ("X5", "begin\n" + FILE + "abort\npread 3 1 0", errno.ESTALE),
    ("Z2", 'snapshot ""', errno.EINVAL),
    ("Z2", 'snapshot ".."', errno.EINVAL),
    ("Z2", 'snapshot "a/b"', errno.EINVAL),
    ("Z2", f'snapshot "{NAME_TOO_LONG}"', errno.ENAMETOOLONG),
    ("Z2", f'snapshot "{"x" * 255}"', 0),
    ("Z2", 'snapshot "a"\nsnapshot "a"', errno.EEXIST),
    ("Z2", 'begin\nsnapshot "a"', errno.EBUSY),
    ("Z5", 'dropsnapshot "a"', errno.ENOENT),
    ("Z5", 'snapshot "a"\ndropsnapshot "a"\nsnapshot "a"', 0),
    ("Z5", 'snapshot "a"\nbegin\ndropsnapshot "a"', errno.EBUSY),
    ("Z6", 'rollback "a"', errno.ENOENT),
    ("Z6", 'snapshot "a"\nsnapshot "b"\nrollback "a"', errno.EBUSY),
    ("Z6", 'snapshot "a"\nsnapshot "b"\ndropsnapshot "b"\nrollback "a"', 0),
    ("Z6", 'snapshot "a"\n' + FILE + 'rollback "a"', errno.EBUSY),
    ("Z6", 'snapshot "a"\n' + FILE + 'close 3\nrollback "a"\nstat "/f"', errno.ENOENT),
    ("Z6", FILE + 'close 3\nsnapshot "a"\nunlink "/f"\nrollback "a"\nstat "/f"', 0),
]

#: (clause, trace, value of its last operation)
VALUES = [
    ("D1", FILE + FILE + "close 3\n" + FILE, 3),
    ("F2", 'open "/f" O_APPEND|O_CREAT|O_RDWR 0o644\npwrite 3 "ab" 0\npwrite 3 "cd" 0\npread 3 9 0',
     b"abcd"),
    ("F4", FILE + 'pwrite 3 "ab" 0\npread 3 5 2', b""),
    ("F5", FILE + 'pwrite 3 "b" 3\npread 3 9 0', b"\0\0\0b"),
    ("F6", FILE + 'pwrite 3 "abcd" 0\nftruncate 3 1\nftruncate 3 4\npread 3 9 0', b"a\0\0\0"),
    ("N9", FILE + 'pwrite 3 "ab" 0\nunlink "/f"\npread 3 9 0', b"ab"),
    ("N8", TREE + 'readlink "/s"', b"d"),
]  # fmt: skip

#: (clause, trace, sets of paths that a crash after it may leave)
CRASHES: list[tuple[str, str, list[set[str]]]] = [
    ("U1", 'mkdir "/a" 0o755\nmkdir "/b" 0o755', [{"/"}, {"/", "/a"}, {"/", "/a", "/b"}]),
    ("U2", 'mkdir "/a" 0o755\nsync\nmkdir "/b" 0o755', [{"/", "/a"}, {"/", "/a", "/b"}]),
    ("U4", FILE + 'unlink "/f"\nsync', [{"/"}]),
    ("X3", 'begin\nmkdir "/a" 0o755\nmkdir "/b" 0o755\ncommit', [{"/", "/a", "/b"}]),
    ("X4", 'begin\nmkdir "/a" 0o755\nmkdir "/b" 0o755', [{"/"}]),
    ("X4", 'begin\nmkdir "/a" 0o755\nabort', [{"/"}]),
    ("Z1", 'mkdir "/a" 0o755\nsnapshot "s"', [{"/", "/a", "@0:s/", "@0:s/a"}]),
    ("Z1", FILE + 'unlink "/f"\nsnapshot "s"', [{"/", "@0:s/"}]),
    ("Z4", 'snapshot "b"\nsnapshot "a"', [{"/", "@0:b/", "@1:a/"}]),
    ("Z3", 'mkdir "/a" 0o755\nsnapshot "s"\nrmdir "/a"\nsync', [{"/", "@0:s/", "@0:s/a"}]),
    ("Z5", 'snapshot "s"\nmkdir "/a" 0o755\ndropsnapshot "s"', [{"/", "/a"}]),
    ("Z6", 'snapshot "s"\nmkdir "/a" 0o755\nrollback "s"', [{"/", "@0:s/"}]),
    ("Z7", 'snapshot "s"\nmkdir "/a" 0o755', [{"/", "@0:s/"}, {"/", "/a", "@0:s/"}]),
]


def run(text: str) -> tuple[System, int, object]:
    system, outcome = System.fresh(), None
    for operation in parse_trace(text).operations:
        outcome, system = step(system, 1, operation)
    assert outcome is not None
    return system, outcome.errno, outcome.value


@pytest.mark.parametrize(("clause", "text", "expected"), OUTCOMES)
def test_outcome(clause: str, text: str, expected: int) -> None:
    assert run(text)[1] == expected, clause


@pytest.mark.parametrize(("clause", "text", "expected"), VALUES)
def test_value(clause: str, text: str, expected: object) -> None:
    assert run(text)[2] == expected, clause


@pytest.mark.parametrize(("clause", "text", "expected"), CRASHES)
def test_crash(clause: str, text: str, expected: list[set[str]]) -> None:
    found: list[set[str]] = []
    for state in crash_states(run(text)[0]):
        paths = {path.decode() for path in observe(state)[0]}
        if paths not in found:
            found.append(paths)
    assert found == expected, clause


def test_numbers_are_not_given_out_again_after_a_rollback() -> None:
    """Z6."""
    text = 'snapshot "s"\nmkdir "/a" 0o755\nrollback "s"\nmkdir "/a" 0o755'
    assert run(text)[0].volume.next_number == System.fresh().volume.next_number + 2


def test_what_a_snapshot_shows_stays_as_it_is() -> None:
    """Z3: contents, attributes and times."""
    make = FILE + 'pwrite 3 "before" 0\nsetxattr "/f" "user.k" "v" 0\nsnapshot "s"\n'
    kept = observe(run(make)[0])[0][b"@0:s/f"]
    change = 'pwrite 3 "after." 0\nchmod "/f" 0o600\nlink "/f" "/g"\nremovexattr "/f" "user.k"'
    assert observe(run(make + change)[0])[0][b"@0:s/f"] == kept
