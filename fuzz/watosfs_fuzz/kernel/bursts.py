"""Calls that belong together: users, permissions, listings."""

from collections.abc import Callable

from watosfs_fuzz.kernel import makers
from watosfs_fuzz.kernel.chooser import IDS, KEEP, Chooser
from watosfs_model.kernel import Call, calls, path_calls, process_calls
from watosfs_model.kernel import numbers as n
from watosfs_model.open_flags import O_CREAT, O_RDWR


def become(c: Chooser) -> list[Call]:
    """A user with groups, as login does it; opens something before."""
    user, group = c.pick(IDS), c.pick(IDS)
    return [
        process_calls.Setgroups(c.pick(((), (1,), (2, 3)))),
        process_calls.Setresgid(group, group, group),
        process_calls.Setresuid(user, user, c.pick((user, 0))),
        makers.openat(c),
    ]


def owned(c: Chooser) -> list[Call]:
    """Something that belongs to somebody, whose group or others may do more or less."""
    path = c.path()
    mode = c.pick((0o070, 0o770, 0o707, 0o750, 0o2770, 0o1777, 0o640))
    make: Call = path_calls.Mkdirat(n.AT_FDCWD, path, 0o777)
    if c.chance(0.5):
        make = calls.Openat(n.AT_FDCWD, path, O_CREAT | O_RDWR, 0o666)
    return [
        make,
        path_calls.Fchownat(n.AT_FDCWD, path, c.pick(IDS), c.pick(IDS), 0),
        path_calls.Fchmodat(n.AT_FDCWD, path, mode),
        *become(c)[:3],
        c.pick((calls.Openat(n.AT_FDCWD, path, O_RDWR, 0), path_calls.Unlinkat(-100, path, 0))),
        path_calls.Mkdirat(n.AT_FDCWD, path + b"/a", 0o777),
        path_calls.Unlinkat(n.AT_FDCWD, path + b"/a", 0x200),
    ]


def sticky(c: Chooser) -> list[Call]:
    """Somebody's file in somebody's sticky directory, and somebody who wants it gone."""
    path = c.path()
    return [
        path_calls.Mkdirat(n.AT_FDCWD, path, 0o777),
        path_calls.Fchmodat(n.AT_FDCWD, path, c.pick((0o1777, 0o1777, 0o777, 0o1770))),
        calls.Openat(n.AT_FDCWD, path + b"/a", O_CREAT | O_RDWR, 0o666),
        path_calls.Fchownat(n.AT_FDCWD, path + b"/a", c.pick(IDS), KEEP, 0),
        *become(c)[:3],
        c.pick(
            (
                path_calls.Unlinkat(n.AT_FDCWD, path + b"/a", 0),
                path_calls.Renameat(n.AT_FDCWD, path + b"/a", n.AT_FDCWD, path + b"/b"),
            )
        ),
    ]


def listing(c: Chooser) -> list[Call]:
    """A directory listed piece by piece while names come and go."""
    path = c.pick((b"/", b"d", b"a"))
    directory = c.fd_of("directory")
    names = [path.rstrip(b"/") + b"/" + name for name in (b"a", b"b", b"c")]
    return [
        *(path_calls.Mkdirat(n.AT_FDCWD, name, 0o777) for name in names),
        calls.Openat(n.AT_FDCWD, path, 0, 0),
        calls.Lseek(directory, 0, 0),
        calls.Getdents(directory, c.pick((1, 2))),
        path_calls.Unlinkat(n.AT_FDCWD, c.pick(names), 0x200),
        calls.Getdents(directory, c.pick((1, 9))),
        calls.Getdents(directory, 9),
        calls.Getdents(directory, 9),
    ]


#: Calls that belong together.
BURSTS: tuple[Callable[[Chooser], list[Call]], ...] = (become, owned, sticky, listing)
