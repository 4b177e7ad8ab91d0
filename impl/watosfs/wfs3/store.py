"""Where the B+trees get their nodes: a bounded cache of clean nodes over the device, and the count
of dirty ones.

A node is *dirty* from the moment its block is given up (copy-on-write) until commit gives it a new
one. Dirty nodes hang on their dirty parents, not in the cache; clean ones are known by block
number alone, so the cache may forget any of them at any time.
"""

from itertools import islice

from watosfs.block.device import BlockDevice
from watosfs.errors import DamageError
from watosfs.wfs3.allocator import Allocator
from watosfs.wfs3.dead import DeadRuns, is_kept
from watosfs.wfs3.format import FIRST_USABLE_BLOCK
from watosfs.wfs3.node import INTERNAL_CAPACITY, Node, NodeKind, decode_node, node_is_valid


class NodeStore:
    """Reads and forgets nodes. ``generation`` is the one that the open transaction will commit."""

    __slots__ = (
        "allocator", "cache", "cache_nodes_max", "dead", "device", "dirty_count", "dropped",
        "generation",
        "generation_max", "node_entries_max", "strict", "total_blocks",
    )  # fmt: skip

    def __init__(
        self,
        device: BlockDevice,
        allocator: Allocator,
        total_blocks: int,
        generation: int,
        cache_nodes_max: int,
        *,
        strict: bool,
        node_entries_max: int | None = None,
    ) -> None:
        self.device = device
        self.allocator = allocator
        #: What the open transaction gives up and a snapshot keeps.
        self.dead = DeadRuns()
        self.total_blocks = total_blocks
        self.generation = generation
        #: No node on disk may be newer than this: the durable generation, or the open one once it
        #: spilled.
        self.generation_max = generation - 1
        self.cache: dict[int, Node] = {}
        self.cache_nodes_max = cache_nodes_max
        self.dirty_count = 0
        #: While the free tree is being updated: the blocks given up since (else None).
        self.dropped: list[int] | None = None
        self.strict = strict
        self.node_entries_max = node_entries_max

    def read(self, block: int, kind: NodeKind, level: int | None, generation_max: int) -> Node:
        """The clean node at ``block``, decoded and validated. Raises DamageError, or what the
        device raises.
        """
        node = self.cache.get(block)
        if node is not None and node.kind is kind and (level is None or node.level == level):
            return node
        if not FIRST_USABLE_BLOCK <= block < self.total_blocks:
            raise DamageError(kind.name, block, "node outside the volume")
        data = self.device.read(block, 1, node_is_valid)
        node = decode_node(
            data,
            block,
            kind,
            total_blocks=self.total_blocks,
            generation_max=generation_max,
            level=level,
            strict=self.strict,
        )
        self.keep(node)
        return node

    def capacity(self, kind: NodeKind, level: int) -> int:
        """How many entries a node may have before it is split."""
        capacity = INTERNAL_CAPACITY if level else kind.capacity
        return capacity if self.node_entries_max is None else min(capacity, self.node_entries_max)

    def keep(self, node: Node) -> None:
        """Cache a clean node."""
        self.trim()
        self.cache[node.block] = node

    def trim(self) -> None:
        """Forget the oldest quarter when the cache is full."""
        cache = self.cache
        if len(cache) >= self.cache_nodes_max:
            for block in list(islice(cache, max(1, len(cache) - self.cache_nodes_max * 3 // 4))):
                del cache[block]

    def make_dirty(self, node: Node) -> None:
        """Give up a clean node's block; the same object lives on as a dirty node."""
        self.give_up(node)
        node.block = 0
        node.generation = self.generation
        self.dirty_count += 1

    def new_node(self, kind: NodeKind, level: int, keys: list[int], values: list[object]) -> Node:
        """A dirty node that was never stored."""
        node = Node(kind, level, keys, values)
        node.generation = self.generation
        self.dirty_count += 1
        return node

    def discard(self, node: Node) -> None:
        """A node leaves its tree."""
        if node.block:
            self.give_up(node)
        else:
            self.dirty_count -= 1

    def give_up(self, node: Node) -> None:
        """The working tree stops using a clean node's block."""
        block = node.block
        if node.kind.is_kept:
            self.drop(node.generation, block, 1)
        else:
            self.allocator.drop(block, 1)
        self.cache.pop(block, None)
        if self.dropped is not None:
            self.dropped.append(block)

    def drop(self, birth: int, start: int, count: int) -> None:
        """The working tree stops using [start, start + count), which generation ``birth`` wrote.

        Raises ExtentError when it was not in use.
        """
        if is_kept(birth, self.dead.newest):
            self.dead.add(birth, start, start + count)
        else:
            self.allocator.drop(start, count)
