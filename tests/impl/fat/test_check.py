"""Each rule of the checker: what breaks it, what is said, and what repair makes of it."""

import errno
from collections.abc import Callable

import pytest

from watosfs.block.memory import MemoryDevice
from watosfs.fat.check import check
from watosfs.fat.mkfs import Options, mkfs
from watosfs.fat.node import Node
from watosfs.fat.table import FatTable
from watosfs.fat.volume import FatVolume

KIB = {12: 400, 16: 9000, 32: 2000}
DATA = bytes(range(256)) * 10

each_type = pytest.mark.parametrize("bits", [12, 16, 32])


class Patient:
    """A volume with a few files, unmounted, and ways to hurt it."""

    def __init__(self, bits: int) -> None:
        self.device = MemoryDevice(KIB[bits] * 2, 512)
        mkfs(self.device, Options(bits=bits, sectors_per_cluster=1, label=b"SOUND"))
        with FatVolume.mount(self.device) as volume:
            volume.mkdir(b"/d")
            volume.mkdir(b"/d/sub")
            volume.write_file(b"/d/sub/deep file.txt", DATA)
            volume.write_file(b"/one", DATA)
            volume.write_file(b"/two", DATA)
        self.volume = FatVolume.mount(self.device, read_only=True)
        self.geometry = self.volume.engine.geometry
        self.table = FatTable(self.volume.engine.access, self.geometry)
        assert check(self.device).is_clean

    def node(self, path: bytes) -> Node:
        return self.volume.node(path)

    def clusters(self, path: bytes) -> list[int]:
        chain = self.volume.engine.chain(self.node(path))
        return [chain.cluster(i) for i in range(chain.count)]

    def put(self, cluster: int, value: int) -> None:
        self.table.put(cluster, value)
        self.table.write()

    def write(self, offset: int, raw: bytes) -> None:
        self.volume.engine.access.write(offset, raw)

    def entry(self, path: bytes) -> int:
        """Where a path's short entry is."""
        node = self.node(path)
        assert node.directory is not None
        return list(node.directory.slot_offsets(node))[-1]

    def cured(self, *kinds: str) -> FatVolume:
        """After a check that finds just these kinds, and a repair that takes them away."""
        before = self.device.snapshot()
        # How many clusters are free is another matter after most of these.
        assert check(self.device).kinds - {"fsinfo"} == set(kinds) - {"fsinfo"}
        assert self.device.snapshot() == before
        assert check(self.device, repair=True).is_repaired
        assert check(self.device).is_clean
        return FatVolume.mount(self.device)


@each_type
def test_copies_of_the_table_that_differ_become_the_first(bits: int) -> None:
    patient = Patient(bits)
    patient.write(patient.geometry.fat_start + patient.geometry.fat_size + 100, b"\x12\x34")
    assert patient.cured("mirror").read_file(b"/one") == DATA


@each_type
def test_a_table_without_its_media_byte_is_taken_from_the_other_copy(bits: int) -> None:
    patient = Patient(bits)
    patient.write(patient.geometry.fat_start, bytes(300))
    assert patient.cured("mirror").read_file(b"/one") == DATA


@each_type
def test_a_lost_chain_becomes_a_file_in_the_root(bits: int) -> None:
    patient = Patient(bits)
    patient.write(patient.entry(b"/one"), b"\xe5")
    volume = patient.cured("lost")
    assert volume.read_file(b"/FSCK0000.REC")[: len(DATA)] == DATA
    assert volume.read_file(b"/two") == DATA


@each_type
def test_a_lost_directory_comes_back_with_all_that_is_below_it(bits: int) -> None:
    patient = Patient(bits)
    patient.write(patient.entry(b"/d"), b"\xe5")
    volume = patient.cured("lost")
    assert volume.read_file(b"/FSCK0000.REC/sub/deep file.txt") == DATA
    assert [entry.name for entry in volume.readdir(b"/")] == [b"FSCK0000.REC", b"one", b"two"]


def test_lost_chains_are_freed_when_that_is_asked_for() -> None:
    patient = Patient(16)
    patient.write(patient.entry(b"/one"), b"\xe5")
    free = check(patient.device).clusters_free
    report = check(patient.device, repair=True, reconnect=False)
    assert report.is_repaired
    assert check(patient.device).clusters_free == free + report.clusters_lost


@each_type
def test_of_two_files_that_share_clusters_the_first_keeps_them(bits: int) -> None:
    patient = Patient(bits)
    one, two = patient.clusters(b"/one"), patient.clusters(b"/two")
    patient.put(two[1], one[3])
    volume = patient.cured("cross-link", "size", "lost")
    assert volume.read_file(b"/one") == DATA
    assert volume.read_file(b"/two") == DATA[:1024]


@each_type
@pytest.mark.parametrize("to", ["itself", "free", "bad", "outside"])
def test_a_chain_that_leads_astray_is_cut(bits: int, to: str) -> None:
    patient = Patient(bits)
    one = patient.clusters(b"/one")
    value = {
        "itself": one[0],
        "free": patient.geometry.cluster_end - 1,
        "bad": patient.table.bad,
        "outside": patient.geometry.cluster_end,
    }[to]
    patient.put(one[1], value)
    volume = FatVolume.mount(patient.device, read_only=True)
    with pytest.raises(OSError) as caught:
        volume.read_file(b"/one")
    assert caught.value.errno == errno.EUCLEAN
    kind = "cross-link" if to == "itself" else "chain"
    kept = 512 if to == "bad" else 1024  # the entry says that its own cluster is bad
    assert patient.cured(kind, "size", "lost").read_file(b"/one") == DATA[:kept]


