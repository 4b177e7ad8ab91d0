"""Our FAT reader against pyfatfs: the same names, sizes and bytes, or both find damage.

Checks: what ours mounts pyfatfs reads alike, directory by directory, file by file; where ours finds
damage pyfatfs does. Named exceptions: ``fat_pyfatfs.ODDITIES`` (directories not compared), and
``REFUSED`` (what only pyfatfs refuses). Does not check: boot sectors that ours refuses, of which
pyfatfs checks less (no size of device, no sections); volumes whose first table is not the one in
use, which pyfatfs does not know; times and attributes.
"""

from typing import Any, Final

from watosfs_fuzz.parsers import fat_image, fat_pyfatfs, fat_seeds
from watosfs_fuzz.parsers.budget import CountingDevice
from watosfs_fuzz.parsers.dictionary import fat_words
from watosfs_fuzz.parsers.fat_image import SECTOR, Tree
from watosfs_fuzz.parsers.fat_plain import Damaged, PlainFat
from watosfs_fuzz.parsers.fat_pyfatfs import PyfatfsReader, name_of, oddity
from watosfs_fuzz.parsers.harness import Harness, Wrong, register, words_of
from watosfs_fuzz.parsers.images import SparseImage

_SHOWN_BYTES: Final = 1 << 16
_NAMES_MAX: Final = 200
#: What pyfatfs says of volumes that Windows and Linux mount -> why ours takes them.
REFUSED: Final = {
    "Boot code must": "the jump is for the BIOS; Linux does not look at it",
    "Invalid media type": "a hint for DOS; the table's first entry may say another",
    "Root entry count does not": "the specification's should; the rest of the sector is unused",
    "Invalid length of FAT": "tables of a truncated image, of which ours needs the first only",
    "Unknown error during FAT parsing": "FAT12 tables whose length is no multiple of three",
}


def run(data: bytes) -> str:
    """An image as an input; what was compared, in words."""
    device = CountingDevice(SparseImage.parse(data, SECTOR))
    ours, damage = fat_image.read_all(device)
    if ours is None:
        return "ours refuses: " + damage
    raw = device.read_all()
    plain = PlainFat(raw)
    if plain.fat != plain.fat_start:
        return "the first table is not in use"
    try:
        theirs = PyfatfsReader(raw, plain.end)
    except Damaged as error:
        text = str(error)
        if any(known in text for known in REFUSED) or _is_root_damaged(ours, plain):
            return "pyfatfs refuses: " + words_of(text)
        raise Wrong("only pyfatfs refuses a volume", text) from error
    if theirs.fat.fat_type != plain.bits:
        # pyfatfs counts clusters before it knows the root's sectors: wrong near 4,085.
        return f"pyfatfs takes FAT{plain.bits} for FAT{theirs.fat.fat_type}"
    said = _Comparison(ours, plain, theirs)
    said.directory("", plain.root_cluster, theirs.fat.root_dir)
    return f"{damage}|{' '.join(sorted(said.verdicts))}"


def _is_root_damaged(ours: Tree, plain: PlainFat) -> bool:
    """pyfatfs reads the root when it mounts: damage, or an oddity, of the root is of the volume."""
    return ours[""][2] is None or bool(oddity(plain, *_slots(plain, plain.root_cluster)))


def _slots(plain: PlainFat, first: int) -> tuple[bytes, int]:
    """(the slots of a directory, the bytes after which pyfatfs begins anew). Raises Damaged."""
    if not first and plain.bits != 32:
        return plain.raw[plain.root : plain.root + plain.root_bytes], max(plain.root_bytes, 32)
    return b"".join(map(plain.cluster, plain.chain(first))), plain.cluster_bytes


