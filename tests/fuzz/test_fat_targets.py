"""FAT in lockstep with the model: planted faults are caught, made short, and replay."""

from pathlib import Path
from typing import Any

import pytest

from watosfs.fat import filedata as fat_data
from watosfs.fat import namespace as fat_names
from watosfs_fuzz.campaign import run_campaign
from watosfs_fuzz.cli.main import main
from watosfs_fuzz.findings import read_finding
from watosfs_fuzz.tally import Settings

TARGETS = ("fat12", "fat16", "fat32")


def campaign(target: str, out: Path, operations: int) -> list[Path]:
    settings = Settings(target=target, seconds=None, operations=operations, findings_max=1)
    run_campaign(settings, out, lambda tally: None)
    return sorted(out.glob("*.trace"))


@pytest.mark.parametrize("target", TARGETS)
def test_a_short_campaign_finds_nothing(target: str, tmp_path: Path) -> None:
    assert campaign(target, tmp_path, 600) == []


def same_rename(engine: Any, old_parent: Any, old: bytes, new_parent: Any, new: bytes) -> None:
    """Nothing is renamed."""


def short_write(original: Any) -> Any:
    """The last byte of a write is lost."""
    return lambda engine, node, offset, data: original(engine, node, offset, data[:-1]) + 1


def no_truncate(engine: Any, node: Any, size: int) -> None:
    """Sizes stay."""


def no_unlink(engine: Any, parent: Any, name: bytes) -> None:
    """Nothing is removed."""


CANARIES: list[tuple[str, object, str, object]] = [
    ("fat12", fat_names, "rename", same_rename),
    ("fat16", fat_data, "write", short_write(fat_data.write)),
    ("fat32", fat_data, "truncate", no_truncate),
    ("fat12", fat_names, "unlink", no_unlink),
]


@pytest.mark.parametrize(("target", "where", "name", "broken"), CANARIES)
def test_canary_is_caught_made_short_and_replays(
    target: str,
    where: object,
    name: str,
    broken: object,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with monkeypatch.context() as planted:
        planted.setattr(where, name, broken)
        (path,) = campaign(target, tmp_path, 5000)
        assert len(read_finding(path).case.operations) <= 6
        assert main(["replay", str(path)]) == 1
    assert main(["replay", str(path)]) == 0
