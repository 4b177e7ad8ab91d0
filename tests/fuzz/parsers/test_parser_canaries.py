"""Every planted fault of a parser is noticed by its harness, and only while it is planted."""

from pathlib import Path

import pytest

from watosfs_fuzz.parsers import corpus, loop
from watosfs_fuzz.parsers.canaries import HARNESS_OF, PARSER_CANARIES
from watosfs_fuzz.parsers.catalogue import require_harness

CORPORA = Path(__file__).parents[2] / "corpora"
#: Far less than the 60 seconds that each may take.
EXECUTIONS = 10_000


@pytest.mark.parametrize("name", sorted(PARSER_CANARIES))
def test_a_planted_fault_is_noticed(name: str) -> None:
    harness = require_harness(HARNESS_OF[name])
    kept = corpus.load(CORPORA, harness.name)
    with PARSER_CANARIES[name].plant():
        tally = loop.run(harness, kept, seed=1, executions=EXECUTIONS, stop_at_failure=True)
    found = list(tally.failures.values())
    assert len(found) == 1
    after = loop.replay(harness, [found[0].data])
    assert [failure.story for failure in after.failures.values()] == []
