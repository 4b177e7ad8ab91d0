"""What a kernel's calls did: counts, bytes, errors and latencies, by operation, process and volume.

Latencies are kept in buckets whose upper bounds double from 1 microsecond on, so that a histogram
is a short list whatever it saw. ``prometheus`` writes all in the Prometheus text format 0.0.4.
"""

import errno
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from watosfs.vfs.filesystem import Traffic

#: Upper bounds, ns: 1 us, 2 us, ... 16.8 s; what is slower falls into the last bucket.
BUCKETS_NS = tuple(1000 << power for power in range(25))


@dataclass(slots=True)
class Totals:
    """Figures of one operation, process or volume. ``buckets[i]`` counts calls that took at most
    ``BUCKETS_NS[i]`` and more than the bound before; the last one counts the rest.
    """

    calls: int = 0
    parked: int = 0
    bytes_read: int = 0
    bytes_written: int = 0
    total_ns: int = 0
    errors: Counter[int] = field(default_factory=Counter)
    buckets: list[int] = field(default_factory=lambda: [0] * (len(BUCKETS_NS) + 1))

    def add(self, elapsed_ns: int, read: int, written: int, error: int) -> None:
        """One call that ended, or failed with ``error``."""
        self.calls += 1
        self.bytes_read += read
        self.bytes_written += written
        self.total_ns += elapsed_ns
        if error:
            self.errors[error] += 1
        self.buckets[bucket_of(elapsed_ns)] += 1

    def quantile_ns(self, share: float) -> int:
        """The upper bound of the bucket in which so large a share of the calls has ended; 0
        without calls.
        """
        wanted, seen = share * self.calls, 0
        for bound, count in zip(BUCKETS_NS, self.buckets, strict=False):
            seen += count
            if count and seen >= wanted:
                return bound
        return BUCKETS_NS[-1] if self.calls else 0


def bucket_of(elapsed_ns: int) -> int:
    """The index of a latency's bucket."""
    return min(max((elapsed_ns - 1) // 1000, 0).bit_length(), len(BUCKETS_NS))


class Statistics:
    """Totals by operation, by process and by volume number."""

    def __init__(self) -> None:
        self.operations: dict[str, Totals] = {}
        self.processes: dict[int, Totals] = {}
        self.volumes: dict[int, Totals] = {}

    def parked(self, operation: str, pid: int) -> None:
        """A call did not end: its process waits."""
        self.operations.setdefault(operation, Totals()).parked += 1
        self.processes.setdefault(pid, Totals()).parked += 1

    def ended(
        self, operation: str, pid: int, traffic: list[Traffic], elapsed_ns: int, error: int
    ) -> None:
        """A call ended, or failed with ``error`` (0: it succeeded). ``traffic`` is by volume; one
        that the call did not touch does not count it.
        """
        read = sum(moved.read for moved in traffic)
        written = sum(moved.written for moved in traffic)
        self.operations.setdefault(operation, Totals()).add(elapsed_ns, read, written, error)
        self.processes.setdefault(pid, Totals()).add(elapsed_ns, read, written, error)
        for number, moved in enumerate(traffic):
            if moved.is_touched:
                totals = self.volumes.setdefault(number, Totals())
                totals.add(elapsed_ns, moved.read, moved.written, error)

    def as_dict(self) -> dict[str, dict[str, dict[str, object]]]:
        """Everything in plain values, for JSON."""
        groups = (
            ("operation", self.operations), ("process", self.processes), ("volume", self.volumes),
        )  # fmt: skip
        return {
            group: {
                str(name): {
                    "calls": totals.calls,
                    "parked": totals.parked,
                    "bytes_read": totals.bytes_read,
                    "bytes_written": totals.bytes_written,
                    "errors": {
                        error_name(number): count for number, count in totals.errors.items()
                    },
                    "mean_ns": totals.total_ns // totals.calls if totals.calls else 0,
                    "median_ns": totals.quantile_ns(0.5),
                    "p99_ns": totals.quantile_ns(0.99),
                }
                for name, totals in members.items()
            }
            for group, members in groups
        }

    def prometheus(self) -> str:
        """The Prometheus text format: counters and latency histograms by operation, counters by
        process and volume.
        """
        lines: list[str] = []
        for suffix, about, attribute in (
            ("calls_total", "calls that ended", "calls"),
            ("parked_total", "times that a call parked", "parked"),
            ("read_bytes_total", "bytes read", "bytes_read"),
            ("written_bytes_total", "bytes written", "bytes_written"),
        ):
            for label, members in self.labelled():
                metric = f"watosfs_{label}_{suffix}"
                lines += [f"# HELP {metric} {about}", f"# TYPE {metric} counter"]
                lines += [
                    f'{metric}{{{label}="{name}"}} {getattr(totals, attribute)}'
                    for name, totals in members.items()
                ]
        lines += ["# HELP watosfs_errors_total failures", "# TYPE watosfs_errors_total counter"]
        for operation, totals in self.operations.items():
            for number, count in sorted(totals.errors.items()):
                labels = f'operation="{operation}",errno="{error_name(number)}"'
                lines.append(f"watosfs_errors_total{{{labels}}} {count}")
        metric = "watosfs_latency_seconds"
        lines += [f"# HELP {metric} time to the end", f"# TYPE {metric} histogram"]
        for operation, totals in self.operations.items():
            below = 0
            for bound, count in zip(BUCKETS_NS, totals.buckets, strict=False):
                below += count
                labels = f'operation="{operation}",le="{bound / 1e9:g}"'
                lines.append(f"{metric}_bucket{{{labels}}} {below}")
            lines += [
                f'{metric}_bucket{{operation="{operation}",le="+Inf"}} {totals.calls}',
                f'{metric}_sum{{operation="{operation}"}} {totals.total_ns / 1e9:g}',
                f'{metric}_count{{operation="{operation}"}} {totals.calls}',
            ]
        return "\n".join(lines) + "\n"

    def labelled(self) -> Iterator[tuple[str, dict[str, Totals]]]:
        """The three groups with their label."""
        yield "operation", self.operations
        yield "process", {str(pid): totals for pid, totals in self.processes.items()}
        yield "volume", {str(number): totals for number, totals in self.volumes.items()}


def error_name(number: int) -> str:
    """ENOENT for 2."""
    return errno.errorcode.get(number, str(number))
