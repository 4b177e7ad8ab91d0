"""Sizes, times and columns."""

from argparse import ArgumentTypeError

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watosfs.cli.presentation import (
    columns,
    counted,
    full_time,
    human_size,
    kind_of,
    parse_size,
    short_time,
)


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("0", 0),
        ("67108864", 64 << 20),
        ("64M", 64 << 20),
        ("64m", 64 << 20),
        ("64MiB", 64 << 20),
        ("64MB", 64_000_000),
        ("1G", 1 << 30),
        ("16T", 16 << 40),
        ("1.5G", 3 << 29),
        ("0.1K", 102),
        ("512B", 512),
        (" 4K ", 4096),
        ("2P", 2 << 50),
        ("1EiB", 1 << 60),
    ],
)
def test_a_size_is_read_as_people_write_it(text: str, size: int) -> None:
    assert parse_size(text) == size


@pytest.mark.parametrize("text", ["", "M", "-1M", "64X", "64 M", "iB", "1iB", "1e3", "٣", "1_000"])
def test_what_is_no_size_is_refused(text: str) -> None:
    with pytest.raises(ArgumentTypeError):
        parse_size(text)


@given(st.integers(0, 1 << 63))
def test_a_plain_number_is_bytes(size: int) -> None:
    assert parse_size(str(size)) == size


@pytest.mark.parametrize(
    ("size", "text"),
    [
        (0, "0 B"),
        (1023, "1023 B"),
        (1024, "1.0 KiB"),
        (1536, "1.5 KiB"),
        ((1 << 20) - 1, "1.0 MiB"),
        (64 << 20, "64.0 MiB"),
        (1 << 60, "1.0 EiB"),
        ((1 << 63) - 1, "8.0 EiB"),
    ],
)
def test_a_size_is_written_in_three_digits(size: int, text: str) -> None:
    assert human_size(size) == text


@given(st.integers(0, (1 << 64) - 1))
def test_any_stored_time_can_be_shown(time_ns: int) -> None:
    assert short_time(time_ns)
    assert f".{time_ns % 10**9:09d}" in full_time(time_ns)


def test_columns_are_as_wide_as_their_widest_cell() -> None:
    rows = [["a", "1", "x"], ["bbb", "22", "yy"]]
    assert columns(rows, left=frozenset({0, 2})) == ["a     1  x", "bbb  22  yy"]
    assert columns([]) == []


def test_counts_and_kinds() -> None:
    assert counted(1, "file") == "1 file"
    assert counted(4211, "file") == "4,211 files"
    assert counted(2, "directory", "directories") == "2 directories"
    kinds = [kind_of(mode) for mode in (0o100644, 0o040755, 0o120777, 0o010644)]
    assert kinds == ["file", "directory", "symlink", "other"]
