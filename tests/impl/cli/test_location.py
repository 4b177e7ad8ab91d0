"""IMAGE:/PATH: where a name is split, and what is said when it cannot be."""

from pathlib import Path

import pytest

from watosfs.cli.failures import Failure, UsageFailure
from watosfs.cli.location import Location, parse_location, parse_path


@pytest.fixture(autouse=True)
def images(here: Path) -> None:
    for name in ("disk.img", "a:b.img", "trailing:"):
        (here / name).touch()
    (here / "dir:").mkdir()
    (here / "dir:" / "disk.img").touch()


@pytest.mark.parametrize(
    ("text", "image", "path"),
    [
        ("disk.img:/", "disk.img", b"/"),
        ("disk.img:/a/b", "disk.img", b"/a/b"),
        ("disk.img:/a/", "disk.img", b"/a/"),
        ("disk.img://a", "disk.img", b"//a"),
        ("disk.img:/a:b", "disk.img", b"/a:b"),
        ("a:b.img:/c", "a:b.img", b"/c"),
        ("trailing::/c", "trailing:", b"/c"),
        ("dir:/disk.img:/c", "dir:/disk.img", b"/c"),
        # No file is called "disk.img:/a", so the colon belongs to the path.
        ("disk.img:/a:/b", "disk.img", b"/a:/b"),
        # Nothing exists: the last one splits.
        ("new.img:/a:/b", "new.img:/a", b"/b"),
        ("disk.img:/\udcff", "disk.img", b"/\xff"),
    ],
)
def test_the_last_colon_before_a_slash_splits(text: str, image: str, path: bytes) -> None:
    assert parse_path(text) == Location(image, path)
    assert parse_location(text) == Location(image, path)


@pytest.mark.parametrize("image", ["disk.img", "a:b.img", "trailing:", "dir:/disk.img", "new.img"])
def test_an_image_alone_means_its_root_directory(image: str) -> None:
    assert parse_location(image) == Location(image, b"/")


@pytest.mark.parametrize("text", ["disk.img", "dir:/disk.img", "new.img", ""])
def test_where_a_path_is_needed_an_image_alone_is_a_mistake(text: str) -> None:
    with pytest.raises(UsageFailure, match="write IMAGE:/PATH"):
        parse_path(text)


def test_a_relative_path_is_answered_with_how_to_write_it() -> None:
    with pytest.raises(Failure, match=r"write disk\.img:/docs/a$"):
        parse_location("disk.img:docs/a")


@pytest.mark.parametrize("text", [":/a", ""])
def test_a_path_without_an_image_is_a_mistake(text: str) -> None:
    with pytest.raises(UsageFailure, match="image"):
        parse_location(text)


def test_a_location_is_shown_on_one_line() -> None:
    assert str(Location("disk.img", b"/a\nb")) == "disk.img:/a\\x0ab"
