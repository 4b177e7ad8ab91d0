"""Names: what is legal, what is the same, how they lie on disk, and which aliases they get."""

import errno

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watosfs.fat import aliases, names

LEGAL = st.text(
    st.characters(exclude_characters='"*/:<>?\\|\x00', min_codepoint=32), min_size=1, max_size=120
).filter(lambda text: text.rstrip(". ") == text and text.strip(". ") != "")


@pytest.mark.parametrize(
    ("given_name", "text"),
    [
        (b"a", "a"),
        (b"a. . .", "a"),
        (b" a", " a"),
        (b".a", ".a"),
        (b"n" * 255, "n" * 255),
        (b"n" * 255 + b" . ", "n" * 255),
        ("\U0001f600".encode() * 127, "\U0001f600" * 127),
        (b"\xed\xa0\x80", "\ud800"),
    ],
)
def test_trailing_dots_and_spaces_do_not_count(given_name: bytes, text: str) -> None:
    assert names.new_name(given_name) == text


@pytest.mark.parametrize(
    ("name", "number"),
    [
        (b"", errno.EINVAL),
        (b". .", errno.EINVAL),
        (b"a/b", errno.EINVAL),
        (b"a\0", errno.EINVAL),
        (b"a\x1f", errno.EINVAL),
        (b'a"', errno.EINVAL),
        (b"\xff", errno.EINVAL),
        (b"n" * 256, errno.ENAMETOOLONG),
        ("\U0001f600".encode() * 128, errno.ENAMETOOLONG),
    ],
)
def test_a_name_that_fat_cannot_have_is_refused(name: bytes, number: int) -> None:
    with pytest.raises(OSError) as caught:
        names.new_name(name)
    assert caught.value.errno == number


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("readme", "README", True),
        ("ärger", "ÄRGER. .", True),
        ("привет", "ПРИВЕТ", True),
        ("straße", "STRASSE", False),
        ("\u0131", "I", False),
        ("\U00010428", "\U00010400", False),
        ("ÿ", "Ÿ", True),
    ],
)
def test_names_compare_unit_by_unit(one: str, other: str, same: bool) -> None:
    assert (names.name_key(one) == names.name_key(other)) is same


def test_the_checksum_is_over_the_eleven_bytes_as_on_disk() -> None:
    assert names.short_name_checksum(b"FOO     BAR") == checksum(b"FOO     BAR")
    assert names.short_name_checksum(b"\x05OO     BAR") == checksum(b"\x05OO     BAR")


def checksum(name: bytes) -> int:
    """As Microsoft's paper has it."""
    total = 0
    for byte in name:
        total = ((total & 1) << 7) + (total >> 1) + byte & 0xFF
    return total


@given(LEGAL)
def test_a_long_name_is_read_back_from_its_slots(text: str) -> None:
    raw = names.encode_long_name(text, names.short_name_checksum(b"ALIAS~1 TXT"))
    assert len(raw) % 32 == 0
    parts = names.LongNameParts()
    for slot in range(len(raw) // 32):
        assert parts.add(raw[slot * 32 : slot * 32 + 32], slot + 7)
    assert parts.first_slot == 7
    assert parts.take(b"ALIAS~1 TXT") == text
    assert parts.take(b"ALIAS~1 TXT") is None


@pytest.mark.parametrize("broken", ["order", "checksum", "missing", "other"])
def test_slots_that_do_not_belong_together_make_no_name(broken: str) -> None:
    raw = bytearray(names.encode_long_name("x" * 30, names.short_name_checksum(b"X          ")))
    slots = [raw[i : i + 32] for i in range(0, len(raw), 32)]
    if broken == "order":
        slots[1][0] = 1
    elif broken == "checksum":
        slots[1][13] ^= 1
    elif broken == "missing":
        del slots[1]
    parts = names.LongNameParts()
    for i, slot in enumerate(slots):
        parts.add(bytes(slot), i)
    assert parts.take(b"Y          " if broken == "other" else b"X          ") is None


@pytest.mark.parametrize(
    ("text", "exact"),
    [
        ("FOO.TXT", (b"FOO     TXT", 0)),
        ("foo.txt", (b"FOO     TXT", 0x18)),
        ("FOO.txt", (b"FOO     TXT", 0x10)),
        ("foo", (b"FOO        ", 0x08)),
        ("12345678.123", (b"12345678123", 0)),
        ("Foo.txt", None),
        ("foo.Txt", None),
        ("123456789", None),
        ("a.b.c", None),
        (".foo", None),
        ("foo.", None),
        ("a b", None),
        ("a+b", None),
        ("é", None),
    ],
)
def test_a_name_that_fits_keeps_its_case_in_two_bits(
    text: str, exact: tuple[bytes, int] | None
) -> None:
    assert aliases.exact_short_name(text) == exact
    if exact is not None:
        assert aliases.short_name_text(*exact) == text


def test_aliases_count_to_four_and_go_on_with_a_hash() -> None:
    taken: set[bytes] = set()
    for number in range(3000):
        found = aliases.alias(f"Long File Name {number}.text", taken)
        assert found not in taken
        assert aliases.exact_short_name(aliases.short_name_text(found)) == (found, 0)
        taken.add(found)
    assert {b"LONGFI~%dTEX" % number for number in range(1, 5)} <= taken
    assert sum(name[:2] == b"LO" and name[6:7] == b"~" for name in taken) > 2900


@pytest.mark.parametrize(
    ("text", "short"),
    [
        (".profile", b"PROFIL~1   "),
        ("日本.テキスト", b"__~1    ___"),
        ("a.b.c.html", b"ABC~1   HTM"),
        ("...", b"_~1        "),
        ("plus+plus", b"PLUS_P~1   "),
    ],
)
def test_an_alias_is_made_of_what_a_short_name_may_have(text: str, short: bytes) -> None:
    assert aliases.alias(text, ()) == short


def test_a_first_byte_of_e5_is_kept_as_05() -> None:
    assert aliases.short_name_text(b"\x05BC     TXT") == "ÕBC.TXT"
    assert aliases.label_bytes("Õx".encode()) == b"\x05X         "
    assert aliases.label_text(b"\x05X         ") == "ÕX".encode()


@pytest.mark.parametrize(
    "label", [b"123456789012", b"a.b", b" a", b"a\x01", b"\xff", "名".encode()]
)
def test_a_label_that_none_may_be_is_refused(label: bytes) -> None:
    with pytest.raises(OSError) as caught:
        aliases.label_bytes(label)
    assert caught.value.errno == errno.EINVAL
