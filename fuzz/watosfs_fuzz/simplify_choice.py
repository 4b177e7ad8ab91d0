"""The smallest crash: as few sectors as possible differ from "everything persisted".

Greedy steps first (whole blocks, then sectors), which leave a choice of which nothing can be taken
away. Then all choices of one sector, of two and so on below that, while the budget lasts: greedy
steps from a torn mixture need not end at the fewest.
"""

from collections.abc import Callable, Iterable, Iterator
from itertools import combinations

from watosfs_fuzz.crash.choice import CrashChoice

Fails = Callable[[CrashChoice], bool]
#: The digits of what was written last, for a place in the log and a block.
Newest = Callable[[CrashChoice, int], str]
#: At a place in the log: (block, sector, digit) for each value that is not the newest.
Older = Callable[[CrashChoice], Iterable[tuple[int, int, str]]]
#: So many crashes are tried to find one of fewer sectors than greedy steps reach.
TRIALS_MAX = 300


def simplest_choice(
    choices: Iterable[CrashChoice],
    newest: Newest,
    fails: Fails,
    older: Older = lambda choice: (),
) -> CrashChoice | None:
    """The smallest failing choice that can be reached from the best of ``choices``."""
    ranked = sorted(choices, key=lambda choice: (distance(choice, newest), choice.event_index))
    best = next((choice for choice in ranked if fails(choice)), None)
    if best is None:
        return None
    while True:
        before = best
        best = without_blocks(best, fails)
        best = without_sectors(best, newest, fails)
        if best == before:
            break
    return fewer_sectors(best, newest, fails, older) or best


def without_blocks(best: CrashChoice, fails: Fails) -> CrashChoice:
    """With whole blocks persisted, where it fails all the same."""
    for block, _ in best.sectors:
        simpler = _without(best, block)
        if fails(simpler):
            best = simpler
    return best


def without_sectors(best: CrashChoice, newest: Newest, fails: Fails) -> CrashChoice:
    """With single sectors persisted, where it fails all the same."""
    for block, digits in best.sectors:
        target = newest(best, block)
        for at in range(len(digits)):
            now = dict(best.sectors)[block]
            if now[at] != target[at]:
                simpler = _with(best, block, now[:at] + target[at] + now[at + 1 :])
                if fails(simpler):
                    best = simpler
    return best


def fewer_sectors(
    best: CrashChoice, newest: Newest, fails: Fails, older: Older
) -> CrashChoice | None:
    """A failing choice at the same place with fewer sectors, the fewest first."""
    values = list(older(best))
    trials = 0
    for count in range(distance(best, newest)):
        for chosen in combinations(values, count):
            if len({(block, sector) for block, sector, _ in chosen}) < count:
                continue
            if trials == TRIALS_MAX:
                return None
            trials += 1
            simpler = CrashChoice(best.event_index, tuple(_sectors(best, chosen, newest)))
            if fails(simpler):
                return simpler
    return None


def distance(choice: CrashChoice, newest: Newest) -> int:
    """How many sectors are not as they were last written."""
    return sum(
        digit != last
        for block, digits in choice.sectors
        for digit, last in zip(digits, newest(choice, block), strict=True)
    )


def _sectors(
    choice: CrashChoice, chosen: Iterable[tuple[int, int, str]], newest: Newest
) -> Iterator[tuple[int, str]]:
    digits: dict[int, list[str]] = {}
    for block, sector, digit in chosen:
        digits.setdefault(block, list(newest(choice, block)))[sector] = digit
    for block in sorted(digits):
        yield block, "".join(digits[block])


def _without(choice: CrashChoice, block: int) -> CrashChoice:
    kept = tuple(pair for pair in choice.sectors if pair[0] != block)
    return CrashChoice(choice.event_index, kept)


def _with(choice: CrashChoice, block: int, digits: str) -> CrashChoice:
    changed = tuple((b, digits if b == block else old) for b, old in choice.sectors)
    return CrashChoice(choice.event_index, changed)
