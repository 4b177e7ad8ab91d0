"""What is proved of compressed extents: stored, flagged and counted as what they are; levels."""

from collections.abc import Callable
from types import ModuleType, SimpleNamespace
from typing import Any

import z3

from watosfs.wfs3 import compressing
from watosfs.wfs3.records import INODE_LEVEL_MASK, Inode
from watosfs_proofs.binding import bind
from watosfs_proofs.executor import Path
from watosfs_proofs.file_world import BLOCK, CHUNK, Files, Recorder, chosen
from watosfs_proofs.obligation import Obligation
from watosfs_proofs.symbolic import SymInt, term
from watosfs_proofs.symbolic_bytes import BYTES, SymBytes

_KINDS = (0o100644, 0o040755, 0o120777, 0o010644)


def _store_compressed(path: Path, module: ModuleType) -> str:
    """An extent of what the compressor gave: its own blocks, its own checksum."""
    world = Recorder(path, Files())
    key, blocks, stored = path.integer("key"), path.integer("blocks"), path.integer("stored_blocks")
    start = path.integer("start")
    path.assume(z3.And(blocks >= 2, blocks <= CHUNK // BLOCK, stored >= 1, stored < blocks))
    saves, fits = chosen("saves"), chosen("fits")
    frame = SymBytes(stored * BLOCK, lambda i: i)
    engine = world.data.engine
    engine.features = 1

    def alloc(count: Any) -> SymInt | None:
        path.prove("as many blocks as are stored", term(count) == stored)
        return SymInt(start) if fits else None

    engine.space = SimpleNamespace(alloc=alloc)
    replaced = {
        **BYTES,
        "crc32": lambda data: data,
        "compressed": lambda view, level: frame if saves else None,
    }
    kernel = bind(module, replaced)
    view = SymBytes(blocks * BLOCK, lambda i: i)
    done = kernel.store_compressed(engine, world.inode, SymInt(key), view)
    path.prove("done exactly when it saves and fits", done == (saves and fits))
    if not done:
        path.prove("else nothing happens", world.said == [] and engine.features == 1)
        return "stored as it is"
    ((at, data),), ((place, extent),) = world.of("write"), world.of("extent")
    path.prove(
        "the frame is written first", [said[0] for said in world.said] == ["write", "extent"]
    )
    path.prove("to its blocks", z3.And(term(at) == start, data is frame))
    path.prove("entered under its offset", z3.And(
        term(place) == key, term(extent.file_offset) == key))  # fmt: skip
    path.prove("stands for the whole piece", term(extent.length) == blocks * BLOCK)
    path.prove("its blocks", term(extent.disk_block) == start)
    path.prove(
        "says that it is compressed, and into how many", term(extent.flags) == 2 + 256 * stored
    )
    path.prove("the checksum is that of the frame", extent.crc32 is frame)
    path.prove("what is stored is counted", term(world.inode.blocks) == path.inputs["had"] + stored)
    path.prove("the feature is noted", engine.features == 3)
    return "compressed"


def _levels(path: Path, module: ModuleType) -> str:
    """Every level on flags of every kind, by running."""
    names = "kept as it was set", "other flags stay", "files and directories inherit"
    right = dict.fromkeys(names, True)
    for level in range(module.LEVEL_MAX + 1):
        for others in (0, 0x50, 0xFFFFFFFF & ~INODE_LEVEL_MASK):
            for before in (0, 1, module.LEVEL_MAX):
                inode = Inode(1, 0o040755, 0)
                inode.flags = others
                module.set_level(inode, before)
                module.set_level(inode, level)
                right["kept as it was set"] &= module.level_of(inode) == level
                right["other flags stay"] &= inode.flags & ~INODE_LEVEL_MASK == others
            for mode in _KINDS:
                child = Inode(2, mode, 0)
                module.inherit_level(child, inode)
                due = level if child.is_file or child.is_directory else 0
                right["files and directories inherit"] &= module.level_of(child) == due
                right["other flags stay"] &= child.flags & ~INODE_LEVEL_MASK == 0
    for name, holds in right.items():
        path.prove(name, holds)
    return "run"


def compression_obligations(module: ModuleType = compressing) -> list[Obligation]:
    """The obligations of production's module, or of a broken variant of it."""

    def bound_to(check: Callable[[Path, ModuleType], str]) -> Callable[[Path], str]:
        return lambda path: check(path, module)

    return [
        Obligation(
            "compression.store_compressed", "a compressed extent is what was stored",
            "any frame that saves a block", bound_to(_store_compressed),
            ("compressed", "stored as it is"),
        ),
        Obligation(
            "compression.levels", "a level is kept, and inherited", "each level, by running",
            bound_to(_levels), ("run",),
        ),
    ]  # fmt: skip
