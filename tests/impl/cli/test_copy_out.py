"""Copying out of a damaged image: what cannot be true is refused before it fills the disk."""

from pathlib import Path

import pytest

from tests.impl.cli.conftest import Runner
from watosfs.block.file import FileDevice
from watosfs.wfs3.volume import Volume


def with_size(image: str, path: bytes, size: int) -> None:
    """Let an inode claim a size that it cannot have."""
    device = FileDevice.open(image)
    with Volume.mount(device) as volume:
        number = volume.find(path).number
        with volume.change():
            volume.engine.modify(number).size = size
        volume.sync()
    device.close()


@pytest.mark.parametrize("size", [1 << 63, (1 << 64) - 1])
def test_a_size_beyond_every_file_is_damage(filled: str, watosfs: Runner, size: int) -> None:
    with_size(filled, b"/docs/a", size)
    assert "more than there can be" in watosfs.refused("get", f"{filled}:/docs/a", "out")
    assert not Path("out").exists() or Path("out").stat().st_size < 1 << 30


def test_a_sparse_file_of_256_gigabytes_comes_out_sparse(filled: str, watosfs: Runner) -> None:
    with_size(filled, b"/docs/a", 1 << 38)
    watosfs.ok("get", f"{filled}:/docs/a", "out")
    found = Path("out").stat()
    assert found.st_size == 1 << 38
    assert found.st_blocks * 512 < 1 << 20
