"""Standard output as bytes: names pass unchanged into files and pipes, escaped onto terminals.

Every write that fails here is about the output and not about an image, so it is told apart at the
source: a closed pipe ends the command quietly, anything else names standard output.
"""

import json
import os
import sys
from collections.abc import Callable
from typing import Any

from watosfs.block.device import Buffer
from watosfs.cli.failures import Failure, OutputClosed
from watosfs.cli.names import printable


def write(data: Buffer) -> None:
    """Bytes as they are."""
    _guarded(lambda: sys.stdout.buffer.write(data))


def write_line(text: str | bytes) -> None:
    """A line; bytes as they are, text in the encoding of the output."""
    if isinstance(text, str):
        text = text.encode(sys.stdout.encoding or "utf-8", "backslashreplace")
    write(text + b"\n")


def write_json(value: Any) -> None:
    """One JSON document, indented, in ASCII."""
    write_line(json.dumps(value, indent=2))


def require_streams() -> None:
    """Where the shell closed an output (``>&-``), Python has None: let it be the null device."""
    if sys.stdout is None:
        sys.stdout = open(os.devnull, "w")  # noqa: SIM115  # for as long as the process lives
    if sys.stderr is None:
        sys.stderr = open(os.devnull, "w")  # noqa: SIM115


def flush() -> None:
    """Hand everything to whoever reads it."""
    _guarded(sys.stdout.flush)


def _guarded(step: Callable[[], object]) -> None:
    try:
        step()
    except BrokenPipeError as error:
        raise OutputClosed from error
    except OSError as error:
        raise Failure.at("standard output", error) from error


def shown(name: bytes) -> bytes:
    """A name for standard output: escaped on a terminal, else its own bytes."""
    if sys.stdout.isatty():
        return printable(name).encode(sys.stdout.encoding, "backslashreplace")
    return name


def can_draw_lines() -> bool:
    """Whether standard output takes line-drawing characters."""
    try:
        "└".encode(sys.stdout.encoding or "ascii")
    except UnicodeEncodeError:
        return False
    return True


def discard_rest() -> None:
    """After the reader has gone: let what is still buffered, and flushed at exit, go nowhere."""
    try:
        descriptor = sys.stdout.fileno()
    except (OSError, ValueError):
        return  # no file behind it: nothing is flushed at exit
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, descriptor)
    os.close(null)
