"""What is proved of reading the superblock slots, on blocks as the codecs write them: which copies
count as a superblock, which blocks are WFS at all, and what a refusal tells.
"""

import errno
from collections.abc import Callable
from types import ModuleType
from typing import Any

from watosfs.errors import DamageError
from watosfs.wfs3 import format, mounting
from watosfs.wfs3.node import HEADER_SIZE
from watosfs_proofs.commit_replay import superblock
from watosfs_proofs.executor import Path
from watosfs_proofs.obligation import Obligation

BOUND = "images of each kind, by running"
BLOCK, EMPTY = format.BLOCK_SIZE, bytes(format.BLOCK_SIZE)


def _stored(copy: format.Superblock) -> format.Superblock:
    """As it comes back: texts are padded."""
    decoded = format.decode_superblock(format.encode_superblock(copy))
    assert decoded is not None
    return decoded


OURS = _stored(superblock(10))
PUBLISHED = OURS._replace(incompat=0)
#: Features that this code does not know.
BITS = 1 << 9 | 1 << 11
BITS_TOLD = "bit 9 (0x200), bit 11 (0x800)"


def _behind_a_header(copy: format.Superblock) -> bytes:
    return (b"\xa5" * HEADER_SIZE + format.encode_superblock(copy))[:BLOCK]


def _torn(copy: format.Superblock) -> bytes:
    block = bytearray(format.encode_superblock(copy))
    block[40] ^= 1
    return bytes(block)


def _copy(path: Path, module: ModuleType) -> str:
    found = module.published_copy
    path.prove("found behind a header", found(_behind_a_header(PUBLISHED)) == PUBLISHED)
    path.prove("ours is not looked for there", found(_behind_a_header(OURS)) is None)
    path.prove("not at the start", found(format.encode_superblock(PUBLISHED)) is None)
    path.prove("nothing in nothing", found(EMPTY) is None)
    return "decoded"


def _magic(path: Path, module: ModuleType) -> str:
    """Each word at each place that could be taken for one of the two, and no other."""
    places = {0, HEADER_SIZE}
    for magic in (format.MAGIC_WFS3, format.MAGIC_WFS1):
        word = magic.to_bytes(4, "little")
        right = True
        for place in range(2 * HEADER_SIZE):
            seen = module.has_magic((bytes(place) + word).ljust(BLOCK, b"\0"))
            right &= seen == (place in places)
        path.prove("a magic is seen in its two places only", right)
        for other in (word[::-1], (magic + 1).to_bytes(4, "little"), word[:3] + b"\0"):
            block = other.ljust(BLOCK, b"\0")
            path.prove("no other word is a magic", not module.has_magic(block))
    return "seen"


def _bits(path: Path, module: ModuleType) -> str:
    for mask, told in (
        (0, ""), (1, "bit 0 (0x1)"), (6, "bit 1 (0x2), bit 2 (0x4)"), (BITS, BITS_TOLD),
        (1 << 63, "bit 63 (0x8000000000000000)"),
    ):  # fmt: skip
        path.prove("each set bit by its number and its value", module.bits(mask) == told)
    return "named"


class Images:
    """A device whose two slots hold these blocks; None cannot be read."""

    def __init__(self, *slots: bytes | None, block_size: int = BLOCK, blocks: int = 0) -> None:
        self.slots, self.block_size_bytes = slots, block_size
        self.block_count = blocks or OURS.total_blocks
        self.reads: list[int] = []

    def read(self, slot: int) -> bytearray:
        """The block of a slot. Raises EIO."""
        self.reads.append(slot)
        block = self.slots[slot]
        if block is None:
            raise OSError(errno.EIO, "unreadable")
        return bytearray(block)


