"""What is proved of a dirty chunk: each byte and each block of it, wherever it is written or cut.

A chunk keeps: whole blocks, at most 16, and no block marked that the buffer has no bytes for.
"""

from collections.abc import Callable
from types import ModuleType, SimpleNamespace
from typing import Any

import z3

from watosfs.wfs3 import chunks, format
from watosfs_proofs.binding import bind
from watosfs_proofs.executor import Path
from watosfs_proofs.obligation import Obligation
from watosfs_proofs.symbolic import Mask, SymInt, term
from watosfs_proofs.symbolic_bytes import BYTES, SymBytes

BLOCK, CHUNK = format.BLOCK_SIZE, format.CHUNK_SIZE
BOUND = "any chunk, any bytes"


def chunks_kernel(module: ModuleType = chunks) -> SimpleNamespace:
    """``watosfs.wfs3.chunks``, or a variant of it, on unknown bytes and masks."""
    return bind(module, BYTES)


class ChunkState:
    """An arbitrary chunk, and what it was."""

    def __init__(self, path: Path, kernel: SimpleNamespace) -> None:
        self.path = path
        self.length = path.integer("length")
        self.old = SymBytes.arbitrary("data", self.length)
        self.mask = Mask(z3.Function("mask", z3.IntSort(), z3.BoolSort()))
        self.chunk: Any = kernel.Chunk()
        self.chunk.data = SymBytes(self.length, self.old.read)
        self.chunk.mask = Mask(self.mask.bit)
        path.assume(self.keeps(self.length, self.mask))
        self.byte, self.block = path.integer("byte"), path.integer("block")
        path.assume(self.block < Mask.WIDTH)

    @staticmethod
    def keeps(length: z3.ArithRef, mask: Mask) -> z3.BoolRef:
        """The invariant."""
        clauses = [length % BLOCK == 0, length <= CHUNK]
        clauses += [z3.Implies(bit, length >= (i + 1) * BLOCK) for i, bit in enumerate(mask.bits())]
        return z3.And(*clauses)

    def prove_kept(self) -> None:
        """Whole blocks, at most 16, and every marked block has bytes."""
        data = self.chunk.data
        self.path.prove(
            "whole blocks, and bytes for each", self.keeps(data.length, self.chunk.mask)
        )


def _mask(path: Path, kernel: SimpleNamespace) -> str:
    start, end, block = path.integer("start"), path.integer("end"), path.integer("block")
    path.assume(z3.And(end <= CHUNK, block < Mask.WIDTH))
    mask = kernel.block_mask(SymInt(start), SymInt(end))
    touched = z3.And(start < end, block * BLOCK < end, start < (block + 1) * BLOCK)
    path.prove("exactly the blocks that are touched", Mask.of(mask).bit(block) == touched)
    return "empty" if type(mask) is int else "some"


def _put(path: Path, kernel: SimpleNamespace) -> str:
    state = ChunkState(path, kernel)
    start, length = path.integer("start"), path.integer("piece_length")
    end = start + length
    path.assume(z3.And(length >= 1, end <= CHUNK))
    piece = SymBytes.arbitrary("piece", length)
    state.chunk.put(SymInt(start), piece)
    now, at, block = state.chunk.data, state.byte, state.block
    inside = z3.And(start <= at, at < end)
    path.prove("what was put is there", z3.Implies(inside, now.read(at) == piece.read(at - start)))
    kept = z3.And(z3.Not(inside), at < state.length)
    path.prove("other bytes stay", z3.Implies(kept, now.read(at) == state.old.read(at)))
    gap = z3.And(z3.Not(inside), at >= state.length, at < now.length)
    path.prove("what lies between is zero", z3.Implies(gap, now.read(at) == 0))
    touched = z3.And(block * BLOCK < end, start < (block + 1) * BLOCK)
    path.prove(
        "the touched blocks exist besides the others",
        state.chunk.mask.bit(block) == z3.Or(state.mask.bit(block), touched),
    )
    grown = z3.If(end <= state.length, state.length, (end + BLOCK - 1) / BLOCK * BLOCK)
    path.prove("it grows to the last block touched", now.length == grown)
    state.prove_kept()
    return "grown" if path.decide(now.length > state.length) else "within"


