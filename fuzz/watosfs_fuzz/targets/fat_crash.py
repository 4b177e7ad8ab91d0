"""What a power cut left of a FAT volume: looked at, checked, repaired on a copy, looked at again.

Files' bytes are read by ``read_each``: the contract judges them byte by byte, and nothing that FAT
does depends on them, so no mixture of a file's sectors needs a recovery of its own.
"""

from collections.abc import Sequence

from watosfs.block.device import BLOCK_SIZE_BYTES, Accept, BlockDevice, Buffer, Capabilities
from watosfs.errors import DamageError
from watosfs.fat.check import check
from watosfs.fat.checker.report import Problem, Report
from watosfs.fat.node import Node
from watosfs.fat.volume import FatVolume
from watosfs_fuzz.dialect import Tree
from watosfs_fuzz.targets.descriptors import shown

#: What clauses 14, 16 and 17 leave to a repair; of ``size`` only a chain that is too long.
HARMLESS = frozenset({"lost", "dirty", "fsinfo", "mirror", "name"})
FOUND_NAME = b"FSCK"


def not_permitted(report: Report) -> list[Problem]:
    """What a power cut may not leave: of a volume that is not marked dirty, anything."""
    if "dirty" not in report.kinds:
        return report.problems
    return [problem for problem in report.problems if not is_harmless(problem)]


def is_harmless(problem: Problem) -> bool:
    """Whether the contract allows it."""
    return problem.kind in HARMLESS or (problem.kind == "size" and "clusters for" in problem.text)


def read_bytes(device: BlockDevice, offset: int, size: int) -> bytes:
    """Bytes of a device whose sectors are judged one by one."""
    read = getattr(device, "read_each", device.read)
    first, skip = divmod(offset, BLOCK_SIZE_BYTES)
    end = -(-(offset + size) // BLOCK_SIZE_BYTES)
    return bytes(read(first, end - first)[skip : skip + size])


def file_bytes(volume: FatVolume, device: BlockDevice, node: Node) -> bytes:
    """All of a file. EUCLEAN when its chain is damaged or shorter than its size."""
    size = volume.engine.geometry.cluster_size
    chain = volume.engine.chain(node)
    needed = -(-node.size // size)
    if chain.count < needed:
        raise DamageError(f"file {node.name!r}", node.first, "its chain is shorter than its size")
    pieces = [
        read_bytes(device, volume.engine.geometry.cluster_offset(first), count * size)
        for first, count in chain.pieces(0, needed)
    ]
    return b"".join(pieces)[: node.size]


def tree_on(volume: FatVolume, device: BlockDevice) -> Tree:
    """Kinds, sizes and bytes by path."""
    tree: Tree = {b"/": shown("directory", 0, None)}
    files: dict[bytes, Node] = {}
    waiting = [(b"", volume.engine.root)]
    while waiting:
        base, parent = waiting.pop()
        for node in volume.engine.directory(parent).nodes():
            path = base + b"/" + node.name.encode("utf-8", "surrogatepass")
            assert path not in tree, f"{path!r} is listed twice"
            if node.is_directory:
                tree[path] = shown("directory", 0, None)
                waiting.append((path, node))
            else:
                # Directories first: a block that holds one too is then read in every mixture.
                tree[path] = ()
                files[path] = node
    for path, node in files.items():
        data = file_bytes(volume, device, node)
        tree[path] = shown("file", len(data), data)
    return tree


class Overlay:
    """A device over another, which takes none of the writes; blocks not decided yet are read
    for judging sector by sector.
    """

    def __init__(self, device: BlockDevice) -> None:
        self.below = device
        self.block_size_bytes = device.block_size_bytes
        self.block_count = device.block_count
        self.capabilities = Capabilities()
        self.image: dict[int, bytes] = {}

    def read(self, block: int, count: int = 1, accept: Accept | None = None) -> Buffer:
        """What was written here, else what is below."""
        image = self.image
        return b"".join(
            [
                image[b]
                if b in image
                else read_bytes(self.below, b * BLOCK_SIZE_BYTES, BLOCK_SIZE_BYTES)
                for b in range(block, block + count)
            ]
        )

    def readv(self, runs: Sequence[tuple[int, int]]) -> list[Buffer]:
        """Each run."""
        return [self.read(block, count) for block, count in runs]

    def write(self, block: int, data: Buffer, *, fua: bool = False) -> None:
        """Kept here."""
        view = memoryview(data)
        for i in range(view.nbytes // BLOCK_SIZE_BYTES):
            piece = view[i * BLOCK_SIZE_BYTES : (i + 1) * BLOCK_SIZE_BYTES]
            self.image[block + i] = bytes(piece)

    def writev(self, runs: Sequence[tuple[int, Buffer]]) -> None:
        """Each run."""
        for block, data in runs:
            self.write(block, data)

    def flush(self) -> None:
        """Nothing is volatile."""

    def discard(self, block: int, count: int) -> None:
        """Contents stay."""

    def close(self) -> None:
        """Nothing to release."""


class Remains:
    """A crash image as found: ``report`` of the check, ``tree`` with what a repair gives names,
    ``repair_problem`` what is wrong after the repair.
    """

    def __init__(self, device: BlockDevice) -> None:
        # Not reconnecting, the check reads no bytes of files.
        self.report: Report = check(device, reconnect=False)
        volume = FatVolume.mount(device, read_only=True)
        self.tree = tree_on(volume, device)
        self.repair_problem: str | None = None
        if self.report.kinds - {"dirty", "fsinfo"}:
            self.repair(device)

    def repair(self, device: BlockDevice) -> None:
        """Repair a copy: nothing that was shown may be gone after it, and a check is clean."""
        copy = Overlay(device)
        check(copy, repair=True)
        after = check(copy, reconnect=False)
        if not after.is_clean:
            self.repair_problem = f"after a repair a check finds {after.problems[0]}"
            return
        tree = tree_on(FatVolume.mount(copy, read_only=True), copy)
        for path, entry in self.tree.items():
            if tree.get(path) != entry:
                self.repair_problem = f"a repair took {path!r}, which was sound"
                return
        found = {path: e for path, e in tree.items() if path.startswith(b"/" + FOUND_NAME)}
        self.tree |= found
