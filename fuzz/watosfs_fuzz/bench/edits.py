"""Single edits of a function's syntax tree, each small enough to be a slip of the pen.

A comparison, an operator, a constant, a condition, a statement that is gone, two arguments the
wrong way round. Left alone: annotations, docstrings, assertions, what a ``raise`` says, texts. The
proofs have mutators of their own (``watosfs_proofs.mutators``), which the fuzzer must not import.
"""

import ast
import copy
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

#: Fields that do not run.
_IGNORED = {"annotation", "returns", "decorator_list", "type_comment", "ctx", "type_params"}
_COMPARISONS: dict[type[ast.cmpop], tuple[type[ast.cmpop], ...]] = {
    ast.Lt: (ast.LtE, ast.GtE),
    ast.LtE: (ast.Lt, ast.Gt),
    ast.Gt: (ast.GtE, ast.LtE),
    ast.GtE: (ast.Gt, ast.Lt),
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
    ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,),
    ast.In: (ast.NotIn,),
    ast.NotIn: (ast.In,),
}
_OPERATORS: dict[type[ast.operator], type[ast.operator]] = {
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
Change = Callable[[ast.AST], None]


@dataclass(frozen=True, slots=True)
class Edit:
    """``kind`` in words, and the function with it."""

    kind: str
    function: ast.FunctionDef


def edits(function: ast.FunctionDef) -> Iterator[Edit]:
    """Every edit of a function, in the order of its text, each once; never the function itself."""
    seen = {ast.unparse(function)}
    for place, node in enumerate(running(function)):
        for kind, change in changes(node):
            edited = copy.deepcopy(function)
            change(list(running(edited))[place])
            text = ast.unparse(ast.fix_missing_locations(edited))
            if text not in seen:
                seen.add(text)
                yield Edit(kind, edited)


def running(node: ast.AST) -> Iterator[ast.AST]:
    """The node and all below it that runs and is no assertion, in the order of the text."""
    yield node
    for name, value in ast.iter_fields(node):
        if name in _IGNORED:
            continue
        for child in value if isinstance(value, list) else [value]:
            is_left_alone = isinstance(child, ast.Assert | ast.Raise | ast.JoinedStr)
            if isinstance(child, ast.AST) and not is_left_alone:
                yield from running(child)


def changes(node: ast.AST) -> Iterator[tuple[str, Change]]:
    """What may be done to this node itself."""
    if isinstance(node, ast.Compare):
        for at, op in enumerate(node.ops):
            for other in _COMPARISONS.get(type(op), ()):
                yield "comparison", partial(_set_in_list, "ops", at, other())
    elif isinstance(node, ast.BinOp | ast.AugAssign):
        operator = _OPERATORS.get(type(node.op))
        if operator is not None:
            yield "operator", partial(_set, "op", operator())
    elif isinstance(node, ast.BoolOp):
        yield "and/or", partial(_set, "op", ast.Or() if isinstance(node.op, ast.And) else ast.And())
    elif isinstance(node, ast.Constant):
        if isinstance(node.value, bool):
            yield "constant", partial(_set, "value", not node.value)
        elif isinstance(node.value, int):
            for by in (1, -1):
                yield "constant", partial(_set, "value", node.value + by)
    elif isinstance(node, ast.Call) and ast.unparse(node.func) not in ("max", "min"):
        for at in range(len(node.args) - 1):
            yield "arguments swapped", partial(_swap, at)
    if isinstance(node, ast.If | ast.While | ast.IfExp):
        yield "condition negated", _negate
    for name in ("body", "orelse", "finalbody"):
        statements = getattr(node, name, None)
        for at, statement in enumerate(statements if isinstance(statements, list) else ()):
            if not isinstance(statement, ast.Pass | ast.Assert) and not is_text(statement):
                yield "statement gone", partial(_set_in_list, name, at, ast.Pass())


def is_text(statement: ast.AST) -> bool:
    """Whether a statement is a docstring."""
    value = statement.value if isinstance(statement, ast.Expr) else None
    return isinstance(value, ast.Constant) and isinstance(value.value, str)


def _set(name: str, value: object, node: ast.AST) -> None:
    setattr(node, name, value)


def _set_in_list(name: str, at: int, value: ast.AST, node: ast.AST) -> None:
    getattr(node, name)[at] = value


def _swap(at: int, node: ast.AST) -> None:
    assert isinstance(node, ast.Call)
    node.args[at], node.args[at + 1] = node.args[at + 1], node.args[at]


def _negate(node: ast.AST) -> None:
    assert isinstance(node, ast.If | ast.While | ast.IfExp)
    is_not = isinstance(node.test, ast.UnaryOp) and isinstance(node.test.op, ast.Not)
    node.test = (
        node.test.operand  # type: ignore[attr-defined]
        if is_not
        else ast.UnaryOp(ast.Not(), node.test)
    )
