"""Single edits of a function's syntax tree: the ones that the specification was tuned against.

Comparison, arithmetic, boolean, constant, deleted statement, swapped argument. Docstrings,
annotations and the texts of exceptions are left alone.
"""

import ast
import copy
from collections.abc import Callable, Iterator
from typing import Any

Step = tuple[str, int | None]
Site = tuple[tuple[Step, ...], ast.AST]
Mutator = Callable[[ast.FunctionDef], Iterator[ast.FunctionDef]]

#: Fields that do not run.
IGNORED_FIELDS = {"annotation", "returns", "decorator_list", "type_comment", "ctx", "type_params"}
COMPARISONS: dict[type[ast.AST], tuple[type[ast.cmpop], ...]] = {
    ast.Lt: (ast.LtE, ast.Gt),
    ast.LtE: (ast.Lt, ast.Gt),
    ast.Gt: (ast.GtE, ast.Lt),
    ast.GtE: (ast.Gt, ast.Lt),
    ast.Eq: (ast.NotEq, ast.LtE, ast.GtE),
    ast.NotEq: (ast.Eq,),
    ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,),
    ast.In: (ast.NotIn,),
    ast.NotIn: (ast.In,),
}
ARITHMETIC: dict[type[ast.AST], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Add,
    ast.FloorDiv: ast.Mult,
    ast.Mod: ast.FloorDiv,
    ast.LShift: ast.RShift,
    ast.RShift: ast.LShift,
    ast.BitAnd: ast.BitOr,
    ast.BitOr: ast.BitAnd,
}


def sites(node: ast.AST, at: tuple[Step, ...] = ()) -> Iterator[Site]:
    """Every node below that runs, with the way to it."""
    for field, value in ast.iter_fields(node):
        if field in IGNORED_FIELDS:
            continue
        for index, child in enumerate(value) if isinstance(value, list) else [(None, value)]:
            if isinstance(child, ast.AST) and not is_docstring(child):
                step = (*at, (field, index))
                yield step, child
                yield from sites(child, step)


def is_docstring(node: ast.AST) -> bool:
    """An expression statement that is a text."""
    value = node.value if isinstance(node, ast.Expr) else None
    return isinstance(value, ast.Constant) and isinstance(value.value, str)


def edited(function: ast.FunctionDef, at: tuple[Step, ...], new: ast.AST) -> ast.FunctionDef:
    """A copy in which ``new`` stands at the end of the way."""
    result = copy.deepcopy(function)
    field, index = at[-1]
    owner, new = _owner(result, at), copy.deepcopy(new)
    if index is None:
        setattr(owner, field, new)
    else:
        getattr(owner, field)[index] = new
    return result


def _owner(node: Any, at: tuple[Step, ...]) -> Any:
    for field, index in at[:-1]:
        node = getattr(node, field) if index is None else getattr(node, field)[index]
    return node


def with_list(
    function: ast.FunctionDef, at: tuple[Step, ...], edit: Callable[[list[Any], int], None]
) -> ast.FunctionDef:
    """A copy in which ``edit`` changed the list that the node at the end of the way stands in."""
    result = copy.deepcopy(function)
    field, index = at[-1]
    assert index is not None, field
    edit(getattr(_owner(result, at), field), index)
    return result


def comparison(function: ast.FunctionDef) -> Iterator[ast.FunctionDef]:
    """``<`` becomes ``<=`` or ``>``, ``==`` becomes ``!=``, ..."""
    for at, node in sites(function):
        for other in COMPARISONS.get(type(node), ()):
            yield edited(function, at, other())


def arithmetic(function: ast.FunctionDef) -> Iterator[ast.FunctionDef]:
    """``+`` becomes ``-`` and so on."""
    for at, node in sites(function):
        other = ARITHMETIC.get(type(node))
        if other is not None:
            yield edited(function, at, other())


def boolean(function: ast.FunctionDef) -> Iterator[ast.FunctionDef]:
    """``and`` becomes ``or``; an operand is dropped; ``not`` is dropped."""
    for at, node in sites(function):
        if isinstance(node, ast.BoolOp):
            other = ast.Or if isinstance(node.op, ast.And) else ast.And
            yield edited(function, (*at, ("op", None)), other())
            for dropped in range(len(node.values)):
                yield edited(function, at, _without(node, dropped))
        elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
            yield edited(function, at, node.operand)


def _without(node: ast.BoolOp, dropped: int) -> ast.expr:
    left = [value for number, value in enumerate(node.values) if number != dropped]
    return left[0] if len(left) == 1 else ast.BoolOp(node.op, left)


def constant(function: ast.FunctionDef) -> Iterator[ast.FunctionDef]:
    """An integer becomes one more or one less; True becomes False."""
    for at, node in sites(function):
        if not isinstance(node, ast.Constant):
            continue
        if isinstance(node.value, bool):
            yield edited(function, at, ast.Constant(not node.value))
        elif isinstance(node.value, int):
            for by in (1, -1):
                yield edited(function, at, ast.Constant(node.value + by))


def deleted_statement(function: ast.FunctionDef) -> Iterator[ast.FunctionDef]:
    """A statement does nothing."""
    for at, node in sites(function):
        if isinstance(node, ast.stmt) and not isinstance(node, ast.Pass):
            yield edited(function, at, ast.Pass())


def swapped_argument(function: ast.FunctionDef) -> Iterator[ast.FunctionDef]:
    """Two neighbouring arguments of a call change places; min and max do not care."""
    for at, node in sites(function):
        if isinstance(node, ast.Call) and ast.unparse(node.func) not in ("max", "min"):
            for first in range(len(node.args) - 1):
                yield edited(function, at, _swapped(node, first))


def _swapped(node: ast.Call, first: int) -> ast.Call:
    arguments = list(node.args)
    arguments[first], arguments[first + 1] = arguments[first + 1], arguments[first]
    return ast.Call(node.func, arguments, node.keywords)


TUNED: tuple[Mutator, ...] = (
    comparison,
    arithmetic,
    boolean,
    constant,
    deleted_statement,
    swapped_argument,
)
