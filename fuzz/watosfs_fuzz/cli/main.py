"""``watosfs-fuzz``: arguments, commands, exit status (0 clean, 1 finding, 2 usage)."""

import argparse
import sys
from pathlib import Path

from watosfs_fuzz.cli import (
    bench,
    campaign,
    crash,
    exhaust,
    faults,
    interrupt,
    kernel,
    linux,
    listing,
    parsers,
    replay,
    report,
    search,
    verify,
)
from watosfs_fuzz.crash.persistence import PERSISTENCES, SECTOR
from watosfs_fuzz.oracles.catalogue import ORACLES
from watosfs_fuzz.provenance import commit, version
from watosfs_fuzz.search.alphabet import ALPHABETS
from watosfs_fuzz.targets.registry import is_target

EXIT_USAGE = 2
EXIT_INTERRUPTED = 130

DESCRIPTION = """\
Run a file system in lockstep with its model, cut the power wherever it can be cut, and keep what
goes wrong as short traces that replay.
"""
EPILOG = """\
examples:
  watosfs-fuzz campaign                          60 seconds on the built-in target
  watosfs-fuzz campaign --seconds 36000 --jobs 2 --out findings
  watosfs-fuzz campaign --ops 5000 --seed 7   the same run on any machine
  watosfs-fuzz campaign --canary second-flush-missing   see it find a planted bug
  watosfs-fuzz replay findings/0123456789.trace  expected beside found, operation by operation
  watosfs-fuzz kernel --seconds 600              processes, descriptors, pipes, locks
  watosfs-fuzz campaign --target dir:/dev/shm --scripts 20000   the model against Linux
  watosfs-fuzz interleave --processes 2 --calls 2   every schedule of every small program
  watosfs-fuzz crash workload.trace --nested 1   every crash of one given trace

exit status: 0 nothing found, 1 something found, 2 wrong usage, 130 interrupted (all is saved)
"""


