"""Our FAT reader against pyfatfs: rules taken out of either are missed; pyfatfs' own faults are as
``docs/FOUND.md`` says, by the library alone.
"""

import io
import warnings
from collections.abc import Callable
from dataclasses import replace
from itertools import islice
from typing import Any

import pytest

from watosfs_fuzz.cli.main import main
from watosfs_fuzz.parsers import fat_pyfatfs, fat_seeds, loop
from watosfs_fuzz.parsers.catalogue import require_harness
from watosfs_fuzz.parsers.fat_plain import PlainFat
from watosfs_fuzz.parsers.harness import Failure, execute
from watosfs_fuzz.parsers.images import SparseImage

SECTOR = 512
needs_pyfatfs = pytest.mark.skipif(bool(fat_pyfatfs.missing()), reason=fat_pyfatfs.MISSING)
Change = Callable[[bytearray, PlainFat], None]


def image(change: Change, number: int = 1) -> bytes:
    """The image of FAT12 with files, changed."""
    sparse = SparseImage.parse(fat_seeds.images()[number], SECTOR)
    raw = bytearray(b"".join(sparse.read(i) for i in range(sparse.block_count)))
    change(raw, PlainFat(bytes(raw)))
    return bytes(raw)


def run(raw: bytes) -> str | Failure:
    return execute(require_harness("fat-differential"), SparseImage.of_bytes(raw, SECTOR).encode())


def slot_of(raw: bytearray, plain: PlainFat, name: bytes) -> int:
    return raw.index(name, plain.root, plain.data)


def put_entry(raw: bytearray, plain: PlainFat, cluster: int, value: int) -> None:
    for copy in range(plain.fats):
        at = plain.fat_start + copy * plain.fat_bytes + cluster * 3 // 2
        word = int.from_bytes(raw[at : at + 2], "little")
        word = (word & 15 | value << 4) if cluster & 1 else (word & 0xF000 | value)
        raw[at : at + 2] = word.to_bytes(2, "little")


def opened(raw: bytes) -> Any:
    """By pyfatfs alone."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from pyfatfs.PyFat import PyFat

        fat = PyFat(lazy_load=True)
        stream = io.BytesIO(raw)
        stream.writable = lambda: False  # type: ignore[method-assign]
        fat.set_fp(stream)
        return fat


def first_of(raw: bytes, name: bytes) -> int:
    plain = PlainFat(raw)
    return next(s.first for s in plain.directory(0) if s.name.encode() == name)


@needs_pyfatfs
@pytest.mark.parametrize("number", range(len(fat_seeds.images())))
def test_seeds_read_alike(number: int) -> None:
    result = run(image(lambda raw, plain: None, number))
    assert not isinstance(result, Failure), result.story
    assert "the same names" in result


@needs_pyfatfs
def test_a_reader_of_ours_that_is_wrong_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    harness = require_harness("fat-differential")
    monkeypatch.setattr("watosfs_fuzz.parsers.fat_image._SHOWN_BYTES", 100)
    tally = loop.run(harness, [], executions=50, stop_at_failure=True)
    assert [failure.kind for failure in tally.failures.values()] == ["other bytes than pyfatfs has"]


@needs_pyfatfs
def test_a_name_that_only_one_has_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fat_pyfatfs.PyfatfsReader, "entries", lambda self, directory: [])
    tally = loop.run(require_harness("fat-differential"), [], executions=50, stop_at_failure=True)
    (failure,) = tally.failures.values()
    assert failure.kind == "other names than pyfatfs has"


@needs_pyfatfs
def test_p5_a_chain_out_of_the_table_ends_quietly() -> None:
    def change(raw: bytearray, plain: PlainFat) -> None:
        put_entry(raw, plain, first_of(bytes(raw), b"scattered"), 0xF00)

    raw = image(change)
    first = first_of(raw, b"scattered")
    assert list(opened(raw).get_cluster_chain(first)) == [first]
    result = run(raw)
    assert not isinstance(result, Failure)
    assert "both find a file damaged" in result


@needs_pyfatfs
def test_p6_the_upper_word_of_a_first_cluster_counts_on_fat12() -> None:
    def change(raw: bytearray, plain: PlainFat) -> None:
        raw[slot_of(raw, plain, b"SHORT   TXT") + 20] = 1

    raw = image(change)
    entry = next(e for e in opened(raw).root_dir.get_entries()[1] if e.filesize == 5)
    assert entry.get_cluster() == first_of(raw, b"SHORT.TXT") + 65536
    result = run(raw)
    assert not isinstance(result, Failure)
    assert "high word" in result


@needs_pyfatfs
def test_p7_a_cycle_is_followed_for_ever() -> None:
    def change(raw: bytearray, plain: PlainFat) -> None:
        first = first_of(bytes(raw), b"scattered")
        put_entry(raw, plain, first, first)

    raw = image(change)
    chain = opened(raw).get_cluster_chain(first_of(raw, b"scattered"))
    assert len(list(islice(chain, 100_000))) == 100_000
    assert not isinstance(run(raw), Failure)


def test_without_pyfatfs_the_command_says_what_is_missing(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    harness = replace(require_harness("fat-differential"), missing=lambda: fat_pyfatfs.MISSING)
    monkeypatch.setattr("watosfs_fuzz.cli.parsers.require_harness", lambda name: harness)
    assert main(["parsers", "--harness", "fat-differential", "--executions", "1"]) == 0
    assert "skipped: pyfatfs is missing" in capsys.readouterr().err
