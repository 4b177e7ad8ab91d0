"""A real directory tree copied into a volume, with the power cut at random places of the copy."""

import os
import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from watosfs.wfs3.check import check
from watosfs.wfs3.mkfs import mkfs
from watosfs.wfs3.volume import Volume
from watosfs_fuzz.crash.choice import in_flight
from watosfs_fuzz.crash.log import RecordingDevice
from watosfs_fuzz.crash.persistence import sector_values

LIBRARY = Path(os.__file__).parent
PIECE_BYTES = 1 << 20
FILES_A_COMMIT = 20


def sources(root: Path) -> Iterator[Path]:
    """Directories before what is in them, in a fixed order; no site-packages."""
    for path in sorted(root.iterdir()):
        if path.name in ("site-packages", "__pycache__") or path.is_symlink():
            continue
        yield path
        if path.is_dir():
            yield from sources(path)


def copy(volume: Volume, device: RecordingDevice, root: Path, paths: list[Path]) -> None:
    """One path after the other, a commit now and then; a mark says what is acknowledged."""
    for number, path in enumerate(paths):
        name = b"/" + os.fsencode(path.relative_to(root))
        if path.is_dir():
            volume.mkdir(name)
        else:
            with volume.create(name) as handle:
                data = path.read_bytes()
                for start in range(0, len(data), PIECE_BYTES):
                    handle.pwrite(data[start : start + PIECE_BYTES], start)
        if number % FILES_A_COMMIT == FILES_A_COMMIT - 1:
            volume.sync()
            device.mark(("acknowledged", number + 1))


def prefix_length(volume: Volume, root: Path, paths: list[Path]) -> int:
    """How many paths are there; asserts that they are the first, whole but for the last."""
    found = [path for path, _ in volume.walk() if path != b"/"]
    due = [b"/" + os.fsencode(path.relative_to(root)) for path in paths[: len(found)]]
    assert sorted(found) == sorted(due)
    for number, path in enumerate(paths[: len(found)]):
        if path.is_dir():
            continue
        with volume.open(due[number]) as handle:
            content = handle.pread(1 << 30, 0)
        whole = path.read_bytes()
        if number == len(found) - 1:
            assert whole.startswith(content)
            assert len(content) == len(whole) or len(content) % PIECE_BYTES == 0
        else:
            assert content == whole
    return len(found)


def check_power_cuts(root: Path, paths: list[Path], block_count: int, cuts: int) -> None:
    device = RecordingDevice(block_count)
    mkfs(device)
    base = dict(device.image)
    device.events.clear()
    volume = Volume.mount(device)
    copy(volume, device, root, paths)
    volume.unmount()
    assert check(device, data=True).is_clean
    assert prefix_length(Volume.mount(device), root, paths) == len(paths)
    rng = random.Random(1)
    lengths = set()
    for _ in range(cuts):
        end = rng.randrange(len(device.events))
        image, versions = in_flight(base, device.events[:end])
        for block, known in versions.items():
            image[block] = b"".join(rng.choice(values) for values in sector_values(known))
        recovered = RecordingDevice(block_count, image)
        again = Volume.mount(recovered)
        report = check(recovered, data=True)
        assert report.is_clean, [str(problem) for problem in report.problems]
        marks = [event.label[1] for event in device.events[:end] if hasattr(event, "label")]
        length = prefix_length(again, root, paths)
        assert length >= max(marks, default=0)
        lengths.add(length)
    assert len(lengths) > 1


def test_a_copy_of_some_packages_survives_power_cuts() -> None:
    root = LIBRARY
    paths = [
        path
        for path in sources(root)
        if path.relative_to(root).parts[0] in ("asyncio", "email", "json", "xml")
    ]
    assert len(paths) > 80
    check_power_cuts(root, paths, 4096, cuts=25)


@pytest.mark.slow
def test_a_copy_of_the_whole_standard_library_survives_a_hundred_power_cuts() -> None:
    paths = list(sources(LIBRARY))
    assert len(paths) > 1500
    check_power_cuts(LIBRARY, paths, 1 << 17, cuts=100)
