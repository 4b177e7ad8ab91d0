"""All groups of obligations, in the order in which they are settled.

A new group is one line here, and its line in docs/PROOFS.md.
"""

from collections.abc import Callable
from dataclasses import dataclass
from types import ModuleType

from watosfs.fat import allocator as fat_allocator
from watosfs.fat import chains, table
from watosfs.kernel import descriptors, kernel, process
from watosfs.wfs3 import (
    allocator,
    btree,
    chunks,
    commit,
    compressing,
    dead,
    engine,
    extents,
    filedata,
    filereading,
    mounting,
    snapshots,
    store,
    writing,
)
from watosfs_proofs.admission_obligations import admission_obligations
from watosfs_proofs.allocator_obligations import allocator_obligations
from watosfs_proofs.chunk_obligations import chunk_obligations
from watosfs_proofs.commit_obligations import commit_obligations
from watosfs_proofs.compression_obligations import compression_obligations
from watosfs_proofs.cost_obligations import cost_obligations
from watosfs_proofs.descriptor_obligations import descriptor_obligations
from watosfs_proofs.engine_obligations import engine_obligations
from watosfs_proofs.extent_obligations import extent_obligations
from watosfs_proofs.fat_map_obligations import fat_allocator_obligations, fat_table_obligations
from watosfs_proofs.fat_obligations import fat_obligations
from watosfs_proofs.file_obligations import file_obligations
from watosfs_proofs.file_reading_obligations import file_reading_obligations
from watosfs_proofs.medium_obligations import medium_obligations
from watosfs_proofs.obligation import Obligation
from watosfs_proofs.process_obligations import process_obligations
from watosfs_proofs.slot_obligations import slot_obligations
from watosfs_proofs.snapshot_obligations import snapshot_obligations
from watosfs_proofs.superblock_obligations import superblock_obligations
from watosfs_proofs.tree_obligations import tree_obligations
from watosfs_proofs.tree_search_obligations import tree_search_obligations
from watosfs_proofs.tree_shape_obligations import tree_shape_obligations


@dataclass(frozen=True)
class Group:
    """Obligations about the functions of some production modules.

    ``make`` takes broken variants of the modules, in their order, or nothing for production's.
    """

    name: str
    modules: tuple[ModuleType, ...]
    make: Callable[..., list[Obligation]]


GROUPS = (
    Group("extents", (extents,), extent_obligations),
    Group("allocator", (allocator,), allocator_obligations),
    Group("commit", (commit, engine, mounting, writing), commit_obligations),
    Group("admission", (commit, engine), admission_obligations),
    Group("superblock", (commit, engine, mounting, writing), superblock_obligations),
    Group("slots", (mounting,), slot_obligations),
    Group("engine", (engine,), engine_obligations),
    Group("medium", (writing,), medium_obligations),
    Group("chunks", (chunks,), chunk_obligations),
    Group("filedata", (filedata, filereading), file_obligations),
    Group("file_reading", (filedata, filereading), file_reading_obligations),
    Group("cost", (filedata,), cost_obligations),
    Group("compression", (compressing,), compression_obligations),
    Group("btree", (btree,), tree_obligations),
    Group("tree_search", (btree,), tree_search_obligations),
    Group("tree_shape", (btree,), tree_shape_obligations),
    Group("descriptors", (descriptors, kernel, process), descriptor_obligations),
    Group("processes", (descriptors, kernel, process), process_obligations),
    Group("snapshots", (dead, snapshots, store), snapshot_obligations),
    Group("fat_chains", (chains,), fat_obligations),
    Group("fat_table", (table,), fat_table_obligations),
    Group("fat_allocator", (fat_allocator,), fat_allocator_obligations),
)


@dataclass(frozen=True)
class Cluster:
    """Groups that prove functions of the same modules: a mutant is judged by all of them."""

    groups: tuple[Group, ...]

    @property
    def name(self) -> str:
        """Of the first group."""
        return self.groups[0].name

    @property
    def modules(self) -> tuple[ModuleType, ...]:
        """Of all groups, each once."""
        return tuple(dict.fromkeys(module for group in self.groups for module in group.modules))

    def make(self, *variants: ModuleType) -> list[Obligation]:
        """The obligations of all groups, of ``variants`` of the modules in their order."""
        variant = dict(zip(self.modules, variants or self.modules, strict=True))
        return [
            obligation
            for group in self.groups
            for obligation in group.make(*(variant[module] for module in group.modules))
        ]


def clusters() -> list[Cluster]:
    """The groups, those with a module in common together."""
    found: list[tuple[Group, ...]] = []
    for group in GROUPS:
        related = [each for each in found if _share(each, group)]
        found = [each for each in found if each not in related]
        found.append((*(member for each in related for member in each), group))
    return [Cluster(groups) for groups in found]


def _share(groups: tuple[Group, ...], group: Group) -> bool:
    return any(module in other.modules for other in groups for module in group.modules)


def obligations() -> list[Obligation]:
    """Every obligation of the production code."""
    return [obligation for group in GROUPS for obligation in group.make()]


def chosen(names: list[str] | None) -> list[Obligation]:
    """Those whose name contains any of ``names``; all of them when there are none."""
    return [o for o in obligations() if not names or any(name in o.name for name in names)]
