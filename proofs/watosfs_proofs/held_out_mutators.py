"""Single edits that the specification was not tuned against: they are scored apart.

Wrong variable, wrong attribute, duplicated statement, early return, forced condition, statements
in the wrong order, index off by one, lost operand, operands in the wrong order. Edits that change
nothing by their shape alone are not made: repeating a plain assignment or what leaves, exchanging
two assignments that do not read one another, returning None just before ``return None``.
"""

import ast
import copy
from collections.abc import Iterator
from typing import Any, TypeGuard

from watosfs_proofs.mutators import Mutator, edited, sites, with_list

#: Functions without effect.
READERS = {
    "ExtentSet", "bisect_left", "bisect_right", "bool", "divmod", "len", "max", "memoryview", "min",
    "set",
}  # fmt: skip


def next_of(name: str, names: list[str]) -> str | None:
    """Another of the names, one for each."""
    if name not in names or len(names) < 2:
        return None
    return names[(names.index(name) + 1) % len(names)]


def wrong_variable(function: ast.FunctionDef) -> Iterator[ast.FunctionDef]:
    """Another local, bound before, is read."""
    arguments = (*function.args.args, *function.args.kwonlyargs)
    bound = [(0, each.arg) for each in arguments if each.arg != "self"]
    for _, node in sites(function):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            bound.append((node.lineno, node.id))
    for at, node in sites(function):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
            earlier = dict.fromkeys(name for line, name in bound if line < node.lineno)
            name = next_of(node.id, list(earlier))
            if name is not None:
                yield edited(function, at, ast.Name(name, node.ctx))


def wrong_attribute(function: ast.FunctionDef) -> Iterator[ast.FunctionDef]:
    """Another attribute of ``self`` that the function itself names; methods are left alone."""
    called = {id(node.func) for _, node in sites(function) if isinstance(node, ast.Call)}
    found = [
        (at, node)
        for at, node in sites(function)
        if isinstance(node, ast.Attribute) and _is_of_self(node) and id(node) not in called
    ]
    names = sorted({node.attr for _, node in found})
    for at, node in found:
        name = next_of(node.attr, names)
        if name is not None:
            yield edited(function, at, ast.Attribute(node.value, name, node.ctx))


def _is_of_self(node: ast.Attribute) -> bool:
    return isinstance(node.value, ast.Name) and node.value.id == "self"


def _statements(function: ast.FunctionDef) -> Iterator[Any]:
    for at, node in sites(function):
        if isinstance(node, ast.stmt):
            yield at, node


def is_plain(node: ast.AST) -> bool:
    """It calls nothing but what only reads."""
    calls = [each for each in ast.walk(node) if isinstance(each, ast.Call)]
    return all(isinstance(call.func, ast.Name) and call.func.id in READERS for call in calls)


def names_in(node: ast.AST, context: type[ast.expr_context]) -> set[str]:
    """Names and attributes, as written, that are read or that are written."""
    kinds = (ast.Name, ast.Attribute, ast.Subscript)
    found = (each for each in ast.walk(node) if isinstance(each, kinds))
    return {ast.unparse(each) for each in found if isinstance(each.ctx, context)}


def is_repeatable(node: ast.stmt) -> bool:
    """Doing it twice is doing it once: a plain assignment that does not read what it writes, an
    exit that a plain condition guards, or a loop that a plain condition alone ends.
    """
    if isinstance(node, ast.Continue | ast.Break):
        return True
    if isinstance(node, ast.While):
        left_otherwise = any(isinstance(each, ast.Break) for each in ast.walk(node))
        return is_plain(node.test) and not node.orelse and not left_otherwise
    if isinstance(node, ast.If):
        leaves = isinstance(node.body[-1], ast.Return | ast.Raise | ast.Continue | ast.Break)
        return leaves and not node.orelse and is_plain(node.test)
    if not isinstance(node, ast.Assign | ast.AnnAssign) or not is_plain(node):
        return False
    targets = [each for each in ast.walk(node) if is_stored_item(each)]
    nested = any(isinstance(i, ast.Subscript) for t in targets for i in ast.walk(t.slice))
    return not nested and not names_in(node, ast.Store) & names_in(node, ast.Load)


