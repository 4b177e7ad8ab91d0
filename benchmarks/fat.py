"""``python -m benchmarks.fat``: FAT32 against pyfatfs, identical work on identical images.

Every round runs both on a fresh image file of 600 MB, one after the other; medians. pyfatfs is slow
to create files in a large directory (each costs more than the one before), so there are few of
them; ``--files 5000`` takes it many minutes. We flush what we wrote, pyfatfs never does: with
``--durable`` an fsync of the image follows its work too. ``--folder``: on which file system.
"""

import argparse
import os
import random
import statistics
import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

from watosfs.block.file import FileDevice
from watosfs.fat.mkfs import Options, mkfs
from watosfs.fat.volume import FatVolume

MIB = 1 << 20
PIECES = 64
READ_SIZE = 4096
SMALL = b"x" * 100
#: Work, unit, whether more is better, goal in times pyfatfs.
WORKS = {
    "write": ("write 64 MiB by 1 MiB", "MB/s", True, 1.5),
    "read": ("read 64 MiB by 1 MiB", "MB/s", True, 1.5),
    "random": ("read 4 KiB anywhere, warm", "us", False, 50),
    "create": ("create a file of 100 bytes", "us", False, 50),
    "stat": ("look one up", "us", False, 0),
    "delete": ("delete one", "us", False, 0),
    "mount": ("mount and list the root", "ms", False, 10),
}


class Ours:
    """watosfs.fat on an image file."""

    def mount(self, image: Path) -> None:
        self.device = FileDevice.open(image, block_size_bytes=512)
        self.volume = FatVolume.mount(self.device)
        self.volume.readdir(b"/")

    def write(self, piece: bytes) -> None:
        with self.volume.create(b"/big") as handle:
            for i in range(PIECES):
                handle.pwrite(piece, i * MIB)
        self.volume.sync()

    def read(self, offsets: list[int], size: int) -> None:
        with self.volume.open(b"/big") as handle:
            for offset in offsets:
                assert len(handle.pread(size, offset)) == size

    def create(self, count: int) -> None:
        for i in range(count):
            self.volume.write_file(b"/d/file%05d.txt" % i, SMALL)
        self.volume.sync()

    def stat(self, count: int) -> None:
        for i in range(count):
            self.volume.stat(b"/d/file%05d.txt" % i)

    def delete(self, count: int) -> None:
        for i in range(count):
            self.volume.unlink(b"/d/file%05d.txt" % i)
        self.volume.sync()

    def mkdir(self) -> None:
        self.volume.mkdir(b"/d")

    def unmount(self) -> None:
        self.volume.unmount()
        self.device.close()


class Theirs:
    """pyfatfs on an image file; with ``durable`` flushed to the disk after writing as we are."""

    def __init__(self, durable: bool = False) -> None:
        self.durable = durable

    def flush(self) -> None:
        """What was written is on the disk, if that is wanted."""
        if self.durable:
            descriptor = os.open(self.image, os.O_RDONLY)
            os.fsync(descriptor)
            os.close(descriptor)

    def mount(self, image: Path) -> None:
        from pyfatfs.PyFatFS import PyFatFS

        self.image = image
        self.volume: Any = PyFatFS(str(image))
        self.volume.listdir("/")

    def write(self, piece: bytes) -> None:
        with self.volume.openbin("/big", "w") as file:
            for _ in range(PIECES):
                file.write(piece)
        self.flush()

    def read(self, offsets: list[int], size: int) -> None:
        with self.volume.openbin("/big", "r") as file:
            for offset in offsets:
                file.seek(offset)
                assert len(file.read(size)) == size

    def create(self, count: int) -> None:
        for i in range(count):
            self.volume.writebytes(f"/d/file{i:05}.txt", SMALL)
        self.flush()

    def stat(self, count: int) -> None:
        for i in range(count):
            self.volume.getinfo(f"/d/file{i:05}.txt", namespaces=["details"])

    def delete(self, count: int) -> None:
        for i in range(count):
            self.volume.remove(f"/d/file{i:05}.txt")
        self.flush()

    def mkdir(self) -> None:
        self.volume.makedir("/d")

    def unmount(self) -> None:
        self.volume.close()


def timed(call: Callable[[], object]) -> float:
    """Seconds."""
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def run_once(subject: Ours | Theirs, folder: Path, files: int) -> dict[str, float]:
    """One round of one subject: figures by work."""
    image = folder / "image"
    image.unlink(missing_ok=True)
    with FileDevice.open(image, create_size=600_000 * 1024, block_size_bytes=512) as device:
        mkfs(device, Options(bits=32))
    piece = os.urandom(MIB)
    in_order = [i * MIB for i in range(PIECES)]
    rng = random.Random(1)
    anywhere = [rng.randrange(PIECES * MIB // READ_SIZE) * READ_SIZE for _ in range(300)]
    megabytes = PIECES * MIB / 1e6
    figures = {}
    subject.mount(image)
    figures["write"] = megabytes / timed(lambda: subject.write(piece))
    figures["read"] = megabytes / timed(lambda: subject.read(in_order, MIB))
    subject.read(anywhere, READ_SIZE)
    figures["random"] = timed(lambda: subject.read(anywhere, READ_SIZE)) / len(anywhere) * 1e6
    subject.mkdir()
    for work, call in (
        ("create", subject.create),
        ("stat", subject.stat),
        ("delete", subject.delete),
    ):
        figures[work] = timed(lambda call=call: call(files)) / files * 1e6  # type: ignore[misc]
        if work == "stat":
            subject.unmount()
            figures["mount"] = timed(lambda: subject.mount(image)) * 1e3
    subject.unmount()
    return figures


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--files", type=int, default=200)
    parser.add_argument("--durable", action="store_true", help="flush after pyfatfs too")
    parser.add_argument("--folder", type=Path, help="where the image is made (TMPDIR)")
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    rounds: dict[str, list[dict[str, float]]] = {"ours": [], "theirs": []}
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        for _ in range(options.rounds):
            rounds["ours"].append(run_once(Ours(), Path(folder), options.files))
            rounds["theirs"].append(run_once(Theirs(options.durable), Path(folder), options.files))
    print(f"{'work':30} {'ours':>9} {'pyfatfs':>9} {'unit':5} {'times':>6} {'goal':>5}")
    for work, (text, unit, more, goal) in WORKS.items():
        ours, theirs = (
            statistics.median(figures[work] for figures in rounds[who]) for who in rounds
        )
        ratio = ours / theirs if more else theirs / ours
        wanted = f"{goal:5g}" if goal else ""
        print(f"{text:30} {ours:9,.1f} {theirs:9,.1f} {unit:5} {ratio:6,.1f} {wanted}")


if __name__ == "__main__":
    main()
