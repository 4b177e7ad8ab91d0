"""Ranges of a file that shall read as zeros: whole chunks become holes, the rest is overwritten."""

from itertools import takewhile

from watosfs.wfs3.format import CHUNK_SIZE
from watosfs.wfs3.handle import O_RDWR, Handle
from watosfs.wfs3.volume import Volume


def zero(volume: Volume, number: int, offset: int, end: int) -> None:
    """Let a range of a file read as zeros: its whole chunks become holes."""
    inode = volume.engine.inode(number)
    end = min(end, inode.size)
    first, last = -(-offset // CHUNK_SIZE), end // CHUNK_SIZE
    if end == inode.size and not inode.inline:
        last = -(-end // CHUNK_SIZE)
    if first < last and not inode.inline:
        write_zeros(volume, number, offset, first * CHUNK_SIZE)
        write_zeros(volume, number, last * CHUNK_SIZE, end)
        punch(volume, number, first, last)
    else:
        write_zeros(volume, number, offset, end)


def write_zeros(volume: Volume, number: int, offset: int, end: int) -> None:
    """Overwrite what is there of a range."""
    engine = volume.engine
    inode = engine.inode(number)
    if inode.inline:
        present = [(0, inode.size)]
    else:
        runs = engine.data.present(inode, offset)
        present = list(takewhile(lambda run: run[0] < end, runs))
    for start, length in present:
        low, high = max(start, offset), min(start + length, end)
        if low < high:
            Handle(volume, number, O_RDWR).pwrite(bytes(high - low), low)


def punch(volume: Volume, number: int, first: int, last: int) -> None:
    """Give up the data of whole chunks."""
    engine, data = volume.engine, volume.engine.data
    with volume.change():
        inode = engine.inode(number)
        cost = data.cost_of_truncate(inode, 0) + engine.inode_tree.height + 1
        engine.admit(cost, frees=True, drops=volume.namespace.runs_of(inode))
        inode = engine.modify(number)
        for index in [i for i in data.dirty.get(number, ()) if first <= i < last]:
            data.forget_chunk(inode, index)
        data.remove_extents(inode, first * CHUNK_SIZE, last * CHUNK_SIZE)
