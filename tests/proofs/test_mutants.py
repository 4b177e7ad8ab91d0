"""Mutants: every mutator edits, survivors are explained, explanations do not outlive their code."""

import ast
import inspect
from pathlib import Path
from types import ModuleType

import pytest

from watosfs.wfs3 import allocator, extents
from watosfs_proofs import equivalents, mutant_report, mutant_run
from watosfs_proofs.__main__ import main
from watosfs_proofs.catalogue import GROUPS, clusters
from watosfs_proofs.equivalents import Explanation, explanations
from watosfs_proofs.fingerprints import closure, of_cluster, of_proofs
from watosfs_proofs.held_out_mutators import HELD_OUT
from watosfs_proofs.kept import Kept
from watosfs_proofs.mutant_run import KILLED, STOPPED, SURVIVED, Exercise, judge
from watosfs_proofs.mutants import functions, mutants_of
from watosfs_proofs.mutators import TUNED, Mutator
from watosfs_proofs.obligation import Obligation

EXTENTS, ALLOCATOR = clusters()[:2]
EXAMPLE = ast.parse(
    '''
def example(self, a: int, b: int = 0) -> int:
    """A text that is left alone."""
    self.total = self.total + a
    if a < b and not self.done:
        insert(a, b)
        return self.items[a] - b
    self.total = check(a)
    return None
'''
).body[0]
assert isinstance(EXAMPLE, ast.FunctionDef)


@pytest.mark.parametrize("mutator", [*TUNED, *HELD_OUT], ids=lambda mutator: mutator.__name__)
def test_every_mutator_makes_edits_that_compile(mutator: Mutator) -> None:
    assert isinstance(EXAMPLE, ast.FunctionDef)
    before = ast.unparse(EXAMPLE)
    found = [ast.unparse(ast.fix_missing_locations(edit)) for edit in mutator(EXAMPLE)]
    assert found
    assert before not in found
    assert all("A text that is left alone." in after for after in found)
    for after in found:
        compile(after, "<edited>", "exec")
    assert ast.unparse(EXAMPLE) == before, "the original is changed"


def test_a_mutant_is_one_edit_of_the_module() -> None:
    mutant = next(m for m in mutants_of(extents, "ExtentSet.covers") if "> end" in m.after)
    runs = mutant.build().ExtentSet()
    runs.add(1, 3)
    assert not runs.covers(1, 3)
    assert runs.meets(1, 3)
    assert extents.ExtentSet.covers(runs, 1, 3), "production's is changed"


def of(module: ModuleType, function: str) -> set[str]:
    """The identities of the mutants of a function."""
    functions.cache_clear()
    return {mutant.identity for mutant in mutants_of(module, function)}


def test_an_identity_lasts_as_long_as_the_function(monkeypatch: pytest.MonkeyPatch) -> None:
    source = inspect.getsource(extents)
    before = of(extents, "ExtentSet.meets")
    elsewhere = source.replace('raise ExtentError("empty run")', 'raise ExtentError("no run")')
    here = source.replace("self.ends[i - 1] > start:", "self.ends[i - 1] >= start + 1:")
    for text, is_same in ((f"# a comment\n{elsewhere}", True), (here, False)):
        assert text != source
        monkeypatch.setattr(inspect, "getsource", lambda _, text=text: text)
        assert (of(extents, "ExtentSet.meets") == before) == is_same
    monkeypatch.undo()
    functions.cache_clear()


def test_a_refuted_mutant_is_killed_and_an_equivalent_one_survives() -> None:
    mutants = {mutant.identity: mutant for mutant in mutants_of(extents, "ExtentSet.meets")}
    explained = [one for one in explanations().values() if one.function.endswith(".meets")]
    assert explained
    for one in explained:
        mutant = mutants.pop(one.id)
        assert judge(EXTENTS, mutant, ["extents.meets"]).status == SURVIVED
    statuses = {judge(EXTENTS, mutant, ["extents.meets"]).status for mutant in mutants.values()}
    assert statuses == {KILLED}


def test_a_mutant_that_breaks_the_proof_without_a_refutation_is_stopped() -> None:
    mutant = next(
        m
        for m in mutants_of(allocator, "Allocator.unload")
        if "self.fresh.count = self.f" in m.after
    )
    judgement = judge(ALLOCATOR, mutant, ["allocator.unload (hold 1)"])
    assert judgement.status == STOPPED
    assert "no invariant names" in judgement.reason


def test_no_explanation_is_stale() -> None:
    made = {
        (mutant.identity, f"{group.name}:{function}", mutant.diff)
        for group in clusters()
        for module in group.modules
        for function in functions(module)
        for mutant in mutants_of(module, function)
    }
    listed = {(one.id, one.function, one.edit.rstrip("\n")) for one in explanations().values()}
    assert listed - made == set()


