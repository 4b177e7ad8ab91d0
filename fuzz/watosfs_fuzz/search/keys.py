"""One key for all states with the same futures: what the model is in, names made canonical, and
the coarse shape that the implementation has.

Left out: times (they differ in every state), inode numbers, and the order in which history came to
the same durable state. Operations still differ by none of these.
"""

from collections.abc import Hashable, Iterator, Mapping, Sequence
from hashlib import blake2b
from itertools import permutations
from zlib import crc32

from watosfs_fuzz.search.alphabet import NAMES
from watosfs_model import System
from watosfs_model.observation import identities
from watosfs_model.state import ROOT, Volume

KEY_BYTES = 16
_PERMUTED_MAX = 3


def key_of(system: System, shape: Hashable, names: Sequence[bytes] = NAMES) -> bytes:
    """The smallest of the descriptions under all renamings, with the shape, hashed."""
    least = min(repr(described(system, renaming)) for renaming in renamings(system, names))
    return blake2b(f"{least} {shape!r}".encode(), digest_size=KEY_BYTES).digest()


def renamings(system: System, names: Sequence[bytes]) -> Iterator[Mapping[bytes, bytes]]:
    """All permutations of few names. Many stand for nothing but themselves (see ``Alphabet``), so
    the order of what they lead to in the volumes that matter is canonical.
    """
    if len(names) <= _PERMUTED_MAX:
        for permuted in permutations(names):
            yield dict(zip(names, permuted, strict=True))
        return
    volumes = [system.volume, system.history[0], *([system.begun] if system.begun else [])]

    def leads_to(name: bytes) -> str:
        numbers = [volume.inodes[ROOT].entries.get(name, 0) for volume in volumes]
        return repr([contents(v, n) for v, n in zip(volumes, numbers, strict=True)])

    yield dict(zip(sorted(names, key=leads_to), names, strict=True))


def described(system: System, names: Mapping[bytes, bytes]) -> Hashable:
    """The working state, the durable one, the transaction's beginning, and the descriptors."""
    _, first = identities(system.volume)
    descriptors = tuple(
        (fd, open_file.flags, open_file.is_stale, renamed(first.get(open_file.number, b""), names),
         contents(system.volume, open_file.number))
        for fd, open_file in sorted(system.descriptors.items())
    )  # fmt: skip
    begun = None if system.begun is None else tree(system.begun, names)
    return tree(system.volume, names), tree(system.history[0], names), begun, descriptors


def tree(volume: Volume, names: Mapping[bytes, bytes]) -> Hashable:
    """Every path with what is there; links by the first path of the inode."""
    paths, first = identities(volume)
    return tuple(
        sorted(
            (renamed(path, names), renamed(first[number], names), contents(volume, number))
            for path, number in paths
        )
    )


def contents(volume: Volume, number: int) -> Hashable:
    """An inode without its times and names."""
    inode = volume.inodes.get(number)
    if inode is None:
        return None
    blocks = tuple((index, crc32(data)) for index, data in sorted(inode.blocks.items()))
    return inode.kind, inode.mode, inode.nlink, inode.size, blocks, tuple(inode.attributes)


def renamed(path: bytes, names: Mapping[bytes, bytes]) -> bytes:
    """A path with each of its names replaced."""
    return b"/".join(names.get(name, name) for name in path.split(b"/"))
