"""The production kernels, bound to symbolic builtins: same code objects, other globals.

Nothing is copied or recompiled: each function here has the very ``__code__`` of the imported
module's function (a test compares them). Only what its globals say ``len``, ``zip``, ... are
differs, and the classes have a ``__dict__`` in place of slots.
"""

import types
from collections.abc import Mapping
from types import ModuleType
from typing import Any

from watosfs.wfs3 import allocator, extents
from watosfs_proofs.loops import REPLACED


def bind(module: ModuleType, replaced: Mapping[str, Any]) -> types.SimpleNamespace:
    """The functions and classes that ``module`` defines, running on symbolic values."""
    namespace = {**vars(module), **REPLACED, **replaced}
    bound: dict[str, Any] = {}
    for name, value in vars(module).items():
        if name in replaced or getattr(value, "__module__", None) != module.__name__:
            continue
        if isinstance(value, types.FunctionType):
            bound[name] = rebound(value, namespace)
        elif isinstance(value, type) and not issubclass(value, BaseException | tuple):
            bound[name] = _class(value, namespace)
        else:
            bound[name] = value
    namespace.update(bound)
    return types.SimpleNamespace(**{**namespace, "source_module": module})


def rebound(function: types.FunctionType, namespace: dict[str, Any]) -> types.FunctionType:
    """The same code object under other globals."""
    new = types.FunctionType(
        function.__code__, namespace, function.__name__, function.__defaults__, function.__closure__
    )
    new.__kwdefaults__ = function.__kwdefaults__
    new.__qualname__ = function.__qualname__
    return new


def _class(production: type, namespace: dict[str, Any]) -> type:
    members: dict[str, Any] = {"__qualname__": production.__qualname__}
    for name, value in vars(production).items():
        if isinstance(value, types.FunctionType):
            members[name] = rebound(value, namespace)
        elif isinstance(value, property) and isinstance(value.fget, types.FunctionType):
            members[name] = property(rebound(value.fget, namespace))
    return type(production.__name__, (), members)


def extents_kernel(module: ModuleType = extents) -> types.SimpleNamespace:
    """``watosfs.wfs3.extents``, or a variant of it, on symbolic values."""
    return bind(module, {})


def allocator_kernel(contract: type, module: ModuleType = allocator) -> types.SimpleNamespace:
    """``watosfs.wfs3.allocator``, or a variant of it, over ``contract`` in place of ExtentSet."""
    return bind(module, {"ExtentSet": contract})
