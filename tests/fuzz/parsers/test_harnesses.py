"""Every harness: its seeds pass, so do its mutants, and its mutator is the same for a seed."""

import pytest

from watosfs_fuzz.parsers import loop
from watosfs_fuzz.parsers.catalogue import harnesses
from watosfs_fuzz.parsers.harness import Harness
from watosfs_fuzz.seeds import random_of

EXECUTIONS = 150


@pytest.fixture(params=harnesses(), ids=lambda harness: harness.name)
def harness(request: pytest.FixtureRequest) -> Harness:
    found: Harness = request.param
    if found.missing():
        pytest.skip(found.missing())
    return found


def test_seeds_and_mutants_pass(harness: Harness) -> None:
    tally = loop.run(harness, [], executions=len(harness.seeds()) + EXECUTIONS)
    assert [failure.story for failure in tally.failures.values()] == []
    assert len(tally.verdicts) > 1


def test_a_seed_is_the_whole_run(harness: Harness) -> None:
    seeds = harness.seeds()
    mutants = [
        [harness.mutate(data, random_of(7, index, "mutate")) for index, data in enumerate(seeds)]
        for _ in range(2)
    ]
    assert mutants[0] == mutants[1]


def test_anything_is_an_input(harness: Harness) -> None:
    inputs = [b"", b"\0", b"\xff" * 64, bytes(5000)]
    assert [failure.story for failure in loop.replay(harness, inputs).failures.values()] == []
