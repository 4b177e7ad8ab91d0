"""The executor against Python itself, and against claims that are false.

Checks: arithmetic, comparisons and list operations on thousands of random values mean what Python
says; every feasible branch is run; a false claim is refuted; what has no exact meaning is an error
that names its line. Does not check: Z3.
"""

import bisect
import operator
import random
from collections.abc import Callable
from typing import Any

import pytest
import z3

from watosfs_proofs.executor import Limits, Path, explore
from watosfs_proofs.lists import Facts, SymList
from watosfs_proofs.loops import (
    Invariant,
    SymbolicZip,
    symbolic_bisect_left,
    symbolic_bisect_right,
    symbolic_len,
)
from watosfs_proofs.symbolic import SymInt, term
from watosfs_proofs.verdicts import HarnessError, Refuted, Unknown, Unsupported

ARITHMETIC = [operator.add, operator.sub]
BY_CONSTANT = [operator.mul, operator.floordiv, operator.mod]
COMPARISONS = [operator.lt, operator.le, operator.gt, operator.ge, operator.eq, operator.ne]
LIST_OPERATIONS = ["insert", "append", "pop", "delete", "set", "last", "cut", "extend"]
LIST_RUNS = 300


def known(value: object) -> int:
    """The value of a term without unknowns."""
    return int(z3.simplify(term(value)).as_long())  # type: ignore[attr-defined]


def constant(value: int) -> SymInt:
    """A symbolic integer of one value."""
    return SymInt(z3.IntVal(value))


def test_arithmetic_is_python_s() -> None:
    source = random.Random(1)
    for _ in range(2000):
        a, b, by = (source.randint(-9, 9), source.randint(-9, 9), source.randint(1, 9))
        for operation in ARITHMETIC:
            assert known(operation(constant(a), constant(b))) == operation(a, b)
            assert known(operation(a, constant(b))) == operation(a, b)
        for operation in BY_CONSTANT:
            assert known(operation(constant(a), by)) == operation(a, by)
        for compare in COMPARISONS:
            answer = compare(constant(a), constant(b))
            assert z3.is_true(z3.simplify(answer.condition)) == compare(a, b)
        assert known(-constant(a)) == -a
        condition = constant(a) < constant(b)
        for operation in ARITHMETIC:
            assert known(operation(condition, constant(by))) == operation(a < b, by)
            assert known(operation(by, condition)) == operation(by, a < b)


@pytest.mark.parametrize("operation", [*ARITHMETIC, operator.lt, operator.ge, operator.getitem])
@pytest.mark.parametrize("other", [None, [1], "1", (1,)])
def test_what_is_a_type_error_in_python_is_one_here(
    operation: Callable[[Any, Any], object], other: object
) -> None:
    for number in (constant(1), 1):
        with pytest.raises(TypeError):
            operation(number, other)
    assert (constant(1) == other) is False
    assert (constant(1) != other) is True


def _step(source: random.Random, real: list[int], ours: SymList) -> None:
    """One random operation on both."""
    value, kind = (
        source.randint(0, 99),
        source.choice(LIST_OPERATIONS),
    )
    if kind == "insert":
        at = source.randint(0, len(real))
        real.insert(at, value)
        ours.insert(constant(at), constant(value))
    elif kind == "append" or not real:
        real.append(value)
        ours.append(constant(value))
    elif kind == "pop":
        assert known(ours.pop()) == real.pop()
    elif kind == "delete":
        at = source.randrange(len(real))
        del real[at]
        del ours[constant(at)]
    elif kind == "set":
        at = source.randrange(len(real))
        real[at] = value
        ours[constant(at)] = constant(value)
    elif kind == "cut":
        at = source.randint(0, len(real))
        del real[at:]
        del ours[constant(at) :]
    elif kind == "extend":
        at = source.randint(0, len(real))
        real += real[at:]
        ours += ours[constant(at) :]
    else:
        assert known(ours[-1]) == real[-1]


