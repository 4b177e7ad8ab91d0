"""A power cut in recovery, told as one in a log: that of the recovery, on the image that it found.

The cuts before it are told in words. So everything that explains a crash of a trace (fates of
writes, the missing barrier) explains a crash of a recovery too.
"""

from typing import Any, cast

from watosfs_fuzz.crash.choice import CrashChoice
from watosfs_fuzz.crash.log import Event, Image, Mark, RecordingDevice
from watosfs_fuzz.crashes import LogCrashes, PowerCut
from watosfs_fuzz.report.roles import naming_of
from watosfs_fuzz.report.timeline import DURABLE, NEVER, place_of, timeline
from watosfs_fuzz.target import CrashTarget


class RecoveryLog:
    """The target of a trace, with the log of one of its recoveries for its own."""

    def __init__(self, target: CrashTarget, base: Image, events: list[Event]) -> None:
        self.target = target
        self.base = dict(base)
        self.device = RecordingDevice(target.geometry.block_count, base)
        self.device.events = events

    def __getattr__(self, name: str) -> Any:
        return getattr(self.target, name)


def in_recovery(
    crashes: LogCrashes, choice: CrashChoice
) -> tuple[LogCrashes, CrashChoice, tuple[str, ...]]:
    """The last power cut of a choice: crashes of the log that it ends, the cut in that log, and
    the cuts before it, a line each.
    """
    *earlier, last = crashes.cuts(choice)
    marks = [event for event in earlier[0].events[: choice.event_index] if isinstance(event, Mark)]
    # What is permitted after recovery is what was permitted where the power went first.
    events = [*marks[-1:], *last.events]
    before: list[str] = []
    for number, cut in enumerate(earlier):
        before += told(crashes, cut, is_first=not number)
    inner = LogCrashes(
        cast(CrashTarget, RecoveryLog(crashes.target, last.base, events)),
        crashes.states,
        crashes.memo,
        crashes.persistence,
        crashes.oracle.off,
    )
    at = last.choice.event_index + len(marks[-1:])
    return inner, CrashChoice(at, last.choice.sectors), tuple(before)


def told(crashes: LogCrashes, cut: PowerCut, *, is_first: bool) -> list[str]:
    """Where a cut came, and what became of the writes in flight."""
    at, events = cut.choice.event_index, cut.events
    image = cut.image(crashes.persistence)
    naming = naming_of(crashes.target, cut.base, events)
    steps = timeline(cut.base, events, at, image, crashes.persistence, naming)
    where = "first the power goes" if is_first else "then, in recovery, the power goes"
    lines = [f"{where} {place_of(steps, at)}:"]
    flying = [s for s in steps if s.kind == "write" and s.fate not in (DURABLE, NEVER)]
    lines += [f"  {step.fate} {step.name}, {step.what}" for step in flying]
    return lines if flying else [*lines, "  nothing was in flight"]
