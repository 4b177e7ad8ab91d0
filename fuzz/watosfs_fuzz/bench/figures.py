"""Figures of a sample: the share found with Wilson's interval, the median time of Kaplan and Meier.

A run that found nothing says only that the time is above its budget: it is censored, not left out.
"""

from collections.abc import Callable, Sequence
from math import inf, sqrt
from typing import TypeVar

from watosfs_fuzz.seeds import random_of

Z_95 = 1.959963984540054
#: Samples of a bootstrap.
DRAWS = 1000
Group = TypeVar("Group")


def wilson(found: int, tried: int) -> tuple[float, float]:
    """The 95 % interval of a share. Raises ValueError when nothing was tried."""
    if not 0 <= found <= tried or not tried:
        raise ValueError(f"{found} of {tried}")
    share, square = found / tried, Z_95 * Z_95
    centre = (share + square / (2 * tried)) / (1 + square / tried)
    half = sqrt(share * (1 - share) / tried + square / (4 * tried * tried))
    half *= Z_95 / (1 + square / tried)
    return max(0.0, centre - half), min(1.0, centre + half)


def median_time(runs: Sequence[tuple[float, bool]]) -> float | None:
    """The time by which half of the runs have found, of (seconds, whether found); None when the
    censored runs leave that unknown.
    """
    surviving, at_risk = 1.0, len(runs)
    for seconds, found in sorted(runs, key=lambda run: (run[0], not run[1])):
        if found:
            surviving *= 1 - 1 / at_risk
            if surviving <= 0.5 + 1e-12:
                return seconds
        at_risk -= 1
    return None


def bootstrap(
    groups: Sequence[Group], figure: Callable[[Sequence[Group]], float | None]
) -> tuple[float | None, float | None]:
    """The 95 % percentile interval of a figure when whole groups are drawn anew; None counts as
    above everything. The same groups give the same interval. Raises ValueError without groups.
    """
    if not groups:
        raise ValueError("no groups")
    rng = random_of(0, len(groups), "bootstrap")
    drawn = [figure(rng.choices(groups, k=len(groups))) for _ in range(DRAWS)]
    ordered = sorted(drawn, key=lambda value: inf if value is None else value)
    return ordered[int(DRAWS * 0.025)], ordered[int(DRAWS * 0.975)]