def _cut(path: Path, kernel: SimpleNamespace) -> str:
    state = ChunkState(path, kernel)
    end = path.integer("end")
    path.assume(end <= CHUNK)
    state.chunk.cut(SymInt(end))
    now, at, block = state.chunk.data, state.byte, state.block
    path.prove(
        "bytes before the end stay",
        z3.Implies(
            z3.And(at < end, at < state.length),
            z3.And(at < now.length, now.read(at) == state.old.read(at)),
        ),
    )
    path.prove(
        "the rest is zero", z3.Implies(z3.And(at >= end, at < now.length), now.read(at) == 0)
    )
    stays = z3.And(state.mask.bit(block), block * BLOCK < end)
    path.prove("exactly the blocks before the end stay", state.chunk.mask.bit(block) == stays)
    path.prove("it does not grow", now.length <= state.length)
    needed = (end + BLOCK - 1) / BLOCK * BLOCK
    path.prove("no block is kept in memory behind the end", now.length <= needed)
    state.prove_kept()
    return "shorter" if path.decide(now.length < state.length) else "as long"


def _runs(path: Path, kernel: SimpleNamespace) -> str:
    """Every one of the 65536 masks, by running the code on each."""
    chunk = kernel.Chunk()
    path.prove("a new chunk is empty", chunk.mask == 0 and len(chunk.data) == 0)
    owes = chunk.charged_blocks, chunk.charged_bytes
    path.prove("a new chunk owes nothing", owes == (0, 0))
    right = maximal = True
    for mask in range(1 << Mask.WIDTH):
        chunk.mask = mask
        seen, end = 0, -1
        for first, count in chunk.runs():
            right &= count > 0
            maximal &= first > end
            seen, end = seen | (1 << first + count) - (1 << first), first + count
        right &= seen == mask
    path.prove("the runs hold exactly the blocks", right)
    path.prove("the runs ascend, and no two touch", maximal)
    return "listed"


def _chunk_runs(path: Path, kernel: SimpleNamespace) -> str:
    index, first, count = path.integer("index"), path.integer("first"), path.integer("count")
    path.assume(z3.And(count >= 1, first + count <= Mask.WIDTH))
    path.assume((index + 1) * CHUNK <= format.FILE_SIZE_MAX + 1)
    run = SimpleNamespace(runs=lambda: [(SymInt(first), SymInt(count))])
    ((start, length),) = kernel.chunk_runs(SymInt(index), run)
    low, high = index * CHUNK, (index + 1) * CHUNK
    path.prove("the run is at its blocks", term(start) == low + first * BLOCK)
    path.prove("the run is as long as they are", term(length) == count * BLOCK)
    path.prove(
        "no run leaves its chunk", z3.And(term(start) >= low, term(start) + term(length) <= high)
    )
    path.prove("offsets are words of 63 bits", term(start) + term(length) <= 1 << 63)
    return "placed"


Check = Callable[[Path, SimpleNamespace], str]

CHECKS: dict[str, tuple[Check, str, str, tuple[str, ...]]] = {
    "block_mask": (_mask, "the blocks that a range touches", BOUND, ("empty", "some")),
    "put": (_put, "every byte and block of a write", BOUND, ("grown", "within")),
    "cut": (_cut, "every byte and block of a cut", BOUND, ("shorter", "as long")),
    "runs": (_runs, "the runs of a mask", "each of the 65536 masks, by running", ("listed",)),
    "chunk_runs": (_chunk_runs, "where a run is in its file", "any file", ("placed",)),
}


def chunk_obligations(module: ModuleType = chunks) -> list[Obligation]:
    """The obligations of ``module``, which is production's or a broken variant of it."""
    kernel = chunks_kernel(module)
    plain = SimpleNamespace(**vars(module))

    def bound_to(name: str, check: Check) -> Callable[[Path], str]:
        return lambda path: check(path, plain if name == "runs" else kernel)

    return [
        Obligation(f"chunks.{name}", statement, bound, bound_to(name, check), outcomes)
        for name, (check, statement, bound, outcomes) in CHECKS.items()
    ]