def make_parser() -> argparse.ArgumentParser:
    """The whole command line."""
    parser = argparse.ArgumentParser(
        prog="watosfs-fuzz",
        description=DESCRIPTION,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--version", action="version", version=f"watosfs-fuzz {version()} ({commit()})"
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    run = commands.add_parser("campaign", help="fuzz a target until the budget ends")
    run.add_argument(
        "--target",
        default="wfs3",
        type=target_name,
        help="what to fuzz, see `targets` (wfs3); dir:PATH holds the kernel's model against Linux",
    )
    budget = run.add_mutually_exclusive_group()
    budget.add_argument("--seconds", type=float, default=60.0, help="budget of time (60)")
    budget.add_argument("--ops", type=positive, help="budget of operations: repeatable exactly")
    budget.add_argument("--scripts", type=positive, help="budget of scripts, for dir:PATH")
    run.add_argument("--seed", type=int, default=0, help="where the randomness starts (0)")
    run.add_argument("--jobs", type=positive, default=1, help="processes (1)")
    run.add_argument("--nested", type=int, default=0, help="power cuts inside recovery (0)")
    run.add_argument(
        "--cap", type=positive, help="at most so many recoveries a crash point (no cap)"
    )
    add_device(run)
    run.add_argument("--no-crashes", action="store_true", help="lockstep only")
    run.add_argument("--findings-max", type=positive, default=20, help="stop after so many (20)")
    run.add_argument("--canary", help="fuzz a broken variant (see `canaries`)")
    run.add_argument("--out", type=Path, default=Path("findings"), help="for findings (findings)")
    run.add_argument("--metrics", type=Path, metavar="FILE", help="keep figures in an SQLite file")
    campaign.add_guidance(run)
    run.add_argument("--json", action="store_true", help="print the summary as JSON")
    run.set_defaults(run=campaign.run)

    add_trace_commands(commands)
    add_exhaust(commands)
    add_interrupt(commands)
    add_search(commands)
    add_kernel_commands(commands)
    parsers.add(commands)
    verify.add(commands)
    report.add(commands)
    bench.add(commands)
    names = commands.add_parser("targets", help="list the targets and what each can do")
    names.add_argument("target", nargs="?", type=target_name, help="only this one")
    names.set_defaults(run=listing.targets)
    commands.add_parser("canaries", help="list the broken variants").set_defaults(
        run=listing.canaries
    )
    return parser


def add_trace_commands(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """The commands over one trace file."""
    again = commands.add_parser("replay", help="run a trace again, expected beside found")
    again.add_argument("trace", type=Path)
    again.add_argument("--json", action="store_true", help="print JSON")
    again.add_argument("--pytest", type=Path, metavar="FILE", help="write a regression test")
    again.add_argument(
        "--image", type=Path, metavar="DIR", help="write the disk as the crash left it"
    )
    again.add_argument("--html", type=Path, metavar="FILE", help="write a page for a browser")
    add_without(again)
    again.set_defaults(run=replay.run)

    every = commands.add_parser("crash", help="explore every crash of one trace")
    every.add_argument("trace", type=Path)
    every.add_argument("--nested", type=int, help="power cuts inside recovery (as the trace says)")
    every.add_argument("--cap", type=positive, help="at most so many recoveries a crash point")
    add_device(every, None)
    every.add_argument("--jobs", type=positive, default=1, help="processes (1)")
    every.add_argument("--json", action="store_true", help="print JSON")
    every.set_defaults(run=crash.run)


def add_device(parser: argparse.ArgumentParser, default: str | None = SECTOR.name) -> None:
    """What a power cut leaves."""
    parser.add_argument(
        "--device",
        choices=PERSISTENCES,
        default=default,
        help="what a power cut leaves: see docs/CRASH_MODEL.md (sector)",
    )
    add_without(parser)


def add_without(parser: argparse.ArgumentParser) -> None:
    """Which oracles keep quiet."""
    parser.add_argument(
        "--without",
        action="append",
        default=[],
        metavar="ORACLE",
        help=f"switch an oracle off; may be repeated: {', '.join(ORACLES)}",
    )


def add_exhaust(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """The command over all short workloads."""
    all_of = commands.add_parser("exhaust", help="all workloads of so many changes, every crash")
    all_of.add_argument("--ops", type=positive, default=1, help="changes in a workload (1)")
    all_of.add_argument("--nested", type=int, default=0, help="power cuts inside recovery (0)")
    all_of.add_argument("--target", default="wfs3", type=target_name, help="what to test (wfs3)")
    all_of.add_argument("--compressed", action="store_true", help="data that WFS v3 compresses")
    all_of.add_argument("--snapshots", action="store_true", help="on a volume with snapshots")
    add_device(all_of)
    all_of.add_argument("--seconds", type=float, help="stop after so long (when all is done)")
    all_of.add_argument("--state", type=Path, help="remember what is done, and go on from there")
    all_of.add_argument("--jobs", type=positive, default=1, help="processes (1)")
    all_of.add_argument("--canary", help="a broken variant (see `canaries`)")
    all_of.add_argument("--out", type=Path, default=Path("findings"), help="for findings")
    all_of.add_argument("--json", action="store_true", help="print JSON")
    all_of.set_defaults(run=exhaust.run)


def add_search(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """The command over the graph of states."""
    graph = commands.add_parser("search", help="all states that a few operations reach, once each")
    graph.add_argument("--depth", type=positive, default=3, help="operations on a path (3)")
    graph.add_argument(
        "--alphabet", choices=ALPHABETS, default="changes",
        help="what is tried: all changes of few names, or many names that come and go (changes)",
    )  # fmt: skip
    graph.add_argument("--seconds", type=float, help="stop after so long (when all is visited)")
    graph.add_argument("--state", type=Path, help="keep the search here, and go on from there")
    graph.add_argument("--target", default="wfs3", type=target_name, help="what to test (wfs3)")
    graph.add_argument("--blocks", type=positive, default=4096, help="size of the volume (4096)")
    graph.add_argument(
        "--node-entries", type=positive, help="split nodes beyond so many: high trees (as it is)"
    )
    graph.add_argument("--seed", type=int, default=0, help="shuffle what is tried first (0: not)")
    graph.add_argument("--nested", type=int, default=0, help="power cuts inside recovery (0)")
    graph.add_argument("--no-crashes", action="store_true", help="lockstep only")
    graph.add_argument(
        "--without-shape",
        action="store_true",
        help="states with the same files are one, whatever the trees below look like",
    )
    add_device(graph)
    graph.add_argument("--canary", help="a broken variant (see `canaries`)")
    graph.add_argument("--out", type=Path, default=Path("findings"), help="for findings (findings)")
    graph.add_argument("--json", action="store_true", help="print JSON")
    graph.set_defaults(run=search.run)


def add_interrupt(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """The command over what is no operation of a mounted volume."""
    tasks = commands.add_parser("interrupt", help="power cuts in mkfs, the first mount, repair")
    tasks.add_argument("task", nargs="*", help="tasks (all); see --list")
    tasks.add_argument("--list", action="store_true", help="the tasks and what each may leave")
    tasks.add_argument("--nested", type=int, default=0, help="power cuts inside recovery (0)")
    tasks.add_argument("--cap", type=positive, help="at most so many recoveries a crash point")
    add_device(tasks)
    tasks.add_argument("--json", action="store_true", help="print JSON")
    tasks.set_defaults(run=interrupt.run)


def add_kernel_commands(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """The commands about what processes see."""
    run = commands.add_parser("kernel", help="calls of several processes against their model")
    budget = run.add_mutually_exclusive_group()
    budget.add_argument("--seconds", type=float, default=60.0, help="budget of time (60)")
    budget.add_argument("--traces", type=positive, help="budget of traces: repeatable exactly")
    run.add_argument("--seed", type=int, default=0, help="where the randomness starts (0)")
    run.add_argument("--findings-max", type=positive, default=20, help="stop after so many (20)")
    run.add_argument("--canary", help="fuzz a broken kernel")
    run.add_argument("--out", type=Path, default=Path("findings"), help="for findings (findings)")
    run.add_argument("--json", action="store_true", help="print the summary as JSON")
    run.set_defaults(run=kernel.campaign)

    again = commands.add_parser("kernel-replay", help="run a trace of the kernel again")
    again.add_argument("trace", type=Path)
    again.set_defaults(run=kernel.replay)

    every = commands.add_parser("interleave", help="all interleavings of all small programs")
    every.add_argument("--processes", type=positive, default=2, help="processes (2)")
    every.add_argument("--calls", type=positive, default=2, help="calls of each at most (2)")
    every.add_argument("--jobs", type=positive, default=1, help="processes to run it on (1)")
    every.add_argument("--canary", help="a broken kernel")
    every.set_defaults(run=kernel.interleave)

    failing = commands.add_parser("faults", help="devices that fail: EIO, rot, lost writes")
    failing.add_argument("profile", nargs="*", help="fault profiles (all); see --list")
    failing.add_argument("--list", action="store_true", help="the profiles and their budgets")
    failing.add_argument("--replay", type=Path, metavar="FILE", help="run a kept trace again")
    budget = failing.add_mutually_exclusive_group()
    budget.add_argument("--seconds", type=float, default=30.0, help="budget of each profile (30)")
    budget.add_argument("--traces", type=positive, help="budget of traces: repeatable exactly")
    failing.add_argument("--seed", type=int, default=0, help="where the randomness starts (0)")
    failing.add_argument("--canary", default="", help="a broken variant")
    failing.add_argument(
        "--out", type=Path, default=Path("findings"), help="for findings (findings)"
    )
    failing.add_argument("--json", action="store_true", help="print JSON")
    failing.set_defaults(run=faults.run)

    hostile = commands.add_parser("registers", help="system calls with hostile registers")
    hostile.add_argument("--calls", type=positive, default=100_000, help="how many (100,000)")
    hostile.add_argument("--seed", type=int, default=0, help="where the randomness starts (0)")
    hostile.add_argument(
        "--watched", type=float, default=0.05, help="compare the state of this share (0.05)"
    )
    hostile.set_defaults(run=kernel.registers)


def positive(text: str) -> int:
    """A number above 0, for argparse."""
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"{text} is not above 0")
    return value


def target_name(text: str) -> str:
    """The name of a target, or a directory, for argparse."""
    text = text.strip()
    if not is_target(text) and not text.startswith(linux.PREFIX):
        raise argparse.ArgumentTypeError(f"no target {text!r}; `watosfs-fuzz targets` lists them")
    return text


def main(argv: list[str] | None = None) -> int:
    """Run a command; its exit status."""
    options = make_parser().parse_args(argv)
    try:
        status: int = options.run(options)
    except KeyboardInterrupt:
        print("watosfs-fuzz: interrupted; what was found is saved", file=sys.stderr)
        return EXIT_INTERRUPTED
    except (OSError, ValueError) as error:
        print(f"watosfs-fuzz: {options.command}: {error}", file=sys.stderr)
        return EXIT_USAGE
    return status


if __name__ == "__main__":
    sys.exit(main())
