"""The published FAT12 floppy is read byte for byte."""

import hashlib
import lzma
from pathlib import Path

from watosfs.block.memory import MemoryDevice
from watosfs.fat.check import check
from watosfs.fat.volume import FatVolume

IMAGE = Path(__file__).parents[2] / "fixtures" / "fat" / "fat12_1440k.img.xz"
FILES = {
    "/EMPTY.BIN": (0, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
    "/ONE.BIN": (1, "c4694f2e93d5c4e7d51f9c5deb75e6cc8be5e1114178c6a45b6fc2c566a0aa8c"),
    "/F511.BIN": (511, "dac13a78b6261893ce1de8a1fc33765b48327eb7914e71c7e3776c5b942a21d1"),
    "/F512.BIN": (512, "13b6919c8d36e9a8fae1130cc00d4d02fdcdecef197c9436ff8935bd40401364"),
    "/F513.BIN": (513, "a6bad482eaaf947668a6b3a824392b97be018c27d96afa69437815363ad13eb6"),
    "/BIG.BIN": (100000, "7534db3fd11b382a787ffadb434e4a1e8623a818cc9680fab0857911c5c98942"),
    "/SUB/DEEP/DEEP.TXT": (40, "ee89e49aed80edbdacd0a12cacecb3f79704b675299c0d7efa1ea060f31ec00a"),
}


def test_the_published_floppy_is_read_byte_for_byte() -> None:
    device = MemoryDevice.from_bytes(lzma.decompress(IMAGE.read_bytes()))
    assert check(device).is_clean
    volume = FatVolume.mount(device, read_only=True)
    assert volume.label == b"WATOSVOL"
    for path, (size, digest) in FILES.items():
        assert volume.stat(path).st_size == size
        assert hashlib.sha256(volume.read_file(path)).hexdigest() == digest
    assert [entry.name for entry in volume.readdir(b"/SUB/DEEP")] == [b"DEEP.TXT"]
