"""The planted faults of FAT: in the order of its writes, and in what it leaves behind."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from watosfs.fat.chains import Chains
from watosfs.fat.engine import Engine
from watosfs.fat.node import Node
from watosfs.fat.table import FatTable
from watosfs_fuzz.canaries.registry import canary

Function = Callable[..., Any]


@canary(
    "fat-entry-before-chain",
    "an entry is written before the chain that it leads to",
    (Engine, "_write_back"),
    target="fat12",
)
def entry_before_chain(write_back: Function) -> Function:
    def broken(engine: Engine) -> None:
        for node in engine.dirty_nodes:
            if node.directory is not None and not node.is_removed:
                node.directory.store(node)
        engine._write_directories()
        write_back(engine)

    return broken


@canary(
    "fat-freed-at-once",
    "clusters that something on disk still leads to are given out again (FA2)",
    (Chains, "_drop"),
    target="fat12",
)
def freed_at_once(_: Function) -> Function:
    def broken(chains: Chains, first: int, count: int) -> None:
        chains.table.clear_run(first, count)
        chains.allocator.give_back(first, count)

    return broken


@canary(
    "fat-chain-kept",
    "an entry goes and its chain stays (FA1)",
    (Chains, "put_frees"),
    target="fat16",
)
def chain_kept(_: Function) -> Function:
    def broken(chains: Chains) -> None:
        chains.frees = []
        chains.held_count = 0

    return broken


@canary(
    "fat-one-copy",
    "the second copy of the table is never written",
    (FatTable, "write"),
    target="fat32",
)
def one_copy(write: Function) -> Function:
    def broken(table: FatTable) -> None:
        whole = table.geometry
        table.geometry = replace(whole, fat_count=1)
        write(table)
        table.geometry = whole

    return broken


@canary(
    "fat-size-before-data",
    "an entry with a new size shares an epoch with the data that it counts",
    (Engine, "data_written"),
    target="fat12",
)
def size_before_data(_: Function) -> Function:
    return lambda engine: None


@canary(
    "fat-both-names",
    "an entry that moved is not removed before it is written elsewhere",
    (Engine, "moved_away"),
    target="fat12",
)
def both_names(_: Function) -> Function:
    def broken(engine: Engine, node: Node, old_slots: list[int]) -> None:
        engine.unsaved.append(node)

    return broken


@canary(
    "fat-cut-before-size",
    "a chain is cut on disk before its entry has the new size",
    (Chains, "put_links"),
    target="fat32",
)
def cut_before_size(put_links: Function) -> Function:
    def broken(chains: Chains) -> bool:
        return bool(put_links(chains)) | chains.put_cuts()

    return broken
