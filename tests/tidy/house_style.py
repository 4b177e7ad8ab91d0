"""House rules that ruff does not know: one function for each, from a file to its problems."""

import ast
import re
from collections.abc import Callable, Iterator
from pathlib import Path

from tests.tidy.sources import Source

MODULE_LINES_MAX = 300
MODULE_LINES_MAX_WITH_REASON = 400
FUNCTION_LINES_MAX = 70
#: Names under which unrelated things gather.
NAMES_WITHOUT_MEANING = {"utils", "util", "helpers", "helper", "common", "misc", "old", "stuff"}
# Written apart, so that this file passes its own rule.
MACHINE_PATH = re.compile(r"(?<![\w.<>-])/(?:wo" r"rk|ro" r"ot|ho" r"me)/\w")
REGISTRY_HOST = re.compile(r"(?:pypi\.o" r"rg|pythonhosted\.o" r"rg|deb\.debian\.o" r"rg)")

Rule = Callable[[Source], Iterator[str]]


def module_is_short(source: Source) -> Iterator[str]:
    """At most 300 lines; 400 with a line ``# Size: reason``. Tests may hold longer tables."""
    lines = source.text.count("\n")
    has_reason = re.search(r"^# Size: \w+", source.text, re.MULTILINE)
    limit = MODULE_LINES_MAX_WITH_REASON if has_reason else MODULE_LINES_MAX
    if lines > limit and not source.path.startswith("tests/"):
        yield f"{source.path}: {lines} lines, at most {limit} (400 with '# Size: <reason>')"


def module_says_what_it_is(source: Source) -> Iterator[str]:
    """A docstring, save in the empty package files of tests."""
    is_empty_package_of_tests = not source.text.strip() and not source.is_shipped
    if not is_empty_package_of_tests and not ast.get_docstring(source.tree):
        yield f"{source.path}: no module docstring"


def module_has_a_telling_name(source: Source) -> Iterator[str]:
    """No utils.py, no common/."""
    for part in Path(source.path).with_suffix("").parts:
        if part.lower() in NAMES_WITHOUT_MEANING:
            yield f"{source.path}: {part!r} says nothing about what is inside"


def functions_are_short(source: Source) -> Iterator[str]:
    """Under 70 lines each."""
    for node in ast.walk(source.tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            lines = (node.end_lineno or node.lineno) - node.lineno + 1
            if lines >= FUNCTION_LINES_MAX:
                yield f"{source.path}:{node.lineno}: {node.name} has {lines} lines, under 70 please"


def imports_are_absolute(source: Source) -> Iterator[str]:
    """No ``from . import``."""
    for node in ast.walk(source.tree):
        if isinstance(node, ast.ImportFrom) and node.level:
            yield f"{source.path}:{node.lineno}: relative import"


def failures_are_not_swallowed(source: Source) -> Iterator[str]:
    """No ``except Exception: pass`` in any of its forms: a broken invariant must surface."""
    broad = {"Exception", "BaseException", "AssertionError"}
    for node in ast.walk(source.tree):
        if isinstance(node, ast.ExceptHandler):
            caught = _names(node.type) if node.type else broad
            swallows = bool(caught & broad) and all(map(_does_nothing, node.body))
        else:
            swallows = (
                isinstance(node, ast.Call)
                and ast.unparse(node.func).endswith("suppress")
                and bool({ast.unparse(argument) for argument in node.args} & broad)
            )
        if swallows:
            yield f"{source.path}:{node.lineno}: swallows every failure"


def _names(expression: ast.expr) -> set[str]:
    return {node.id for node in ast.walk(expression) if isinstance(node, ast.Name)}


def _does_nothing(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.Pass | ast.Continue) or (
        isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)
    )


def nothing_is_tied_to_one_machine(name: str, text: str) -> Iterator[str]:
    """No path of the machine it was written on, no package registry's host, in any text file."""
    for number, line in enumerate(text.splitlines(), 1):
        if MACHINE_PATH.search(line):
            yield f"{name}:{number}: a path of one machine"
        if REGISTRY_HOST.search(line):
            yield f"{name}:{number}: names a package registry's host"


RULES: tuple[Rule, ...] = (
    module_is_short,
    module_says_what_it_is,
    module_has_a_telling_name,
    functions_are_short,
    imports_are_absolute,
    failures_are_not_swallowed,
)
