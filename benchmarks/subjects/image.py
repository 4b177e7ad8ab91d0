"""An image file in a temporary directory (``TMPDIR`` chooses where), and its cold caches."""

import os
import shutil
import tempfile
from pathlib import Path


class Image:
    """A place for an image file; gone after ``remove``."""

    def __init__(self) -> None:
        self.directory = Path(tempfile.mkdtemp(prefix="watosfs-bench-"))
        self.path = self.directory / "image"

    def forget_pages(self) -> None:
        """The host's page cache forgets the file, after writing it back."""
        descriptor = os.open(self.path, os.O_RDONLY)
        os.fsync(descriptor)
        if hasattr(os, "posix_fadvise"):
            os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
        os.close(descriptor)

    def remove(self) -> None:
        """Delete it."""
        shutil.rmtree(self.directory)
