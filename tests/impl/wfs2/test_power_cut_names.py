"""Names across a power cut: every image of a few short stories.

Checks: every subset of the sectors of every epoch (there are few in these stories); the tree that a
mount shows is one of those that the story permits.
"""

from collections.abc import Callable
from itertools import product

import pytest

from tests.impl.wfs2.images import fresh, mounted
from tests.impl.wfs2.traces import tree_on
from watosfs.block.device import Buffer
from watosfs.block.memory import MemoryDevice
from watosfs.wfs2 import namespace
from watosfs.wfs2.check import check
from watosfs.wfs2.volume import Wfs2Volume

Tree = dict[str, bytes | None]


class EpochDevice(MemoryDevice):
    """Keeps the image at each flush, and the sectors written before the next."""

    epochs: list[tuple[bytes, dict[int, bytes]]] | None = None

    def start(self) -> None:
        self.epochs = [(self.snapshot(), {})]

    def write(self, block: int, data: Buffer, *, fua: bool = False) -> None:
        if self.epochs is not None:
            view, base = memoryview(data), self.epochs[-1][0]
            for i in range(view.nbytes // 512):
                sector, raw = block * 8 + i, bytes(view[i * 512 : (i + 1) * 512])
                if base[sector * 512 : (sector + 1) * 512] != raw:
                    self.epochs[-1][1][sector] = raw
        super().write(block, data)

    def flush(self) -> None:
        super().flush()
        if self.epochs is not None:
            self.epochs.append((self.snapshot(), {}))

    def images(self) -> "list[bytes]":
        found = []
        for base, sectors in self.epochs or []:
            # The data of new files is looked at by nobody yet: at most 2^10 choices are left.
            chosen = sorted(sectors)[:10]
            rest = sorted(sectors)[10:]
            for keeps in product((False, True), repeat=len(chosen)):
                image = bytearray(base)
                kept = [sector for sector, keep in zip(chosen, keeps, strict=True) if keep]
                for sector in [*kept, *rest]:
                    image[sector * 512 : (sector + 1) * 512] = sectors[sector]
                found.append(bytes(image))
        return found


def trees_after(
    story: Callable[[Wfs2Volume], None], start: Callable[[Wfs2Volume], None]
) -> list[Tree]:
    device = EpochDevice.from_bytes(fresh(256).snapshot())
    assert isinstance(device, EpochDevice)
    volume = mounted(device)
    start(volume)
    volume.sync()
    device.start()
    story(volume)
    volume.sync()
    found: list[Tree] = []
    for image in device.images():
        left = MemoryDevice.from_bytes(image)
        mounted(left).unmount()
        assert check(left, data=True).is_clean
        tree = tree_on(left)
        if tree not in found:
            found.append(tree)
    return found


def two_files(volume: Wfs2Volume) -> None:
    for i in range(4):
        volume.mkdir(f"{i}")
    volume.write_file("a", b"A")
    for i in range(4, 8):
        volume.mkdir(f"{i}")
    volume.write_file("b", b"B")


FOLDERS: Tree = {f"/{i}": None for i in range(8)}


def replace(volume: Wfs2Volume) -> None:
    volume.rename("a", "b")


def replace_backwards(volume: Wfs2Volume) -> None:
    volume.rename("b", "a")


def fold(volume: Wfs2Volume) -> None:
    """The entries of the folder, of the file that was, and of what is new lie in three sectors."""
    volume.rmdir("0")
    volume.rmdir("7")
    volume.unlink("a")
    volume.mkdir("a")
    volume.mkdir("other")
    volume.write_file("a/x", b"X")


def test_a_rename_that_replaces_is_there_as_a_whole_or_not_survives_crash() -> None:
    before: Tree = {**FOLDERS, "/a": b"A", "/b": b"B"}
    for story, after in ((replace, {"/b": b"A"}), (replace_backwards, {"/a": b"B"})):
        found = trees_after(story, two_files)
        assert len(found) == 2
        assert all(tree in (before, {**FOLDERS, **after}) for tree in found)


def test_a_file_whose_name_becomes_a_folder_is_never_both_survives_crash() -> None:
    found = trees_after(fold, two_files)
    assert len(found) > 2
    for tree in found:
        assert (tree.get("/a") == b"A") or "/a/x" not in tree or tree["/a"] is None
        assert tree["/b"] == b"B"


def test_canary_an_entry_that_replaces_and_is_not_newer_is_caught(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(namespace, "newer", min)
    with pytest.raises(AssertionError):
        test_a_rename_that_replaces_is_there_as_a_whole_or_not_survives_crash()


def test_canary_a_name_that_the_medium_still_has_is_caught(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(namespace, "require_name", lambda engine, path: None)
    with pytest.raises((AssertionError, OSError)):
        test_a_file_whose_name_becomes_a_folder_is_never_both_survives_crash()
