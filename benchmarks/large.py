"""``python -m benchmarks.large``: what an operation costs as the volume grows.

Five things grow, each by itself: the volume (to 16 TiB, sparse), a file (to 1 TiB, sparse), the
files in one directory (to 1,000,000), the extents of one file (to 100,000), snapshots (to 10,000,
a file changed between any two). At each size: mount, a lookup with cold caches, and a commit of one
small change (of snapshots: a file changed, and one made; or one in the middle deleted), in
microseconds (medians) and in blocks read or written, which no machine can change. ``--out DIR``
keeps ``large.json``, ``large.md`` and ``large.png``.
"""

# Size: what grows is alike in each case; the cases side by side are easier to compare.

import argparse
import json
import random
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from watosfs.block.memory import MemoryDevice
from watosfs.block.statistics import CountingDevice
from watosfs.wfs3.handle import O_CREAT, O_RDWR
from watosfs.wfs3.mkfs import mkfs
from watosfs.wfs3.paths import Follow
from watosfs.wfs3.volume import Volume

KIB, MIB, GIB, TIB = 1 << 10, 1 << 20, 1 << 30, 1 << 40
BLOCK = 4096
SAMPLES = 15
#: What grows: sizes, and in which unit they are told.
VOLUMES = [GIB, 32 * GIB, TIB, 16 * TIB]
FILES = [1_000, 10_000, 100_000, 1_000_000]
SPANS = [GIB, 32 * GIB, TIB]
EXTENTS = [100, 1_000, 10_000, 100_000]
SNAPSHOTS = [100, 1_000, 10_000]


@dataclass
class Row:
    """One size of one thing that grows. Times in us, each operation with the blocks it moved."""

    grows: str
    size: int
    height: int
    fill_us: float  #: for each file, extent or write, with the commit at the end
    mount_us: float
    mount_blocks: float
    lookup_us: float
    lookup_blocks: float
    commit_us: float
    commit_blocks: float
    lookup_nodes_max: int  #: what the heights of the trees allow


def sampled(
    device: CountingDevice, call: Callable[[int], object], before: Callable[[], object] = int
) -> tuple[float, float]:
    """(median us, median blocks moved) of a call, each time after ``before``."""
    times, blocks = [], []
    for i in range(SAMPLES):
        before()
        counts = device.counts.copy()
        start = time.perf_counter()
        call(i)
        times.append(time.perf_counter() - start)
        moved = device.counts - counts
        blocks.append(moved.blocks_read + moved.blocks_written)
    return statistics.median(times) * 1e6, statistics.median(blocks)


