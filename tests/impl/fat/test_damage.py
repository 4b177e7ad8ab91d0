"""Damaged volumes: reading fails with an errno or works, and repair leaves a clean volume.

Checks: seeded random damage to tables, directories, FSInfo and the boot sector of volumes with
files; that mounting, walking, reading and changing raise nothing but ``OSError``; that a repaired
volume is clean, and that every file can be read then.
"""

import random
from collections.abc import Iterator

import pytest

from tests.impl.fat.traces import Trace, tree_on
from watosfs.block.memory import MemoryDevice
from watosfs.fat.check import check
from watosfs.fat.volume import FatVolume


def damaged(seed: int, bits: int) -> Iterator[MemoryDevice]:
    """Volumes, each damaged in another way."""
    trace = Trace(seed, bits, is_small=True)
    sound = MemoryDevice(trace.size_bytes // 512, 512)
    trace.run(sound, steps=60)
    before = sound.snapshot()
    geometry = trace.volume.engine.geometry
    rng = random.Random(seed)
    used_fat = [i for i in range(geometry.fat_start, geometry.fat_start + 2000) if before[i]]
    slots = [
        i
        for i in range(geometry.root_start, len(before), 32)
        if before[i] and before[i + 11] in (0x10, 0x20, 0x0F)
    ]
    for _ in range(20):
        image = bytearray(before)
        for _ in range(rng.choice((1, 1, 2, 5, 20))):
            kind = rng.randrange(10)
            if kind < 5 and used_fat:
                offset = rng.choice(used_fat)
                value = rng.choice((0, 1, 0xFF, 0xF7, image[rng.choice(used_fat)]))
                image[offset] = value
            elif kind < 9 and slots:
                offset = rng.choice(slots) + rng.choice((0, 1, 8, 11, 13, 20, 26, 27, 28, 29, 30))
                image[offset] = rng.choice((0, 0xE5, 0x0F, 0x10, 2, rng.randrange(256)))
            else:
                image[rng.randrange(geometry.data_start)] = rng.randrange(256)
        yield MemoryDevice.from_bytes(bytes(image), 512)


def use(device: MemoryDevice, rng: random.Random) -> None:
    """Walk, read and change a volume that may be damaged; failing is fine."""
    volume = FatVolume.mount(device)
    found: list[tuple[bytes, str]] = []
    waiting = [b""]
    while waiting:
        path = waiting.pop()
        try:
            entries = volume.readdir(path or b"/")
        except OSError:
            continue
        for entry in entries:
            found.append((path + b"/" + entry.name, entry.kind))
            if entry.kind == "directory" and path.count(b"/") < 8:
                waiting.append(path + b"/" + entry.name)
    for path, _ in found:
        for change in (
            lambda path=path: volume.read_file(path),
            lambda path=path: volume.write_file(path, b"x" * 3000),
            lambda path=path: volume.truncate(path, 10),
            lambda path=path: volume.rename(path, rng.choice(found)[0]),
            lambda path=path: volume.mkdir(path + b"/new"),
            lambda path=path: volume.unlink(path),
            lambda path=path: volume.rmdir(path),
        ):
            if rng.randrange(2):
                try:
                    change()
                except OSError:
                    continue
    volume.unmount()


def judge(seed: int, bits: int) -> None:
    rng = random.Random(seed)
    for device in damaged(seed, bits):
        image = device.snapshot()
        try:
            report = check(device, repair=True)
        except OSError:
            continue
        after = check(device)
        assert after.is_clean, (report.problems, after.problems)
        tree_on(FatVolume.mount(device, read_only=True))
        broken = MemoryDevice.from_bytes(image, 512)
        try:
            use(broken, rng)
        except OSError:
            continue
        check(broken, repair=True)
        assert check(broken).is_clean


@pytest.mark.parametrize("bits", [12, 16, 32])
@pytest.mark.parametrize("seed", range(4))
def test_a_damaged_volume_fails_with_errnos_and_is_clean_after_repair(seed: int, bits: int) -> None:
    judge(seed, bits)


@pytest.mark.slow
@pytest.mark.parametrize("bits", [12, 16, 32])
def test_thousands_of_damaged_volumes_are_clean_after_repair(bits: int) -> None:
    for seed in range(1000, 1100):
        judge(seed, bits)
