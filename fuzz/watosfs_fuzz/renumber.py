"""Descriptor numbers after operations were dropped: what used an open file goes on using it.

A descriptor is the lowest free number, so dropping one ``open`` renames all later ones. Without
this, minimising would have to drop an open and rewrite every later descriptor in one step.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import permutations

from watosfs_fuzz.sketch import FIRST_DESCRIPTOR
from watosfs_model.operations import Close, Crash, Open, Operation, Remount


def openers(operations: Sequence[Operation], descriptors: Sequence[int | None]) -> list[int | None]:
    """For each operation the index of the ``open`` that made its descriptor, or None.

    ``descriptors[i]`` is what operation i returned when it is an ``open`` that succeeded.
    """
    by_number: dict[int, int] = {}
    found: list[int | None] = []
    for index, operation in enumerate(operations):
        number = getattr(operation, "fd", None)
        found.append(None if number is None else by_number.get(number))
        if isinstance(operation, Open):
            made = descriptors[index] if index < len(descriptors) else None
            if made is not None:
                by_number[made] = index
        elif isinstance(operation, Close):
            by_number.pop(operation.fd, None)
        elif isinstance(operation, Remount | Crash):
            by_number.clear()
    return found


def renumbered(
    operations: Sequence[Operation],
    descriptors: Sequence[int | None],
    kept: Sequence[int],
    shared: Mapping[int, int] | None = None,
) -> list[Operation]:
    """The operations at the indices ``kept``, each on the file that it used before.

    ``shared`` maps an ``open`` to the one whose descriptor its users take instead.
    """
    instead = shared or {}
    used = [
        None if opener is None else instead.get(opener, opener)
        for opener in openers(operations, descriptors)
    ]
    number_of: dict[int, int] = {}
    result: list[Operation] = []
    for index in kept:
        operation = operations[index]
        opener = used[index]
        if opener is not None and opener in number_of:
            operation = replace(operation, fd=number_of[opener])  # type: ignore[type-var]
            if isinstance(operation, Close):
                del number_of[opener]
        elif isinstance(operation, Open) and index < len(descriptors):
            if descriptors[index] is not None:
                number_of[index] = _lowest_free(number_of)
        elif isinstance(operation, Remount | Crash):
            number_of.clear()
        result.append(operation)
    return result


def shared_opens(
    operations: Sequence[Operation], descriptors: Sequence[int | None]
) -> Iterator[list[Operation]]:
    """The operations without one ``open``, its users on an earlier or later descriptor."""
    used = openers(operations, descriptors)
    made = [i for i, op in enumerate(operations) if isinstance(op, Open) and descriptors[i]]
    for gone, other in permutations(made, 2):
        kept = [
            index
            for index, operation in enumerate(operations)
            if index != gone and not (isinstance(operation, Close) and used[index] == gone)
        ]
        yield renumbered(operations, descriptors, kept, {gone: other})


def _lowest_free(number_of: dict[int, int]) -> int:
    taken = set(number_of.values())
    number = FIRST_DESCRIPTOR
    while number in taken:
        number += 1
    return number
