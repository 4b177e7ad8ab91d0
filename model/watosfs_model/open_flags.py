"""Flags of `open`, with their Linux x86-64 values.

The numbers are part of the trace format and of every target's interface, so they are written down
here and not taken from `os`, whose values depend on the machine that runs the model.
"""

O_RDONLY = 0o0
O_WRONLY = 0o1
O_RDWR = 0o2
O_ACCMODE = 0o3
O_CREAT = 0o100
O_EXCL = 0o200
O_TRUNC = 0o1000
O_APPEND = 0o2000
O_NONBLOCK = 0o4000
O_DIRECTORY = 0o200000
O_NOFOLLOW = 0o400000
O_CLOEXEC = 0o2000000

NAMED_FLAGS = {
    "O_APPEND": O_APPEND,
    "O_CLOEXEC": O_CLOEXEC,
    "O_CREAT": O_CREAT,
    "O_DIRECTORY": O_DIRECTORY,
    "O_EXCL": O_EXCL,
    "O_NOFOLLOW": O_NOFOLLOW,
    "O_NONBLOCK": O_NONBLOCK,
    "O_RDWR": O_RDWR,
    "O_TRUNC": O_TRUNC,
    "O_WRONLY": O_WRONLY,
}


def format_flags(flags: int) -> str:
    """Write flags as `O_CREAT|O_RDWR`: names by alphabet, then bits without a name in octal."""
    names = [name for name, bit in NAMED_FLAGS.items() if flags & bit]
    if flags & O_ACCMODE == O_RDONLY:
        names.append("O_RDONLY")
        names.sort()
    rest = flags
    for bit in NAMED_FLAGS.values():
        rest &= ~bit
    if rest:
        names.append(f"{rest:#o}")
    return "|".join(names)


def parse_flags(text: str) -> int:
    """Read what `format_flags` writes. Raises ValueError naming the word that is not a flag."""
    flags = 0
    for word in text.split("|"):
        if word in NAMED_FLAGS:
            flags |= NAMED_FLAGS[word]
        elif word.startswith(("0o", "-0o")):
            flags |= int(word, 8)
        elif word != "O_RDONLY":
            raise ValueError(f"unknown open flag {word!r}")
    return flags
