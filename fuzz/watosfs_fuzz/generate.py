"""The campaign's generator: traces from a seed, some tens of thousands of operations a second.

Each trace has a style (what it does more of), a swarm (operations left out or favoured at random),
its own few names, and now and then a run of related operations (fill a file with holes, crowd a
directory, fill the disk) that single draws would hardly add up to. Arguments come from
``arguments``, aimed by a sketch of the tree, which learns from the outcomes when there are any.
"""

from bisect import bisect
from collections import deque
from collections.abc import Iterator
from dataclasses import replace
from itertools import accumulate

from watosfs_fuzz import parameters as p
from watosfs_fuzz.arguments import Arguments
from watosfs_fuzz.bursts import burst
from watosfs_fuzz.dialect import Dialect
from watosfs_fuzz.makers import MAKERS
from watosfs_fuzz.plan import plan_of
from watosfs_fuzz.seeds import random_of
from watosfs_fuzz.sketch import FileSketch, Sketch
from watosfs_fuzz.snapshot_draws import SnapshotDraws
from watosfs_fuzz.swarm import Swarm
from watosfs_model.operations import OPERATION_TYPES, Operation, Snapshot

EVERYTHING = Dialect(frozenset(OPERATION_TYPES), can_crash=True)
EVERY_KIND = Swarm()
#: So often an operation is drawn anew when the target cannot do it.
DRAWS_MAX = 200


#: Of the traces of a target that takes few names, each so many-th has longer ones too.
LONGER_EVERY = 3


class Generator:
    """One trace, an operation at a time.

    ``learn`` tells it how an operation ended and ``recovered`` what a crash left; without them it
    assumes that whatever could succeed did.
    """

    def __init__(
        self,
        seed: int,
        trace_number: int,
        *,
        dialect: Dialect = EVERYTHING,
        length: int | None = None,
        swarm: Swarm = EVERY_KIND,
    ) -> None:
        rng = random_of(seed, trace_number, "generate")
        dialect = swarm.dialect(dialect)
        names = frozenset(kind.name() for kind in dialect.operations)
        plan = swarm.plan(plan_of(rng, names, length))
        chosen = dialect.names_among(plan.names) or p.NAMES_TINY
        if dialect.names is not None and not trace_number % LONGER_EVERY:
            chosen += dialect.names_among(p.NAMES_PLAIN_LONGER)
        self.plan = replace(plan, names=chosen)
        self.accepts = dialect.accepts
        self.sketch = Sketch()
        self.arguments = Arguments(rng, self.sketch, self.plan.names, self.plan.error_share)
        self.rng = rng
        self.queue: deque[Operation] = deque()
        self.snapshots = (
            SnapshotDraws(random_of(seed, trace_number, "snapshots"))
            if Snapshot in dialect.operations
            else None
        )
        self.left = self.plan.length
        self.burst_share, self.bursts_left = p.BURSTS.get(plan.style, p.BURSTS[""])
        self.makers = [MAKERS[name] for name, _ in self.plan.weights]
        self.weights = list(accumulate(weight for _, weight in self.plan.weights))

    def next(self) -> Operation | None:
        """The next operation, or None when the trace is long enough (or nothing that is drawn is
        within the dialect).
        """
        if not self.left:
            return None
        extra = self.snapshots and self.snapshots.next(self.sketch)
        if extra:
            return extra
        self.left -= 1
        if self.queue:
            return self.queue.popleft()
        draw = self.rng.random()
        if self.bursts_left and draw < self.burst_share:
            self.bursts_left -= 1
            run = burst(self.plan, self.arguments)
            self.queue.extend(op for op in run if self.accepts(op))
            if self.queue:
                return self.queue.popleft()
        total = self.weights[-1] if self.weights else 0
        if not total:
            return None
        for _ in range(DRAWS_MAX):
            make = self.makers[bisect(self.weights, self.rng.random() * total)]
            operation = make(self.plan, self.arguments)
            if self.accepts(operation):
                return operation
        return None

    def learn(self, operation: Operation, errno: int | None, value: object) -> None:
        """How ``operation`` ended."""
        if errno is None:
            self.sketch.apply(operation, value)

    def recovered(self, nodes: list[tuple[bytes, FileSketch | bytes | None]]) -> None:
        """A crash left this tree."""
        self.sketch.replace(nodes)
        self.queue.clear()

    def __iter__(self) -> Iterator[Operation]:
        """All operations, each taken for done."""
        while (operation := self.next()) is not None:
            self.sketch.apply(operation)
            yield operation