class Site:
    """A volume under measurement."""

    def __init__(self, size_bytes: int) -> None:
        self.device = CountingDevice(MemoryDevice(size_bytes // BLOCK))
        mkfs(self.device)
        self.volume = Volume.mount(self.device)

    def remount(self) -> None:
        """Cold caches."""
        self.volume.unmount()
        self.volume = Volume.mount(self.device)

    def measure(
        self,
        grows: str,
        size: int,
        fill_us: float,
        look: Callable[[int], object],
        change: Callable[[int], object],
        path: bytes,
    ) -> Row:
        """Mount, look and change, several times each."""
        volume = self.volume
        volume.sync()
        tree = volume.engine.tree(volume.namespace.find(path, Follow.ALWAYS))
        inodes = volume.engine.inode_tree
        height, levels = tree.height, 3 * (inodes.height + 1) + 2 * (tree.height + 1)

        def mount(_: int) -> None:
            self.volume = Volume.mount(self.device)

        def commit(i: int) -> None:
            change(i)
            self.volume.sync()

        mounted = sampled(self.device, mount, lambda: self.volume.unmount())
        looked = sampled(self.device, look, self.remount)
        change(SAMPLES)
        self.volume.sync()
        committed = sampled(self.device, commit)
        self.volume.unmount()
        return Row(grows, size, height, fill_us, *mounted, *looked, *committed, levels)


def per_item_us(start: float, count: int) -> float:
    """Microseconds an item since ``start``."""
    return (time.perf_counter() - start) / count * 1e6


def growing_volume(size: int) -> Row:
    """One small tree on ever larger volumes."""
    site = Site(size)
    start = time.perf_counter()
    for i in range(1000):
        site.volume.create(b"/f%d" % i).close()
    site.volume.sync()
    return site.measure(
        "volume, bytes", size, per_item_us(start, 1000),
        lambda i: site.volume.stat(b"/f%d" % (i * 61)),
        lambda i: site.volume.create(b"/new%d" % i).close(), b"/",
    )  # fmt: skip


def growing_file(span: int) -> Row:
    """1,000 blocks anywhere in a file of ever larger size, on 16 TiB."""
    site = Site(16 * TIB)
    rng = random.Random(1)
    offsets = [rng.randrange(span // BLOCK) * BLOCK for _ in range(1000)]
    start = time.perf_counter()
    with site.volume.create(b"/sparse") as handle:
        handle.truncate(span)
        for offset in offsets:
            handle.pwrite(b"x" * BLOCK, offset)
    site.volume.sync()
    return site.measure(
        "file, bytes", span, per_item_us(start, 1000),
        lambda i: read_at(site.volume, b"/sparse", offsets[i * 61]),
        lambda i: write_at(site.volume, b"/sparse", rng.randrange(span // BLOCK) * BLOCK),
        b"/sparse",
    )  # fmt: skip


def growing_directory(count: int) -> Row:
    """Ever more files in one directory."""
    site = Site(16 * TIB)
    site.volume.mkdir(b"/d")
    start = time.perf_counter()
    for i in range(count):
        site.volume.create(b"/d/file%d" % i).close()
    site.volume.sync()
    return site.measure(
        "files in a directory", count, per_item_us(start, count),
        lambda i: site.volume.stat(b"/d/file%d" % (i * 7919 % count)),
        lambda i: site.volume.create(b"/d/new%d" % i).close(), b"/d",
    )  # fmt: skip


def growing_extents(count: int) -> Row:
    """Ever more extents in one file: every other block is a hole."""
    site = Site(16 * TIB)
    start = time.perf_counter()
    with site.volume.create(b"/f") as handle:
        for i in range(count):
            handle.pwrite(b"x" * BLOCK, 2 * i * BLOCK)
    site.volume.sync()
    return site.measure(
        "extents in a file", count, per_item_us(start, count),
        lambda i: read_at(site.volume, b"/f", 2 * BLOCK * (i * 7919 % count)),
        lambda i: write_at(site.volume, b"/f", 2 * BLOCK * (i * 104_729 % count)), b"/f",
    )  # fmt: skip


def growing_snapshots(count: int, *, deletes: bool = False) -> Row:
    """Ever more snapshots of 50 files, of which one changes before each."""
    site = Site(16 * TIB)
    for i in range(50):
        write_at(site.volume, b"/f%d" % i, 0)

    def make(i: int) -> None:
        write_at(site.volume, b"/f%d" % (i % 50), 0)
        site.volume.snapshot_create(b"s%d" % i)

    start = time.perf_counter()
    for i in range(count):
        make(i)
    filled_us = per_item_us(start, count)
    site.volume.snapshots()
    middle = (count - SAMPLES) // 2
    return site.measure(
        "snapshots (delete)" if deletes else "snapshots", count, filled_us,
        lambda i: site.volume.stat(b"/f%d" % i),
        (lambda i: site.volume.snapshot_delete(b"s%d" % (middle + i)))
        if deletes
        else (lambda i: make(count + i)),
        b"/",
    )  # fmt: skip


def read_at(volume: Volume, path: bytes, offset: int) -> None:
    """One block of a file."""
    with volume.open(path) as handle:
        assert handle.pread(BLOCK, offset)


def write_at(volume: Volume, path: bytes, offset: int) -> None:
    """One block of a file."""
    with volume.open(path, O_RDWR | O_CREAT) as handle:
        handle.pwrite(b"y" * BLOCK, offset)


def rows(share: float) -> Iterator[Row]:
    """All rows, with ``share`` of the items (1 for the real sizes)."""
    for size in VOLUMES:
        yield growing_volume(size)
    for span in SPANS:
        yield growing_file(span)
    for count in FILES:
        yield growing_directory(max(int(count * share), SAMPLES))
    for count in EXTENTS:
        yield growing_extents(max(int(count * share), SAMPLES))
    for deletes in (False, True):
        for count in SNAPSHOTS:
            yield growing_snapshots(max(int(count * share), 2 * SAMPLES), deletes=deletes)


def size_text(row: Row) -> str:
    """16 TiB, or 1,000,000."""
    if not row.grows.endswith("bytes"):
        return f"{row.size:,}"
    unit, name = (TIB, "TiB") if row.size >= TIB else (GIB, "GiB")
    return f"{row.size // unit} {name}"


def markdown(measured: list[Row]) -> str:
    """The table."""
    lines = [
        "| grows | size | height | fill, us each | mount, us (blocks) | cold lookup, us (blocks) |"
        " change and commit, us (blocks) |",
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    for row in measured:
        pairs = [
            f"{us:,.0f} ({blocks:,.0f})"
            for us, blocks in (
                (row.mount_us, row.mount_blocks),
                (row.lookup_us, row.lookup_blocks),
                (row.commit_us, row.commit_blocks),
            )
        ]
        cells = [row.grows.removesuffix(", bytes"), size_text(row), str(row.height)]
        lines.append(f"| {' | '.join([*cells, f'{row.fill_us:.1f}', *pairs])} |")
    return "\n".join(lines) + "\n"


def plot(measured: list[Row], path: Path) -> None:
    """One panel for each thing that grows: us over size, both logarithmic."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot

    kinds = list(dict.fromkeys(row.grows for row in measured))
    figure, panels = pyplot.subplots(1, len(kinds), figsize=(4 * len(kinds), 3.2), sharey=True)
    for kind, axis in zip(kinds, panels, strict=True):
        chosen = [row for row in measured if row.grows == kind]
        for name in ("mount", "lookup", "commit"):
            values = [getattr(row, f"{name}_us") for row in chosen]
            axis.plot([row.size for row in chosen], values, marker="o", label=name)
        axis.set(title=kind, xscale="log", yscale="log")
    panels[0].set_ylabel("us")
    panels[0].legend()
    figure.tight_layout()
    figure.savefig(path, dpi=110)
    pyplot.close(figure)


def main(argv: list[str] | None = None) -> int:
    """Measure, print the table, keep it; exit status 0."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.large", description=__doc__)
    parser.add_argument("--share", type=float, default=1, help="of the items, for a trial (1)")
    parser.add_argument("--out", type=Path, help="keep large.md, large.json, large.png here")
    options = parser.parse_args(argv)
    measured = []
    for row in rows(options.share):
        print(f"{row.grows}: {size_text(row)}", file=sys.stderr)
        measured.append(row)
    print(markdown(measured))
    if options.out:
        options.out.mkdir(parents=True, exist_ok=True)
        (options.out / "large.md").write_text(markdown(measured))
        (options.out / "large.json").write_text(json.dumps([asdict(r) for r in measured], indent=1))
        plot(measured, options.out / "large.png")
    return 0


if __name__ == "__main__":
    sys.exit(main())
