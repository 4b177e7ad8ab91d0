"""WFS v3 in lockstep with its model under Hypothesis, crashes included: what people and HypoFuzz
run. `hypothesis fuzz -- tests/fuzz/test_wfs3_machine.py` keeps going for ever.
"""

from hypothesis import HealthCheck, settings

from watosfs_fuzz.machine import LockstepMachine

TestWfs3Lockstep = LockstepMachine.TestCase
TestWfs3Lockstep.settings = settings(
    max_examples=15,
    stateful_step_count=20,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
