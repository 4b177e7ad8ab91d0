"""How a canary is made: a broken form of some attributes, patched in while it is in force."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from unittest.mock import patch


@dataclass(frozen=True, slots=True)
class Canary:
    """A planted fault: what it breaks, and how it is planted (a context manager)."""

    name: str
    description: str
    plant: Callable[[], AbstractContextManager[object]]
    #: The target that it breaks.
    target: str = "wfs3"


CANARIES: dict[str, Canary] = {}


def canary(
    name: str,
    description: str,
    *places: tuple[object, str],
    registry: dict[str, Canary] = CANARIES,
    target: str = "wfs3",
) -> Callable[[Callable[..., object]], Callable[..., object]]:
    """Register a function that, given the original attributes of ``places``, makes the broken ones.

    A place that is gone is an error here, so that no canary grows stale unnoticed.
    """

    def register(breaks: Callable[..., object]) -> Callable[..., object]:
        originals = [getattr(owner, attribute) for owner, attribute in places]

        @contextmanager
        def plant() -> Iterator[None]:
            broken = breaks(*originals)
            made = broken if isinstance(broken, tuple) else (broken,)
            with ExitStack() as stack:
                for (owner, attribute), value in zip(places, made, strict=True):
                    stack.enter_context(patch.object(owner, attribute, value))
                yield

        assert name not in registry, f"canary {name} twice"
        registry[name] = Canary(name, description, plant, target)
        return breaks

    return register