WRITTEN = format.encode_superblock(OURS)
NEWER = OURS._replace(root_generation=OURS.root_generation + 1)
SMALL = format.encode_superblock(OURS._replace(block_size=512))
UNREADABLE = "[Errno 5] unreadable"
UNKNOWN = format.encode_superblock(OURS._replace(incompat=OURS.incompat | BITS))
UNKNOWN_RO = format.encode_superblock(OURS._replace(ro_compat=OURS.ro_compat | BITS))
WRONG = f"block_size 512 is not {BLOCK}"
#: (the device, errno, what is told of it)
REFUSED: tuple[tuple[Images, int, str], ...] = (
    (Images(WRITTEN, WRITTEN, block_size=512), errno.EINVAL, f"block size 512 is not {BLOCK}"),
    (Images(WRITTEN, WRITTEN, block_size=8192), errno.EINVAL, f"block size 8192 is not {BLOCK}"),
    (Images(WRITTEN, WRITTEN, blocks=1), errno.EINVAL, "the device is too small for WFS"),
    (Images(WRITTEN, WRITTEN, block_size=512, blocks=1), errno.EINVAL,
     f"block size 512 is not {BLOCK}"),
    (Images(EMPTY, EMPTY, blocks=2), errno.EINVAL, "not a WFS v3 image"),
    (Images(EMPTY, EMPTY), errno.EINVAL, "not a WFS v3 image"),
    (Images(None, None), errno.EINVAL, "not a WFS v3 image"),
    (Images(_torn(OURS), EMPTY), errno.EUCLEAN, "no copy has a matching CRC"),
    (Images(EMPTY, _torn(OURS)), errno.EUCLEAN, "no copy has a matching CRC"),
    (Images(SMALL, EMPTY), errno.EUCLEAN, f"copy 0: {WRONG}"),
    (Images(EMPTY, SMALL), errno.EUCLEAN, f"copy 1: {WRONG}"),
    (Images(None, _torn(OURS)), errno.EUCLEAN, f"copy 0: {UNREADABLE}"),
    (Images(_torn(OURS), None), errno.EUCLEAN, f"copy 1: {UNREADABLE}"),
    (Images(_behind_a_header(OURS), EMPTY), errno.EUCLEAN, "no copy has a matching CRC"),
    (Images(WRITTEN, WRITTEN, blocks=2), errno.EUCLEAN,
     f"copy 1: total_blocks {OURS.total_blocks} exceeds the device's 2"),
    (Images(UNKNOWN, EMPTY), errno.ENOTSUP, f"unknown incompatible features {BITS_TOLD}"),
)  # fmt: skip
#: (the device, the copy found, its slot, whether both agree, why it may only be read)
FOUND: tuple[tuple[Images, Any, int, bool, str | None], ...] = (
    (Images(WRITTEN, WRITTEN), OURS, 0, True, None),
    (Images(WRITTEN, format.encode_superblock(NEWER)), NEWER, 1, False, None),
    (Images(None, WRITTEN), OURS, 1, False, None),
    (Images(WRITTEN, None), OURS, 0, False, None),
    (Images(SMALL, WRITTEN), OURS, 1, False, None),
    (Images(WRITTEN, _torn(OURS)), OURS, 0, False, None),
    (Images(WRITTEN, UNKNOWN), OURS, 0, False, None),
    (Images(UNKNOWN_RO, EMPTY), OURS._replace(ro_compat=OURS.ro_compat | BITS), 0, False,
     f"unknown read-only-compatible features {BITS_TOLD}"),
    (Images(_behind_a_header(PUBLISHED), EMPTY), PUBLISHED, 0, False,
     "images of the published tools are only read"),
    (Images(_behind_a_header(PUBLISHED), _behind_a_header(PUBLISHED)), PUBLISHED, 0, True,
     "images of the published tools are only read"),
)  # fmt: skip


def _refused(path: Path, module: ModuleType) -> str:
    for device, number, told in REFUSED:
        device.reads.clear()
        try:
            module.read_superblocks(device)
            path.prove("such an image is refused", False)
        except OSError as failure:
            path.prove("the errno says what kind of image it is", failure.errno == number)
            path.prove("the reason is told", str(failure.strerror).endswith(f": {told}"))
            if number == errno.EUCLEAN:
                named = isinstance(failure, DamageError) and (failure.structure, failure.block)
                path.prove("damage names the superblock", named == ("superblock", 0))
        path.prove("each slot is read once, or none", device.reads in ([], [0, 1]))
    return "refused"


def _found(path: Path, module: ModuleType) -> str:
    for device, *expected in FOUND:
        device.reads.clear()
        found = module.read_superblocks(device)
        path.prove("the copy, its slot and why it is only read", list(found) == expected)
        path.prove("each slot is read once", device.reads == [0, 1])
    return "found"


Check = Callable[[Path, ModuleType], str]

CHECKS: dict[str, tuple[Check, str, str]] = {
    "published_copy": (_copy, "only the published core's, behind a header", "decoded"),
    "has_magic": (_magic, "the magic words in their two places", "seen"),
    "bits": (_bits, "features are named", "named"),
    "refused": (_refused, "each refusal tells its reason", "refused"),
    "found": (_found, "the newest usable copy is told", "found"),
}


def slot_obligations(module: ModuleType = mounting) -> list[Obligation]:
    """The obligations of ``module``, which is production's or a broken variant of it."""

    def bound_to(check: Check) -> Callable[[Path], str]:
        return lambda path: check(path, module)

    return [
        Obligation(f"slots.{name}", statement, BOUND, bound_to(check), (outcome,))
        for name, (check, statement, outcome) in CHECKS.items()
    ]