#: What has small states to be tried on: the books. (A commit is no function of a small state.)
OF_BOOKS = [
    one for one in explanations().values() if one.function.startswith(("extents:", "allocator:"))
]


@pytest.mark.parametrize("one", OF_BOOKS, ids=lambda one: one.id)
def test_an_explained_mutant_goes_wrong_on_no_small_state(one: Explanation) -> None:
    name, _, function = one.function.partition(":")
    (group,) = (group for group in clusters() if group.name == name)
    (mutant,) = (
        mutant
        for module in group.modules
        if function in functions(module)
        for mutant in mutants_of(module, function)
        if mutant.identity == one.id
    )
    modules = [mutant.build() if m is mutant.module else m for m in group.modules]
    short = function.partition(".")[2].replace("__init__", "mount")
    obligations: list[Obligation] = [
        o for o in group.make(*modules) if o.name.partition(".")[2].split(" (")[0] == short
    ]
    assert obligations
    for obligation in obligations:
        assert obligation.cases is not None
        assert obligation.replay is not None
        for case in obligation.cases():
            replayed = obligation.replay(case)
            assert replayed.problem is None, f"{case}: {replayed}"


def test_canary_an_explanation_without_a_survivor_is_stale(tmp_path: Path) -> None:
    killed = mutants_of(extents, "ExtentSet.absorb")[1]
    invented = Explanation(killed.identity, "extents:ExtentSet.absorb", killed.diff, "not so")
    gone = Explanation("0123456789", "extents:ExtentSet.absorb", "", "not made any more")
    wrong = {**explanations(), invented.id: invented, gone.id: gone}
    kept = Kept(tmp_path, "mutants")
    names = ["ExtentSet.absorb"]
    report = mutant_report.judge_all(names, kept, wrong, quiet=True)
    assert {one.id for one in report.stale} == {invented.id, gone.id}
    assert not report.is_clean
    assert mutant_report.judge_all(names, kept, explanations(), quiet=True).is_clean


def test_an_unexplained_survivor_is_shown_and_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["--mutants", "--only", "ExtentSet.absorb", "--kept", str(tmp_path)]
    assert main(arguments) == 0
    capsys.readouterr()
    monkeypatch.setattr(equivalents, "explanations", dict)
    assert main(arguments) == 1
    printed = capsys.readouterr().out
    assert "survived: " in printed
    assert "+    for start, end in zip(other.starts, other.ends, strict=False):" in printed


def test_what_was_judged_is_kept_until_the_function_changes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    arguments = ["--mutants", "--json", "--only", "ExtentSet.absorb", "--kept", str(tmp_path)]
    assert main(arguments) == 0
    monkeypatch.setattr(mutant_run, "judge", lambda *_: pytest.fail("judged again"))
    assert main(arguments) == 0


def test_a_verdict_depends_on_what_its_obligations_run(monkeypatch: pytest.MonkeyPatch) -> None:
    name = extents.__name__
    runs = [
        Exercise("extents.take", frozenset({f"{name}:ExtentSet.take", f"{name}:ExtentSet.add"}), 1),
        Exercise("extents.meets", frozenset({f"{name}:ExtentSet.meets"}), 1.0),
    ]

    def keys() -> tuple[str, ...]:
        functions.cache_clear()
        return tuple(
            mutant_run.fingerprint(EXTENTS, f"{name}:ExtentSet.{function}", runs)
            for function in ("take", "add", "meets")
        )

    before = keys()
    changed = inspect.getsource(extents).replace("i = self.first_fit(count)", "i = None")
    monkeypatch.setattr(inspect, "getsource", lambda _: changed)
    after = keys()
    monkeypatch.undo()
    functions.cache_clear()
    assert [old == new for old, new in zip(before, after, strict=True)] == [False, False, True]


def test_fingerprints_cover_the_proof_and_the_code() -> None:
    needed = closure("watosfs_proofs.allocator_obligations")
    assert {"watosfs_proofs.executor", "watosfs_proofs.allocator_loops"} <= set(needed)
    assert of_cluster(EXTENTS) != of_cluster(ALLOCATOR)
    assert of_cluster(EXTENTS) != of_proofs(EXTENTS)


def test_groups_with_a_module_in_common_are_one_cluster() -> None:
    found = clusters()
    assert sum(len(cluster.groups) for cluster in found) == len(GROUPS)
    modules = [module for cluster in found for module in cluster.modules]
    assert len(modules) == len(set(modules))
    for cluster in found:
        assert {o.name for o in cluster.make()} == {
            o.name for group in cluster.groups for o in group.make()
        }


def test_usage(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--mutants", "--only", "no such function"]) == 2
    assert "no proved function" in capsys.readouterr().err
