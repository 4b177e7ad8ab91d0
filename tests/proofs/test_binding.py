"""The code that is proved is the code that runs: the same code objects."""

from types import FunctionType

import pytest

from watosfs.wfs3 import allocator, extents
from watosfs_proofs.binding import allocator_kernel, extents_kernel
from watosfs_proofs.blocks import BlockSet

KERNELS = [
    (extents.ExtentSet, extents_kernel().ExtentSet),
    (allocator.Allocator, allocator_kernel(BlockSet).Allocator),
]


@pytest.mark.parametrize(("production", "bound"), KERNELS)
def test_every_method_has_the_code_object_of_production(production: type, bound: type) -> None:
    compared = 0
    for name, value in vars(production).items():
        if isinstance(value, FunctionType):
            assert vars(bound)[name].__code__ is value.__code__
            assert vars(bound)[name].__defaults__ == value.__defaults__
            compared += 1
        elif isinstance(value, property):
            assert value.fget is not None
            assert vars(bound)[name].fget.__code__ is value.fget.__code__
            compared += 1
    assert compared >= 9


def test_production_itself_is_left_alone() -> None:
    extents_kernel()
    assert extents.ExtentSet.add.__globals__ is vars(extents)
    assert "len" not in vars(extents)
