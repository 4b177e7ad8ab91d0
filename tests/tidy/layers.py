"""Which package may import which: the layers of docs/DESIGN.md as a table.

Checks: every import statement, also inside functions and under TYPE_CHECKING.
Does not check: importlib and ``__import__`` with computed names; nothing here uses them to cross.
"""

import sys
from collections.abc import Iterator

from tests.tidy.sources import Source

#: The packages that a package may import besides itself. Whoever is not named imports none of ours.
PACKAGES = {
    "watosfs_model": (),
    "watosfs": (),
    "watosfs_fuzz": ("watosfs_model", "watosfs"),
    "watosfs_proofs": ("watosfs_model", "watosfs"),
}
#: Within the implementation: a layer imports itself and lower numbers. Equal numbers are apart.
IMPL_LAYERS = {
    "errors": 0,
    "block": 1,
    "wfs3": 2,
    "wfs2": 2,
    "fat": 2,
    "vfs": 3,
    "kernel": 4,
    "fuse": 5,
    "fsspec": 5,
    "cli": 6,  # above fuse: `watosfs mount` starts it
    "__main__": 7,
    "": 7,  # watosfs/__init__.py, the public API
}
#: The pure kernels: no I/O, and nothing of the layers below but each other and plain values.
KERNELS = ("watosfs.wfs3.extents", "watosfs.wfs3.allocator", "watosfs.wfs3.commit")
KERNELS_MAY_USE = (*KERNELS, "watosfs.wfs3.format", "watosfs.block.device", "watosfs.errors")
#: What proofs run besides: functions of these modules, with everything around them replaced.
PROVED = (
    "watosfs.wfs3.btree", "watosfs.wfs3.chunks", "watosfs.wfs3.compressing", "watosfs.wfs3.engine",
    "watosfs.wfs3.filedata", "watosfs.wfs3.filereading", "watosfs.wfs3.mounting",
    "watosfs.wfs3.node", "watosfs.wfs3.records", "watosfs.wfs3.writing",
    "watosfs.wfs3.dead", "watosfs.wfs3.snapshots", "watosfs.wfs3.snapshot_records",
    "watosfs.wfs3.store",
    "watosfs.fat.allocator", "watosfs.fat.chains", "watosfs.fat.table",
    "watosfs.kernel.descriptors", "watosfs.kernel.kernel", "watosfs.kernel.numbers",
    "watosfs.kernel.process",
)  # fmt: skip
#: The checker reads the format by itself: of wfs3 it sees only how structures are encoded.
CHECKER = ("watosfs.wfs3.check", "watosfs.wfs3.checker")
CHECKER_MAY_USE = (
    *CHECKER,
    "watosfs.wfs3.compression",
    "watosfs.wfs3.format",
    "watosfs.wfs3.node",
    "watosfs.wfs3.packed_attributes",
    "watosfs.wfs3.records",
    "watosfs.wfs3.snapshot_records",
    "watosfs.block",
    "watosfs.errors",
)
#: The checker of WFS v2 as well: it sees structures and free runs, never a mounted volume.
WFS2_CHECKER = ("watosfs.wfs2.check", "watosfs.wfs2.checker")
WFS2_CHECKER_MAY_USE = (
    *WFS2_CHECKER,
    "watosfs.wfs2.blocks",
    "watosfs.wfs2.entries",
    "watosfs.wfs2.format",
    "watosfs.wfs2.space",
    "watosfs.wfs2.superblocks",
    "watosfs.block",
    "watosfs.errors",
)
#: Third-party packages, by who may import them.
THIRD_PARTY = {
    "watosfs_model": (),
    "watosfs": ("zstandard", "rich", "mfusepy", "fsspec"),
    "watosfs_fuzz": (
        "hypothesis", "jinja2", "rich", "msgspec", "orjson", "atheris", "zstandard", "dask",
        "distributed", "littlefs", "pyfatfs", "fs", "pytest", "matplotlib", "coverage",
    ),
    "watosfs_proofs": ("z3", "rich"),
}  # fmt: skip
#: The one module of the proofs that sees the fuzzer: it makes traces of counterexamples, and the
#: verdicts of the proofs do not depend on it.
PROOFS_SEE_FUZZ_IN = "watosfs_proofs.traces"
#: ... and by the one layer of the implementation that may.
ONLY_IN = {"rich": "watosfs.cli", "mfusepy": "watosfs.fuse", "fsspec": "watosfs.fsspec"}
#: The same for the fuzzer.
ONLY_IN_FUZZ = {
    "pytest": "watosfs_fuzz.pytest_plugin",
    "matplotlib": "watosfs_fuzz.report.plots",
}


def within(name: str, *packages: str) -> bool:
    """Whether a dotted name is one of these packages or inside one."""
    return any(name == package or name.startswith(package + ".") for package in packages)


def impl_layer(module: str) -> str:
    """The layer that a module of the implementation belongs to ("" for the package itself)."""
    return [*module.split("."), ""][1]


def violations(source: Source) -> list[str]:
    """What this file imports and must not, each with its line."""
    package = source.module.partition(".")[0]
    if package not in PACKAGES:
        return [
            f"{source.path}:{line}: only proofs may import z3"
            for line, name in source.imports()
            if within(name, "z3") and not within(source.module, "tests.proofs")
        ]
    return [
        f"{source.path}:{line}: {reason}"
        for line, name in source.imports()
        for reason in _reasons(source.module, name)
    ]


def _reasons(module: str, name: str) -> Iterator[str]:
    package, imported = module.partition(".")[0], name.partition(".")[0]
    if imported in PACKAGES:
        if module == PROOFS_SEE_FUZZ_IN and imported == "watosfs_fuzz":
            return
        if imported not in (package, *PACKAGES[package]):
            yield f"{package} may not import {name}"
        elif package == "watosfs_proofs" and imported == "watosfs":
            if not within(name, *KERNELS_MAY_USE, *PROVED):
                yield f"proofs see the pure kernels only, not {name}"
        elif package == "watosfs":
            yield from _reasons_within_impl(module, name)
    elif imported not in sys.stdlib_module_names:
        if imported not in THIRD_PARTY[package]:
            yield f"{package} may not depend on {imported}"
        elif package == "watosfs" and not within(module, ONLY_IN.get(imported, "watosfs")):
            yield f"only {ONLY_IN[imported]} may import {imported}"
        elif package == "watosfs_fuzz" and module != ONLY_IN_FUZZ.get(imported, module):
            yield f"only {ONLY_IN_FUZZ[imported]} may import {imported}"


def _reasons_within_impl(module: str, name: str) -> Iterator[str]:
    here, there = impl_layer(module), impl_layer(name)
    if here not in IMPL_LAYERS:
        yield f"{module} has no place in IMPL_LAYERS (tests/tidy/layers.py)"
    elif there not in IMPL_LAYERS:
        yield f"{name} is not a module: import it from where it is defined"
    elif here != there and IMPL_LAYERS[there] >= IMPL_LAYERS[here]:
        yield f"layer {here or 'watosfs'} may not import {name}"
    if module in KERNELS and not within(name, *KERNELS_MAY_USE):
        yield f"a pure kernel may not import {name}"
    for checker, may_use in ((CHECKER, CHECKER_MAY_USE), (WFS2_CHECKER, WFS2_CHECKER_MAY_USE)):
        if within(module, *checker) and not within(name, *may_use):
            yield f"the independent checker may not import {name}"
