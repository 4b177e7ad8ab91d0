"""The work of one process of a campaign: a few traces by number, and what fails made short.

Trace ``number`` is a function of (seed, number), of what it is made from (``steering``) and of the
code, nothing else.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeAlias

from watosfs_fuzz.canaries.catalogue import applied
from watosfs_fuzz.case import SEEN_WITHOUT_CRASHES, Case
from watosfs_fuzz.corpus import CorpusTrace
from watosfs_fuzz.crash.persistence import PERSISTENCES
from watosfs_fuzz.crashes import FAILURES_COMPARED_MAX
from watosfs_fuzz.dialect import Tree
from watosfs_fuzz.findings import Finding, write_whole
from watosfs_fuzz.generate import EVERY_KIND, Generator
from watosfs_fuzz.minimise import Minimiser
from watosfs_fuzz.novelty import features_of
from watosfs_fuzz.power_cut import ALL_PERSISTED, NONE_PERSISTED, POLICIES
from watosfs_fuzz.program.session import ProgramTimedOut
from watosfs_fuzz.report.evidence import evidence_of
from watosfs_fuzz.report.story import story
from watosfs_fuzz.run import Run, RunOptions, RunReport
from watosfs_fuzz.seeds import random_of
from watosfs_fuzz.sketch import FileSketch
from watosfs_fuzz.steering import Task
from watosfs_fuzz.swarm import swarm_of
from watosfs_fuzz.tally import Settings, Tally
from watosfs_fuzz.target import Geometry, Target
from watosfs_fuzz.targets.registry import make_target
from watosfs_fuzz.variation import Varied, script_of
from watosfs_model.operations import Crash
from watosfs_model.trace import format_trace

MEMO_ENTRIES_MAX = 50_000
#: Every other trace runs on a volume whose nodes split early, with room for high trees.
SPLITTING_ENTRIES = 4
SPLITTING_BLOCKS_MIN = 768
#: No trace has more power cuts that are drawn; further ones lose nothing.
CUTS_DRAWN = 64
#: About a minute of work.
MINIMISING_COST_MAX = 80_000
#: Where each failing run is a program that does not answer: some ten of them, each 10 seconds.
MINIMISING_HANGS_COST_MAX = 200
UNMINIMISED = "unminimised"

Stop = Callable[[], bool]
#: (kind, subject) of failures: what makes two the same.
Known: TypeAlias = frozenset[tuple[str, str]]


def never() -> bool:
    """Nobody asks to stop."""
    return False


def geometry_of(source: Generator, number: int) -> Geometry:
    """The volume of a trace."""
    blocks = source.plan.volume_blocks
    if number % 2:
        return Geometry(max(blocks, SPLITTING_BLOCKS_MIN), SPLITTING_ENTRIES)
    return Geometry(blocks)


def cuts_of(settings: Settings, number: int) -> tuple[int, ...]:
    """What each power cut of a trace leaves: everything, nothing, or something drawn."""
    rng = random_of(settings.seed, number, "cuts")
    simple = (ALL_PERSISTED, NONE_PERSISTED)
    return tuple(
        rng.choice(simple) if rng.random() < 0.3 else rng.randrange(2, POLICIES)
        for _ in range(CUTS_DRAWN)
    )


def run_options(settings: Settings, number: int) -> RunOptions:
    """How a trace is examined."""
    return RunOptions(
        settings.crashes,
        settings.nested,
        settings.cap,
        cuts_of(settings, number),
        PERSISTENCES[settings.device],
        off=settings.off,
    )


@dataclass(frozen=True, slots=True)
class Ran:
    """A trace that was run: what became of it, as a case, and the target as it left that."""

    report: RunReport
    case: Case
    target: Target


def run_trace(settings: Settings, number: int, memo: dict[object, object]) -> RunReport:
    """Generate and run a trace; what became of it."""
    return run_from(settings, number, (), memo).report


def run_from(
    settings: Settings, number: int, parents: Sequence[Case], memo: dict[object, object]
) -> Ran:
    """Generate a trace, from ``parents`` when there are any, and run it."""
    dialect = make_target(settings.target, Geometry()).dialect
    swarm = swarm_of(settings.seed, number) if settings.swarm else EVERY_KIND
    options = run_options(settings, number)
    if parents:
        script = script_of(random_of(settings.seed, number, "vary"), parents)
        source: Generator = Varied(settings.seed, number, script, dialect, swarm)
        geometry = parents[0].geometry
        options = replace(options, cuts=parents[0].cuts + options.cuts)
    else:
        source = Generator(settings.seed, number, dialect=dialect, swarm=swarm)
        geometry = geometry_of(source, number)
    target = make_target(settings.target, geometry)
    run = Run(target, options, memo)
    report = run.report
    while (operation := source.next()) is not None:
        outcome = run.apply(operation)
        if report.failure is not None:
            return Ran(report, case_of(settings, geometry, report), target)
        if isinstance(operation, Crash):
            source.recovered(nodes_of(target.observe()[0]))
        else:
            source.learn(operation, outcome.errno or None, outcome.value)
    run.finish()
    return Ran(report, case_of(settings, geometry, report), target)


def nodes_of(tree: Tree) -> list[tuple[bytes, FileSketch | bytes | None]]:
    """What a crash left, as the generator's sketch has it: sizes, symlink targets, directories."""
    files: dict[object, FileSketch] = {}
    nodes: list[tuple[bytes, FileSketch | bytes | None]] = []
    for path, entry in sorted(tree.items()):
        if path.startswith(b"@"):  # what a snapshot shows
            continue
        kind, size, content, identity = entry[0], entry[5], entry[9], entry[-1]
        if kind == "directory":
            nodes.append((path, None))
        elif isinstance(content, bytes) and kind == "symlink":
            nodes.append((path, content))
        else:
            assert isinstance(size, int), entry
            nodes.append((path, files.setdefault(identity or path, FileSketch(size))))
    return nodes


