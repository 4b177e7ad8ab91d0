"""What a verdict depends on, as a hash: sources, Z3, Python. Kept verdicts are asked for by it."""

import ast
import hashlib
import platform
from collections.abc import Iterable
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path

import z3

from watosfs_proofs.catalogue import Cluster, Group

OURS = ("watosfs_proofs", "watosfs")


@lru_cache
def file_of(name: str) -> Path | None:
    """The source file of a module; None when the name is no module of ours."""
    if name.partition(".")[0] not in OURS:
        return None
    try:
        found = find_spec(name)
    except ModuleNotFoundError:
        return None
    return Path(found.origin) if found is not None and found.origin else None


@lru_cache
def imported_by(name: str) -> frozenset[str]:
    """Our modules that the module names in its import statements, with their packages."""
    path, found = file_of(name), set[str]()
    assert path is not None, name
    for node in ast.walk(ast.parse(path.read_bytes())):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module)
            found.update(f"{node.module}.{alias.name}" for alias in node.names)
    return frozenset(each for each in found if file_of(each) is not None)


def closure(name: str) -> list[str]:
    """The module and all of ours that it needs, sorted."""
    known, waiting = {name}, [name]
    while waiting:
        new = imported_by(waiting.pop()) - known
        known |= new
        waiting += new
    return sorted(known)


def digest(parts: Iterable[str]) -> str:
    """A hash of texts in their order."""
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def sources_of(names: Iterable[str]) -> list[str]:
    """Name and source of each module."""
    found = []
    for name in names:
        path = file_of(name)
        assert path is not None, name
        found += [name, path.read_text(encoding="utf-8")]
    return found


def tools() -> list[str]:
    """The versions of what decides."""
    return [z3.get_version_string(), platform.python_version()]


def of_group(group: Group) -> str:
    """Of everything that the verdicts of a group depend on."""
    needed = {*closure(group.make.__module__), *closure("watosfs_proofs.obligation")}
    needed.update(name for module in group.modules for name in closure(module.__name__))
    return digest([*tools(), *sources_of(sorted(needed))])


def of_proof(group: Group) -> str:
    """The same without the modules that are proved."""
    proved = {module.__name__ for module in group.modules}
    needed = {*closure(group.make.__module__), *closure("watosfs_proofs.obligation")} - proved
    return digest([*tools(), *sources_of(sorted(needed))])


def of_cluster(cluster: Cluster) -> str:
    """``of_group`` of all groups."""
    return digest([of_group(group) for group in cluster.groups])


def of_proofs(cluster: Cluster) -> str:
    """``of_proof`` of all groups."""
    return digest([of_proof(group) for group in cluster.groups])
