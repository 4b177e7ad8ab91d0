"""Results as a live table, as JSON, and refutations as a short story."""

import hashlib
import inspect
import platform

import z3
from rich.live import Live
from rich.table import Table

from watosfs_proofs.catalogue import GROUPS
from watosfs_proofs.executor import Exploration, Limits
from watosfs_proofs.fingerprints import of_group
from watosfs_proofs.kept import Kept
from watosfs_proofs.obligation import PROVED, REFUTED, Obligation, Result, settle
from watosfs_proofs.wide import wide_console

COLOURS = {PROVED: "green", REFUTED: "bold red"}


def settle_all(
    obligations: list[Obligation], seconds: float, kept: Kept, *, quiet: bool
) -> list[Result]:
    """Settle one after the other; a table grows meanwhile unless ``quiet``. What was proved of the
    same sources is kept.
    """
    limits = Limits(seconds=seconds, query_seconds=seconds)
    keys = {group.name: of_group(group) for group in GROUPS}
    results: list[Result] = []
    console = wide_console()
    with Live(console=console, auto_refresh=False, transient=True) as live:
        for obligation in obligations:
            if not quiet and console.is_terminal:
                live.update(table(results, running=obligation), refresh=True)
            key = keys.get(obligation.name.partition(".")[0])
            result = recalled(obligation, key, kept)
            if result is None:
                result = settle(obligation, limits)
                remember(result, key, kept)
            results.append(result)
    kept.save()
    return results


def recalled(obligation: Obligation, key: str | None, kept: Kept) -> Result | None:
    """The proof of an earlier run, if everything it depends on is as it was."""
    known = None if key is None else kept.get(obligation.name, key)
    if known is None:
        return None
    exploration = Exploration(**known["exploration"])
    return Result(obligation, PROVED, known["seconds"], exploration, satisfiable=True, is_kept=True)


def remember(result: Result, key: str | None, kept: Kept) -> None:
    """Keep a proof. What is not proved is tried again each time."""
    if key is not None and result.verdict == PROVED:
        exploration = {**vars(result.exploration), "witnesses": {}}
        value = {"seconds": result.seconds, "exploration": exploration}
        kept.put(result.obligation.name, key, value)


def show(results: list[Result]) -> None:
    """The table, the story of what is not proved, and the sum."""
    console = wide_console()
    console.print(table(results))
    for result in results:
        if result.verdict != PROVED:
            console.print(story(result), markup=False, highlight=False)
    proved = [result for result in results if result.verdict == PROVED]
    goals = sum(len(result.exploration.goals) for result in proved)
    new = sum(result.seconds for result in results if not result.is_kept)
    kept = sum(result.is_kept for result in results)
    told = f"; {kept} of them kept from an earlier run, --fresh proves all" if kept else ""
    sum_of_all = f"{len(proved)} of {len(results)} obligations proved ({goals} properties)"
    console.print(f"{sum_of_all}, {new:.1f} s{told}")


def table(results: list[Result], running: Obligation | None = None) -> Table:
    """One row for each obligation that is settled or being settled."""
    drawn = Table(box=None, pad_edge=False)
    for heading in ("obligation", "holds", "crash", "satisfiable"):
        drawn.add_column(heading, no_wrap=True)
    for heading in ("paths", "properties", "Z3 s", "s"):
        drawn.add_column(heading, justify="right")
    drawn.add_column("for")
    for result in results:
        exploration, colour = result.exploration, COLOURS.get(result.verdict, "yellow")
        drawn.add_row(
            result.obligation.name,
            f"[{colour}]{result.verdict}[/]",
            crash_column(result),
            "yes" if result.satisfiable else "-",
            str(exploration.paths),
            str(len(exploration.goals)),
            f"{exploration.solver_seconds:.2f}",
            f"{result.seconds:.2f}",
            result.obligation.bound,
        )
    if running is not None:
        drawn.add_row(running.name, "...", "", "", "", "", "", "", running.bound)
    return drawn


def crash_column(result: Result) -> str:
    """Pure bookkeeping has no medium that a crash could leave half written."""
    if not result.obligation.crosses_crash:
        return "pure"
    return "holds" if result.verdict == PROVED else "-"


def story(result: Result) -> str:
    """What fails, and the concrete values that make it fail."""
    lines = [f"{result.obligation.name}: {result.verdict}: {result.reason}"]
    if result.refutation is not None:
        given = ((name, value) for name, value in result.refutation.case.items() if value != [])
        lines += [f"    {name} = {value}" for name, value in given]
        if result.replayed is not None:
            told = result.replayed.problem or "nothing wrong is seen at the end"
            lines.append(f"    the real code, on these: {result.replayed.outcome}: {told}")
    return "\n".join(lines)


def as_json(results: list[Result]) -> dict[str, object]:
    """Everything in the table, the goals, the counterexamples, and what was proved with what."""
    return {
        "z3": z3.get_version_string(),
        "python": platform.python_version(),
        "sha256": {
            module.__name__: hashlib.sha256(inspect.getsource(module).encode()).hexdigest()
            for module in sorted({m for group in GROUPS for m in group.modules}, key=str)
        },
        "seconds": round(sum(result.seconds for result in results), 3),
        "obligations": [
            {
                "name": result.obligation.name,
                "statement": result.obligation.statement,
                "bound": result.obligation.bound,
                "verdict": result.verdict,
                "crash": crash_column(result),
                "satisfiable": result.satisfiable,
                "paths": result.exploration.paths,
                "checks": result.exploration.checks,
                "goals": sorted(result.exploration.goals),
                "solver_seconds": round(result.exploration.solver_seconds, 3),
                "seconds": round(result.seconds, 3),
                "kept": result.is_kept,
                "reason": result.reason,
                "counterexample": result.refutation.case if result.refutation else None,
                "replayed": vars(result.replayed) if result.replayed else None,
            }
            for result in results
        ],
    }
