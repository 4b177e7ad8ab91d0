"""The planted faults of WFS v2 (``--target wfs2``)."""

from collections.abc import Callable
from typing import Any

from watosfs.wfs2 import commit as commit_module
from watosfs.wfs2 import filedata as filedata_module
from watosfs.wfs2 import namespace as namespace_module
from watosfs.wfs2.engine import Engine
from watosfs_fuzz.canaries.registry import canary

Function = Callable[..., Any]


@canary(
    "wfs2-no-flush", "the device's cache is never told to empty", (Engine, "flush"), target="wfs2"
)
def no_flush(_: Function) -> Function:
    return lambda engine: None


@canary(
    "wfs2-entries-with-data",
    "an entry shares an epoch with the data that it leads to",
    (commit_module, "_write_bitmap"),
    (commit_module, "_write_entries"),
    target="wfs2",
)
def entries_with_data(bitmap: Function, entries: Function) -> tuple[Function, Function]:
    def write_bitmap(engine: Engine) -> None:
        entries(engine)
        bitmap(engine)

    return write_bitmap, entries


@canary(
    "wfs2-replaced-not-newer",
    "an entry that replaces another is not newer than that",
    (namespace_module, "newer"),
    target="wfs2",
)
def replaced_not_newer(_: Function) -> Function:
    return min


@canary(
    "wfs2-truncate-shows-old-bytes",
    "cutting a file leaves the tail of its last block as it was",
    (filedata_module, "_cut_tail"),
    target="wfs2",
)
def truncate_shows_old_bytes(_: Function) -> Function:
    return lambda engine, node, size: None
