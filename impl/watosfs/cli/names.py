"""Names as terminals, error messages and JSON can show them: names are bytes, and may be hostile.

Raw names go to files and pipes untouched. On a terminal, and in every error message (one line,
whatever the name), what is not printable is escaped as ``\\xNN`` for each byte and a backslash as
``\\\\``, so that no image can move the cursor and no two names look alike.
"""

import os


def printable(name: bytes | str) -> str:
    """One line of text that names exactly ``name``."""
    raw = name if isinstance(name, bytes) else os.fsencode(name)
    text = raw.decode("utf-8", "surrogateescape")
    if text.isprintable() and "\\" not in text:
        return text
    return "".join(map(_shown, text))


def one_line(text: str) -> str:
    """Text that may quote names, on one line: a backslash in it is its own."""
    return text if text.isprintable() else "".join(map(_escaped, text))


def _shown(character: str) -> str:
    return "\\\\" if character == "\\" else _escaped(character)


def _escaped(character: str) -> str:
    if character.isprintable():
        return character
    raw = character.encode("utf-8", "surrogateescape")
    return "".join(f"\\x{byte:02x}" for byte in raw)


def json_name(key: str, name: bytes) -> dict[str, str]:
    """``name`` under ``key``; if it is not UTF-8, with U+FFFD in it, and exactly under ``key_hex``.

    Lone surrogates, Python's own way out, are refused by the JSON readers of other languages.
    """
    try:
        return {key: name.decode()}
    except UnicodeDecodeError:
        return {key: name.decode(errors="replace"), f"{key}_hex": name.hex()}


def join(directory: bytes, name: bytes) -> bytes:
    """The path of a name in a directory; of the directory itself for the empty name."""
    if not name:
        return directory
    return directory + name if directory.endswith(b"/") else directory + b"/" + name


def last_name(path: bytes) -> bytes:
    """The last component; empty when a path names no entry of its own: ``/``, ``.``, ``a/..``."""
    name = path.rstrip(b"/").rpartition(b"/")[2]
    return b"" if name in (b".", b"..") else name
