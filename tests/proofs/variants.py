"""Broken variants of the kernels: one edit of their source each."""

import inspect
from types import ModuleType


def variant(module: ModuleType, old: str, new: str, *, occurrence: int = 0) -> ModuleType:
    """``module`` with one occurrence of ``old`` replaced."""
    source = inspect.getsource(module)
    at = -1
    for _ in range(occurrence + 1):
        at = source.index(old, at + 1)
    edited = ModuleType(module.__name__)
    code = compile(source[:at] + new + source[at + len(old) :], f"<variant: {new}>", "exec")
    exec(code, edited.__dict__)
    return edited
