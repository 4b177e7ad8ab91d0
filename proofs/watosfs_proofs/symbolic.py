"""Symbolic integers and booleans that plain Python code accepts in place of its own.

Trusted: that each operator means here what it means on Python's integers.

Integers are mathematical, as Python's are. What has no exact meaning (hashing, use as an index
of a concrete list, formatting, bits, products of two unknowns) raises
Unsupported with the construct and the line, never an approximation. ``is`` cannot be seen: the
kernels use it for ``None`` only.
"""

from collections.abc import Callable
from typing import NoReturn

import z3

from watosfs_proofs.executor import current
from watosfs_proofs.verdicts import unsupported

#: Whose arithmetic with integers is a TypeError in Python. (Ours say so by ``no_number``.)
NOT_NUMBERS = (list, tuple, str, bytes, dict, set)


def term(value: object) -> z3.ArithRef:
    """The Z3 term of a symbolic or plain integer, True being 1. Raises TypeError for what is no
    number, as Python does, and Unsupported for the rest.
    """
    if isinstance(value, SymInt):
        return value.term
    if isinstance(value, SymBool):
        return z3.If(value.condition, z3.IntVal(1), z3.IntVal(0))
    if isinstance(value, int):
        return z3.IntVal(int(value))
    if _is_no_number(value):
        raise TypeError(f"{type(value).__name__} where an integer is expected")
    raise unsupported(f"{type(value).__name__} where an integer is expected")


def _is_no_number(value: object) -> bool:
    return value is None or isinstance(value, NOT_NUMBERS) or hasattr(value, "no_number")


class SymBool:
    """A condition. Its truth forks the path."""

    __slots__ = ("condition",)
    __hash__ = None  # type: ignore[assignment]

    def __init__(self, condition: z3.BoolRef) -> None:
        self.condition = condition

    def __bool__(self) -> bool:
        return current().decide(self.condition)

    def __eq__(self, other: object) -> NoReturn:
        raise unsupported("comparing conditions")

    def __ne__(self, other: object) -> NoReturn:
        raise unsupported("comparing conditions")

    def __and__(self, other: object) -> NoReturn:
        raise unsupported("'&' on a condition")

    __rand__ = __or__ = __ror__ = __xor__ = __invert__ = __and__
    __int__ = __index__ = __and__

    def __add__(self, other: object) -> "SymInt":
        return SymInt(term(self) + term(other))

    def __radd__(self, other: object) -> "SymInt":
        return SymInt(term(other) + term(self))

    def __sub__(self, other: object) -> "SymInt":
        return SymInt(term(self) - term(other))

    def __rsub__(self, other: object) -> "SymInt":
        return SymInt(term(other) - term(self))

    def __lt__(self, other: object) -> "SymBool":
        return SymBool(term(self) < term(other))

    def __le__(self, other: object) -> "SymBool":
        return SymBool(term(self) <= term(other))

    def __gt__(self, other: object) -> "SymBool":
        return SymBool(term(self) > term(other))

    def __ge__(self, other: object) -> "SymBool":
        return SymBool(term(self) >= term(other))


class SymInt:
    """An integer: a Z3 term of unbounded sort."""

    __slots__ = ("term",)
    __hash__ = None  # type: ignore[assignment]

    def __init__(self, value: z3.ArithRef) -> None:
        self.term = value

    def __add__(self, other: object) -> "SymInt":
        return SymInt(self.term + term(other))

    def __radd__(self, other: object) -> "SymInt":
        return SymInt(term(other) + self.term)

    def __sub__(self, other: object) -> "SymInt":
        return SymInt(self.term - term(other))

    def __rsub__(self, other: object) -> "SymInt":
        return SymInt(term(other) - self.term)

    def __neg__(self) -> "SymInt":
        return SymInt(-self.term)

    def __mul__(self, other: object) -> "SymInt":
        factor = term(other)
        if not z3.is_int_value(z3.simplify(factor)):
            raise unsupported("the product of two unknowns")
        return SymInt(self.term * factor)

    __rmul__ = __mul__

    def __floordiv__(self, other: object) -> "SymInt":
        return SymInt(self.term / self._divisor(other))

    def __mod__(self, other: object) -> "SymInt":
        return SymInt(self.term % self._divisor(other))

    def __divmod__(self, other: object) -> "tuple[SymInt, SymInt]":
        return self // other, self % other

    @staticmethod
    def _divisor(other: object) -> z3.ArithRef:
        """Z3 rounds as Python does for positive divisors only."""
        if isinstance(other, int) and not isinstance(other, bool) and other > 0:
            return z3.IntVal(other)
        raise unsupported("division by anything but a positive constant")

    def __lt__(self, other: object) -> SymBool:
        return SymBool(self.term < term(other))

    def __le__(self, other: object) -> SymBool:
        return SymBool(self.term <= term(other))

    def __gt__(self, other: object) -> SymBool:
        return SymBool(self.term > term(other))

    def __ge__(self, other: object) -> SymBool:
        return SymBool(self.term >= term(other))

    def __eq__(self, other: object) -> SymBool | bool:  # type: ignore[override]
        return False if _is_no_number(other) else SymBool(self.term == term(other))

    def __ne__(self, other: object) -> SymBool | bool:  # type: ignore[override]
        return True if _is_no_number(other) else SymBool(self.term != term(other))

    def __bool__(self) -> bool:
        return current().decide(self.term != 0)

    def __index__(self) -> int:
        value = z3.simplify(self.term)
        if isinstance(value, z3.IntNumRef):
            return int(value.as_long())
        raise unsupported("an unknown integer where Python needs a known one (index, range, int())")

    __int__ = __index__

    def __getitem__(self, _: object) -> NoReturn:
        raise TypeError("'int' object is not subscriptable")

    def __setitem__(self, _: object, __: object) -> NoReturn:
        raise TypeError("'int' object does not support item assignment")

    def __delitem__(self, _: object) -> NoReturn:
        raise TypeError("'int' object does not support item deletion")

    def __format__(self, specification: str) -> NoReturn:
        raise unsupported("formatting an unknown integer")

    def __str__(self) -> NoReturn:
        raise unsupported("formatting an unknown integer")

    def __repr__(self) -> str:
        return f"SymInt({z3.simplify(self.term)})"

    def _bits(self, other: object) -> NoReturn:
        raise unsupported("bit arithmetic on an unknown integer")

    __and__ = __rand__ = __or__ = __ror__ = __xor__ = __rxor__ = _bits
    __lshift__ = __rshift__ = __rrshift__ = _bits

    def __rlshift__(self, other: object) -> "Power":
        """``1 << n``: a power of two, of which only masks are made."""
        if type(other) is not int or other != 1:
            raise unsupported("a shift by an unknown number of anything but 1")
        return Power(self.term)

    __truediv__ = __rtruediv__ = __rfloordiv__ = __rmod__ = __pow__ = __rpow__ = _bits


