"""``IMAGE:/PATH``: a path inside an image, and how it is told from the name of a local file.

The last ``:`` that ``/`` follows splits, so an image's own name may hold colons. Where what is then
left of it is no file but an earlier split (or the whole text) names one, that one is meant: so
``disk.img:/a:/b`` is ``/a:/b`` in ``disk.img`` as long as no image is called ``disk.img:/a``.
``disk.img@2`` is partition 2 of ``disk.img`` and ``disk.img@monday`` its snapshot ``monday``, as
long as no image has all of that for a name; ``disk.img@2@monday`` is a snapshot in a partition.
"""

import os
from dataclasses import dataclass

from watosfs.cli.failures import Failure, UsageFailure
from watosfs.cli.names import join, printable

_PARTITION_DIGITS = 4


@dataclass(frozen=True, slots=True)
class Location:
    """A place in an image: the local name of the image, and an absolute path within it."""

    image: str
    path: bytes

    def __str__(self) -> str:
        return place(self.image, self.path)

    def inside(self, name: bytes) -> "Location":
        """The place called ``name`` in this directory."""
        return Location(self.image, join(self.path, name))


def place(image: str, path: bytes) -> str:
    """``IMAGE:/PATH`` for messages."""
    return f"{printable(image)}:{printable(path)}"


def parse_location(text: str) -> Location:
    """``IMAGE:/PATH``; an image alone means its root directory."""
    return _split(text) or _image_alone(text)


def parse_path(text: str) -> Location:
    """``IMAGE:/PATH`` where a path has to be given, so that no file is meant by mistake."""
    found = _split(text)
    if found is None:
        whole = _image_alone(text).image
        raise UsageFailure(
            f"{printable(whole)} names no path in an image: write IMAGE:/PATH"
            + (f", as in {place(whole, b'/')}" if os.path.exists(image_file(whole)) else "")
        )
    return found


def image_and_snapshot(image: str) -> tuple[str, bytes | None]:
    """(image or partition, snapshot); None stands for the volume as it is now."""
    _, partition = image_parts(image)
    before, at, name = image.rpartition("@")
    if partition is not None or not at or not name or os.path.lexists(image):
        return image, None
    return (before, os.fsencode(name)) if os.path.exists(image_parts(before)[0]) else (image, None)


def is_partition_number(name: bytes) -> bool:
    """Whether ``IMAGE@NAME`` is a partition, whatever there is."""
    return name.isdigit() and len(name) <= _PARTITION_DIGITS


def image_parts(image: str) -> tuple[str, int | None]:
    """(local file, partition): ``disk.img@2`` is a partition; None stands for the whole image."""
    file, _, digits = image.rpartition("@")
    is_number = digits.isascii() and digits.isdigit() and len(digits) <= _PARTITION_DIGITS
    if not is_number or not os.path.exists(file) or os.path.lexists(image):
        return image, None
    return file, int(digits)


def image_file(image: str) -> str:
    """The local file that an image, or the partition or snapshot of one, is in."""
    return image_parts(image_and_snapshot(image)[0])[0]


def _split(text: str) -> Location | None:
    splits = [i for i in range(len(text) - 1) if text[i] == ":" and text[i + 1] == "/"]
    for at in reversed(splits):
        if _is_image(text[:at]):
            return Location(text[:at], os.fsencode(text[at + 1 :]))
    if not splits or _is_image(text):
        return None
    if splits == [0]:
        raise UsageFailure(f"{printable(text)} names no image: write IMAGE:/PATH")
    return Location(text[: splits[-1]], os.fsencode(text[splits[-1] + 1 :]))


def _image_alone(text: str) -> Location:
    if not text:
        raise UsageFailure("an empty name is no image: write IMAGE:/PATH")
    image, colon, path = text.rpartition(":")
    if colon and _is_image(image) and not os.path.exists(text):
        wanted = place(image, b"/" + os.fsencode(path))
        raise Failure(f"{printable(text)}: there is no such image; for a path write {wanted}")
    return Location(text, b"/")


def _is_image(name: str) -> bool:
    file = image_file(name)
    return bool(file) and os.path.exists(file) and not os.path.isdir(file)
