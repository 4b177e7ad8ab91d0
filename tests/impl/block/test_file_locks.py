"""Two processes never open one image for writing: the second is told so, and nothing is lost."""

import errno
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from watosfs.block.file import FileDevice

BLOCK = 4096
#: Opens the image, writes a block if it may, says so, and holds it until its input ends.
HOLDER = """
import sys
from watosfs.block.file import FileDevice
device = FileDevice.open(sys.argv[1], read_only=sys.argv[2] == "reader")
if sys.argv[2] == "writer":
    device.write(0, b"w" * 4096)
print("open", flush=True)
sys.stdin.read()
"""
#: Tries to open the image and prints the errno's name, or "open".
TRIER = """
import errno, sys
from watosfs.block.file import FileDevice
try:
    FileDevice.open(sys.argv[1], read_only=sys.argv[2] == "reader")
    print("open")
except OSError as error:
    print(errno.errorcode[error.errno], error.filename == sys.argv[1])
"""


@pytest.fixture
def image(tmp_path: Path) -> Path:
    path = tmp_path / "image"
    FileDevice.open(path, create_size=8 * BLOCK).close()
    return path


@contextmanager
def held(image: Path, role: str) -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(image), role],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "open\n"
        try:
            yield process
        finally:
            process.kill()


def tried(image: Path, role: str) -> str:
    command = [sys.executable, "-c", TRIER, str(image), role]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


@pytest.mark.parametrize(
    ("first", "second", "outcome"),
    [
        ("writer", "writer", "EBUSY True"),
        ("writer", "reader", "EBUSY True"),
        ("reader", "writer", "EBUSY True"),
        ("reader", "reader", "open"),
    ],
)
def test_two_processes_share_an_image_only_to_read_it(
    image: Path, first: str, second: str, outcome: str
) -> None:
    with held(image, first):
        assert tried(image, second) == outcome


def test_the_refused_process_changes_nothing(image: Path) -> None:
    with held(image, "writer"):
        assert tried(image, "writer") == "EBUSY True"
        assert image.read_bytes() == b"w" * BLOCK + bytes(7 * BLOCK)


def test_the_lock_ends_with_the_process_however_it_ends(image: Path) -> None:
    with held(image, "writer") as process:
        process.kill()
        process.wait()
        assert tried(image, "writer") == "open"


def test_the_lock_is_seen_under_every_name_of_the_image(image: Path) -> None:
    hard, soft = image.with_name("hard"), image.with_name("soft")
    os.link(image, hard)
    soft.symlink_to(image)
    with held(image, "writer"):
        assert tried(hard, "writer") == "EBUSY True"
        assert tried(soft, "reader") == "EBUSY True"


def test_one_process_cannot_open_its_own_image_twice(image: Path) -> None:
    with FileDevice.open(image):
        with pytest.raises(OSError, match="in use") as caught:
            FileDevice.open(image)
        assert caught.value.errno == errno.EBUSY
        assert caught.value.filename == str(image)
    FileDevice.open(image).close()


def test_a_new_image_is_locked_from_the_start(tmp_path: Path) -> None:
    with FileDevice.open(tmp_path / "new", create_size=BLOCK):
        assert tried(tmp_path / "new", "reader") == "EBUSY True"


def test_a_forgotten_device_lets_go_of_its_image(image: Path) -> None:
    device = FileDevice.open(image)
    del device
    FileDevice.open(image).close()
