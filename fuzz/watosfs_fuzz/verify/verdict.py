"""What the gate says in the end: passed, failed, or not finished, and how much that is worth."""

import json
from dataclasses import asdict, dataclass
from importlib.resources import files
from math import sqrt
from typing import Any

from watosfs_fuzz.verify.gate import Gate
from watosfs_fuzz.verify.slices import Found

PASSED, FAILED, UNFINISHED = "passed", "failed", "unfinished"
EXIT = {PASSED: 0, FAILED: 1, UNFINISHED: 2}
#: What ``watosfs-fuzz bench`` measured: for each planted fault the seconds to its detection in
#: each run, null where it was not found; with the commit.
POWER = "power.json"
_Z95 = 1.959964


@dataclass(frozen=True, slots=True)
class Power:
    """Of ``of`` planted faults ``found`` are found in the median run within a budget; ``low`` and
    ``high`` bound the share (95 %, Wilson).
    """

    found: int
    of: int
    low: float
    high: float
    commit: str

    def text(self, seconds: float) -> str:
        """In words."""
        share = self.found / self.of
        return (
            f"a run of {seconds:.0f} s finds {share:.0%} of {self.of} planted faults"
            f" (95 % interval {100 * self.low:.0f} to {100 * self.high:.0f}, measured at"
            f" {self.commit})"
        )


def power_within(seconds: float, measured: dict[str, Any]) -> Power:
    """The share of faults whose median run found them within ``seconds``."""
    faults: dict[str, list[float | None]] = measured["faults"]
    found = sum(is_found(times, seconds) for times in faults.values())
    low, high = wilson(found, len(faults))
    return Power(found, len(faults), low, high, str(measured["commit"]))


def is_found(times: list[float | None], seconds: float) -> bool:
    """Whether more than half of the runs found it in time."""
    return 2 * sum(time is not None and time <= seconds for time in times) > len(times)


def wilson(found: int, of: int) -> tuple[float, float]:
    """The 95 % interval of a share (Wilson 1927)."""
    if not of:
        return 0.0, 1.0
    share, z2 = found / of, _Z95 * _Z95
    middle = (share + z2 / (2 * of)) / (1 + z2 / of)
    half = _Z95 / (1 + z2 / of) * sqrt(share * (1 - share) / of + z2 / (4 * of * of))
    return max(middle - half, 0.0), min(middle + half, 1.0)


def power_text(seconds: float) -> str:
    """The power of a run of this budget, or that it was not measured."""
    source = files("watosfs_fuzz.verify").joinpath(POWER)
    if not source.is_file():
        return "not measured for this version (watosfs-fuzz bench measures it)"
    return power_within(seconds, json.loads(source.read_text(encoding="utf-8"))).text(seconds)


def verdict(gate: Gate) -> str:
    """One word."""
    if gate.found:
        return FAILED
    return UNFINISHED if gate.is_interrupted or gate.unfinished() else PASSED


def as_json(gate: Gate) -> dict[str, Any]:
    """Everything for programs."""
    settings = gate.settings
    return {
        "verdict": verdict(gate),
        "commit": settings.commit,
        "seed": settings.seed,
        "seconds": round(gate.seconds_before + gate.seconds, 1),
        "stages": {
            name: {"slices": len(tally.numbers), "units": tally.units, "unit": tally.unit,
                   "seconds": round(tally.seconds, 2), "skipped": tally.skipped}
            for name, tally in sorted(gate.tallies.items())
        },
        "unfinished": gate.unfinished(),
        "found": [asdict(found) for found in gate.found],
        "power": power_text(settings.seconds),
    }  # fmt: skip


def lines(gate: Gate) -> list[str]:
    """The verdict for people."""
    found: list[str] = []
    for kind, (units, unit, seconds) in sorted(by_kind(gate).items()):
        found.append(f"{kind:12} {units:12,} {unit:12} {seconds:7.1f} s")
    skipped = sorted({f"{n}: {t.skipped}" for n, t in gate.tallies.items() if t.skipped})
    corpora = [line for line in skipped if line.startswith("corpora:")]
    found += [f"skipped      {line}" for line in skipped if line not in corpora]
    if corpora:
        found.append(f"skipped      kept inputs of {len(corpora)} harnesses: there are none")
    for item in gate.found:
        found += finding_lines(item)
    if gate.unfinished():
        names = ", ".join(gate.unfinished()[:6])
        found.append(f"not finished {names}: more --seconds, or go on with --state")
    found.append(f"power        {power_text(gate.settings.seconds)}")
    total = gate.seconds_before + gate.seconds
    found.append(f"verdict      {verdict(gate)}, {gate.settings.commit}, {total:.0f} s")
    return found


def by_kind(gate: Gate) -> dict[str, tuple[int, str, float]]:
    """Stages of one kind together: (units, their unit, seconds)."""
    found: dict[str, tuple[int, str, float]] = {}
    for name, tally in gate.tallies.items():
        kind = name.partition(":")[0]
        units, unit, seconds = found.get(kind, (0, "", 0.0))
        found[kind] = (units + tally.units, tally.unit or unit, seconds + tally.seconds)
    return found


def finding_lines(item: Found) -> list[str]:
    """A finding: what, the beginning of its story, how to see it again."""
    story = [f"             {line}" for line in item.story.splitlines()[:8]]
    return [f"FOUND        {item.stage}: {item.title}", *story, f"             {item.command}"]
