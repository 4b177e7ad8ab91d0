"""The generator: a function of seed and number, reaching every operation, mostly succeeding."""

import os
import re
import subprocess
import sys
from collections import Counter

import pytest

from watosfs_fuzz import parameters as p
from watosfs_fuzz.dialect import Dialect
from watosfs_fuzz.generate import Generator
from watosfs_fuzz.seeds import random_of
from watosfs_fuzz.targets.model import ModelTarget
from watosfs_model.open_flags import O_ACCMODE, O_CREAT
from watosfs_model.operations import (
    OPERATION_TYPES,
    Crash,
    Fsync,
    Ftruncate,
    Open,
    Pwrite,
    Rename,
)
from watosfs_model.trace import format_operation, parse_operation

TRACES = 150
PRINT_TRACES = """
from watosfs_fuzz.generate import Generator
from watosfs_model.trace import format_operation
for number in range(12):
    for operation in Generator(3, number):
        print(format_operation(operation))
"""


def text_of(seed: int, number: int) -> str:
    return "\n".join(format_operation(operation) for operation in Generator(seed, number))


def test_a_trace_is_a_function_of_seed_and_number() -> None:
    assert text_of(1, 2) == text_of(1, 2)
    assert len({text_of(seed, number) for seed in range(3) for number in range(3)}) == 9


def test_a_trace_does_not_depend_on_the_order_of_hashes() -> None:
    found = set()
    for seed in ("0", "1", "77"):
        environment = {
            **os.environ,
            "PYTHONHASHSEED": seed,
            "PYTHONPATH": os.pathsep.join(sys.path),
        }
        done = subprocess.run(
            (sys.executable, "-c", PRINT_TRACES), capture_output=True, env=environment, check=True
        )
        found.add(done.stdout)
    assert len(found) == 1


def test_purposes_do_not_share_a_stream() -> None:
    first, second = random_of(1, 1, "generate"), random_of(1, 1, "cuts")
    assert [first.random() for _ in range(3)] != [second.random() for _ in range(3)]


def test_every_operation_and_every_style_is_generated() -> None:
    names: Counter[str] = Counter()
    styles = set()
    for number in range(TRACES):
        generator = Generator(7, number)
        styles.add(generator.plan.style)
        names.update(operation.name() for operation in generator)
    assert names.keys() == {kind.name() for kind in OPERATION_TYPES}
    assert styles == set(p.STYLES)


def test_what_a_target_cannot_do_is_not_generated() -> None:
    left_out = {"crash", "link", "begin", "commit", "abort"}
    allowed = frozenset(kind for kind in OPERATION_TYPES if kind.name() not in left_out)
    for number in range(TRACES):
        for operation in Generator(7, number, dialect=Dialect(allowed, can_crash=False)):
            assert operation.name() not in left_out


def test_what_is_beyond_the_limits_of_a_target_is_not_generated() -> None:
    kinds = frozenset({Open, Pwrite, Ftruncate, Rename, Fsync})
    dialect = Dialect(
        kinds, can_crash=False, names="[a-e]{1,3}", file_bytes_max=5000, open_flags=O_CREAT
    )
    seen = set()
    for number in range(TRACES):
        for operation in Generator(7, number, dialect=dialect):
            seen.add(type(operation))
            match operation:
                case Open(path, flags, _):
                    assert re.fullmatch(rb"/|(/[a-e]{1,3})+", path)
                    assert not flags & ~(O_CREAT | O_ACCMODE)
                case Rename(old, new):
                    assert all(re.fullmatch(rb"/|(/[a-e]{1,3})+", path) for path in (old, new))
                case Pwrite(_, data, offset):
                    assert offset + len(data) <= 5000
                case Ftruncate(_, size):
                    assert size <= 5000
    assert seen == kinds


def test_every_generated_operation_survives_its_text_form() -> None:
    for number in range(40):
        for operation in Generator(11, number):
            assert parse_operation(format_operation(operation)) == operation


def test_most_operations_succeed_and_a_share_meets_many_errors() -> None:
    outcomes: Counter[int] = Counter()
    for number in range(60):
        generator = Generator(5, number)
        target = ModelTarget()
        while (operation := generator.next()) is not None:
            if isinstance(operation, Crash):
                continue
            outcome = target.apply(1, operation)
            generator.learn(operation, outcome.errno or None, outcome.value)
            outcomes[outcome.errno] += 1
    share = outcomes[0] / outcomes.total()
    assert 0.6 < share < 0.95, outcomes
    assert len(outcomes) >= 12, "too few kinds of errors"


@pytest.mark.parametrize("size", [160, 4096, 65536, 1 << 32])
def test_sizes_around_every_boundary_are_declared(size: int) -> None:
    declared = {*p.SIZES_SMALL, *p.SIZES_BLOCK, *p.SIZES_CHUNK, *p.SIZES_HUGE}
    assert {size - 1, size, size + 1} <= declared


def test_declared_colliding_names_collide() -> None:
    def fnv(name: bytes) -> int:
        value = 0xCBF29CE484222325
        for byte in name:
            value = ((value ^ byte) * 0x100000001B3) % (1 << 64)
        return value

    for first, second in p.NAMES_COLLIDING:
        assert first != second
        assert fnv(first) == fnv(second)
