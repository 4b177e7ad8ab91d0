"""System calls a second through the dispatcher, beside the same through ``os`` on a directory and
on pyfakefs.
"""

import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from pyfakefs.fake_filesystem import FakeFilesystem
from pyfakefs.fake_os import FakeOsModule

from watosfs.block.memory import MemoryDevice
from watosfs.kernel.kernel import Kernel
from watosfs.kernel.numbers import AT_FDCWD, O_CREAT, O_RDWR
from watosfs.kernel.syscalls import SystemCalls
from watosfs.vfs.wfs3 import Wfs3Filesystem
from watosfs.wfs3.mkfs import mkfs
from watosfs.wfs3.volume import Volume

CALLS = 20_000
CALLS_OF_FAKE = 2_000
PAGE = 4096
PAGES = 16
NAME, BUFFER = 0x10000, 0x11000
CWD = AT_FDCWD & (1 << 64) - 1


def rate(call: Callable[[int], object], calls: int = CALLS) -> float:
    """Calls a second."""
    start = time.perf_counter()
    for number in range(calls):
        call(number)
    return calls / (time.perf_counter() - start)


def ours() -> dict[str, float]:
    """Register values in, rax out, on a volume in memory."""
    device = MemoryDevice(4096)
    mkfs(device)
    system = SystemCalls(Kernel([Wfs3Filesystem(Volume.mount(device))]))
    system.memory(1).map(NAME, 2 * PAGE)
    system.memory(1).write(NAME, b"/f\0")
    fd = system.call(1, 160, (CWD, NAME, O_CREAT | O_RDWR, 0o644))
    for page in range(PAGES):
        system.call(1, 167, (fd, BUFFER, PAGE, page * PAGE))
    system.call(1, 178, (fd,))
    return {
        "pread": rate(lambda n: system.call(1, 166, (fd, BUFFER, PAGE, n % PAGES * PAGE))),
        "open": rate(lambda n: system.call(1, 4, (system.call(1, 160, (CWD, NAME)),))),
    }


def fake() -> dict[str, float]:
    """The same through the ``os`` of pyfakefs."""
    faked = FakeOsModule(FakeFilesystem())
    faked.filesystem.create_file("/f", contents=bytes(PAGE * PAGES))
    fd = faked.open("/f", os.O_RDWR)

    # Its pread is the real one's: it knows no fake descriptors.
    def seek_and_read(number: int) -> None:
        faked.lseek(fd, number % PAGES * PAGE, os.SEEK_SET)
        faked.read(fd, PAGE)

    return {
        "pread": rate(seek_and_read, CALLS_OF_FAKE),
        "open": rate(lambda n: faked.close(faked.open("/f", os.O_RDONLY)), CALLS_OF_FAKE),
    }


def host() -> dict[str, float]:
    """The same through ``os`` in a temporary directory."""
    with tempfile.TemporaryDirectory() as directory:
        name = Path(directory) / "f"
        name.write_bytes(bytes(PAGE * PAGES))
        fd = os.open(name, os.O_RDWR)
        figures = {
            "pread": rate(lambda n: os.pread(fd, PAGE, n % PAGES * PAGE)),
            "open": rate(lambda n: os.close(os.open(name, os.O_RDONLY))),
        }
        os.close(fd)
    return figures
