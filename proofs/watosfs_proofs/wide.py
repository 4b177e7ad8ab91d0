"""The console that tables are printed on."""

from rich.console import Console

#: Columns when the output is no terminal, whose width would be known: no row is cut.
WIDE = 160


def wide_console(*, stderr: bool = False) -> Console:
    """As wide as the terminal; wide enough for every row when there is none."""
    console = Console(stderr=stderr)
    return console if console.is_terminal else Console(stderr=stderr, width=WIDE)
