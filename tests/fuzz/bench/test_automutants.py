"""Random edits of the code: what they are, that they are in force, what kills them."""

import ast
import json
from pathlib import Path

import pytest

from watosfs.wfs3.extents import ExtentSet
from watosfs_fuzz.bench.automutants import MODULES, Automutant, drawn, mutants_of, planted
from watosfs_fuzz.bench.edits import edits
from watosfs_fuzz.bench.judging import HANGS, KILLED, first_failure, judged
from watosfs_fuzz.cli.automutants import line, sentence, summary
from watosfs_fuzz.cli.main import main

EXTENTS = "watosfs.wfs3.extents"


def edited(text: str) -> set[tuple[str, str]]:
    """(kind, text) of every edit of a function."""
    (function,) = ast.parse(text).body
    assert isinstance(function, ast.FunctionDef)
    return {(edit.kind, ast.unparse(edit.function)) for edit in edits(function)}


def test_the_edits_of_a_small_function() -> None:
    found = edited("def f(a, b):\n    if a < b:\n        g(a, b)\n    return a + 1")
    body = "def f(a, b):\n    if {}:\n        {}\n    return {}"
    assert ("comparison", body.format("a <= b", "g(a, b)", "a + 1")) in found
    assert ("condition negated", body.format("not a < b", "g(a, b)", "a + 1")) in found
    assert ("arguments swapped", body.format("a < b", "g(b, a)", "a + 1")) in found
    assert ("statement gone", body.format("a < b", "pass", "a + 1")) in found
    assert ("operator", body.format("a < b", "g(a, b)", "a - 1")) in found
    assert ("constant", body.format("a < b", "g(a, b)", "a + 2")) in found


def test_assertions_messages_and_docstrings_are_left_alone() -> None:
    assert edited('def f(a: int = 1):\n    """Text."""\n    assert a == 1, "no"') <= {
        ("constant", 'def f(a: int=2):\n    """Text."""\n    assert a == 1, \'no\''),
        ("constant", 'def f(a: int=0):\n    """Text."""\n    assert a == 1, \'no\''),
    }


def mutant_of(function: str, after: str) -> Automutant:
    """The mutant whose source has this text."""
    (found, *_) = (m for m in mutants_of(EXTENTS) if m.function == function and after in m.after)
    return found


def test_a_mutant_is_in_force_everywhere_and_then_undone() -> None:
    mutant = mutant_of("ExtentSet.remove", "self.count = self.count + (end - start)")
    for is_planted in (True, False):
        extents = ExtentSet()
        extents.add(0, 8)
        if is_planted:
            with planted(mutant) as reached:
                assert not reached
                extents.remove(2, 4)
            assert reached
        else:
            extents.remove(2, 4)
        assert extents.count == (10 if is_planted else 6)


def test_every_default_module_has_mutants_that_can_be_planted() -> None:
    for module in MODULES:
        found = mutants_of(module)
        assert found, module
        for mutant in found[::97]:
            with planted(mutant):
                pass


def test_the_draw_is_that_of_its_seed() -> None:
    assert drawn([EXTENTS], 5, 1) == drawn([EXTENTS], 5, 1)
    assert drawn([EXTENTS], 5, 1) != drawn([EXTENTS], 5, 2)
    with pytest.raises(ValueError, match="no module"):
        drawn(["watosfs.nothing"], 1, 0)


def test_canary_a_wrong_count_is_killed() -> None:
    mutant = mutant_of("ExtentSet.remove", "self.count = self.count + (end - start)")
    assert judged(mutant, Path(), 0, 60.0).status in (KILLED, HANGS)


def test_the_code_as_it_is_fails_at_nothing(tmp_path: Path) -> None:
    assert first_failure("impl/watosfs/wfs3/extents.py", Path(), tmp_path, 0, 3.0) == ("", "")


def test_the_command_goes_on_from_its_state(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    state, out = tmp_path / "state", tmp_path / "out.json"
    command = ["bench", "--automutants", "1", "--seconds", "0.1", "--module", EXTENTS]
    command += ["--state", str(state), "--json", str(out)]
    status = main(command)
    first = json.loads(out.read_text())
    assert status == int(first["runs"][0]["status"] == "survived")
    assert "mutants killed" in capsys.readouterr().out
    assert main(command) == status
    assert len(state.read_text().splitlines()) == 1
    assert main(["bench", "--automutants", "0"]) == 2


def test_the_words_of_a_judgement() -> None:
    mutant = mutants_of(EXTENTS)[0]
    row = {"status": "survived", "by": "", "story": "", "is_reached": False}
    assert "never called" in line(mutant, row)
    assert "0 of 1 mutants killed" in sentence(summary([row]))
    assert sentence(summary([])) == "no mutants"
