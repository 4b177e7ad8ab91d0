"""Mutants of a production module: one edit in one function each, with an identity that lasts as
long as the function and the edit do.
"""

import ast
import difflib
import hashlib
import inspect
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from types import ModuleType

from watosfs_proofs.held_out_mutators import HELD_OUT
from watosfs_proofs.mutators import TUNED

ID_DIGITS = 10


@dataclass(frozen=True)
class Mutant:
    """``function`` is its qualified name; ``before`` and ``after`` are its normalised source."""

    module: ModuleType
    function: str
    mutator: str
    held_out: bool
    before: str
    after: str

    @property
    def identity(self) -> str:
        """The same for the same edit of the same function, wherever it stands in the module."""
        key = (self.module.__name__, self.function, self.before, self.after)
        return hashlib.sha256("\0".join(key).encode()).hexdigest()[:ID_DIGITS]

    @property
    def diff(self) -> str:
        """The lines that differ, each with the one before and after it."""
        before, after = self.before.splitlines(), self.after.splitlines()
        lines = list(difflib.unified_diff(before, after, lineterm="", n=1))[2:]
        return "\n".join(line for line in lines if not line.startswith("@@"))

    def build(self) -> ModuleType:
        """The module with the edit. Raises whatever running the module's body raises."""
        tree = ast.parse(inspect.getsource(self.module))
        (new,) = ast.parse(self.after).body
        assert isinstance(new, ast.FunctionDef)
        name = f"<mutant {self.identity}>"
        for qualified, owner, index in _places(tree):
            if qualified == self.function:
                new.decorator_list = owner.body[index].decorator_list  # type: ignore[attr-defined]
                owner.body[index] = new
        module = ModuleType(self.module.__name__)
        exec(compile(tree, name, "exec"), module.__dict__)
        return module


def _places(tree: ast.Module) -> Iterator[tuple[str, ast.Module | ast.ClassDef, int]]:
    """(qualified name, owner, index in its body) of the functions and methods of a module."""
    for index, node in enumerate(tree.body):
        if isinstance(node, ast.FunctionDef):
            yield node.name, tree, index
        elif isinstance(node, ast.ClassDef):
            for inner, member in enumerate(node.body):
                if isinstance(member, ast.FunctionDef):
                    yield f"{node.name}.{member.name}", node, inner


def watched(module: ModuleType, seen: set[str]) -> ModuleType:
    """A copy of the module whose functions add "module:qualified name" to ``seen`` when called."""
    tree = ast.parse(inspect.getsource(module))
    for name, owner, index in list(_places(tree)):
        call = ast.parse(f"__called__({module.__name__ + ':' + name!r})").body
        node = owner.body[index]
        assert isinstance(node, ast.FunctionDef)
        node.body[:0] = call
    copied = ModuleType(module.__name__)
    copied.__dict__["__called__"] = seen.add
    exec(compile(ast.fix_missing_locations(tree), "<watched>", "exec"), copied.__dict__)
    return copied


@lru_cache
def functions(module: ModuleType) -> dict[str, ast.FunctionDef]:
    """The functions and methods of a module, by qualified name, without decorators."""
    found: dict[str, ast.FunctionDef] = {}
    for name, owner, index in _places(ast.parse(inspect.getsource(module))):
        node = owner.body[index]
        assert isinstance(node, ast.FunctionDef)
        node.decorator_list = []
        found[name] = node
    return found


def source_of(module: ModuleType, function: str) -> str:
    """The normalised source of a function: without comments and layout."""
    return ast.unparse(functions(module)[function])


def mutants_of(module: ModuleType, function: str) -> list[Mutant]:
    """Every mutant of a function. An edit that two mutators make counts for the tuned one."""
    original = functions(module)[function]
    before, found = ast.unparse(original), dict[str, Mutant]()
    for mutator in (*TUNED, *HELD_OUT):
        for edited in mutator(original):
            after = ast.unparse(ast.fix_missing_locations(edited))
            if after != before and after not in found:
                found[after] = Mutant(
                    module, function, mutator.__name__, mutator in HELD_OUT, before, after
                )
    return list(found.values())
