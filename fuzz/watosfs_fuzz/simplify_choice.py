"""The smallest crash: as few sectors as possible differ from "everything persisted"."""

from collections.abc import Callable, Iterable

from watosfs_fuzz.crash.choice import CrashChoice

#: A digit that ``apply_choice`` takes for the newest value of a sector is the highest legal one; a
#: choice does not know it, so blocks are dropped whole before their sectors are looked at.
Fails = Callable[[CrashChoice], bool]


def simplest_choice(
    choices: Iterable[CrashChoice], newest: Callable[[CrashChoice, int], str], fails: Fails
) -> CrashChoice | None:
    """The smallest failing choice that greedy steps reach from the best of ``choices``.

    ``newest(choice, block)`` gives the digits of the block's last written contents at that place.
    """
    ranked = sorted(choices, key=lambda choice: (_distance(choice, newest), choice.event_index))
    best = next((choice for choice in ranked if fails(choice)), None)
    if best is None:
        return None
    for block, _ in best.sectors:
        simpler = _without(best, block)
        if fails(simpler):
            best = simpler
    for block, digits in best.sectors:
        target = newest(best, block)
        for at in range(len(digits)):
            now = dict(best.sectors)[block]
            if now[at] != target[at]:
                simpler = _with(best, block, now[:at] + target[at] + now[at + 1 :])
                if fails(simpler):
                    best = simpler
    return best


def _distance(choice: CrashChoice, newest: Callable[[CrashChoice, int], str]) -> int:
    return sum(
        digit != last
        for block, digits in choice.sectors
        for digit, last in zip(digits, newest(choice, block), strict=True)
    )


def _without(choice: CrashChoice, block: int) -> CrashChoice:
    kept = tuple(pair for pair in choice.sectors if pair[0] != block)
    return CrashChoice(choice.event_index, kept)


def _with(choice: CrashChoice, block: int, digits: str) -> CrashChoice:
    changed = tuple((b, digits if b == block else old) for b, old in choice.sectors)
    return CrashChoice(choice.event_index, changed)
