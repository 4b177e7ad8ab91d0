"""Every planted fault is caught within a smoke budget, made short, and replays from its file."""

from pathlib import Path

import pytest

from watosfs_fuzz.campaign import run_campaign
from watosfs_fuzz.canaries.catalogue import canaries, require_canary
from watosfs_fuzz.cli.main import main
from watosfs_fuzz.findings import read_finding
from watosfs_fuzz.tally import Settings

OPERATIONS_MAX = 6
SMOKE_OPERATIONS = 12_000
#: Where the default seed meets the fault too late, or in a longer way.
SEEDS = {
    "attributes-leak": 1,
    "coalescing-off-by-one": 1,
    "compressed-counted-plain": 2,
    "compressed-freed-short": 7,
    "fat-both-names": 2,
    "fat-size-before-data": 3,
    "freed-twice": 1,
    "merge-loses-entry": 2,
    "snapshot-freed-twice": 1,
    "snapshot-neighbour": 1,
    "wfs2-truncate-shows-old-bytes": 1,
}


@pytest.mark.parametrize("name", [canary.name for canary in canaries()])
def test_a_canary_is_caught_made_short_and_replays(name: str, tmp_path: Path) -> None:
    seed = SEEDS.get(name, 0)
    settings = Settings(
        target=require_canary(name).target,
        canary=name,
        seed=seed,
        seconds=None,
        operations=SMOKE_OPERATIONS,
        findings_max=1,
    )
    tally = run_campaign(settings, tmp_path, lambda tally: None)
    assert tally.findings, f"{name} was not caught in {SMOKE_OPERATIONS} operations"
    paths = sorted(tmp_path.glob("*.trace"))
    assert len(paths) == len(tally.findings)
    lengths = [len(read_finding(path).case.operations) for path in paths]
    assert min(lengths) <= OPERATIONS_MAX
    for path in paths:
        assert main(["replay", str(path)]) == 1
        path.write_text(path.read_text().replace(f"# canary: {name}\n", ""))
        assert main(["replay", str(path)]) == 0, "without the canary the trace must be fine"
