"""Unknown bytes and masks against bytearray and int, on random histories of known values."""

import random

import pytest
import z3

from watosfs_proofs.executor import Path, explore
from watosfs_proofs.symbolic import Mask, SymInt, term
from watosfs_proofs.symbolic_bytes import SymBytes, symbolic_bytes
from watosfs_proofs.verdicts import Refuted

HISTORIES, STEPS = 60, 8


def constant(value: int) -> SymInt:
    """A symbolic integer of one value."""
    return SymInt(z3.IntVal(value))


def known(value: object) -> int:
    """The value of a term without unknowns."""
    return int(z3.simplify(term(value)).as_long())  # type: ignore[attr-defined]


def of(data: bytes) -> SymBytes:
    """The same bytes, as terms."""

    def read(index: z3.ArithRef) -> z3.ArithRef:
        value = z3.IntVal(0)
        for at, byte in enumerate(data):
            value = z3.If(index == at, byte, value)
        return value

    return SymBytes(z3.IntVal(len(data)), read)


def listed(ours: SymBytes) -> bytes:
    """What the terms say."""
    return bytes(known(SymInt(ours.read(z3.IntVal(i)))) for i in range(known(SymInt(ours.length))))


def test_bytes_are_python_s() -> None:
    source = random.Random(2)

    def run(path: Path) -> str:
        for _ in range(HISTORIES):
            real = bytearray(source.randbytes(source.randint(0, 6)))
            ours = of(bytes(real))
            for _ in range(STEPS):
                low = source.randint(0, len(real))
                high = source.randint(low, len(real))
                kind = source.choice(["set", "delete", "grow", "slice"])
                if kind == "set":
                    piece = source.randbytes(high - low)
                    real[low:high] = piece
                    ours[constant(low) : constant(high)] = of(piece)
                elif kind == "delete":
                    low = source.randint(0, len(real) + 2)
                    del real[low:]
                    del ours[constant(low) :]
                elif kind == "grow":
                    real += bytes(high - low)
                    ours += symbolic_bytes(constant(high - low))
                else:
                    assert listed(ours[constant(low) : constant(high)]) == real[low:high]
                assert listed(ours) == real
        return "done"

    explore(run)


def test_masks_are_python_s() -> None:
    source = random.Random(3)

    def run(path: Path) -> str:
        for _ in range(HISTORIES):
            a, b = source.getrandbits(Mask.WIDTH), source.getrandbits(Mask.WIDTH)
            high = source.randint(0, Mask.WIDTH)
            low = source.randint(0, high)
            by = source.randint(0, Mask.WIDTH + 1)
            between = (1 << constant(high)) - (1 << constant(low))
            for ours, real in [
                (Mask.of(a) | b, a | b),
                (Mask.of(a) & Mask.of(b), a & b),
                (Mask.of(a) >> constant(by), a >> by),
                (between, (1 << high) - (1 << low)),
                ((1 << constant(high)) - 1, (1 << high) - 1),
            ]:
                bits = [z3.is_true(z3.simplify(bit)) for bit in ours.bits()]
                assert sum(bit << i for i, bit in enumerate(bits)) == real
                assert known(ours.bit_count()) == real.bit_count()
                assert bool(ours) == bool(real)
                assert bool(ours == real)
                assert bool(ours != 0) == (real != 0)
        return "done"

    explore(run)


def test_canary_a_slice_beyond_the_bytes_is_refuted() -> None:
    def run(path: Path) -> str:
        data = SymBytes.arbitrary("data", path.integer("length"))
        return str(data[: SymInt(path.integer("end"))] is None)

    with pytest.raises(Refuted, match="a slice lies within the bytes"):
        explore(run)


def test_canary_a_mask_wider_than_its_word_is_refuted() -> None:
    def run(path: Path) -> str:
        return str(((1 << SymInt(path.integer("blocks"))) - 1) is None)

    with pytest.raises(Refuted, match="a mask keeps to its width"):
        explore(run)