class Power:
    """2 to the power of an unknown exponent. The difference of two is a mask of bits."""

    __slots__ = ("exponent",)

    def __init__(self, exponent: z3.ArithRef) -> None:
        self.exponent = exponent

    def __sub__(self, other: object) -> "Mask":
        return _bits_between(_exponent(other), self.exponent)

    def __rsub__(self, other: object) -> "Mask":
        return _bits_between(self.exponent, _exponent(other))


def _exponent(power: object) -> z3.ArithRef:
    if isinstance(power, Power):
        return power.exponent
    if type(power) is int and power > 0 and power.bit_count() == 1:
        return z3.IntVal(power.bit_length() - 1)
    raise unsupported("a power of two and anything but a power of two")


def _bits_between(low: z3.ArithRef, high: z3.ArithRef) -> "Mask":
    within = z3.And(low >= 0, low <= high, high <= Mask.WIDTH)
    current().prove("a mask keeps to its width", within)
    return Mask(lambda i: z3.And(low <= i, i < high))


class Mask:
    """A word of WIDTH unknown bits: ``bit(i)`` for 0 <= i < WIDTH; there are no others."""

    WIDTH = 16
    __slots__ = ("bit",)
    __hash__ = None  # type: ignore[assignment]

    def __init__(self, bit: Callable[[z3.ArithRef], z3.BoolRef]) -> None:
        self.bit = bit

    @classmethod
    def of(cls, value: object) -> "Mask":
        """A mask as it is; a plain integer bit by bit."""
        if isinstance(value, Mask):
            return value
        if type(value) is not int or value < 0 or value >> cls.WIDTH:
            raise unsupported(f"a mask and {type(value).__name__}")
        return cls(lambda i: z3.Or(*(i == n for n in range(cls.WIDTH) if value >> n & 1)))

    def bits(self) -> list[z3.BoolRef]:
        """All of them, the lowest first."""
        return [self.bit(z3.IntVal(i)) for i in range(self.WIDTH)]

    def __or__(self, other: object) -> "Mask":
        mine, theirs = self.bit, Mask.of(other).bit
        return Mask(lambda i: z3.Or(mine(i), theirs(i)))

    def __and__(self, other: object) -> "Mask":
        mine, theirs = self.bit, Mask.of(other).bit
        return Mask(lambda i: z3.And(mine(i), theirs(i)))

    __ror__, __rand__ = __or__, __and__

    def __rshift__(self, other: object) -> "Mask":
        mine, by = self.bit, term(other)
        current().prove("no shift by a negative number", by >= 0)
        return Mask(lambda i: z3.And(i + by < self.WIDTH, mine(i + by)))

    def __eq__(self, other: object) -> SymBool:  # type: ignore[override]
        pairs = zip(self.bits(), Mask.of(other).bits(), strict=True)
        return SymBool(z3.And(*(a == b for a, b in pairs)))

    def __ne__(self, other: object) -> SymBool:  # type: ignore[override]
        return SymBool(z3.Not((self == other).condition))

    def __bool__(self) -> bool:
        return current().decide(z3.Or(*self.bits()))

    def bit_count(self) -> SymInt:
        """How many are set."""
        return SymInt(z3.Sum(*(z3.If(bit, 1, 0) for bit in self.bits())))