def test_lists_are_python_s() -> None:
    source = random.Random(2)

    def run(path: Path) -> str:
        real: list[int] = []
        ours = SymList(Facts(path), z3.IntVal(0), lambda _: z3.IntVal(-1))
        for _ in range(8):
            _step(source, real, ours)
        assert known(symbolic_len(ours)) == len(real)
        assert [known(ours[constant(k)]) for k in range(len(real))] == real
        return "agreed"

    for _ in range(LIST_RUNS):
        assert set(explore(run).witnesses) == {"agreed"}


@pytest.mark.parametrize("low", [(), (1,)])
@pytest.mark.parametrize("side", ["left", "right"])
def test_bisection_is_python_s(side: str, low: tuple[int, ...]) -> None:
    source = random.Random(4)
    symbolic, real = {
        "left": (symbolic_bisect_left, bisect.bisect_left),
        "right": (symbolic_bisect_right, bisect.bisect_right),
    }[side]

    def run(path: Path) -> str:
        values = sorted(source.choices(range(9), k=source.randint(1, 5)))
        wanted = source.randrange(9)
        facts = Facts(path)

        def read(index: z3.ArithRef) -> z3.ArithRef:
            facts.touch(index)
            found = z3.IntVal(-1)
            for at, value in enumerate(values):
                found = z3.If(index == at, value, found)
            return found

        ours = SymList(facts, z3.IntVal(len(values)), read)
        for at in range(len(values) + 1):
            facts.touch(z3.IntVal(at))
        found = symbolic(ours, constant(wanted), *low)
        path.prove("the same place", found.term == real(values, wanted, *low))
        return "agreed"

    for _ in range(LIST_RUNS // 3):
        assert set(explore(run).witnesses) == {"agreed"}


def test_every_feasible_branch_is_run_once() -> None:
    def run(path: Path) -> str:
        a, b = SymInt(path.integer("a")), SymInt(path.integer("b"))
        path.assume(a.term < 3)
        first = "small" if a < 2 else "two"
        second = "never" if a > 2 else "less" if a < b else "not less"
        return f"{first}, {second}"

    found = explore(run)
    assert found.paths == 4
    assert set(found.witnesses) == {f"{x}, {y}" for x in ("small", "two") for y in (
        "less", "not less")}  # fmt: skip
    for outcome, case in found.witnesses.items():
        assert (case["a"] == 2) == outcome.startswith("two")  # type: ignore[comparison-overlap]


def _any_list(path: Path) -> SymList:
    facts = Facts(path)
    made = SymList.arbitrary(facts, "list", path.integer("length"))
    read = made.read
    length = made.length
    facts.every_two(lambda j, k: z3.Implies(z3.And(j >= 0, j < k, k < length), read(j) < read(k)))
    return made


def _bisects(path: Path) -> None:
    items = _any_list(path)
    at = symbolic_bisect_right(items, SymInt(path.integer("x")))
    path.prove("it is never the end", at.term < items.length)


def _bisects_the_unsorted(path: Path) -> None:
    facts = Facts(path)
    items = SymList.arbitrary(facts, "any", path.integer("length"))
    symbolic_bisect_right(items, 3)


def _deletes(path: Path) -> None:
    items = _any_list(path)
    path.assume(items.length > 1)
    first = items[0]
    del items[0]
    path.prove("the first stays", term(items[0]) == first.term)


def _reads_beyond(path: Path) -> None:
    items = _any_list(path)
    items[SymInt(items.length - 1)]


def _inserts(path: Path) -> None:
    items = _any_list(path)
    items.insert(0, SymInt(path.integer("x")))
    k = path.integer("k", is_input=False)
    items.facts.touch(k)
    path.prove("still sorted", z3.Implies(z3.And(k > 0, k < items.length), term(items[0]) < (
        items.read(k))))  # fmt: skip


def _overflows(path: Path) -> None:
    a = SymInt(path.integer("a"))
    path.prove("there is a largest integer", (a + 1).term <= 1 << 64)


def _raises(path: Path) -> None:
    if SymInt(path.integer("a")) == 7:
        raise KeyError("seven")


FALSE_CLAIMS = [_bisects, _bisects_the_unsorted, _deletes, _reads_beyond, _inserts, _overflows]


@pytest.mark.parametrize("claim", [*FALSE_CLAIMS, _raises])
def test_canary_a_false_claim_is_refuted(claim: Callable[[Path], None]) -> None:
    def run(path: Path) -> str:
        claim(path)
        return "done"

    with pytest.raises(Refuted):
        explore(run)


def _sum(items: Any) -> Any:
    total, seen = 0, 0
    for (item,) in SymbolicZip(items):
        total = total + item
        seen = seen + 1
    return total, seen


def _loop(
    keeps: Callable[[Any, Any], z3.BoolRef], carried: tuple[str, ...] = ("total", "seen")
) -> Callable[[Path], str]:
    """Explores the loop of ``_sum`` under an invariant of (seen, iteration)."""

    def run(path: Path) -> str:
        def arbitrary(scope: dict[str, Any], i: Any) -> dict[str, Any]:
            new = {name: SymInt(path.integer(name, is_input=False)) for name in carried}
            if "seen" in new:
                path.assume(keeps(new["seen"].term, i))
            return new

        def holds(scope: dict[str, Any], i: Any) -> list[tuple[str, z3.BoolRef]]:
            return [("seen", keeps(term(scope["seen"]), i))]

        path.invariants["_sum"] = Invariant(holds, arbitrary)
        items = _any_list(path)
        _, seen = _sum(items)
        path.prove("as many as there are", term(seen) == items.length)
        return "summed"

    return run


def test_a_loop_is_proved_by_its_invariant() -> None:
    assert set(explore(_loop(lambda seen, i: seen == i)).witnesses) == {"summed"}


@pytest.mark.parametrize(
    "keeps",
    [
        lambda seen, i: seen == i + 1,  # fails on entry
        lambda seen, i: seen == 0,  # is not kept
        lambda seen, i: seen >= i,  # says too little
    ],
)
def test_canary_a_wrong_invariant_is_refuted(keeps: Callable[[Any, Any], z3.BoolRef]) -> None:
    with pytest.raises(Refuted):
        explore(_loop(keeps))


def test_canary_a_loop_that_carries_an_unnamed_local_is_an_error() -> None:
    with pytest.raises(HarnessError, match="carries 'total'"):
        explore(_loop(lambda seen, i: seen == i, ("seen",)))


def _unsupported_uses() -> list[Callable[[SymInt, SymList], object]]:
    return [
        lambda n, _: n * n,
        lambda n, _: n // n,
        lambda n, _: n & 1,
        lambda n, _: [1, 2][n],
        lambda n, _: range(n),
        lambda n, _: f"{n}",
        lambda n, _: (n < 1) & True,
        lambda n, items: items[:n],
        lambda n, items: n in items,
        lambda _, items: list(items),
        lambda _, items: len(items),
    ]


@pytest.mark.parametrize("number", range(len(_unsupported_uses())))
def test_what_has_no_exact_meaning_is_an_error_that_names_the_line(number: int) -> None:
    use = _unsupported_uses()[number]

    def run(path: Path) -> str:
        use(SymInt(path.integer("n")), _any_list(path))
        return "done"

    with pytest.raises(Unsupported, match=r"not supported \(in .*, test_executor.py:\d+\)"):
        explore(run)


def test_a_symbolic_value_cannot_be_a_key() -> None:
    def run(path: Path) -> str:
        return str({SymInt(path.integer("n")): 1})

    with pytest.raises(Refuted, match="unhashable"):
        explore(run)


def test_a_symbolic_value_outside_of_an_exploration_is_an_error() -> None:
    with pytest.raises(HarnessError, match="outside of an exploration"):
        bool(SymInt(z3.Int("n")) < 3)


def test_code_under_proof_cannot_swallow_what_ends_a_path() -> None:
    def run(path: Path) -> str:
        try:
            SymInt(path.integer("n")) & 1
        except Exception:
            return "swallowed"
        return "done"

    with pytest.raises(Unsupported):
        explore(run)


def test_a_budget_that_runs_out_is_unknown() -> None:
    def run(path: Path) -> str:
        return "less" if SymInt(path.integer("n")) < 3 else "more"

    with pytest.raises(Unknown, match="more than 0 s"):
        explore(run, Limits(seconds=0.0))
