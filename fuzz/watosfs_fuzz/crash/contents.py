"""What blocks that are read together may hold: every mixture, or every value of each sector."""

from collections.abc import Iterable, Sequence
from itertools import product
from math import prod
from typing import Final

from watosfs_fuzz.crash.persistence import Persistence

#: Up to so many contents of one read are enumerated; beyond, mixes of sectors are left out.
CONTENTS_MAX: Final = 1024


def mixtures(
    versions: Sequence[Sequence[bytes]], persistence: Persistence
) -> tuple[list[bytes], bool]:
    """(the legal contents of some blocks read together, whether these are all): newest whole first,
    then mixes of sectors.
    """
    pieces = [values for per_block in versions for values in persistence.pieces(per_block)]
    if prod(len(values) for values in pieces) <= CONTENTS_MAX:
        return [b"".join(mix) for mix in product(*(values[::-1] for values in pieces))], True
    whole = [per_block[::-1] for per_block in versions]
    if prod(len(values) for values in whole) <= CONTENTS_MAX:
        mixes = [b"".join(mix) for mix in product(*whole)]
    else:
        mixes = [
            b"".join(values[0] for values in whole),
            b"".join(values[-1] for values in whole),
        ]
    first, last = [values[-1] for values in pieces], [values[0] for values in pieces]
    torn = [b"".join([*last[:i], *first[i:]]) for i in range(1, len(pieces))]
    torn += [b"".join([*first[:i], *last[i:]]) for i in range(1, len(pieces))]
    return list(dict.fromkeys([*mixes, *torn])), False


def diagonals(versions: Sequence[Sequence[bytes]], persistence: Persistence) -> list[bytes]:
    """Whole versions, newest first, then what else it takes to have each value of each sector."""
    whole = [
        b"".join(known[-min(age, len(known))] for known in versions)
        for age in range(1, 1 + max(map(len, versions)))
    ]
    pieces = [values for known in versions for values in persistence.pieces(known)]
    mixed = [
        b"".join(values[min(index, len(values) - 1)] for values in pieces)
        for index in range(max(map(len, pieces)))
    ]
    return list(dict.fromkeys([*whole, *mixed]))


def diagonals_max(versions: Iterable[Sequence[bytes]], persistence: Persistence) -> int:
    """How many ``diagonals`` any of these blocks can have together."""
    known = list(versions)
    pieces = max(len(values) for found in known for values in persistence.pieces(found))
    return max(map(len, known)) + pieces
