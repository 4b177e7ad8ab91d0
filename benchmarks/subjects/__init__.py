"""The file systems that are measured, each behind the same few calls."""

from importlib import import_module

from benchmarks.subject import Subject

#: Name in the table: module, class.
SUBJECTS = {
    "wfs3": ("wfs3", "Wfs3InMemory"),
    "wfs3-file": ("wfs3", "Wfs3OnFile"),
    "littlefs": ("littlefs", "LittlefsInMemory"),
    "littlefs-file": ("littlefs", "LittlefsOnFile"),
    "pyfatfs": ("pyfatfs", "PyfatfsOnFile"),
    "MemoryFS": ("memoryfs", "PyFilesystemInMemory"),
    "fsspec": ("fsspec", "FsspecInMemory"),
    "pyfakefs": ("fakefs", "Pyfakefs"),
    "sqlite": ("sqlite", "SqliteInMemory"),
    "sqlite-file": ("sqlite", "SqliteOnFile"),
    "disk": ("host", "TemporaryDirectory"),
    "tmpfs": ("host", "SharedMemory"),
}
#: The distribution to install when the import fails.
DISTRIBUTIONS = {
    "littlefs": "littlefs-python", "pyfatfs": "pyfatfs", "memoryfs": "fs", "fsspec": "fsspec",
    "fakefs": "pyfakefs",
}  # fmt: skip


def load(name: str) -> Subject:
    """A subject by its name; ImportError names what is missing."""
    module, kind = SUBJECTS[name]
    try:
        subject = getattr(import_module(f"benchmarks.subjects.{module}"), kind)()
    except ImportError as error:
        raise ImportError(f"{name}: {DISTRIBUTIONS.get(module, module)} ({error})") from error
    assert isinstance(subject.files, int)
    return subject  # type: ignore[no-any-return]
