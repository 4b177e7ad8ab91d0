"""``watosfs-prove --mutants``: scores of the functions, survivors with diffs, stale reasons.

Score: (killed + stopped) of all that are not explained as equivalent. Tuned and held-out mutators
are scored apart, since the specification was completed against the tuned ones only.
"""

from collections import Counter
from dataclasses import dataclass
from statistics import median
from types import ModuleType

from rich.live import Live
from rich.table import Table

from watosfs_proofs.catalogue import Cluster, clusters
from watosfs_proofs.equivalents import Explanation
from watosfs_proofs.kept import Kept
from watosfs_proofs.mutant_run import (
    KILLED,
    STOPPED,
    SURVIVED,
    Exercise,
    Judgement,
    exercises_of,
    judge_function,
    proved_functions,
)
from watosfs_proofs.mutants import Mutant, functions
from watosfs_proofs.wide import wide_console

EQUIVALENT, UNEXPLAINED = "equivalent", "unexplained"


@dataclass(frozen=True)
class Judged:
    """A mutant, what became of it, and what the reviewed list says of it."""

    group: str
    mutant: Mutant
    judgement: Judgement
    explanation: Explanation | None

    @property
    def function(self) -> str:
        """Group and qualified name."""
        return f"{self.group}:{self.mutant.function}"

    @property
    def verdict(self) -> str:
        """killed, stopped, equivalent or unexplained."""
        if self.judgement.status != SURVIVED:
            return self.judgement.status
        return UNEXPLAINED if self.explanation is None else EQUIVALENT


@dataclass(frozen=True)
class Report:
    """All that was judged, and the explanations that no survivor of these functions needs."""

    judged: list[Judged]
    stale: list[Explanation]
    functions: list[str]

    @property
    def is_clean(self) -> bool:
        """Every survivor is explained, every explanation needed."""
        return not self.stale and all(each.verdict != UNEXPLAINED for each in self.judged)


def score(judged: list[Judged], *, held_out: bool | None = None) -> tuple[Counter[str], float]:
    """How many of each verdict, and the score in per cent."""
    counts = Counter(
        each.verdict for each in judged if held_out is None or each.mutant.held_out == held_out
    )
    relevant = counts.total() - counts[EQUIVALENT]
    caught = counts[KILLED] + counts[STOPPED]
    return counts, 100.0 * caught / relevant if relevant else 100.0


def judge_all(
    names: list[str] | None, kept: Kept, explained: dict[str, Explanation], *, quiet: bool
) -> Report:
    """Judge the mutants of every proved function whose "group:name" contains any of ``names``."""
    judged: list[Judged] = []
    functions: list[str] = []
    console = wide_console(stderr=True)
    with Live(console=console, auto_refresh=False, transient=True) as live:
        for cluster in clusters():
            if names and not any(each in name for each in names for name in _names(cluster)):
                continue
            exercises = exercises_of(cluster, kept)
            for module, function in proved_functions(cluster, exercises):
                name = f"{cluster.name}:{function}"
                if names and not any(each in name for each in names):
                    continue
                functions.append(name)
                for each in _judge(cluster, module, function, exercises, kept, explained):
                    judged.append(each)
                    if not quiet and console.is_terminal:
                        live.update(table(judged), refresh=True)
    survivors = {each.mutant.identity for each in judged if each.judgement.status == SURVIVED}
    known = {f"{cluster.name}:" for cluster in clusters()}
    stale = [
        one
        for one in explained.values()
        if (one.function in functions and one.id not in survivors)
        or (not names and one.function not in functions)
        or not any(one.function.startswith(name) for name in known)
    ]
    return Report(judged, stale, functions)


def _names(cluster: Cluster) -> list[str]:
    """Of the functions in the cluster's modules, proved or not."""
    return [f"{cluster.name}:{name}" for module in cluster.modules for name in functions(module)]


