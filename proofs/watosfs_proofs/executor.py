"""The symbolic executor: runs plain Python once for every feasible combination of its branches.

Trusted: that every feasible path is run, and that a goal counts as proved only when Z3 says
``unsat`` of its negation.

A path is named by its decisions. Where the code asks a symbolic condition for its truth, Z3 says
which sides are feasible; one is taken at once and the other is kept as a decision prefix to replay
from the start. A replayed prefix costs no solver call.
"""

import gc
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import z3

from watosfs_proofs.verdicts import Case, HarnessError, PathEnd, Refutation, Refuted, Unknown

# The checks of arguments in the Python part of z3 take half of the time of a proof; the solver
# still refuses a term of the wrong sort.
z3.z3.Z3_DEBUG = False

# The same questions in the same order get the same answers, and so the same witnesses.
for setting in ("smt.random_seed", "sat.random_seed"):
    z3.set_param(setting, 0)

#: A counterexample is sought with every number at most this, before a larger one is accepted.
CAPS = (4, 8, 16, 64, 1024)
#: Z3's units of work for each of these attempts (about half a second): no clock decides what is
#: shown, so that it is the same on a machine that is busy.
CAP_WORK = 500_000


@dataclass
class Exploration:
    """What exploring an obligation took, and one concrete case for every outcome reached."""

    paths: int = 0
    checks: int = 0
    solver_seconds: float = 0.0
    goals: dict[str, int] = field(default_factory=dict)
    witnesses: dict[str, Case] = field(default_factory=dict)


@dataclass(frozen=True)
class Limits:
    """Budgets: seconds for the whole exploration, and for one question to Z3."""

    seconds: float = 60.0
    query_seconds: float = 20.0


class Path:
    """One run of the code. The code sees it only through symbolic values."""

    def __init__(
        self, solver: z3.Solver, prefix: list[bool], statistics: Exploration, limits: Limits
    ) -> None:
        self.solver = solver
        self.prefix = prefix
        self.decisions: list[bool] = []
        self.forks: list[list[bool]] = []
        self.statistics = statistics
        self.limits = limits
        self.deadline = 0.0
        self.inputs: dict[str, z3.ExprRef] = {}
        self.flushes: list[Callable[[], None]] = []
        self.decoders: dict[str, Callable[[z3.ModelRef], object]] = {}
        self.invariants: dict[str, object] = {}
        self.domains: dict[str, object] = {}
        self._names: dict[str, int] = {}
        self._model: z3.ModelRef | None = None

    # Values.

    def _unique(self, name: str) -> str:
        number = self._names.get(name, 0)
        self._names[name] = number + 1
        return f"{name}!{number}" if number else name

    def integer(self, name: str, *, is_input: bool = True) -> z3.ArithRef:
        """A fresh non-negative integer. Inputs are shown in counterexamples."""
        name = self._unique(name)
        constant = z3.Int(name)
        if is_input:
            self.inputs[name] = constant
        self.assume(constant >= 0)
        return constant

    def boolean(self, name: str) -> z3.BoolRef:
        """A fresh boolean: a free choice."""
        name = self._unique(name)
        constant = z3.Bool(name)
        self.inputs[name] = constant
        return constant

    # Facts, decisions, goals.

    def assume(self, fact: z3.BoolRef) -> None:
        """From here on ``fact`` holds."""
        self.solver.add(fact)
        model = self._model
        if model is not None and not z3.is_true(model.eval(fact, model_completion=True)):
            self._model = None

    @property
    def is_replaying(self) -> bool:
        """Inside the prefix that an earlier path has already been through."""
        return len(self.decisions) < len(self.prefix)

    def check(self, *extra: z3.BoolRef) -> bool:
        """Whether the facts and ``extra`` can hold together. Raises Unknown."""
        if time.monotonic() > self.deadline:
            raise Unknown(f"more than {self.limits.seconds:g} s")
        start = time.perf_counter()
        answer = self.solver.check(*extra)
        self.statistics.solver_seconds += time.perf_counter() - start
        self.statistics.checks += 1
        if answer == z3.unknown:
            raise Unknown(f"Z3: {self.solver.reason_unknown()}")
        return bool(answer == z3.sat)

    def flush(self) -> None:
        """Instantiate the lazy facts at every term touched so far."""
        for flush in self.flushes:
            flush()

    def decide(self, condition: z3.BoolRef) -> bool:
        """The truth of ``condition`` on this path; forks when both sides are feasible."""
        condition = z3.simplify(condition)
        if z3.is_true(condition):
            return True
        if z3.is_false(condition):
            return False
        self.flush()
        if self.is_replaying:
            taken = self.prefix[len(self.decisions)]
        else:
            can_hold, can_fail = self._feasible(condition), self._feasible(z3.Not(condition))
            if not can_hold and not can_fail:
                raise PathEnd
            taken = can_hold
            if can_hold and can_fail:
                self.forks.append([*self.decisions, False])
        self.decisions.append(taken)
        self.assume(condition if taken else z3.Not(condition))
        return taken

    def _feasible(self, condition: z3.BoolRef) -> bool:
        model = self._model
        if model is not None and z3.is_true(model.eval(condition, model_completion=True)):
            return True
        if not self.check(condition):
            return False
        self._model = self.solver.model()
        return True

    def prove(self, name: str, goal: z3.BoolRef | bool) -> None:
        """``goal`` holds on this path. Raises Refuted."""
        if isinstance(goal, bool):
            goal = z3.BoolVal(goal)
        self.flush()
        if self.is_replaying:
            return
        self.statistics.goals[name] = self.statistics.goals.get(name, 0) + 1
        if not z3.is_true(z3.simplify(goal)) and self.check(z3.Not(goal)):
            raise Refuted(Refutation(name, self.case(z3.Not(goal))))

    # Concrete values.

    def case(self, *extra: z3.BoolRef) -> Case:
        """Concrete values under which the facts and ``extra`` hold, small ones if they can be.

        Must follow a check of the same that said yes.
        """
        model = self.solver.model()
        numbers = [value for value in self.inputs.values() if not z3.is_bool(value)]
        self.solver.set("rlimit", CAP_WORK)
        for cap in CAPS:
            if self.solver.check(*extra, *(number <= cap for number in numbers)) == z3.sat:
                model = self.solver.model()
                break
        self.solver.set("rlimit", 0)
        values: Case = {name: concrete(model, value) for name, value in self.inputs.items()}
        values.update({name: decode(model) for name, decode in self.decoders.items()})
        return values