@each_type
@pytest.mark.parametrize(("size", "kept"), [(100, 100), (9000, 2560), (0, 0)])
def test_a_size_that_its_chain_does_not_have_is_set_right(bits: int, size: int, kept: int) -> None:
    patient = Patient(bits)
    patient.write(patient.entry(b"/one") + 28, size.to_bytes(4, "little"))
    volume = patient.cured("size")
    assert volume.read_file(b"/one") == DATA[:kept]


@each_type
@pytest.mark.parametrize(
    "hurt",
    [
        lambda p: p.write(p.volume.engine.directory(p.node(b"/d/sub")).disk_offset(26), b"\x09"),
        lambda p: p.write(p.volume.engine.directory(p.node(b"/d/sub")).disk_offset(58), b"\x09"),
        lambda p: p.write(p.volume.engine.directory(p.node(b"/d/sub")).disk_offset(32), b"\xe5"),
    ],
)
def test_dots_are_set_right(bits: int, hurt: Callable[[Patient], None]) -> None:
    patient = Patient(bits)
    hurt(patient)
    assert patient.cured("directory").read_file(b"/d/sub/deep file.txt") == DATA


@each_type
def test_a_file_that_says_it_is_a_directory_becomes_a_file_again(bits: int) -> None:
    patient = Patient(bits)
    patient.write(patient.entry(b"/one") + 11, b"\x10")
    report = check(patient.device, repair=True)
    assert "directory" in report.kinds
    assert FatVolume.mount(patient.device).read_file(b"/one")[: len(DATA)] == DATA


@each_type
def test_two_entries_of_one_directory_leave_one(bits: int) -> None:
    patient = Patient(bits)
    patient.write(patient.entry(b"/two") + 11, b"\x10")
    first = patient.clusters(b"/d")[0]
    patient.write(patient.entry(b"/two") + 26, first.to_bytes(2, "little"))
    volume = FatVolume.mount(patient.device, read_only=True)
    assert volume.readdir(b"/d")
    with pytest.raises(OSError) as caught:
        volume.readdir(b"/two")
    assert caught.value.errno == errno.EUCLEAN
    assert patient.cured("cross-link", "lost").read_file(b"/d/sub/deep file.txt") == DATA


@each_type
def test_names_are_set_right(bits: int) -> None:
    patient = Patient(bits)
    patient.write(patient.entry(b"/two"), b"ONE")
    node = patient.node(b"/d/sub/deep file.txt")
    assert node.directory is not None
    patient.write(next(iter(node.directory.slot_offsets(node))) + 13, b"\0")
    volume = patient.cured("name")
    assert {entry.name for entry in volume.readdir(b"/")} == {b"d", b"one", b"fsck0000.REN"}
    assert volume.read_file(b"/d/sub/DEEPFI~1.TXT") == DATA


def test_a_boot_sector_that_is_gone_is_taken_from_its_backup() -> None:
    patient = Patient(32)
    patient.device.write(0, bytes(512))
    with pytest.raises(OSError) as caught:
        FatVolume.mount(patient.device)
    assert caught.value.errno == errno.EINVAL
    assert patient.cured("boot").read_file(b"/one") == DATA


def test_a_backup_that_differs_and_an_fsinfo_without_signatures_are_rewritten() -> None:
    patient = Patient(32)
    assert patient.geometry.backup_start is not None
    assert patient.geometry.fsinfo_start is not None
    patient.write(patient.geometry.backup_start + 3, b"another")
    patient.write(patient.geometry.fsinfo_start, bytes(512))
    assert patient.cured("backup", "fsinfo").read_file(b"/one") == DATA


@each_type
def test_the_label_of_the_root_directory_counts(bits: int) -> None:
    patient = Patient(bits)
    patient.write(patient.geometry.label_offset, b"OTHER      ")
    kinds = {"label", "backup"} if bits == 32 else {"label"}
    assert patient.cured(*kinds).label == b"SOUND"


@each_type
def test_bad_clusters_are_nobodys_and_stay(bits: int) -> None:
    patient = Patient(bits)
    bad = patient.geometry.cluster_end - 5
    patient.put(bad, patient.table.bad)
    report = check(patient.device)
    assert report.clusters_bad == 1
    assert report.kinds <= {"fsinfo"}
    with FatVolume.mount(patient.device) as volume:
        free = volume.engine.chains.free_count
        if bits == 32:
            free -= 1  # FSInfo does not know
        volume.write_file(b"/all", bytes(free * 512))
        assert bad not in patient.clusters(b"/one")
    assert check(patient.device).clusters_bad == 1


def test_a_read_only_device_is_not_repaired() -> None:
    class ReadOnly(MemoryDevice):
        def __init__(self, device: MemoryDevice) -> None:
            super().__init__(device.block_count, 512)
            self.write(0, device.snapshot())
            self.capabilities = type(self.capabilities)(read_only=True)

    with pytest.raises(OSError) as caught:
        check(ReadOnly(Patient(12).device), repair=True)
    assert caught.value.errno == errno.EROFS
