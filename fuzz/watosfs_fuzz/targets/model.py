"""The model behind the target protocol: what a target without a fault looks like.

It cannot be wrong by construction, so whatever the fuzzer finds in it is a fault of the fuzzer;
broken subclasses of it are how the fuzzer's own parts are tested without a file system.
"""

from watosfs_fuzz.dialect import ALL_CALLS, Dialect, Observed
from watosfs_fuzz.target import Geometry
from watosfs_model import Outcome, System, observe, step
from watosfs_model.operations import Operation

DEFAULT_GEOMETRY = Geometry()


class ModelTarget:
    """The state is ``system``; subclasses break ``apply`` or ``observe``."""

    name = "model"
    dialect = Dialect(ALL_CALLS, can_crash=False)

    def __init__(self, geometry: Geometry = DEFAULT_GEOMETRY) -> None:
        self.geometry = geometry
        self.system = System.fresh()

    def start(self) -> None:
        self.system = System.fresh()

    def apply(self, pid: int, operation: Operation) -> Outcome:
        outcome, self.system = step(self.system, pid, operation)
        return outcome

    def observe(self) -> Observed:
        return observe(self.system)

    def has_room_for(self, operation: Operation) -> bool:
        return True

    def statistics(self) -> dict[str, int]:
        return {}

    def close(self) -> None:
        self.system = System.fresh()
