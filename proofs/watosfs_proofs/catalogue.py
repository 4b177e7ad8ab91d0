"""All obligations, in the order in which they are settled."""

from watosfs_proofs.allocator_obligations import allocator_obligations
from watosfs_proofs.chunk_obligations import chunk_obligations
from watosfs_proofs.commit_obligations import commit_obligations
from watosfs_proofs.cost_obligations import cost_obligations
from watosfs_proofs.extent_obligations import extent_obligations
from watosfs_proofs.file_obligations import file_obligations
from watosfs_proofs.obligation import Obligation
from watosfs_proofs.superblock_obligations import superblock_obligations


def obligations() -> list[Obligation]:
    """Every obligation of the production code."""
    return [
        *extent_obligations(),
        *allocator_obligations(),
        *commit_obligations(),
        *superblock_obligations(),
        *chunk_obligations(),
        *file_obligations(),
        *cost_obligations(),
    ]


def chosen(names: list[str] | None) -> list[Obligation]:
    """Those whose name contains any of ``names``; all of them when there are none."""
    return [o for o in obligations() if not names or any(name in o.name for name in names)]
