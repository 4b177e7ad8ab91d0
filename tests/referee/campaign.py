"""``python -m tests.referee.campaign --bits 12 --first 1000 --count 100``: traces and all referees.

Every random trace on a FAT volume is run once; then fsck.fat, mtools, 7-Zip, GRUB and pyfatfs judge
the same final image. Slices of a campaign are given by ``--first`` and ``--count``. Exit status: 0
all agree, 1 not.
"""

import argparse
import random
import sys
import tempfile
import time
import traceback
import warnings
from collections.abc import Callable
from pathlib import Path

from tests.impl.fat.traces import Trace, tree_of, tree_on
from tests.referee import dos_tools
from watosfs.block.memory import MemoryDevice
from watosfs.fat.volume import FatVolume

#: path -> (bytes or None of a directory, time of change in ns)
Tree = dict[str, tuple[bytes | None, int]]


def ran(seed: int, bits: int, image: Path) -> Tree:
    """Run a trace and write the image; what must be in it."""
    trace = Trace(seed, bits)
    unit = 4096 if seed % 2 else 512
    device = MemoryDevice(trace.size_bytes // unit, unit)
    trace.run(device, steps=30 + seed % 4 * 40)
    wanted = tree_of(trace.root)
    assert tree_on(FatVolume.mount(device, read_only=True)) == wanted
    image.write_bytes(device.snapshot())
    return wanted


def by_fsck(image: Path, wanted: Tree, seed: int) -> None:
    """fsck.fat -n finds nothing."""
    dos_tools.fsck(image)


def by_mtools(image: Path, wanted: Tree, seed: int) -> None:
    """mcopy takes out the same names, times and bytes."""
    seen = {dos_tools.as_mtools_names(path): entry for path, entry in wanted.items()}
    assert dos_tools.tree(image, image.parent / "tree") == seen


def by_seven_zip(image: Path, wanted: Tree, seed: int) -> None:
    """7-Zip takes out the same names, times and bytes."""
    assert dos_tools.seven_zip_tree(image, image.parent / "tree") == wanted


def by_grub(image: Path, wanted: Tree, seed: int) -> None:
    """GRUB reads the bytes of three files."""
    files = sorted(path for path, (data, _) in wanted.items() if data is not None)
    for path in random.Random(seed).sample(files, min(3, len(files))):
        assert dos_tools.grub_content(image, path) == wanted[path][0], path


def by_pyfatfs(image: Path, wanted: Tree, seed: int) -> None:
    """pyfatfs does not know the bits that keep a short name's case: compared without case."""
    data = {path.upper(): data for path, (data, _) in wanted.items()}
    assert {path.upper(): data for path, data in _pyfatfs_tree(image).items()} == data


def _pyfatfs_tree(image: Path) -> dict[str, bytes | None]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from pyfatfs.PyFatFS import PyFatFS
    found: dict[str, bytes | None] = {}
    with PyFatFS(str(image), read_only=True) as volume:
        waiting = [""]
        while waiting:
            folder = waiting.pop()
            for name in volume.listdir(folder or "/"):
                path = f"{folder}/{name}"
                if volume.isdir(path):
                    waiting.append(path)
                    found[path] = None
                else:
                    found[path] = volume.readbytes(path)
    return found


Judge = Callable[[Path, Tree, int], None]
REFEREES: dict[str, Judge] = {
    "fsck.fat": by_fsck,
    "mtools": by_mtools,
    "7-Zip": by_seven_zip,
    "GRUB": by_grub,
    "pyfatfs": by_pyfatfs,
}


def judge(seed: int, bits: int, folder: Path, referees: dict[str, Judge]) -> int:
    """Run one trace and let each referee see its image; how many names it ended with."""
    image = folder / "image"
    wanted = ran(seed, bits, image)
    for look in referees.values():
        look(image, wanted, seed)
    return len(wanted)


def main() -> int:
    """Run a slice and print its figures."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--bits", type=int, choices=(12, 16, 32), required=True)
    parser.add_argument("--first", type=int, default=1000, help="seed of the first trace")
    parser.add_argument("--count", type=int, default=1000)
    options = parser.parse_args()
    names, failed, started = 0, 0, time.monotonic()
    with tempfile.TemporaryDirectory() as scratch:
        for seed in range(options.first, options.first + options.count):
            try:
                names += judge(seed, options.bits, Path(scratch), REFEREES)
            except Exception:
                failed += 1
                print(f"FAT{options.bits}, seed {seed}:", traceback.format_exc(), file=sys.stderr)
    took = time.monotonic() - started
    print(
        f"FAT{options.bits}: {options.count:,} traces from seed {options.first}, {names:,} names, "
        f"{', '.join(REFEREES)}: {failed} disagreements, {took:.0f} s"
    )
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
