"""Every random trace on a FAT volume ends with fsck.fat and mtools agreeing with us."""

from pathlib import Path

import pytest

from tests.impl.fat.traces import Trace, tree_of, tree_on
from tests.referee import dos_tools
from watosfs.block.memory import MemoryDevice
from watosfs.fat.volume import FatVolume

TRACES = 1000


def judge(seed: int, bits: int, folder: Path) -> None:
    trace = Trace(seed, bits)
    device = MemoryDevice(trace.size_bytes // 512, 512)
    trace.run(device, steps=30 + seed % 4 * 40)
    wanted = tree_of(trace.root)
    assert tree_on(FatVolume.mount(device, read_only=True)) == wanted
    image = folder / "image"
    image.write_bytes(device.snapshot())
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
