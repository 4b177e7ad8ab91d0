"""The small states on which counterexamples are shown: the code that runs is right on all."""

import pytest

from watosfs_proofs.allocator_obligations import allocator_obligations
from watosfs_proofs.extent_obligations import extent_obligations
from watosfs_proofs.obligation import Obligation

ALL = [*extent_obligations(), *allocator_obligations()]


@pytest.mark.parametrize("obligation", ALL, ids=lambda obligation: obligation.name)
def test_production_code_is_right_on_every_small_state(obligation: Obligation) -> None:
    assert obligation.cases is not None
    assert obligation.replay is not None
    outcomes = set()
    for case in obligation.cases():
        replayed = obligation.replay(case)
        assert replayed.problem is None, f"{case}: {replayed}"
        outcomes.add(replayed.outcome)
    assert outcomes == set(obligation.outcomes)
