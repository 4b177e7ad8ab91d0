"""Faults that one oracle sees and no other: switch it off, and they pass."""

import errno
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from watosfs.block.device import BlockDevice
from watosfs.wfs3.btree import BTree
from watosfs.wfs3.engine import Engine
from watosfs.wfs3.mounting import read_superblocks
from watosfs.wfs3.node import Node
from watosfs.wfs3.volume import Volume
from watosfs_fuzz.case import Case
from watosfs_fuzz.oracles.catalogue import ORACLES
from watosfs_model.open_flags import O_CREAT, O_RDWR
from watosfs_model.operations import Begin, Close, Commit, Mkdir, Open, Sync, Unlink

Plant = Callable[[pytest.MonkeyPatch], None]


def half_a_transaction(monkeypatch: pytest.MonkeyPatch) -> None:
    """mkdir commits, inside a transaction too."""
    real: Callable[..., None] = Volume.mkdir

    def mkdir(self: Volume, path: bytes, mode: int = 0o755) -> None:
        real(self, path, mode)
        self.engine.commit()

    monkeypatch.setattr(Volume, "mkdir", mkdir)


def empty_root_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """A tree that lost its last entry keeps an empty leaf, which is sound, but takes a block."""

    def collapse_root(self: BTree) -> None:
        root = self.root
        while type(root) is Node and root.level and len(root.keys) == 1:
            self.store.discard(root)
            root = self.root = root.values[0]

    monkeypatch.setattr(BTree, "collapse_root", collapse_root)


def generation_counted_back(monkeypatch: pytest.MonkeyPatch) -> None:
    """A mount takes the generation for one less than the superblock says."""
    real: Callable[..., Volume] = Volume.mount

    def mount(device: BlockDevice, **options: Any) -> Volume:
        volume = real(device, **options)
        engine: Engine = volume.engine
        older = engine.superblock.root_generation - 1
        engine.superblock = engine.superblock._replace(root_generation=older)
        return volume

    monkeypatch.setattr(Volume, "mount", staticmethod(mount))


def copies_must_agree(monkeypatch: pytest.MonkeyPatch) -> None:
    """A mount refuses two superblocks that differ, as they do between two commits."""
    real: Callable[..., Volume] = Volume.mount

    def mount(device: BlockDevice, **options: Any) -> Volume:
        if not read_superblocks(device).copies_agree:
            raise OSError(errno.EUCLEAN, "the superblocks differ")
        return real(device, **options)

    monkeypatch.setattr(Volume, "mount", staticmethod(mount))


def written_again_in_place(monkeypatch: pytest.MonkeyPatch) -> None:
    """A commit writes the durable root once more, where it lies, with the bytes that it has."""
    real: Callable[..., None] = Engine.commit

    def commit(self: Engine, *, force: bool = False) -> None:
        root = self.superblock.root_tree_block
        self.device.write(root, self.device.read(root))
        real(self, force=force)

    monkeypatch.setattr(Engine, "commit", commit)


TRANSACTION = (Begin(), Mkdir(b"/a", 0o755), Mkdir(b"/b", 0o755), Commit())
CREATED = (Open(b"/a", O_CREAT | O_RDWR, 0o644), Sync(), Unlink(b"/a"), Sync())

#: What is planted, in which trace, and the oracles that see it when alone.
ALONE: dict[str, tuple[Plant, Case, set[str]]] = {
    "half a transaction": (half_a_transaction, Case(TRANSACTION), {"state"}),
    "empty root kept": (empty_root_kept, Case((*CREATED, Close(3), Sync())), {"leak"}),
    "copies must agree": (copies_must_agree, Case(CREATED), {"recovery"}),
    "written again in place": (written_again_in_place, Case(CREATED), {"epoch"}),
    "generation counted back": (generation_counted_back, Case(CREATED), {"generation"}),
}


@pytest.mark.parametrize("name", ALONE)
def test_who_sees_it(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    plant, case, due = ALONE[name]
    assert case.run().failure is None
    plant(monkeypatch)
    seen = {
        oracle
        for oracle in ORACLES
        if replace(case, off=frozenset(ORACLES) - {oracle}).run().failure
    }
    assert seen == due
    assert replace(case, off=frozenset(due)).run().failure is None
