"""Random single-edit mutants of production modules, planted in memory: the check against tuning to
the list of faults.

A mutant's code object takes the place of the function's own, so that every name that leads to the
function leads to the mutant. What runs while a module is imported is not mutated.
"""

import ast
import difflib
import hashlib
import inspect
import pkgutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache, cached_property
from importlib import import_module
from types import CodeType, FunctionType
from typing import Any

from watosfs_fuzz.bench.edits import edits
from watosfs_fuzz.seeds import random_of

#: What writes and recovers; the checkers and repairers are judges themselves (``PA*`` break them).
MODULES = (
    "watosfs.wfs3.admission", "watosfs.wfs3.allocator", "watosfs.wfs3.attributes",
    "watosfs.wfs3.btree", "watosfs.wfs3.chunks", "watosfs.wfs3.commit", "watosfs.wfs3.directory",
    "watosfs.wfs3.engine", "watosfs.wfs3.extents", "watosfs.wfs3.filedata",
    "watosfs.wfs3.filereading", "watosfs.wfs3.handle", "watosfs.wfs3.inodes",
    "watosfs.wfs3.mounting", "watosfs.wfs3.namespace", "watosfs.wfs3.node",
    "watosfs.wfs3.orphans", "watosfs.wfs3.pathops", "watosfs.wfs3.rename", "watosfs.wfs3.space",
    "watosfs.wfs3.store", "watosfs.wfs3.volume", "watosfs.wfs3.writing", "watosfs.wfs3.xattrs",
)  # fmt: skip
#: In the globals of a module whose mutant is planted: filled when the mutant is called.
_REACHED = "__automutant_reached__"
_ID_DIGITS = 10


@dataclass(frozen=True, slots=True)
class Automutant:
    """``function`` is its qualified name; ``before`` and ``after`` are its source, normalised."""

    module: str
    function: str
    kind: str
    before: str
    after: str

    @property
    def identity(self) -> str:
        """The same for the same edit of the same function."""
        key = "\0".join((self.module, self.function, self.before, self.after))
        return hashlib.sha256(key.encode()).hexdigest()[:_ID_DIGITS]

    @property
    def path(self) -> str:
        """The file of the tree that it stands in for a change of."""
        return "impl/" + self.module.replace(".", "/") + ".py"

    @property
    def diff(self) -> str:
        """The lines that differ, each with the one before and after it."""
        found = difflib.unified_diff(
            self.before.splitlines(), self.after.splitlines(), lineterm="", n=1
        )
        return "\n".join(line for line in list(found)[2:] if not line.startswith("@@"))

    def code(self) -> CodeType:
        """The function's code with the edit; it notes that it was called."""
        tree = ast.parse(inspect.getsource(import_module(self.module)))
        new = ast.parse(self.after).body[0]
        assert isinstance(new, ast.FunctionDef)
        new.body[:0] = ast.parse(f"{_REACHED}.add(1)").body
        for name, owner, index in places(tree):
            if name == self.function:
                owner.body[index] = new
        compiled = compile(ast.fix_missing_locations(tree), f"<automutant {self.identity}>", "exec")
        (found,) = (code for code in codes(compiled) if code.co_qualname == self.function)
        return found


def codes(code: CodeType) -> Iterator[CodeType]:
    """All code objects within one."""
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield constant
            yield from codes(constant)


def places(tree: ast.Module) -> Iterator[tuple[str, ast.Module | ast.ClassDef, int]]:
    """(qualified name, owner, index in its body) of the functions and methods of a module that
    stand there once.
    """
    found: dict[str, tuple[ast.Module | ast.ClassDef, int] | None] = {}
    owners: list[tuple[str, ast.Module | ast.ClassDef]] = [("", tree)]
    owners += [(f"{node.name}.", node) for node in tree.body if isinstance(node, ast.ClassDef)]
    for prefix, owner in owners:
        for index, node in enumerate(owner.body):
            if isinstance(node, ast.FunctionDef):
                name = prefix + node.name
                found[name] = None if name in found else (owner, index)
    for name, place in found.items():
        if place is not None:
            yield name, *place


def function_of(module: str, qualified: str) -> FunctionType | None:
    """The plain function behind a name; None where a wrapper hides it."""
    value: Any = import_module(module)
    for name in qualified.split("."):
        value = inspect.getattr_static(value, name)
    if isinstance(value, property):
        value = value.fget
    elif isinstance(value, staticmethod | classmethod):
        value = value.__func__
    elif isinstance(value, cached_property):
        value = value.func
    value = inspect.unwrap(value)
    return value if isinstance(value, FunctionType) else None


@cache
def mutants_of(module: str) -> tuple[Automutant, ...]:
    """Every mutant of a module. Raises ValueError for a package or what is no module."""
    try:
        source = inspect.getsource(import_module(module))
    except (ImportError, OSError) as error:
        raise ValueError(f"no module {module!r} to mutate") from error
    tree, found = ast.parse(source), []
    for name, owner, index in list(places(tree)):
        node = owner.body[index]
        function = function_of(module, name)
        if not isinstance(node, ast.FunctionDef) or function is None:
            continue
        node.decorator_list = []
        before = ast.unparse(node)
        for edit in edits(node):
            after = ast.unparse(edit.function)
            found.append(Automutant(module, name, edit.kind, before, after))
    return tuple(found)


def drawn(modules: Sequence[str], count: int, seed: int) -> list[Automutant]:
    """So many mutants, each equally likely, none twice; fewer when there are no more."""
    every = [mutant for module in expanded(modules) for mutant in mutants_of(module)]
    return random_of(seed, len(every), "automutants").sample(every, min(count, len(every)))


def expanded(modules: Sequence[str]) -> list[str]:
    """Packages replaced by their modules."""
    found: list[str] = []
    for name in modules:
        try:
            folder = getattr(import_module(name), "__path__", None)
        except ImportError as error:
            raise ValueError(f"no module {name!r} to mutate") from error
        inner = [each.name for each in pkgutil.iter_modules(folder)] if folder else []
        found += [f"{name}.{each}" for each in inner] if folder else [name]
    return list(dict.fromkeys(found))


@contextmanager
def planted(mutant: Automutant) -> Iterator[set[int]]:
    """The mutant in force; what is given is not empty once it was called."""
    function = function_of(mutant.module, mutant.function)
    assert function is not None, mutant
    code, original = mutant.code(), function.__code__
    reached: set[int] = set()
    function.__globals__[_REACHED] = reached
    function.__code__ = code.replace(co_freevars=original.co_freevars)
    try:
        yield reached
    finally:
        function.__code__ = original
        del function.__globals__[_REACHED]