def concrete(model: z3.ModelRef, value: z3.ExprRef) -> int | bool:
    """The value in the model, as a plain int or bool."""
    result = model.eval(value, model_completion=True)
    if z3.is_bool(result):
        return bool(z3.is_true(result))
    assert isinstance(result, z3.IntNumRef), result
    return int(result.as_long())


_path: list[Path] = []


def current() -> Path:
    """The path being run. Symbolic values outside of an exploration are a mistake."""
    if not _path:
        raise HarnessError("a symbolic value is used outside of an exploration")
    return _path[-1]


def explore(run: Callable[[Path], str], limits: Limits | None = None) -> Exploration:
    """Run on every feasible path; ``run`` assumes, calls the code, proves, and names the outcome.

    Raises Refuted, Unknown, Unsupported, HarnessError.
    """
    limits = limits or Limits()
    statistics = Exploration()
    deadline = time.monotonic() + limits.seconds
    waiting: list[list[bool]] = [[]]
    with _collected_at_the_end():
        solver = z3.Solver()
        solver.set("timeout", int(limits.query_seconds * 1000))
        while waiting:
            path = Path(solver, waiting.pop(), statistics, limits)
            path.deadline = deadline
            solver.push()
            _path.append(path)
            try:
                _run_one(run, path)
            finally:
                _path.pop()
                solver.pop()
            statistics.paths += 1
            waiting += path.forks
    return statistics


@contextmanager
def _collected_at_the_end() -> Iterator[None]:
    """Python's collector frees terms only here. Z3 gives their numbers to new terms, and which
    model it finds first depends on the numbers: a collection at any allocation would make of the
    same exploration another one in another process.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    gc.freeze()
    try:
        yield
    finally:
        gc.collect()
        gc.unfreeze()
        if was_enabled:
            gc.enable()


def _run_one(run: Callable[[Path], str], path: Path) -> None:
    try:
        outcome = run(path)
    except PathEnd:
        return
    except (Refuted, Unknown, z3.Z3Exception):
        raise
    except Exception as failure:
        path.flush()
        if path.check():
            goal = f"raises {type(failure).__name__}: {failure}"
            raise Refuted(Refutation(goal, path.case())) from failure
        return
    if path.is_replaying:
        raise HarnessError("the replay of a path ended before its decisions did")
    if outcome not in path.statistics.witnesses:
        path.flush()
        if path.check():
            path.statistics.witnesses[outcome] = path.case()
