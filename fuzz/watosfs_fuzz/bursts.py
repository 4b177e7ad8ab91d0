"""Runs of related operations that single draws would hardly add up to.

Trees split after dozens of names or extents, a disk is full after dozens of writes: each burst
goes straight there, with the trace's own names and directories.
"""

from collections.abc import Callable, Iterator

from watosfs.wfs3.format import name_hash
from watosfs_fuzz import parameters as p
from watosfs_fuzz.arguments import Arguments
from watosfs_fuzz.plan import Plan
from watosfs_model import operations as ops
from watosfs_model.open_flags import O_CREAT, O_RDWR
from watosfs_model.operations import Operation

Burst = Callable[[Plan, Arguments], Iterator[Operation]]
#: Neighbours here are neighbours in the tree of a directory.
NEIGHBOURS = sorted(p.NAMES_MANY, key=name_hash)
#: Names that a churn uses, and how many of them go at once.
CHURNED, GAP = 20, 10


def burst(plan: Plan, arguments: Arguments) -> list[Operation]:
    """One run, that of the trace's style or any."""
    if plan.style == "crowd" and arguments.random() < 0.7:
        return list(churn(plan, arguments))
    make = BY_STYLE.get(plan.style) or arguments.pick(ALL)
    return list(make(plan, arguments))


def crowd(plan: Plan, a: Arguments) -> Iterator[Operation]:
    """Many names in one directory, then most of them gone again: splits and merges."""
    directory = a.directory().rstrip(b"/")
    count = a.pick((16, 30, 60) if plan.style == "crowd" else (5, 10, 16))
    paths = [directory + b"/" + name for name in a.rng.sample(p.NAMES_MANY, count)]
    links = {path for path in paths if a.random() < 0.5}
    for path in paths:
        yield ops.Symlink(b"t", path) if path in links else ops.Mkdir(path, 0o755)
    if a.random() < 0.6:
        for path in a.rng.sample(paths, count * 3 // 4):
            yield ops.Unlink(path) if path in links else ops.Rmdir(path)


def churn(plan: Plan, a: Arguments) -> Iterator[Operation]:
    """Neighbours in the tree of a directory come and go: leaves run empty, names come back between
    the separators that are left, and nodes join that were apart.
    """
    directory = a.directory().rstrip(b"/")
    first = a.rng.randrange(len(NEIGHBOURS) - CHURNED)
    paths = [directory + b"/" + name for name in NEIGHBOURS[first : first + CHURNED]]
    here: set[int] = set()
    for share in (1, 0.75, 0.75):
        missing = [at for at in range(CHURNED) if at not in here]
        come = a.rng.sample(missing, int(len(missing) * share))
        yield from (ops.Mkdir(paths[at], 0o755) for at in come)
        here.update(come)
        gap = a.rng.randrange(CHURNED - GAP + 1)
        yield from (ops.Rmdir(paths[at]) for at in range(gap, gap + GAP) if at in here)
        back = a.rng.sample(range(gap, gap + GAP), 2)
        yield from (ops.Mkdir(paths[at], 0o755) for at in back)
        here = here - set(range(gap, gap + GAP)) | set(back)
        around = range(max(gap - GAP, 0), min(gap + 2 * GAP, CHURNED))
        go = [at for at in around if at in here and a.random() < 0.5]
        yield from (ops.Rmdir(paths[at]) for at in a.rng.sample(go, len(go)))
        here -= set(go)
    yield from (ops.Rmdir(paths[at]) for at in a.rng.sample(sorted(here), len(here)))


def new_file(a: Arguments) -> tuple[Operation, int]:
    """Making a file, and the descriptor that it will most likely have."""
    return ops.Open(a.new_path(), O_CREAT | O_RDWR, 0o644), a.sketch.lowest_free()


def holes(plan: Plan, a: Arguments) -> Iterator[Operation]:
    """Every other block of a file: as many extents as its size allows."""
    operation, fd = new_file(a)
    yield operation
    count = a.pick((40, 90, 110) if plan.style == "extents" else (4, 10))
    places = list(range(count))
    if a.random() < 0.5:
        a.rng.shuffle(places)
    step = a.pick((2 * p.BLOCK, 2 * p.BLOCK, p.CHUNK, 3 * p.BLOCK))
    for place in places:
        yield ops.Pwrite(fd, a.data(a.pick((1, 100, 4096))), place * step)
    if a.random() < 0.5:
        yield ops.Ftruncate(fd, int(a.random() * count * step))


def deepen(plan: Plan, a: Arguments) -> Iterator[Operation]:
    """A directory in a directory in a directory, with a file at the bottom."""
    path = a.directory().rstrip(b"/")
    for _ in range(a.rng.randint(2, p.DEPTH_MAX)):
        path += b"/" + a.pick(plan.names)
        yield ops.Mkdir(path, 0o755)
    yield ops.Open(path + b"/f", O_CREAT | O_RDWR, 0o644)


def fill(plan: Plan, a: Arguments) -> Iterator[Operation]:
    """Write until nothing fits, with smaller pieces at the end."""
    operation, fd = new_file(a)
    yield operation
    offset = 0
    large = p.LENGTHS_FILLING[0]
    for length in p.LENGTHS_FILLING:
        times = plan.volume_blocks * p.BLOCK // large if length == large else 2
        for _ in range(times):
            yield ops.Pwrite(fd, a.data(length), offset)
            offset += length


def regrow(plan: Plan, a: Arguments) -> Iterator[Operation]:
    """Write, cut, grow, look: what was cut must not come back."""
    operation, fd = new_file(a)
    yield operation
    length = a.pick(p.LENGTHS_WRITTEN)
    yield ops.Pwrite(fd, a.data(length), 0)
    if a.random() < 0.5:
        yield ops.Fsync(fd)
    yield ops.Ftruncate(fd, max(0, a.pick((length - 1, length // 2, length - p.BLOCK, 0))))
    yield ops.Ftruncate(fd, max(0, length + a.pick(p.NUDGES)))
    yield ops.Pread(fd, length, 0)


def orphan(plan: Plan, a: Arguments) -> Iterator[Operation]:
    """A file without a name that goes on being used, across a commit."""
    operation, fd = new_file(a)
    assert isinstance(operation, ops.Open)
    yield operation
    yield ops.Pwrite(fd, a.data(a.length()), 0)
    yield ops.Unlink(operation.path)
    if a.random() < 0.7:
        yield ops.Sync()
    yield ops.Pwrite(fd, a.data(a.length()), a.offset(4096))
    yield a.pick((ops.Crash(), ops.Close(fd), ops.Fsync(fd), ops.Remount()))


BY_STYLE: dict[str, Burst] = {
    "crowd": crowd, "extents": holes, "deep": deepen, "full": fill, "orphans": orphan,
}  # fmt: skip
ALL: tuple[Burst, ...] = (crowd, holes, deepen, fill, regrow, regrow, orphan)
