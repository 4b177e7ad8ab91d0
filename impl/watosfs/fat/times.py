"""Times of directory entries: local time, 2 seconds for changes, 10 ms for creation, days for
access, from 1980 to 2107.

Between ns since 1970 and (date, time, hundredths) words. What lies outside the range is taken to
its nearest end. A date of 0 stands for "never" and reads as 0.
"""

import datetime
from functools import lru_cache
from typing import Final

_DAY_S: Final = 86_400
_EPOCH_DAY: Final = datetime.date(1970, 1, 1).toordinal()
_NS: Final = 1_000_000_000
_FIRST_DAY: Final = datetime.date(1980, 1, 1).toordinal() - _EPOCH_DAY
_LAST_DAY: Final = datetime.date(2107, 12, 31).toordinal() - _EPOCH_DAY
FIRST_NS: Final = _FIRST_DAY * _DAY_S * _NS
#: The last instant that a creation time can say.
LAST_NS: Final = ((_LAST_DAY + 1) * _DAY_S * 100 - 1) * (_NS // 100)


@lru_cache(maxsize=1024)
def _date_word(day: int) -> int:
    date = datetime.date.fromordinal(day + _EPOCH_DAY)
    return (date.year - 1980) << 9 | date.month << 5 | date.day


@lru_cache(maxsize=1024)
def _day(word: int) -> int:
    """Days since 1970; fields out of range are taken to the nearest that exists."""
    year, month, day = 1980 + (word >> 9), min(max(word >> 5 & 15, 1), 12), max(word & 31, 1)
    while True:
        try:
            return datetime.date(year, month, day).toordinal() - _EPOCH_DAY
        except ValueError:
            day -= 1


def encode_time(time_ns: int, offset_s: int = 0) -> tuple[int, int, int]:
    """(date, time, hundredths beyond the even second); ``offset_s`` is local time minus UTC."""
    time_ns = min(max(time_ns + offset_s * _NS, FIRST_NS), LAST_NS)
    seconds, rest_ns = divmod(time_ns, _NS)
    day, second = divmod(seconds, _DAY_S)
    minute, second = divmod(second, 60)
    hour, minute = divmod(minute, 60)
    word = hour << 11 | minute << 5 | second >> 1
    return _date_word(day), word, (second & 1) * 100 + rest_ns // 10_000_000


def decode_time(date: int, time: int, hundredths: int = 0, offset_s: int = 0) -> int:
    """ns since 1970; 0 for a date of 0."""
    if not date:
        return 0
    second = min(time >> 11, 23) * 3600 + min(time >> 5 & 63, 59) * 60 + min(time & 31, 29) * 2
    hundredths = hundredths if hundredths < 200 else 0
    seconds = _day(date) * _DAY_S + second - offset_s
    return seconds * _NS + hundredths * 10_000_000
