"""Statistics: every call counts once, for its operation, its process and the volumes it touched."""

import errno
import re

import pytest

from watosfs.block.memory import MemoryDevice
from watosfs.kernel import data, descriptors, opening, pipes
from watosfs.kernel.kernel import PARKED, Kernel
from watosfs.kernel.numbers import AT_FDCWD, O_CREAT, O_RDWR
from watosfs.kernel.statistics import BUCKETS_NS, Statistics, Totals, bucket_of
from watosfs.vfs.wfs3 import Wfs3Filesystem
from watosfs.wfs3.mkfs import mkfs
from watosfs.wfs3.volume import Volume


def filesystem() -> Wfs3Filesystem:
    device = MemoryDevice(512)
    mkfs(device)
    return Wfs3Filesystem(Volume.mount(device))


@pytest.fixture
def kernel() -> Kernel:
    return Kernel([filesystem(), filesystem()], counters=Statistics())


def test_calls_bytes_and_errors(kernel: Kernel) -> None:
    fd = kernel.call(1, opening.openat, AT_FDCWD, b"/f", O_CREAT | O_RDWR, 0o644)
    kernel.call(1, data.write, fd, b"x" * 5000)
    kernel.call(1, data.pread, fd, 100, 0)
    with pytest.raises(OSError, match="Bad file"):
        kernel.call(1, data.pread, 9, 100, 0)
    found = kernel.statistics()
    assert found["operation"]["write"]["bytes_written"] == 5000
    assert found["operation"]["pread"]["bytes_read"] == 100
    assert found["operation"]["pread"]["errors"] == {"EBADF": 1}
    assert found["process"]["1"]["calls"] == 4
    assert found["volume"]["0"]["bytes_written"] == 5000
    assert "1" not in found["volume"]


def test_a_parked_call_counts_when_it_ends(kernel: Kernel) -> None:
    kernel.call(1, pipes.pipe2, 0)
    assert kernel.call(1, data.read, 0, 5) is PARKED
    statistics = kernel.counters
    assert statistics is not None
    assert statistics.operations["read"].calls == 0
    assert statistics.operations["read"].parked == 1
    with pytest.raises(OSError, match="Interrupted") as caught:
        kernel.interrupt(1)
    assert caught.value.errno == errno.EINTR
    kernel.call(1, descriptors.close, 1)
    assert kernel.call(1, data.read, 0, 5) == b""
    assert statistics.operations["read"].calls == 1


def test_buckets_have_the_bounds_that_they_say() -> None:
    for index, bound in enumerate(BUCKETS_NS):
        assert bucket_of(bound) == index
        assert bucket_of(bound + 1) == index + 1
    assert bucket_of(0) == 0
    assert bucket_of(1 << 60) == len(BUCKETS_NS)


def test_quantiles_are_upper_bounds() -> None:
    totals = Totals()
    for elapsed in [500] * 98 + [3000, 100_000]:
        totals.add(elapsed, 0, 0, 0)
    assert totals.quantile_ns(0.5) == 1000
    assert totals.quantile_ns(0.99) == 4000
    assert totals.quantile_ns(1.0) == 128_000


def test_prometheus_lines_are_well_formed_and_histograms_add_up(kernel: Kernel) -> None:
    for _ in range(3):
        fd = kernel.call(1, opening.openat, AT_FDCWD, b"/f", O_CREAT | O_RDWR, 0o644)
        kernel.call(1, descriptors.close, fd)
    assert kernel.counters is not None
    text = kernel.counters.prometheus()
    sample = re.compile(r'[a-z_]+\{[a-z]+="[^"]*"(,[a-z]+="[^"]*")*\} [0-9.e+-]+')
    for line in text.splitlines():
        assert line.startswith(("# HELP ", "# TYPE ")) or sample.fullmatch(line), line
    assert 'watosfs_operation_calls_total{operation="openat"} 3' in text
    assert 'watosfs_latency_seconds_bucket{operation="openat",le="+Inf"} 3' in text
