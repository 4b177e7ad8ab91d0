"""Small file systems, correct and broken, on which the explorer is compared with brute force.

Each keeps a tuple of small values. ``run`` writes a few generations to a recording device, marking
each acknowledged one; ``recover`` gives the values found, or raises ``Lost``.
"""

import struct
from functools import partial
from zlib import crc32

from watosfs.block.device import BLOCK_SIZE_BYTES, BlockDevice, Buffer
from watosfs_fuzz.crash.log import RecordingDevice

BLOCKS = 64


class Lost(Exception):
    """Recovery found nothing that it can use."""


def pack(payload: bytes, sectors: int = 1) -> bytes:
    """A block with length, CRC and payload; with two sectors, the payload again in the second."""
    first = struct.pack("<IH", crc32(payload), len(payload)) + payload
    block = first.ljust(512, b"\0") + (first if sectors == 2 else b"")
    return block.ljust(BLOCK_SIZE_BYTES, b"\0")


def payload_of(block: Buffer) -> bytes | None:
    """The payload, or None when the CRC (or the second copy) does not match."""
    check, length = struct.unpack_from("<IH", block)
    payload = bytes(block[6 : 6 + min(length, 500)])
    second = bytes(block[512:1024])
    if crc32(payload) != check or (any(second) and second != bytes(block[:512])):
        return None
    return payload


def is_sound(block: Buffer) -> bool:
    return payload_of(block) is not None


class Store:
    """Copy-on-write: leaves, then a root naming them, then one of two superblock slots in turn.

    Variants break it: ``no-flush`` (leaves not flushed before the superblock), ``early-ack``
    (superblock not flushed), ``same-slot``, ``fua`` (correct: FUA superblock after a flush),
    ``fua-only`` (no flush).
    """

    def __init__(self, variant: str = "", leaves: int = 2, sectors: int = 1) -> None:
        self.variant = variant
        self.leaves = leaves
        self.sectors = sectors

    def __str__(self) -> str:
        return f"store-{self.variant or 'right'}-{self.leaves}-{self.sectors}"

    def run(self, device: RecordingDevice, generations: int) -> None:
        self.commit(device, 0)
        device.mark(("end", 0))
        for generation in range(1, generations + 1):
            device.mark(("begin", generation))
            self.commit(device, generation)
            device.mark(("end", generation))

    def commit(self, device: BlockDevice, generation: int) -> None:
        base = 2 + generation * (self.leaves + 1)
        leaves = range(base, base + self.leaves)
        for block in leaves:
            device.write(block, pack(b"%d" % generation, self.sectors))
        root = base + self.leaves
        device.write(root, pack(b",".join(b"%d" % block for block in leaves), self.sectors))
        if self.variant not in ("no-flush", "fua-only"):
            device.flush()
        slot = 0 if self.variant == "same-slot" else generation % 2
        fua = self.variant in ("fua", "fua-only")
        # With two sectors the superblock can tear, and only the other slot is left then.
        device.write(slot, pack(b"%d,%d" % (generation, root), self.sectors), fua=fua)
        if self.variant != "early-ack" and not fua:
            device.flush()

    def recover(self, device: BlockDevice, *, with_accept: bool) -> tuple[int, ...]:
        read = partial(device.read, accept=is_sound) if with_accept else device.read
        found = [payload_of(device.read(slot)) for slot in (0, 1)]
        best = max((tuple(map(int, p.split(b","))) for p in found if p), default=None)
        if best is None:
            raise Lost("no superblock")
        root = payload_of(read(best[1]))
        if not root:
            raise Lost("root")
        values = []
        for word in root.split(b","):
            leaf = payload_of(read(int(word)))
            if not leaf:
                raise Lost("leaf")
            values.append(int(leaf))
        return tuple(values)


class Journal:
    """Redo journal with homes written in place by recovery; ``no-recovery-flush`` clears it too
    early.
    """

    def __init__(self, variant: str = "", homes: int = 2) -> None:
        self.variant = variant
        self.homes = homes

    def __str__(self) -> str:
        return f"journal-{self.variant or 'right'}-{self.homes}"

    def run(self, device: RecordingDevice, generations: int) -> None:
        for i in range(self.homes):
            device.write(20 + i, pack(b"0"))
        device.write(0, pack(b"0"))
        device.flush()
        device.mark(("end", 0))
        for generation in range(1, generations + 1):
            device.mark(("begin", generation))
            for i in range(self.homes):
                device.write(1 + i, pack(b"%d" % generation))
            device.flush()
            device.write(0, pack(b"%d" % self.homes))
            device.flush()
            device.mark(("end", generation))
            self.replay(device)

    def replay(self, device: BlockDevice) -> None:
        header = payload_of(device.read(0))
        if header and int(header):
            for i in range(int(header)):
                device.write(20 + i, bytes(device.read(1 + i)))
            if self.variant != "no-recovery-flush":
                device.flush()
            device.write(0, pack(b"0"))
            device.flush()

    def recover(self, device: BlockDevice, *, with_accept: bool) -> tuple[int, ...]:
        self.replay(device)
        read = partial(device.read, accept=is_sound) if with_accept else device.read
        values = []
        for i in range(self.homes):
            payload = payload_of(read(20 + i))
            if not payload:
                raise Lost("home")
            values.append(int(payload))
        return tuple(values)


Toy = Store | Journal