def is_stored_item(node: ast.AST) -> TypeGuard[ast.Subscript]:
    """``x[i]`` on the left of an assignment."""
    return isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Store)


def commute(first: ast.stmt, second: ast.stmt) -> bool:
    """Two plain assignments, neither of which reads or writes what the other writes."""
    if not (is_repeatable(first) and is_repeatable(second)):
        return False
    if not all(isinstance(each, ast.Assign | ast.AnnAssign) for each in (first, second)):
        return False
    if any(is_stored_item(each) for node in (first, second) for each in ast.walk(node)):
        return False  # the lists might be the same
    one, two = names_in(first, ast.Store), names_in(second, ast.Store)
    return not (one & (two | names_in(second, ast.Load)) or two & names_in(first, ast.Load))


def duplicated_statement(function: ast.FunctionDef) -> Iterator[ast.FunctionDef]:
    """A statement runs twice."""
    for at, node in _statements(function):
        if not isinstance(node, ast.Return | ast.Raise) and not is_repeatable(node):
            yield with_list(function, at, lambda body, i: body.insert(i, copy.deepcopy(body[i])))


def returns_nothing(node: ast.stmt) -> bool:
    """``return`` or ``return None``."""
    if not isinstance(node, ast.Return):
        return False
    return node.value is None or ast.unparse(node.value) == "None"


def early_return(function: ast.FunctionDef) -> Iterator[ast.FunctionDef]:
    """The function ends before a statement."""
    for at, node in _statements(function):
        if not returns_nothing(node):
            yield with_list(function, at, lambda body, i: body.insert(i, ast.Return(None)))


def forced_condition(function: ast.FunctionDef) -> Iterator[ast.FunctionDef]:
    """An ``if`` always or never holds."""
    for at, node in sites(function):
        if isinstance(node, ast.If):
            for value in (True, False):
                yield edited(function, (*at, ("test", None)), ast.Constant(value))


def statements_in_wrong_order(function: ast.FunctionDef) -> Iterator[ast.FunctionDef]:
    """Two neighbouring statements change places."""

    def swap(body: list[Any], i: int) -> None:
        body[i - 1], body[i] = body[i], body[i - 1]

    known = dict(_statements(function))
    for at, node in known.items():
        field, index = at[-1]
        previous = known.get((*at[:-1], (field, index - 1)))
        if previous is not None and not commute(previous, node):
            yield with_list(function, at, swap)


def index_off_by_one(function: ast.FunctionDef) -> Iterator[ast.FunctionDef]:
    """``x[i]`` becomes ``x[i + 1]``."""
    for at, node in sites(function):
        if isinstance(node, ast.Subscript) and not isinstance(node.slice, ast.Slice):
            later = ast.BinOp(node.slice, ast.Add(), ast.Constant(1))
            yield edited(function, (*at, ("slice", None)), later)


def lost_operand(function: ast.FunctionDef) -> Iterator[ast.FunctionDef]:
    """``a + b`` becomes ``a`` or ``b``."""
    for at, node in sites(function):
        if isinstance(node, ast.BinOp):
            yield edited(function, at, node.left)
            yield edited(function, at, node.right)


def operands_in_wrong_order(function: ast.FunctionDef) -> Iterator[ast.FunctionDef]:
    """``a - b`` becomes ``b - a``."""
    for at, node in sites(function):
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Sub | ast.FloorDiv | ast.Mod):
            yield edited(function, at, ast.BinOp(node.right, node.op, node.left))


HELD_OUT: tuple[Mutator, ...] = (
    wrong_variable,
    wrong_attribute,
    duplicated_statement,
    early_return,
    forced_condition,
    statements_in_wrong_order,
    index_off_by_one,
    lost_operand,
    operands_in_wrong_order,
)
