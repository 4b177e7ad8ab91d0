"""Every random trace on a FAT volume ends with fsck.fat and mtools agreeing with us."""

import random
import warnings
from pathlib import Path

import pytest

from tests.impl.fat.traces import Trace, tree_of, tree_on
from tests.referee import dos_tools
from watosfs.block.memory import MemoryDevice
from watosfs.fat.volume import FatVolume

TRACES = 1000


def ran(seed: int, bits: int, image: Path) -> dict[str, tuple[bytes | None, int]]:
    """Run a trace and write the image; what must be in it."""
    trace = Trace(seed, bits)
    unit = 4096 if seed % 2 else 512
    device = MemoryDevice(trace.size_bytes // unit, unit)
    trace.run(device, steps=30 + seed % 4 * 40)
    wanted = tree_of(trace.root)
    assert tree_on(FatVolume.mount(device, read_only=True)) == wanted
    image.write_bytes(device.snapshot())
    return wanted


def judge(seed: int, bits: int, folder: Path) -> None:
    image = folder / "image"
    wanted = ran(seed, bits, image)
    dos_tools.fsck(image)
    seen = {dos_tools.as_mtools_names(path): entry for path, entry in wanted.items()}
    assert dos_tools.tree(image, folder / "tree") == seen


@pytest.mark.parametrize("bits", [12, 16, 32])
@pytest.mark.parametrize("seed", range(8))
def test_referees_agree_with_a_random_trace(seed: int, bits: int, tmp_path: Path) -> None:
    dos_tools.require("fsck.fat", "mcopy")
    judge(seed, bits, tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("bits", [12, 16, 32])
def test_referees_agree_with_a_thousand_random_traces(bits: int, tmp_path: Path) -> None:
    dos_tools.require("fsck.fat", "mcopy")
    for seed in range(1000, 1000 + TRACES):
        judge(seed, bits, tmp_path)


def judge_more(seed: int, bits: int, folder: Path) -> None:
    """7-Zip has the whole tree, GRUB the bytes of three files, pyfatfs names and bytes."""
    image = folder / "image"
    wanted = ran(seed, bits, image)
    assert dos_tools.seven_zip_tree(image, folder / "tree") == wanted
    files = sorted(path for path, (data, _) in wanted.items() if data is not None)
    for path in random.Random(seed).sample(files, min(3, len(files))):
        assert dos_tools.grub_content(image, path) == wanted[path][0], path


@pytest.mark.parametrize("bits", [12, 16, 32])
@pytest.mark.parametrize("seed", range(20, 24))
def test_seven_zip_and_grub_agree_with_a_random_trace(seed: int, bits: int, tmp_path: Path) -> None:
    dos_tools.require("7zz", "grub-fstest")
    judge_more(seed, bits, tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("bits", [12, 16, 32])
def test_seven_zip_and_grub_agree_with_a_thousand_random_traces(bits: int, tmp_path: Path) -> None:
    dos_tools.require("7zz", "grub-fstest")
    for seed in range(1000, 1000 + TRACES):
        judge_more(seed, bits, tmp_path)


def judge_with_pyfatfs(seed: int, bits: int, folder: Path) -> None:
    """pyfatfs does not know the bits that keep a short name's case: compared without case."""
    image = folder / "image"
    wanted = {path.upper(): data for path, (data, _) in ran(seed, bits, image).items()}
    assert {path.upper(): data for path, data in pyfatfs_tree(image).items()} == wanted


def pyfatfs_tree(image: Path) -> dict[str, bytes | None]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        module = pytest.importorskip("pyfatfs.PyFatFS", reason="pip install watosfs[targets]")
    found: dict[str, bytes | None] = {}
    with module.PyFatFS(str(image), read_only=True) as volume:
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


@pytest.mark.parametrize("bits", [12, 16, 32])
@pytest.mark.parametrize("seed", range(30, 34))
def test_pyfatfs_agrees_with_a_random_trace(seed: int, bits: int, tmp_path: Path) -> None:
    judge_with_pyfatfs(seed, bits, tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("bits", [12, 16, 32])
def test_pyfatfs_agrees_with_a_thousand_random_traces(bits: int, tmp_path: Path) -> None:
    for seed in range(1000, 1000 + TRACES):
        judge_with_pyfatfs(seed, bits, tmp_path)
