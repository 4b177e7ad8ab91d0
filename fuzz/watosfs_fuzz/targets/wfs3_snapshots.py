"""What the snapshots of a WFS v3 volume show, as the model has it: by path behind ``@0:name``."""

from watosfs.wfs3.volume import Volume
from watosfs_fuzz.dialect import Tree
from watosfs_fuzz.targets.wfs3_entry import entry_of

#: So many looks are answered from memory; then everything is read again.
LOOKS_REMEMBERED = 12


class SnapshotViews:
    """Reads all snapshots. Between two operations on snapshots most looks are not worth a read:
    what they show is on the medium, and every recovery reads it anew.
    """

    def __init__(self) -> None:
        self.forget()

    def forget(self) -> None:
        """The next look reads."""
        self.known: Tree | None = None
        self.looks = 0

    def shown(self, volume: Volume, *, contents: bool) -> Tree:
        """Every path of every snapshot."""
        names = volume.snapshots()
        if not names:
            return {}
        if not contents:
            return read_all(volume, names, contents=False)
        self.looks += 1
        if self.known is None or self.looks > LOOKS_REMEMBERED:
            self.known, self.looks = read_all(volume, names, contents=True), 0
        return self.known


def read_all(volume: Volume, names: list[bytes], *, contents: bool) -> Tree:
    """Every path of these snapshots; what files hold only with ``contents``."""
    tree: Tree = {}
    for order, name in enumerate(names):
        prefix = b"@%d:%s" % (order, name)
        with volume.snapshot_open(name) as view:
            inodes = list(view.walk())
            first: dict[int, bytes] = {}
            for path, inode in inodes:
                first[inode.number] = min(path, first.get(inode.number, path))
            for path, inode in inodes:
                identity = prefix + first[inode.number]
                tree[prefix + path] = entry_of(view, inode, identity, contents=contents)
    return tree
