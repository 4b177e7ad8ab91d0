"""``watosfs-fuzz targets`` and ``canaries``."""

import argparse

from watosfs_fuzz.canaries.catalogue import canaries as all_canaries
from watosfs_fuzz.canaries.catalogue import deep_canaries
from watosfs_fuzz.dialect import FIELDS, Dialect
from watosfs_fuzz.kernel.canaries import KERNEL_CANARIES
from watosfs_fuzz.target import Geometry
from watosfs_fuzz.targets.registry import FAMILIES, TARGETS, make_target
from watosfs_model.open_flags import NAMED_FLAGS, format_flags
from watosfs_model.operations import OPERATION_TYPES, Crash

_INDENT = " " * 16


def targets(options: argparse.Namespace) -> int:
    """Each target with what it can do; with a name, only that one. One that cannot be had (a
    missing package) is named with the reason.
    """
    names = [options.target] if options.target else [*sorted(TARGETS)]
    for name in names:
        print(f"{name:15} {TARGETS[name][0] if name in TARGETS else ''}".rstrip())
        try:
            lines = capabilities(make_target(name, Geometry()).dialect)
        except ValueError as error:
            if options.target:
                raise
            lines = [f"not here: {error}"]
        for line in lines:
            print(f"{_INDENT}{line}")
    if not options.target:
        for prefix, (description, _) in sorted(FAMILIES.items()):
            print(f"{prefix:15} {description}; `targets {prefix}COMMAND` asks it")
    return 0


def capabilities(dialect: Dialect) -> list[str]:
    """A dialect in words, a line each; only what differs from everything."""
    calls = [kind.name() for kind in OPERATION_TYPES if kind is not Crash]
    have = {kind.name() for kind in dialect.operations}
    lacks = [name for name in calls if name not in have]
    lines = [f"power cuts: {'yes' if dialect.can_crash else 'no'}"]
    if not lacks:
        lines.append("operations: all")
    elif len(lacks) <= len(calls) // 2:
        lines.append(f"operations: all but {' '.join(lacks)}")
    else:
        lines.append(f"operations: {' '.join(name for name in calls if name in have)}")
    if len(dialect.fields) < len(FIELDS):
        lines.append(f"compares: {' '.join(name for name in FIELDS if name in dialect.fields)}")
    if dialect.names is not None:
        lines.append(f"names: {dialect.names}")
    if dialect.file_bytes_max < 1 << 63:
        lines.append(f"files: at most {dialect.file_bytes_max:,} bytes")
    if dialect.open_flags != sum(NAMED_FLAGS.values()):
        words = [word for word, bit in NAMED_FLAGS.items() if dialect.open_flags & bit]
        lines.append(f"open: {format_flags(0)} {' '.join(words)}")
    if dialect.may_refuse:
        lines.append("may refuse (EOPNOTSUPP) what depends on the state")
    return lines


def canaries(options: argparse.Namespace) -> int:
    """One line a canary: of `campaign`, of `search`, then of `kernel` and `interleave`."""
    for canary in all_canaries():
        where = "" if canary.target == "wfs3" else f" (--target {canary.target})"
        print(f"campaign  {canary.name:28} {canary.description}{where}")
    for canary in deep_canaries():
        print(f"search    {canary.name:28} {canary.description}")
    for name, canary in sorted(KERNEL_CANARIES.items()):
        print(f"kernel    {name:28} {canary.description}")
    return 0