def _judge(
    cluster: Cluster,
    module: ModuleType,
    function: str,
    exercises: list[Exercise],
    kept: Kept,
    explained: dict[str, Explanation],
) -> list[Judged]:
    try:
        return [
            Judged(cluster.name, mutant, judgement, explained.get(mutant.identity))
            for mutant, judgement in judge_function(cluster, module, function, exercises, kept)
        ]
    finally:
        kept.save()


def refutation_seconds(judged: list[Judged]) -> float | None:
    """The median time in which a mutant was killed, from building it to the failed goal."""
    killed = [each.judgement.seconds for each in judged if each.verdict == KILLED]
    return median(killed) if killed else None


def table(judged: list[Judged]) -> Table:
    """One row for each function and kind of mutator."""
    drawn = Table(box=None, pad_edge=False)
    drawn.add_column("function", no_wrap=True)
    drawn.add_column("mutators", no_wrap=True)
    headings = ("mutants", KILLED, STOPPED, EQUIVALENT, UNEXPLAINED, "score %", "median s")
    for heading in headings:
        drawn.add_column(heading, justify="right")
    for function in [*dict.fromkeys(each.function for each in judged), "all"]:
        for held_out in (False, True):
            part = [
                each
                for each in judged
                if function in ("all", each.function) and each.mutant.held_out == held_out
            ]
            counts, percent = score(part)
            seconds = refutation_seconds(part)
            verdicts = (KILLED, STOPPED, EQUIVALENT, UNEXPLAINED)
            drawn.add_row(
                function,
                "held out" if held_out else "tuned",
                str(len(part)),
                *(str(counts[verdict]) for verdict in verdicts),
                f"{percent:.1f}",
                "-" if seconds is None else f"{seconds:.2f}",
            )
    return drawn


def show(report: Report) -> None:
    """The table, then everything that needs a reader."""
    console = wide_console()
    console.print(table(report.judged))
    for each in report.judged:
        if each.verdict == UNEXPLAINED:
            head = f"survived: {each.mutant.identity} {each.function} ({each.mutant.mutator})"
            console.print(f"{head}\n{each.mutant.diff}", markup=False, highlight=False)
    for one in report.stale:
        console.print(
            f"stale explanation: {one.id} of {one.function} survives no longer, or is not made",
            markup=False,
            highlight=False,
        )
    console.print(summary(report), markup=False, highlight=False)


def summary(report: Report) -> str:
    """One line: how many, the two scores, the median time of a refutation."""
    counts, _ = score(report.judged)
    (_, tuned), (_, held_out) = (score(report.judged, held_out=kind) for kind in (False, True))
    seconds = refutation_seconds(report.judged)
    quick = "" if seconds is None else f"; a broken version is refuted in {seconds:.2f} s (median)"
    return (
        f"{counts.total()} mutants, {counts[UNEXPLAINED]} unexplained; caught of those that are "
        f"faults: {tuned:.1f} % tuned, {held_out:.1f} % held out{quick}"
    )


def as_json(report: Report) -> dict[str, object]:
    """Scores, every mutant, stale explanations."""
    kinds = {"tuned": False, "held out": True}
    return {
        "functions": report.functions,
        "score": {
            name: dict(zip(("counts", "percent"), score(report.judged, held_out=kind), strict=True))
            for name, kind in kinds.items()
        },
        "median_refutation_seconds": refutation_seconds(report.judged),
        "mutants": [
            {
                "id": each.mutant.identity,
                "function": each.function,
                "mutator": each.mutant.mutator,
                "held_out": each.mutant.held_out,
                "verdict": each.verdict,
                "by": each.judgement.by,
                "reason": each.judgement.reason,
                "seconds": round(each.judgement.seconds, 3),
                "diff": each.mutant.diff,
                "why": each.explanation.why if each.explanation else None,
            }
            for each in report.judged
        ],
        "stale": [one.id for one in report.stale],
    }
