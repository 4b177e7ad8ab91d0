"""User memory: every bad pointer is EFAULT, and nothing is copied in part."""

import errno
from collections.abc import Callable

import pytest

from watosfs.kernel.user_memory import LIMIT, PAGE, UserMemory

BASE = 4 * PAGE


@pytest.fixture
def memory() -> UserMemory:
    memory = UserMemory()
    memory.map(BASE, 2 * PAGE)
    memory.map(BASE + 2 * PAGE, PAGE, writable=False)
    return memory


def errno_of(call: Callable[[], object]) -> int:
    with pytest.raises(OSError) as caught:
        call()
    assert caught.value.errno is not None
    return caught.value.errno


@pytest.mark.parametrize(
    ("address", "length"),
    [
        (0, 1),
        (BASE - 1, 2),
        (BASE + 3 * PAGE - 1, 2),
        (LIMIT - 1, 2),
        (LIMIT, 1),
        ((1 << 64) - 1, 2),
        (BASE, 1 << 63),
        (BASE, 1 << 64),
    ],
)
def test_what_is_not_mapped_is_efault(memory: UserMemory, address: int, length: int) -> None:
    assert errno_of(lambda: memory.read(address, length)) == errno.EFAULT


def test_a_length_of_nothing_is_right_anywhere(memory: UserMemory) -> None:
    assert memory.read(0, 0) == b""
    memory.write(LIMIT + 5, b"")


def test_a_read_only_page_is_read_but_not_written(memory: UserMemory) -> None:
    assert memory.read(BASE + 2 * PAGE, 4) == bytes(4)
    assert errno_of(lambda: memory.write(BASE + 2 * PAGE, b"x")) == errno.EFAULT


def test_a_write_that_runs_into_a_read_only_page_writes_nothing(memory: UserMemory) -> None:
    start = BASE + 2 * PAGE - 2
    assert errno_of(lambda: memory.write(start, b"abcd")) == errno.EFAULT
    assert memory.read(start, 4) == bytes(4)


def test_data_crosses_pages(memory: UserMemory) -> None:
    data = bytes(range(256)) * 20
    memory.write(BASE + 100, data)
    assert memory.read(BASE + 100, len(data)) == data


def test_a_string_ends_at_its_nul(memory: UserMemory) -> None:
    memory.write(BASE + PAGE - 2, b"abcd\0e")
    assert memory.string(BASE + PAGE - 2) == b"abcd"


def test_a_string_without_an_end(memory: UserMemory) -> None:
    memory.write(BASE, b"x" * (2 * PAGE))
    assert errno_of(lambda: memory.string(BASE)) == errno.ENAMETOOLONG
    memory.map(BASE + 8 * PAGE, PAGE)
    memory.write(BASE + 8 * PAGE, b"x" * PAGE)
    assert errno_of(lambda: memory.string(BASE + 8 * PAGE + 1)) == errno.EFAULT
