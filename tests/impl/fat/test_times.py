"""Times as FAT has them: from 1980 to 2107, 2 s, 10 ms at creation."""

import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watosfs.fat.times import FIRST_NS, LAST_NS, decode_time, encode_time

NS = 10**9


@given(st.integers(FIRST_NS, LAST_NS))
def test_a_time_comes_back_to_ten_milliseconds(time_ns: int) -> None:
    date, time, hundredths = encode_time(time_ns)
    assert decode_time(date, time, hundredths) == time_ns // 10_000_000 * 10_000_000
    assert decode_time(date, time) == time_ns // (2 * NS) * 2 * NS


@pytest.mark.parametrize(
    ("time_ns", "first"), [(0, True), (FIRST_NS - 1, True), (LAST_NS + NS, False), (-NS, True)]
)
def test_what_lies_outside_is_taken_to_the_nearest_end(time_ns: int, first: bool) -> None:
    assert decode_time(*encode_time(time_ns)) == (FIRST_NS if first else LAST_NS)


def test_words_are_those_of_the_format() -> None:
    when = datetime.datetime(2107, 12, 31, 23, 59, 58, tzinfo=datetime.UTC)
    assert encode_time(int(when.timestamp()) * NS) == (0xFF9F, 0xBF7D, 0)
    assert encode_time(FIRST_NS) == (0x21, 0, 0)


@pytest.mark.parametrize("date", [1, 0x1E0, 0xFFFF, 0x5F, 2 << 5 | 30, 15 << 5 | 31])
def test_fields_out_of_range_are_read_as_the_nearest_day(date: int) -> None:
    assert FIRST_NS <= decode_time(date, 0xFFFF, 255) <= LAST_NS


def test_a_date_of_zero_is_never() -> None:
    assert decode_time(0, 0xFFFF) == 0


def test_local_time_is_what_is_stored() -> None:
    noon = 1_700_000_000 * NS
    words = encode_time(noon, 3600)
    assert words == encode_time(noon + 3600 * NS)
    assert decode_time(*words, 3600) == noon