def case_of(settings: Settings, geometry: Geometry, report: RunReport) -> Case:
    """A trace that was run on such a volume, as a case."""
    return Case(
        operations=tuple(report.operations),
        cuts=tuple(report.cuts),
        target=settings.target,
        geometry=geometry,
        nested=settings.nested,
        cap=settings.cap,
        device=settings.device,
        off=settings.off,
    )


def smallest_finding(
    finding: Finding, stop: Stop = never, cost_max: int = MINIMISING_COST_MAX
) -> Finding:
    """The finding with its case as short as it gets; as it was when it does not fail again."""
    crashes = finding.failure.kind not in SEEN_WITHOUT_CRASHES
    memo: dict[object, object] = {}
    dialect = make_target(finding.case.target, finding.case.geometry).dialect

    def run(case: Case) -> RunReport:
        if not all(map(dialect.accepts, case.operations)):
            return RunReport()
        if len(memo) > MEMO_ENTRIES_MAX:
            memo.clear()
        return case.run(crashes=crashes, memo=memo)

    shortest = Minimiser(run, finding.failure, cost_max, stop).minimise(finding.case)
    if shortest is None:
        return finding
    case, report = shortest
    assert report.failure is not None
    small = replace(finding, case=case, failure=report.failure, choice=report.choice)
    return small if report.choice is None else with_smallest_choice(small)


def with_smallest_choice(finding: Finding) -> Finding:
    """The finding with the failing crash that is nearest to "everything persisted"."""
    run = finding.case.start(crashes=False)
    for operation in finding.case.operations:
        run.apply(operation)
        if run.report.failure is not None:
            return finding
    crashes = run.log_crashes()
    exploration = crashes.explore(finding.case.nested, finding.case.cap, FAILURES_COMPARED_MAX)
    found = crashes.smallest(exploration, finding.failure.key)
    if found is None:
        return finding
    choice, failure = found
    return replace(finding, choice=choice, failure=failure)


@dataclass(slots=True)
class Part:
    """What a task did. Findings of its tally are as they were found; ``shown`` are the sound
    traces, for the corpus.
    """

    tally: Tally
    shown: list[CorpusTrace] = field(default_factory=list)


def run_part(settings: Settings, task: Task, known: Known, stop: Stop = never) -> Part:
    """The traces of a task. Failures already ``known`` are only counted."""
    tally = Tally()
    part = Part(tally)
    memo: dict[object, object] = {}
    seen = set(known)
    with applied(settings.canary):
        for number, parents in enumerate(task.parents, task.first):
            if stop():
                tally.is_interrupted = True
                break
            ran = run_from(settings, number, parents, memo)
            report = ran.report
            if len(memo) > MEMO_ENTRIES_MAX:
                memo.clear()
            tally.traces += 1
            tally.operations += len(report.operations)
            tally.exploration.add(report.exploration)
            tally.features.update(report.features)
            if report.failure is None:
                if settings.guided:
                    part.shown.append(CorpusTrace(ran.case, features_of(report, ran.target)))
            elif report.failure.key in seen:
                tally.repeated += 1
            else:
                seen.add(report.failure.key)
                tally.findings.append(found(settings, number, ran))
    return part


def found(settings: Settings, number: int, ran: Ran) -> Finding:
    """A failure as it was found."""
    report = ran.report
    assert report.failure is not None
    origin = f"seed {settings.seed} trace {number}"
    return Finding(ran.case, report.failure, report.choice, settings.canary, origin)


def run_task(settings: Settings, first: int, known: Known, stop: Stop = never) -> Tally:
    """A few new traces, and what fails made short."""
    tally = run_part(settings, Task(first), known, stop).tally
    tally.findings = [kept_and_minimised(settings, raw, stop) for raw in tally.findings]
    return tally


def keep_unminimised(out: Path, finding: Finding) -> Path:
    """Keep the long trace, should all else fail; its path."""
    name = f"{finding.origin.replace(' ', '-')}.trace"
    return write_whole(out / UNMINIMISED / name, format_trace(finding.trace()))


def kept_and_minimised(settings: Settings, finding: Finding, stop: Stop) -> Finding:
    """Minimise a failure; meanwhile the long trace lies in ``unminimised``.

    The campaign clears that folder once it has saved what came of it.
    """
    if settings.out is not None:
        keep_unminimised(settings.out, finding)
    return minimised(finding, stop)


def minimised(finding: Finding, stop: Stop = never) -> Finding:
    """The finding as short as it gets, with its story."""
    hangs = ProgramTimedOut.__name__ in f"{finding.failure.subject} {finding.failure.story}"
    cost_max = MINIMISING_HANGS_COST_MAX if hangs else MINIMISING_COST_MAX
    with applied(finding.canary):
        return with_report(smallest_finding(finding, stop, cost_max))


def with_report(finding: Finding) -> Finding:
    """The finding with its story, when there is one crash to tell of. The canary is in force."""
    evidence = evidence_of(finding)
    return finding if evidence is None else replace(finding, report=tuple(story(evidence)))
