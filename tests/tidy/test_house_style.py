"""Every file keeps the house rules, and each rule catches a file that breaks it."""

import subprocess

import pytest

from tests.tidy import house_style
from tests.tidy.house_style import RULES, Rule, nothing_is_tied_to_one_machine
from tests.tidy.sources import REPOSITORY, Source, sources, text_files

HERE = "impl/watosfs/block/thing.py"


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_every_module(rule: Rule) -> None:
    assert [problem for source in sources() for problem in rule(source)] == []


def test_no_text_file_is_tied_to_one_machine() -> None:
    problems = []
    for name in text_files():
        content = (REPOSITORY / name).read_bytes()
        if b"\0" not in content:
            problems += nothing_is_tied_to_one_machine(name, content.decode("utf-8", "replace"))
    assert problems == []


def test_nothing_that_git_ignores_is_kept_in_git() -> None:
    command = ["git", "ls-files", "-z", "--cached", "--ignored", "--exclude-standard"]
    listed = subprocess.run(command, cwd=REPOSITORY, capture_output=True, check=False)
    if listed.returncode:
        pytest.skip("not a git checkout, or no git (Debian package git)")
    folders = {name.partition(b"/")[0].decode() for name in listed.stdout.split(b"\0") if name}
    assert folders == set()


@pytest.mark.parametrize(
    ("rule", "path", "text"),
    [
        (house_style.module_is_short, HERE, "x = 1\n" * 301),
        (house_style.module_is_short, HERE, "# Size: a table\n" + "x = 1\n" * 400),
        (house_style.module_says_what_it_is, HERE, "x = 1\n"),
        (house_style.module_says_what_it_is, "impl/watosfs/block/__init__.py", ""),
        (house_style.module_has_a_telling_name, "impl/watosfs/utils.py", ""),
        (house_style.module_has_a_telling_name, "impl/watosfs/common/thing.py", ""),
        (house_style.functions_are_short, HERE, "def f():\n" + "    g()\n" * 69),
        (house_style.imports_are_absolute, HERE, "from . import device\n"),
        (house_style.failures_are_not_swallowed, HERE, "try: f()\nexcept Exception: pass\n"),
        (house_style.failures_are_not_swallowed, HERE, "try: f()\nexcept: pass\n"),
        (
            house_style.failures_are_not_swallowed,
            HERE,
            "try: f()\nexcept (OSError, AssertionError): ...\n",
        ),
        (
            house_style.failures_are_not_swallowed,
            HERE,
            "with contextlib.suppress(Exception): f()\n",
        ),
    ],
)
def test_canary_a_module_that_breaks_the_rule_is_caught(rule: Rule, path: str, text: str) -> None:
    (problem,) = rule(Source(path, text))
    assert problem.startswith(path)


@pytest.mark.parametrize(
    ("rule", "path", "text"),
    [
        (house_style.module_is_short, HERE, "x = 1\n" * 300),
        (house_style.module_is_short, HERE, "# Size: a table\n" + "x = 1\n" * 399),
        (house_style.module_says_what_it_is, "tests/__init__.py", ""),
        (house_style.functions_are_short, HERE, "def f():\n" + "    g()\n" * 68),
        (house_style.failures_are_not_swallowed, HERE, "try: f()\nexcept OSError: pass\n"),
        (house_style.failures_are_not_swallowed, HERE, "try: f()\nexcept Exception: report()\n"),
    ],
)
def test_a_module_within_the_rule_is_left_alone(rule: Rule, path: str, text: str) -> None:
    assert list(rule(Source(path, text))) == []


@pytest.mark.parametrize(
    "line", ["cd /{}/main".format("work"), "/{}/x".format("root"), "https://{}.org/".format("pypi")]
)
def test_canary_a_path_of_one_machine_is_caught(line: str) -> None:
    assert list(nothing_is_tied_to_one_machine("README.md", line))


@pytest.mark.parametrize("line", ["make it work/rest", "at home/abroad", "`IMAGE:/homework/x`"])
def test_words_that_look_like_a_machine_path_are_left_alone(line: str) -> None:
    assert list(nothing_is_tied_to_one_machine("README.md", line)) == []
