"""Walks trees from their roots: reads, places and bounds, and who owns which block.

A node is followed once only: a second pointer to it is reported with both owners and not followed,
so the walk ends after at most as many reads as the volume has blocks, whatever the image says.
Reads go through a memo of node contents, because a crash explorer checks a thousand almost equal
volumes a second.
"""

from collections.abc import Sequence
from typing import Any, Final, TypeAlias

from watosfs.block.device import BlockDevice
from watosfs.wfs3.checker.facts import NodeFacts, node_facts
from watosfs.wfs3.checker.report import Findings
from watosfs.wfs3.format import FIRST_USABLE_BLOCK, INCOMPAT_COMPRESSION, Superblock
from watosfs.wfs3.node import NodeKind, node_is_valid

#: What owns a block: the name of the tree or "data", and the inode it belongs to (0 for none).
Owner: TypeAlias = tuple[str, int]
#: (start block, block count, owner).
Claim: TypeAlias = tuple[int, int, Owner]
#: Where a block number was found: (structure, block, field).
Pointer: TypeAlias = tuple[str, int, str]
Memo: TypeAlias = dict[Any, Any]

#: Contents remembered at most (64 MiB of blocks); then the memo starts afresh.
MEMO_ENTRIES_MAX: Final = 16384
_UNKNOWN: Final = object()


def owner_text(owner: Owner) -> str:
    name, inode_number = owner
    return f"{name} of inode {inode_number}" if inode_number else name


class TreeWalker:
    """Reads the trees under one superblock and gathers ``claims``: every block that was reached.

    ``damaged`` names the kinds of trees of which some part could not be read, so that rules about
    the whole (link counts, lost blocks) are not held against what is merely out of sight.
    """

    __slots__ = (
        "claims",
        "damaged",
        "device",
        "findings",
        "generation",
        "may_compress",
        "memo",
        "owners",
        "read_before",
        "strict",
        "total",
    )

    def __init__(
        self,
        device: BlockDevice,
        superblock: Superblock,
        findings: Findings,
        memo: Memo | None,
    ) -> None:
        self.device = device
        self.findings = findings
        self.strict = not superblock.is_published_layout
        self.memo: Memo = memo if memo is not None and self.strict else {}
        self.total = superblock.total_blocks
        self.generation = superblock.root_generation
        self.may_compress = bool(superblock.incompat & INCOMPAT_COMPRESSION)
        self.claims: list[Claim] = []
        self.owners: dict[int, Owner] = {}
        self.damaged: set[str] = set()
        #: Where walks share nodes: those that any has read and judged, by block.
        self.read_before: dict[int, NodeFacts | None] | None = None

    def leaves(
        self, root: int, kind: NodeKind, owner: Owner, pointer: Pointer
    ) -> Sequence[tuple[int, NodeFacts]]:
        """(block, facts) of each leaf of the tree at ``root``, in order; damage is reported."""
        facts = self._node(root, kind, owner, pointer)
        if facts is None:
            return ()
        level = facts.level
        if self.strict and facts.generation > self.generation:
            self._newer(kind, root, facts.generation, self.generation)
        if not level:
            return ((root, facts),)
        if facts.item_count == 1:
            self.findings.note(f"{owner_text(owner)}: the root at block {root} has one child only")
        leaves: list[tuple[int, NodeFacts]] = []
        self._children(root, facts, owner, 0, None, leaves)
        return leaves

    def _children(
        self,
        block: int,
        facts: NodeFacts,
        owner: Owner,
        low: int,
        high: int | None,
        leaves: list[tuple[int, NodeFacts]],
    ) -> None:
        kind, level, keys = facts.kind, facts.level - 1, facts.keys
        pointer = (kind.name, block, "child")
        last = facts.item_count - 1
        for position, child in enumerate(facts.values):
            child_low = keys[position] if position else low
            child_high = keys[position + 1] if position < last else high
            found = self._node(child, kind, owner, pointer)
            if found is None:
                continue
            if found.level != level:
                self.findings.problem(
                    kind.name, child, "level", f"{found.level} where {level} is due"
                )
                self.damaged.add(kind.name)
                continue
            if self.strict and found.generation > facts.generation:
                self._newer(kind, child, found.generation, facts.generation)
            self._bounds(child, found, child_low, child_high)
            if level:
                self._children(child, found, owner, child_low, child_high, leaves)
            else:
                leaves.append((child, found))

    def _bounds(self, block: int, facts: NodeFacts, low: int, high: int | None) -> None:
        """A child's keys against its parent's; keys[0] of an internal node is unused."""
        kind = facts.kind
        if not facts.item_count:
            if self.strict:
                self.findings.problem(kind.name, block, "item_count", "an empty leaf below a root")
            return
        least, greatest = facts.low, facts.high
        if facts.level:
            if facts.item_count == 1:
                return
            least = facts.keys[1]
        beyond = high is not None and (greatest > high or (greatest == high and kind.unique))
        if least < low or beyond:
            upper = "2^64" if high is None else f"{high:#x}"
            self.findings.problem(
                kind.name,
                block,
                "keys",
                f"{least:#x}..{greatest:#x} are not all within the parent's {low:#x}..{upper}",
            )

    def _newer(self, kind: NodeKind, block: int, generation: int, limit: int) -> None:
        self.findings.problem(
            kind.name,
            block,
            "generation",
            f"{generation} is above {limit}, that of what points here",
        )

    def _node(self, block: int, kind: NodeKind, owner: Owner, pointer: Pointer) -> NodeFacts | None:
        findings = self.findings
        if not FIRST_USABLE_BLOCK <= block < self.total:
            findings.problem(*pointer, f"block {block} is outside the volume")
            self.damaged.add(kind.name)
            return None
        before = self.owners.get(block)
        if before is not None:
            findings.problem(
                kind.name,
                block,
                "owner",
                f"used twice: by {owner_text(before)} and by {owner_text(owner)}",
            )
            self.damaged.add(kind.name)
            return None
        self.owners[block] = owner
        self.claims.append((block, 1, owner))
        shared = self.read_before
        if shared is None:
            facts = self._read(block, kind)
        elif block in shared:
            facts = shared[block]
        else:
            facts = shared[block] = self._read(block, kind)
        if facts is not None and facts.kind is not kind:
            findings.problem(
                kind.name,
                block,
                "magic",
                f"{facts.kind.magic:#010x}, a node of the {facts.kind.name}",
            )
        elif facts is not None and not facts.is_broken:
            return facts
        self.damaged.add(kind.name)
        return None

    def _read(self, block: int, kind: NodeKind) -> NodeFacts | None:
        """The facts of a block that no walk has read; what is wrong with it is reported."""
        findings = self.findings
        try:
            data = self.device.read(block, 1, node_is_valid)
        except OSError as error:
            findings.problem(kind.name, block, "read", f"the device says: {error}")
            return None
        if type(data) is not bytes:
            data = bytes(data)
        found = self.memo.get(data, _UNKNOWN)
        if found is _UNKNOWN:
            found = node_facts(data, strict=self.strict)
            if len(self.memo) >= MEMO_ENTRIES_MAX:
                self.memo.clear()
            self.memo[data] = found
        facts: NodeFacts | None = found
        if facts is None:
            findings.problem(
                kind.name, block, "crc32", "no node: unknown magic, or contents that its CRC denies"
            )
        elif facts.kind is kind:
            for structure, field, text in facts.remarks:
                findings.problem(structure or kind.name, block, field, text)
        return facts
