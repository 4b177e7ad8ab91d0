"""Names as text: one line, nothing hidden, nothing lost."""

import json
import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watosfs.cli.names import join, json_name, last_name, one_line, printable

names = st.binary(min_size=1, max_size=40)


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        (b"plain name", "plain name"),
        ("grün 語 🐍".encode(), "grün 語 🐍"),
        (b"two\nlines", "two\\x0alines"),
        (b"\x1b[2Jgone", "\\x1b[2Jgone"),
        (b"not utf-8 \xff", "not utf-8 \\xff"),
        ("\u202egnp.exe".encode(), "\\xe2\\x80\\xaegnp.exe"),
        (b"back\\slash", "back\\\\slash"),
    ],
)
def test_what_a_terminal_would_obey_is_escaped(name: bytes, shown: str) -> None:
    assert printable(name) == shown
    assert printable(os.fsdecode(name)) == shown


@given(names)
def test_a_printed_name_is_one_line_of_printable_text(name: bytes) -> None:
    assert printable(name).isprintable()
    assert one_line(name.decode("utf-8", "surrogateescape")).isprintable()


@given(names, names)
def test_different_names_look_different(one: bytes, other: bytes) -> None:
    assert (printable(one) == printable(other)) == (one == other)


@given(names)
def test_a_name_survives_json(name: bytes) -> None:
    text = json.dumps(json_name("name", name))
    text.encode("ascii")
    read = json.loads(text)
    read["name"].encode("utf-8")  # no lone surrogate: other languages refuse them
    exact = bytes.fromhex(read["name_hex"]) if "name_hex" in read else read["name"].encode()
    assert exact == name


@pytest.mark.parametrize(
    ("path", "name"),
    [
        (b"/a/b", b"b"),
        (b"/a/b/", b"b"),
        (b"b", b"b"),
        (b"/", b""),
        (b"/a/.", b""),
        (b"/a/..", b""),
        (b".", b""),
        (b"", b""),
    ],
)
def test_the_last_name_of_a_path(path: bytes, name: bytes) -> None:
    assert last_name(path) == name


def test_joining_takes_one_slash() -> None:
    assert join(b"/", b"a") == b"/a"
    assert join(b"/d", b"a") == b"/d/a"
    assert join(b"/d/", b"a") == b"/d/a"
    assert join(b"/d", b"") == b"/d"
