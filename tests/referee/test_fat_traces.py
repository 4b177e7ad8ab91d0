"""Every random trace on a FAT volume ends with all referees agreeing with us."""

from pathlib import Path

import pytest

from tests.referee import campaign, dos_tools
from watosfs.fat.format import decode_boot_sector, geometry_of

TRACES = 1000
SLICE = 100
TOOLS = {
    "fsck.fat": ["fsck.fat"],
    "mtools": ["mcopy"],
    "7-Zip": ["7zz"],
    "GRUB": ["grub-fstest"],
    "pyfatfs": [],
}


def require(name: str) -> None:
    """Skip where a referee is missing."""
    dos_tools.require(*TOOLS[name])
    if name == "pyfatfs":
        pytest.importorskip("pyfatfs.PyFatFS", reason="pip install watosfs[targets]")


@pytest.mark.parametrize("bits", [12, 16, 32])
@pytest.mark.parametrize("name", campaign.REFEREES)
@pytest.mark.parametrize("seed", range(20, 24))
def test_a_referee_agrees_with_a_random_trace(
    seed: int, name: str, bits: int, tmp_path: Path
) -> None:
    require(name)
    campaign.judge(seed, bits, tmp_path, {name: campaign.REFEREES[name]})


@pytest.mark.slow
@pytest.mark.parametrize("bits", [12, 16, 32])
@pytest.mark.parametrize("first", range(1000, 1000 + TRACES, SLICE))
def test_all_referees_agree_with_a_thousand_random_traces(
    first: int, bits: int, tmp_path: Path
) -> None:
    for name in campaign.REFEREES:
        require(name)
    for seed in range(first, first + SLICE):
        campaign.judge(seed, bits, tmp_path, campaign.REFEREES)


def test_a_referee_that_is_shown_another_tree_disagrees(tmp_path: Path) -> None:
    """The canary: a byte and files that are not as they should be; tables that differ."""
    for name in campaign.REFEREES:
        require(name)
    image = tmp_path / "image"
    wanted = campaign.ran(21, 16, image)
    path = next(path for path, (data, _) in wanted.items() if data)
    data, time_ns = wanted[path]
    assert data is not None
    files = {p: entry for p, entry in wanted.items() if entry[0] is None} | {path: (data, time_ns)}
    wrong = {**files, path: (data[:-1] + bytes([data[-1] ^ 1]), time_ns)}
    for name in ("mtools", "7-Zip", "GRUB", "pyfatfs"):
        with pytest.raises(AssertionError):
            campaign.REFEREES[name](image, wrong, 0)
    raw = bytearray(image.read_bytes())
    raw[geometry_of(decode_boot_sector(bytes(raw[:512])), len(raw)).fat_start + 4] ^= 0xFF
    image.write_bytes(raw)
    with pytest.raises(AssertionError):
        campaign.REFEREES["fsck.fat"](image, wanted, 0)
