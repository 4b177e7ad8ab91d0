"""Damaged FAT images end every command with an exit status and lines on stderr, never otherwise."""

import shutil
from itertools import islice
from pathlib import Path

import pytest

from tests.impl.cli.conftest import Runner
from tests.impl.fat.test_damage import damaged
from watosfs.fat.volume import FatVolume

COMMANDS = (
    "df --json image", "df --stats image", "tree --json image", "get -r image:/ out",
    "put file image:/newer", "mkdir image:/made", "mv image:/made image:/Made",
    "rm -rf image:/A image:/made",
)  # fmt: skip


def use(watosfs: Runner, here: Path) -> int:
    """Run every command on ``image``, then mend it; how many commands failed, as they may."""
    (here / "file").write_bytes(b"f" * 3000)
    failed = 0
    for command in COMMANDS:
        ran = watosfs(*command.split())
        assert ran.status in (0, 1), ran
        lines = ran.err.splitlines()
        assert bool(lines) == bool(ran.status), ran
        assert all(line.startswith(f"watosfs: {command.split()[0]}: ") for line in lines), ran
        failed += ran.status
    shutil.rmtree(here / "out", ignore_errors=True)
    if watosfs("check", "--repair", "image").status != 2:  # 2: no longer known for a FAT volume
        assert watosfs.ok("check", "image").lines[-1] == "image: clean"
    return failed


@pytest.mark.parametrize("bits", [12, 16, 32])
@pytest.mark.parametrize("seed", range(2))
def test_commands_end_well_on_damaged_images(
    seed: int, bits: int, here: Path, watosfs: Runner
) -> None:
    failed = 0
    for device in islice(damaged(seed, bits), 12):
        (here / "image").write_bytes(device.snapshot())
        failed += use(watosfs, here)
    assert failed


def test_an_exception_that_is_no_oserror_is_seen(
    here: Path, watosfs: Runner, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The canary: a reader that lets something else out."""

    def stat(volume: FatVolume, path: bytes) -> None:
        raise IndexError

    watosfs.ok("mkfs", "image", "--size", "1440K", "--type", "fat12")
    monkeypatch.setattr(FatVolume, "stat", stat)
    with pytest.raises(IndexError):
        use(watosfs, here)
