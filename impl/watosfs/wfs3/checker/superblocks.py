"""The two superblock copies: which are valid, which is newest, whether we may judge it.

One invalid copy breaks no rule: a power cut while it was being written leaves exactly that, and the
next read-write mount rewrites it. Two valid copies more than one generation apart do, because slots
alternate.
"""

from typing import Final, NamedTuple

from watosfs.block.device import BlockDevice, Buffer
from watosfs.wfs3.checker.report import Findings
from watosfs.wfs3.format import (
    CHUNK_SIZE,
    INCOMPAT_KNOWN,
    MAGIC_WFS3,
    RO_COMPAT_KNOWN,
    RO_COMPAT_ORPHAN_TREE,
    RO_COMPAT_SNAPSHOTS,
    SIGNATURE,
    SUPERBLOCK_SLOTS,
    Superblock,
    decode_superblock,
    superblock_problem,
)

#: Byte 0, or behind a node header where the published core puts it.
OFFSETS: Final = (0, 32)
_FIXED: Final = ("block_size", "uuid", "magic")


class Copy(NamedTuple):
    """One valid copy, and the byte of its block where it stands."""

    slot: int
    offset: int
    superblock: Superblock


def find_superblock(block: Buffer) -> tuple[int, Superblock] | None:
    """(offset, superblock) in the contents of a block, None when there is none."""
    for offset in OFFSETS:
        superblock = decode_superblock(block, offset)
        if superblock is not None and (not offset or superblock.is_published_layout):
            return offset, superblock
    return None


def superblock_is_valid(block: Buffer) -> bool:
    """The ``accept`` check of superblock reads."""
    return find_superblock(block) is not None


def read_copies(device: BlockDevice, findings: Findings) -> list[Copy]:
    """The valid copies by slot; unreadable ones become problems, invalid ones notes."""
    copies: list[Copy] = []
    for slot in SUPERBLOCK_SLOTS:
        try:
            data = device.read(slot, 1, superblock_is_valid)
        except OSError as error:
            findings.problem("superblock", slot, "read", f"the device says: {error}")
            continue
        found = find_superblock(data)
        if found is None:
            findings.note(f"superblock at block {slot}: not valid (a torn commit, or damage)")
        else:
            copies.append(Copy(slot, *found))
    if not copies:
        findings.problem("superblock", 0, "crc32", "neither copy is a valid WFS superblock")
    elif len(copies) == 2:
        _compare(copies[0], copies[1], findings)
    return copies


def newest(copies: list[Copy]) -> Copy:
    """The copy with the highest generation; slot 0 when they are equal."""
    return max(copies, key=lambda copy: (copy.superblock.root_generation, -copy.slot))


def _compare(first: Copy, second: Copy, findings: Findings) -> None:
    one, two = first.superblock, second.superblock
    if one == two:
        return
    for field in _FIXED:
        if getattr(one, field) != getattr(two, field):
            findings.problem(
                "superblock", 1, field,
                f"{getattr(two, field)!r} differs from {getattr(one, field)!r} in the first copy",
            )  # fmt: skip
    before, after = sorted((one, two), key=lambda superblock: superblock.root_generation)
    if before.total_blocks > after.total_blocks:
        findings.problem(
            "superblock", 1, "total_blocks", f"{two.total_blocks} differs from {one.total_blocks} "
            "in the first copy, and volumes only grow",
        )  # fmt: skip
    if before.incompat & ~after.incompat:
        findings.problem(
            "superblock", 1, "incompat", f"{two.incompat:#x} differs from {one.incompat:#x} in the "
            "first copy, and features never go",
        )  # fmt: skip
    apart = abs(one.root_generation - two.root_generation)
    if apart == 0 and one.is_published_layout == two.is_published_layout:
        fields = [name for name in Superblock._fields if getattr(one, name) != getattr(two, name)]
        findings.problem(
            "superblock", 1, "root_generation",
            f"{two.root_generation} in both copies, which differ in {', '.join(fields)}",
        )  # fmt: skip
    elif apart > 1:
        older = 0 if one.root_generation < two.root_generation else 1
        findings.problem(
            "superblock", older, "root_generation",
            f"{apart} generations behind the other copy, but slots are written in turn",
        )  # fmt: skip
    else:
        findings.note("the superblock copies are one generation apart: not cleanly unmounted")


def is_usable(copy: Copy, device_blocks: int, findings: Findings) -> bool:
    """Judge the fields of the chosen copy; False when nothing below it can be judged."""
    superblock = copy.superblock

    def problem(field: str, text: str) -> None:
        findings.problem("superblock", copy.slot, field, text)

    unknown = superblock.incompat & ~INCOMPAT_KNOWN
    if unknown:
        problem("incompat", f"unknown incompatible feature {bit_names(unknown)}")
        return False
    text = superblock_problem(superblock, device_blocks)
    if text is not None:
        problem(text.split()[0], text)
        return False
    unknown = superblock.ro_compat & ~RO_COMPAT_KNOWN
    if unknown:
        findings.note(f"unknown read-only-compatible feature {bit_names(unknown)}: not checked")
    if superblock.is_published_layout:
        return True
    if superblock.magic != MAGIC_WFS3:
        problem("magic", f"{superblock.magic:#010x} with the raw-data feature")
    if superblock.signature.rstrip(b"\0") != SIGNATURE:
        problem("signature", repr(superblock.signature))
    if superblock.flags:
        problem("flags", f"{superblock.flags:#x} is not 0")
    if superblock.chunk_size != CHUNK_SIZE:
        problem("chunk_size", f"{superblock.chunk_size} is not {CHUNK_SIZE}")
    if superblock.inode_count != superblock.next_inode - 1:
        problem("inode_count", f"{superblock.inode_count} is not next_inode - 1")
    if not superblock.free_tree_block:
        problem("free_tree_block", "0: there is no free tree")
    if superblock.orphan_root and not superblock.ro_compat & RO_COMPAT_ORPHAN_TREE:
        problem("orphan_root", f"{superblock.orphan_root} without the orphan-tree feature")
    if superblock.snapshot_root and not superblock.ro_compat & RO_COMPAT_SNAPSHOTS:
        problem("snapshot_root", f"{superblock.snapshot_root} without the snapshots feature")
    if not unknown and superblock.refcount_root:
        problem(
            "refcount_root", f"{superblock.refcount_root}, but no feature bit allows such a tree"
        )
    name = superblock.label.rstrip(b"\0")
    if b"\0" in name or _not_text(name):
        problem("label", f"{name!r} is not UTF-8 padded with NUL")
    return True


def bit_names(bits: int) -> str:
    """``bit 3 (0x8), bit 5 (0x20)``."""
    return ", ".join(f"bit {bit} ({1 << bit:#x})" for bit in range(32) if bits >> bit & 1)


def _not_text(raw: bytes) -> bool:
    try:
        raw.decode()
    except UnicodeDecodeError:
        return True
    return False
