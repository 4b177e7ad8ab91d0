"""Lists of symbolic length, and facts about all their indices that are instantiated lazily.

Trusted: that reading, writing, inserting and deleting mean here what they mean on Python's lists.

A list is a length and a function from index to term. A fact "for every index ..." is kept as a
rule and instantiated at each index the code or a goal has touched, so that every question stays
free of quantifiers: Z3 decides it and also gives models. What a rule touches while instantiated
is one generation further; rules are instantiated up to GENERATIONS, so that this ends.
"""

from collections.abc import Callable, Iterator
from typing import Any

import z3

from watosfs_proofs.executor import Path
from watosfs_proofs.symbolic import SymInt, term
from watosfs_proofs.verdicts import unsupported

GENERATIONS = 1

One = Callable[[z3.ArithRef], z3.BoolRef]
Two = Callable[[z3.ArithRef, z3.ArithRef], z3.BoolRef]


class Facts:
    """Facts about every element of one domain (the indices of a list, the blocks of a volume)."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.terms: list[z3.ArithRef] = []
        self._generation: dict[int, int] = {}
        self._now = 0
        self._ones: list[One] = []
        self._twos: list[Two] = []
        self._done: set[tuple[int, ...]] = set()
        self._is_flushed = True
        path.flushes.append(self.flush)

    def touch(self, index: z3.ArithRef) -> None:
        """``index`` matters: the rules will be instantiated at it."""
        index = z3.simplify(index)
        number = index.get_id()
        known = self._generation.get(number)
        if known is None:
            self.terms.append(index)  # also keeps the id from being reused
        if known is None or known > self._now:
            self._generation[number] = self._now
            self._is_flushed = False

    def every(self, rule: One) -> None:
        """``rule`` holds of every element."""
        self._ones.append(rule)
        self._is_flushed = False

    def every_two(self, rule: Two) -> None:
        """``rule`` holds of every two different elements, in either order."""
        self._twos.append(rule)
        self._is_flushed = False

    def near(self) -> list[z3.ArithRef]:
        """The terms at which rules are instantiated."""
        return [t for _, t in self.numbered()]

    def numbered(self) -> list[tuple[int, z3.ArithRef]]:
        """The same, each with its id, which is dear to ask for."""
        pairs = zip(self._generation.items(), self.terms, strict=True)
        return [(number, t) for (number, age), t in pairs if age <= GENERATIONS]

    def flush(self) -> None:
        """Instantiate what has not been instantiated yet."""
        while not self._is_flushed:
            self._is_flushed = True
            near = self.numbered()
            for rule_number, one in enumerate(self._ones):
                for a, at in near:
                    self._instantiate((1, rule_number, a), one, at)
            for rule_number, two in enumerate(self._twos):
                for a, at in near:
                    for b, other in near:
                        if a != b:
                            self._instantiate((2, rule_number, a, b), two, at, other)

    def _instantiate(
        self, key: tuple[int, ...], rule: Callable[..., z3.BoolRef], *at: z3.ArithRef
    ) -> None:
        if key in self._done:
            return
        self._done.add(key)
        outer = self._now
        self._now = 1 + max(self._generation[number] for number in key[2:])
        try:
            self.path.assume(rule(*at))
        finally:
            self._now = outer


def stated(rule: One) -> One:
    """The same rule, spelled out once and put in for each element; it must touch nothing."""
    any_one = z3.Int("any!one")
    body = rule(any_one)
    return lambda a: z3.substitute(body, (any_one, a))


def stated_of_two(rule: Two) -> Two:
    """The same for a rule of two elements."""
    one, other = z3.Int("any!one"), z3.Int("any!other")
    body = rule(one, other)
    return lambda a, b: z3.substitute(body, (one, a), (other, b))


class SymList:
    """A list of ``length`` integers, ``read(i)`` being the one at index i."""

    no_number = True

    def __init__(
        self, facts: Facts, length: z3.ArithRef, read: Callable[[z3.ArithRef], z3.ArithRef]
    ) -> None:
        self.facts = facts
        self.length = length
        self.read = read
        #: What ``read`` was when the list was last shown to be sorted.
        self.is_sorted_at: Callable[[z3.ArithRef], z3.ArithRef] | None = None

    @classmethod
    def arbitrary(cls, facts: Facts, name: str, length: z3.ArithRef) -> "SymList":
        """A list of which nothing is known but its length and the facts."""
        function = z3.Function(name, z3.IntSort(), z3.IntSort())

        def read(index: z3.ArithRef) -> z3.ArithRef:
            facts.touch(index)
            return function(index)

        return cls(facts, length, read)

    def copy(self) -> "SymList":
        """The list as it is now."""
        return SymList(self.facts, self.length, self.read)

    def _index(self, index: object, length: z3.ArithRef) -> z3.ArithRef:
        """A written ``-1`` counts from the end; a computed negative index is never meant."""
        at = term(index)
        if isinstance(index, int) and index < 0:
            at = length + at
        self.facts.path.prove("list index in range", z3.And(at >= 0, at < length))
        return at

    def _tail(self, index: slice) -> z3.ArithRef:
        """The start of ``[n:]``; other slices have no meaning here."""
        if index.stop is not None or index.step is not None or index.start is None:
            raise unsupported("slicing a list of unknown length other than its tail")
        at = term(index.start)
        within = z3.And(at >= 0, at <= self.length)
        self.facts.path.prove("the tail of a list starts within it", within)
        return at

    def __getitem__(self, index: object) -> Any:
        if isinstance(index, slice):
            at, read = self._tail(index), self.read
            return SymList(self.facts, self.length - at, lambda j: read(at + j))
        return SymInt(self.read(self._index(index, self.length)))

    def __setitem__(self, index: object, value: object) -> None:
        at, new, old = self._index(index, self.length), term(value), self.read
        self.read = lambda j: z3.If(j == at, new, old(j))

    def __iadd__(self, more: "SymList") -> "SymList":
        if not isinstance(more, SymList):
            raise unsupported("a list of unknown length and one of known length")
        length, old, new = self.length, self.read, more.read
        self.length = length + more.length
        self.read = lambda j: z3.If(j < length, old(j), new(j - length))
        return self

    def __delitem__(self, index: object) -> None:
        if isinstance(index, slice):
            self.length = self._tail(index)
            return
        at, old = self._index(index, self.length), self.read
        self.length = self.length - 1
        self.read = lambda j: z3.If(j < at, old(j), old(j + 1))

    def insert(self, index: object, value: object) -> None:
        """As ``list.insert``; an index beyond the end is an error, not the end."""
        at, new, old = self._index(index, self.length + 1), term(value), self.read
        self.length = self.length + 1
        self.read = lambda j: z3.If(j < at, old(j), z3.If(j == at, new, old(j - 1)))

    def pop(self, index: object = -1) -> SymInt:
        """As ``list.pop``."""
        value: SymInt = self[index]
        del self[index]
        return value

    def append(self, value: object) -> None:
        """As ``list.append``."""
        self.insert(SymInt(self.length), value)

    def __len__(self) -> int:
        raise unsupported("the length of a symbolic list through a builtin that is not replaced")

    def __bool__(self) -> bool:
        return self.facts.path.decide(self.length > 0)

    def __iter__(self) -> Iterator[SymInt]:
        raise unsupported("a loop over a symbolic list other than over zip or enumerate(zip)")

    def __contains__(self, value: object) -> bool:
        raise unsupported("'in' on a symbolic list")

    def __eq__(self, other: object) -> bool:
        raise unsupported("comparing symbolic lists")

    __hash__ = None  # type: ignore[assignment]