class _Comparison:
    """A walk over both trees; ``verdicts`` are the ways that it took."""

    def __init__(self, ours: Tree, plain: PlainFat, theirs: PyfatfsReader) -> None:
        self.ours, self.plain, self.theirs = ours, plain, theirs
        self.begun = set[int]()
        self.verdicts = set[str]()

    def directory(self, path: str, first: int, entry: Any) -> None:
        """One directory, and all below."""
        if path.count("/") > _NAMES_MAX or first in self.begun:
            self.verdicts.add("begun twice")
            return
        self.begun.add(first)
        ours = self.ours[path]
        try:
            if (path and not first) or entry is None:
                raise Damaged("a directory without a cluster")
            found = self.theirs.entries(entry)
        except Damaged as error:
            if ours[2] is not None and not self._is_odd(first):
                raise Wrong(
                    "only pyfatfs finds a directory damaged", f"{path!r} {error}"
                ) from error
            self.verdicts.add("both find a directory damaged")
            return
        if ours[2] is None:
            if len(self.ours) < _NAMES_MAX and not self._is_begun_elsewhere(path, first):
                raise Wrong("only ours finds a directory damaged", repr(path))
            return
        if self._is_odd(first) or len(self.ours) >= _NAMES_MAX:
            return
        self._names(path, found)
        for child in found:
            if child.fstclushi and self.plain.bits != 32:
                self.verdicts.add("high word")
            else:
                self._child(f"{path}/{name_of(child)}", child)

    def _is_odd(self, first: int) -> bool:
        try:
            odd = oddity(self.plain, *_slots(self.plain, first))
        except Damaged:
            return False
        if odd:
            self.verdicts.add(odd)
        return bool(odd)

    def _is_begun_elsewhere(self, path: str, first: int) -> bool:
        """Ours lets a cluster begin one directory only; the walk may come here first."""
        names = [p for p, entry in self.ours.items() if entry[0] and p != path]
        self.verdicts.add("damaged for ours")
        return first == self.plain.root_cluster or (bool(names) and self._has_other(first, path))

    def _has_other(self, first: int, path: str) -> bool:
        """Whether a slot of another directory leads to this cluster as a directory."""
        waiting, seen = [("", self.plain.root_cluster)], set[int]()
        while waiting:
            above, cluster = waiting.pop()
            if cluster in seen:
                continue
            seen.add(cluster)
            try:
                slots = self.plain.directory(cluster)
            except Damaged:
                continue
            for slot in slots:
                child = f"{above}/{slot.name}"
                if slot.is_directory and slot.first == first and child != path:
                    return True
                if slot.is_directory and slot.first:
                    waiting.append((child, slot.first))
        return False

    def _names(self, path: str, found: list[Any]) -> None:
        """The same names, kinds and sizes."""
        above = path + "/"
        ours = {
            (child[len(above) :], entry[0], entry[1])
            for child, entry in self.ours.items()
            if child.startswith(above) and "/" not in child[len(above) :]
        }
        theirs = {(name_of(e), bool(e.is_directory()), int(e.filesize)) for e in found}
        if ours != theirs:
            only = (sorted(ours - theirs)[:2], sorted(theirs - ours)[:2])
            raise Wrong("other names than pyfatfs has", f"{path!r}: only ours, only theirs {only}")
        self.verdicts.add("the same names")

    def _child(self, path: str, entry: Any) -> None:
        if entry.is_directory():
            self.directory(path, int(entry.get_cluster()), entry)
            return
        ours = self.ours[path][2]
        try:
            theirs = self.theirs.contents(entry, _SHOWN_BYTES)
        except Damaged as error:
            if ours is not None:
                raise Wrong("only pyfatfs finds a file damaged", f"{path!r} {error}") from error
            self.verdicts.add("both find a file damaged")
            return
        if ours is None:
            raise Wrong("only ours finds a file damaged", repr(path))
        if ours != theirs:
            raise Wrong("other bytes than pyfatfs has", repr(path))
        self.verdicts.add("the same bytes")


register(
    Harness(
        "fat-differential",
        "a whole image: our reader against pyfatfs",
        run,
        lambda: list(fat_seeds.images()),
        fat_image.mutate,
        fat_image.cross,
        fat_image.ERRNOS,
        (),
        SECTOR,
        words=fat_words,
        missing=fat_pyfatfs.missing,
    )
)
