"""What guidance costs and brings: the same campaign without it, with its bookkeeping, with all.

    python -m benchmarks.guidance --operations 20000 --rounds 3

"bookkeeping" runs the very traces of "unguided", names what each shows and keeps a corpus on disk,
but makes no trace from it: the difference is what guidance costs. "guided" and "swarm" run other
traces, so their operations a second are not to be compared with the first two; what they showed is.
"""

import argparse
import tempfile
import time
from collections import Counter
from dataclasses import replace
from pathlib import Path
from statistics import median
from unittest.mock import patch

from watosfs_fuzz.campaign import run_campaign
from watosfs_fuzz.novelty import features_of
from watosfs_fuzz.tally import Settings, Tally
from watosfs_fuzz.worker import run_from


def timed(settings: Settings, share: float) -> tuple[Tally, float]:
    """A campaign's figures and the seconds of processor time that it took."""
    with (
        tempfile.TemporaryDirectory() as folder,
        patch("watosfs_fuzz.steering.VARIED_SHARE", share),
    ):
        out = Path(folder)
        start = time.process_time()
        corpus = out / "corpus" if settings.guided else None
        tally = run_campaign(replace(settings, corpus=corpus), out, lambda tally: None)
        return tally, time.process_time() - start


def main() -> None:
    """Rounds of each, one after the other in turn, and their medians."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--operations", type=int, default=20_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    plain = Settings(seconds=None, operations=options.operations, seed=options.seed)
    forms = {
        "unguided": (plain, 0.0),
        "bookkeeping": (replace(plain, guided=True), 0.0),
        "guided": (replace(plain, guided=True), 0.5),
        "swarm": (replace(plain, guided=True, swarm=True), 0.5),
    }
    seconds: dict[str, list[float]] = {name: [] for name in forms}
    tallies: dict[str, Tally] = {}
    for _ in range(options.rounds):
        for name, (settings, share) in forms.items():
            tallies[name], spent = timed(settings, share)
            seconds[name].append(spent)
    base = median(seconds["unguided"])
    for name, tally in tallies.items():
        spent = median(seconds[name])
        print(
            f"{name:12} {tally.traces:5} traces {spent:7.2f} s {tally.operations / spent:7,.0f} "
            f"operations/s {spent / base:5.2f} times {len(tally.features):4} features "
            f"{tally.corpus:5} kept {tally.novelties:5} shown"
        )
    print(f"{'unguided':12} showed {shown(plain, tallies['unguided'].traces):,} things")


def shown(settings: Settings, traces: int) -> int:
    """What unguided traces show, counted as guidance counts it (not part of any time above)."""
    names: Counter[str] = Counter()
    for number in range(traces):
        ran = run_from(settings, number, (), {})
        names.update(features_of(ran.report, ran.target))
    return len(names)


if __name__ == "__main__":
    main()
