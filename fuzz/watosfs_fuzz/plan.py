"""What is decided about a trace before its first operation: style, swarm, names, length.

Swarm testing (leaving operations out of a trace at random) reaches what a uniform mixture does
not: a trace without unlink fills the disk, one with little else exercises the orphans.
"""

import random
from dataclasses import dataclass

from watosfs_fuzz import parameters as p

#: What a target may be unable to do; the generator leaves it out.
ALL_OPERATIONS = frozenset(p.WEIGHTS)


@dataclass(frozen=True, slots=True)
class Plan:
    """What was decided about a trace before its first operation."""

    style: str
    volume_blocks: int
    length: int
    names: tuple[bytes, ...]
    weights: tuple[tuple[str, float], ...]
    error_share: float


def plan_of(
    rng: random.Random, operations: frozenset[str] = ALL_OPERATIONS, length: int | None = None
) -> Plan:
    """Draw a plan over the operations that a target supports."""
    styles = tuple(p.STYLE_WEIGHTS)
    style = rng.choices(styles, [p.STYLE_WEIGHTS[name] for name in styles])[0]
    swarm = {
        name: weight
        * p.STYLES[style].get(name, 1)
        * (1 if name in p.SWARM_KEPT else rng.choice(p.SWARM_FACTORS))
        for name, weight in p.WEIGHTS.items()
        if name in operations
    }
    if swarm.get("begin"):
        for name in ("commit", "abort"):
            swarm[name] = swarm.get(name, 0) or p.WEIGHTS[name]
    low, high = p.LENGTHS.get(style, p.LENGTHS[""])
    drawn = rng.randint(low, high)
    return Plan(
        style=style,
        volume_blocks=rng.choice(p.VOLUME_BLOCKS),
        length=drawn if length is None else length,
        names=names_of(rng, style),
        weights=tuple(swarm.items()),
        error_share=rng.choice((0.0, p.ERROR_SHARE, p.ERROR_SHARE, 2 * p.ERROR_SHARE)),
    )


def names_of(rng: random.Random, style: str) -> tuple[bytes, ...]:
    """The names of one trace: few and often met, sometimes colliding, long or odd ones."""
    if style == "crowd":
        many = p.NAMES_MANY[: rng.choice((16, 40, 100))]
        return many + sum(p.NAMES_COLLIDING, ())
    names = p.NAMES_TINY[: rng.randint(2, len(p.NAMES_TINY))]
    draw = rng.random()
    if draw < 0.25:
        names += sum(rng.sample(p.NAMES_COLLIDING, 2), ())
    elif draw < 0.35:
        names += tuple(rng.sample(p.NAMES_LONG, 2))
    elif draw < 0.45:
        names += tuple(rng.sample(p.NAMES_ODD, 3))
    return names
