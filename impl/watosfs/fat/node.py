"""A file or directory while the volume is mounted: its entry, decoded, and its chain."""

from typing import TYPE_CHECKING, Final

from watosfs.fat.chains import Chain
from watosfs.fat.entries import DIRECTORY, READ_ONLY, encode_entry
from watosfs.fat.times import decode_time, encode_time

if TYPE_CHECKING:
    from watosfs.fat.directory import Directory

ROOT_NUMBER: Final = 1
_FILE_TYPE: Final = 0o100000
_DIRECTORY_TYPE: Final = 0o040000


class Node:
    """``number`` is an inode number, good until the volume is unmounted: FAT has none on disk.

    ``directory`` and ``slot``: where the entry is (None: the root). ``chain`` is None until it was
    needed; ``first`` is the cluster where it begins, 0 for an empty file.
    """

    __slots__ = (
        "accessed_date",
        "attributes",
        "case",
        "chain",
        "children",
        "created",
        "directory",
        "first",
        "handle_count",
        "is_removed",
        "is_unsaved",
        "modified",
        "name",
        "number",
        "old_slots",
        "short_name",
        "size",
        "slot",
        "slot_count",
    )

    def __init__(self, number: int, name: str, short_name: bytes, attributes: int) -> None:
        self.number = number
        self.name = name
        self.short_name = short_name
        self.attributes = attributes
        self.case = 0
        #: (date, time, hundredths) and (date, time), as on disk.
        self.created = (0, 0, 0)
        self.modified = (0, 0)
        self.accessed_date = 0
        self.first = 0
        self.size = 0
        self.chain: Chain | None = None
        self.directory: Directory | None = None
        self.slot = self.slot_count = 0
        #: The contents of a directory, once they were looked at.
        self.children: Directory | None = None
        self.handle_count = 0
        self.is_removed = False
        #: Whether the entry is not on disk yet where it is now.
        self.is_unsaved = False
        #: Places of the slots that it has on disk while it is not.
        self.old_slots: list[int] = []

    @property
    def is_directory(self) -> bool:
        """Whether it is a directory."""
        return bool(self.attributes & DIRECTORY)

    @property
    def mode(self) -> int:
        """Type and permission bits: 0755 and 0644, without the w's when read-only."""
        mode = _DIRECTORY_TYPE | 0o755 if self.attributes & DIRECTORY else _FILE_TYPE | 0o644
        return mode & ~0o222 if self.attributes & READ_ONLY else mode

    def encoded(self) -> bytes:
        """The short entry."""
        created_date, created_time, hundredths = self.created
        date, time = self.modified
        first = self.first if self.chain is None else self.chain.first
        return encode_entry(
            self.short_name, self.attributes, self.case, hundredths, created_time, created_date,
            self.accessed_date, first >> 16, time, date, first & 0xFFFF, self.size,
        )  # fmt: skip

    def modified_ns(self, offset_s: int) -> int:
        """When it was changed, ns since 1970."""
        return decode_time(*self.modified, 0, offset_s)

    def created_ns(self, offset_s: int) -> int:
        """When it was made, ns since 1970."""
        return decode_time(*self.created, offset_s)

    def accessed_ns(self, offset_s: int) -> int:
        """The day of the last access, ns since 1970."""
        return decode_time(self.accessed_date, 0, 0, offset_s)

    def set_modified(self, time_ns: int, offset_s: int) -> None:
        """Set the time of change."""
        date, time, _ = encode_time(time_ns, offset_s)
        self.modified = (date, time)

    def set_accessed(self, time_ns: int, offset_s: int) -> None:
        """Set the day of access."""
        self.accessed_date = encode_time(time_ns, offset_s)[0]
