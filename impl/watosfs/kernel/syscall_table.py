"""All system calls by number: importing this module fills the table."""

from watosfs.kernel import own_calls, published_calls, xattr_calls
from watosfs.kernel.handlers import HANDLERS

__all__ = ["HANDLERS", "MODULES"]

#: The modules whose import registers the calls.
MODULES = (published_calls, own_calls, xattr_calls)
