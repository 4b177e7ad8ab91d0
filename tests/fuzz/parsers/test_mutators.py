"""Mutators stand any input, also one that an edit before left without a block."""

from watosfs_fuzz.parsers import wfs3_mutators
from watosfs_fuzz.parsers.images import SparseImage
from watosfs_fuzz.seeds import random_of


def test_an_image_without_blocks_is_mutated() -> None:
    """The last block may go, and what follows in the same mutant must stand that."""
    one = SparseImage(4096, 1, {0: bytes(4096)}).encode()
    for number in range(400):
        random = random_of(number, 0, "mutate")
        for data in (b"", one):
            wfs3_mutators.mutate(data, random)
            wfs3_mutators.cross(data, one, random)
