"""What a campaign is asked to do, and the figures of what it did."""

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from watosfs_fuzz.crash.explore import Exploration, count_text
from watosfs_fuzz.crash.persistence import SECTOR
from watosfs_fuzz.findings import Finding


@dataclass(frozen=True, slots=True)
class Settings:
    """What a campaign does. Either ``seconds`` or ``operations`` is its budget.

    ``out`` is where unfinished findings are kept while they are minimised, None for nowhere.
    ``guided``: half of the traces are made from kept ones; ``corpus`` keeps these on disk, and with
    ``resume`` a campaign goes on from what it was there. ``swarm``: see ``swarm``.
    """

    target: str = "wfs3"
    seed: int = 0
    seconds: float | None = 60.0
    operations: int | None = None
    jobs: int = 1
    nested: int = 0
    cap: int | None = None
    device: str = SECTOR.name
    off: frozenset[str] = frozenset()
    crashes: bool = True
    canary: str | None = None
    findings_max: int = 20
    out: Path | None = None
    guided: bool = False
    swarm: bool = False
    corpus: Path | None = None
    resume: bool = False
    #: Of a Dask scheduler, None for this machine.
    scheduler: str | None = None


@dataclass(slots=True)
class SwarmFigures:
    """What was done under one swarm configuration."""

    traces: int = 0
    operations: int = 0
    kept: int = 0
    findings: int = 0

    def add(self, part: "Tally", kept: int, findings: int) -> None:
        """Add a part's, with what joined the corpus and what was found of it."""
        self.traces += part.traces
        self.operations += part.operations
        self.kept += kept
        self.findings += findings


@dataclass(slots=True)
class Tally:
    """The figures of a campaign, or of a part of it, so far."""

    traces: int = 0
    operations: int = 0
    exploration: Exploration = field(default_factory=Exploration)
    features: Counter[str] = field(default_factory=Counter)
    findings: list[Finding] = field(default_factory=list)
    repeated: int = 0
    seconds: float = 0.0
    is_interrupted: bool = False
    #: Traces of the corpus, and different names of what they showed.
    corpus: int = 0
    novelties: int = 0
    #: By epoch.
    swarms: dict[int, SwarmFigures] = field(default_factory=dict)

    def swarm(self, epoch: int) -> SwarmFigures:
        """The figures of an epoch."""
        return self.swarms.setdefault(epoch, SwarmFigures())

    def add(self, part: "Tally") -> list[Finding]:
        """Add a part's figures; its findings that are new here."""
        self.traces += part.traces
        self.operations += part.operations
        self.exploration.add(part.exploration)
        self.features.update(part.features)
        self.repeated += part.repeated
        known = {finding.failure.key for finding in self.findings}
        fresh = []
        for finding in part.findings:
            if finding.failure.key in known:
                self.repeated += 1
                continue
            known.add(finding.failure.key)
            fresh.append(finding)
        self.findings += fresh
        return fresh

    def summary(self, settings: Settings) -> dict[str, Any]:
        """The figures as JSON: only what seed and commit decide, so that runs can be compared."""
        exploration = self.exploration
        return {
            "target": settings.target,
            "seed": settings.seed,
            "canary": settings.canary,
            "guided": settings.guided,
            "swarm": settings.swarm,
            "traces": self.traces,
            "operations": self.operations,
            "crash_points": exploration.windows,
            "legal_crash_images": str(exploration.images),
            "recoveries": exploration.recoveries,
            "recalled": exploration.recalled,
            "outcomes_reused": exploration.outcomes_reused,
            "images_left_out": str(exploration.images_left_out),
            "findings": [
                {
                    "id": finding.identity,
                    "kind": finding.failure.kind,
                    "subject": finding.failure.subject,
                    "operations": len(finding.case.operations),
                }
                for finding in self.findings
            ],
            "repeated_failures": self.repeated,
            "interrupted": self.is_interrupted,
            "corpus": self.corpus,
            "novelties": self.novelties,
            "features": dict(sorted(self.features.items())),
        }

    def line(self) -> str:
        """One line for a log."""
        exploration = self.exploration
        rate = self.operations / self.seconds if self.seconds else 0
        return (
            f"{self.seconds:6.0f} s  {self.operations:,} operations ({rate:,.0f}/s)  "
            f"{exploration.windows:,} crash points  {count_text(exploration.images)} images  "
            f"{exploration.recoveries:,} recoveries  {len(self.features)} features  "
            + (f"{self.corpus:,} kept  " if self.corpus else "")
            + f"{len(self.findings)} findings"
        )
