"""The contract of a volume that is changed in place: what a crash leaves are parts of states.

Judged are CRASH_MODEL's clauses 15, 16 and 47 to 51, by the model's states since the last sync.
What all of them have alike is durable; what they differ in may be any of theirs, name by name and
byte by byte. Which clusters lead where is not seen here: that is the checker's (clause 14).
"""

from collections.abc import Callable, Mapping, Sequence

from watosfs_fuzz.dialect import Entry, Tree
from watosfs_model import content
from watosfs_model.state import DIRECTORY, FILE, ROOT, Volume

#: Below these names are the chains that a repair found without one.
FOUND_PREFIX = b"/FSCK"
_PIECE_BYTES = 512
_ALIAS_BYTES_MAX = 8


def contract(volumes: Sequence[Volume]) -> Callable[[Tree], str | None]:
    """The judge over trees that a crash left of these states; of the entries in a tree it looks
    at kind, size and content.
    """
    return Parts(list({id(volume): volume for volume in volumes}.values())).problem


class Parts:
    """What the states have: names by directory, versions by file, and what is alike in all."""

    def __init__(self, volumes: Sequence[Volume]) -> None:
        self.kinds: dict[int, str] = {}
        self.names: dict[int, dict[bytes, set[int]]] = {}
        self.versions: dict[int, list[bytes]] = {}
        self.verdicts: dict[tuple[int, bytes], bool] = {}
        for volume in volumes:
            for number, inode in volume.inodes.items():
                self.kinds[number] = inode.kind
                for name, child in inode.entries.items():
                    self.names.setdefault(number, {}).setdefault(name, set()).add(child)
                if inode.kind == FILE:
                    data = content.read(inode, 0, inode.size)
                    known = self.versions.setdefault(number, [])
                    if not known or data != known[-1]:
                        known.append(data)
        paths = [paths_of(volume) for volume in volumes]
        #: Paths that lead to the same in every state.
        self.lasting = {
            path: number
            for path, number in paths[0].items()
            if all(other.get(path) == number for other in paths[1:])
        }
        everywhere = set.intersection(*(set(found.values()) for found in paths))
        #: Contents that were not touched, though their names may have been.
        self.kept = {
            number: self.versions[number][0]
            for number in everywhere
            if self.kinds[number] == FILE and len(self.versions[number]) == 1
        }

    def problem(self, tree: Tree) -> str | None:
        """What no state explains, or what is missing; None when all is well."""
        found = {path: entry for path, entry in tree.items() if not is_found_name(path)}
        leads_to: dict[bytes, set[int]] = {b"/": {ROOT}}
        for path, entry in sorted(found.items()):
            if path == b"/":
                continue
            parent, _, name = path.rpartition(b"/")
            numbers = self.named(leads_to[parent or b"/"], name, str(entry[0]))
            if not numbers:
                return f"{path!r}: no state has such a {entry[0]} (47)"
            leads_to[path] = {n for n in numbers if self.explains(n, entry)}
            if not leads_to[path]:
                return f"{path!r}: {entry[5]} bytes that are no mixture of its states (48)"
        for path, number in self.lasting.items():
            if number not in leads_to.get(path, ()):
                return f"{path!r} was there in every state since the last sync, and is gone (15)"
        return self.lost(tree)

    def named(self, parents: set[int], name: bytes, kind: str) -> set[int]:
        """What a name may be, in directories that its own may be."""
        numbers: set[int] = set()
        for parent in parents:
            for known, children in self.names.get(parent, {}).items():
                if known == name or is_alias(name, known):
                    numbers |= children
        return {number for number in numbers if self.kinds[number] == kind}

    def explains(self, number: int, entry: Entry) -> bool:
        """Whether a file's bytes are a mixture of its states, of the size of one."""
        if self.kinds[number] == DIRECTORY:
            return True
        data = entry[9]
        assert isinstance(data, bytes)
        verdict = self.verdicts.get((number, data))
        if verdict is None:
            verdict = self.verdicts[number, data] = self.is_made_of(number, data)
        return verdict

    def is_made_of(self, number: int, data: bytes) -> bool:
        """The comparison behind ``explains``."""
        versions = self.versions[number]
        if data in versions:
            return True
        sizes = [len(known) for known in versions]
        if len(data) not in sizes:
            return False
        return is_mixture(data, versions, versions[sizes.index(len(data)) :])

    def lost(self, tree: Mapping[bytes, Entry]) -> str | None:
        """Contents that were acknowledged and are nowhere, not even where a repair puts what has
        no name.
        """
        wanted = {data for data in self.kept.values() if data}
        held = [entry[9] for entry in tree.values() if isinstance(entry[9], bytes)]
        for data in wanted - set(held):
            if not any(other.startswith(data) for other in held):
                return f"{len(data)} bytes that were synced are under no name, nor found (49)"
        return None


def paths_of(volume: Volume) -> dict[bytes, int]:
    """Every path but the root's, with what it leads to."""
    paths: dict[bytes, int] = {}
    waiting = [(b"", ROOT)]
    while waiting:
        base, number = waiting.pop()
        for name, child in volume.inodes[number].entries.items():
            paths[base + b"/" + name] = child
            if volume.inodes[child].kind == DIRECTORY:
                waiting.append((base + b"/" + name, child))
    return paths


def is_found_name(path: bytes) -> bool:
    """Whether a path is, or is below, what a repair gave a name."""
    return path.startswith(FOUND_PREFIX)


def is_alias(name: bytes, long_name: bytes) -> bool:
    """Whether a name may be the 8.3 alias of a long one that was torn from it (clause 16)."""
    return (
        len(long_name) > _ALIAS_BYTES_MAX
        and b"~" in name
        and len(name) <= _ALIAS_BYTES_MAX
        and name[:2].upper() == long_name[:2].upper()
    )


def is_mixture(data: bytes, versions: Sequence[bytes], since: Sequence[bytes]) -> bool:
    """Whether each byte is that of some version. Of those ``since`` the size that was found, bytes
    behind the end are zeros: what is written behind a new end is filled up with them.
    """
    whole = [known.ljust(len(data), b"\0") for known in since] + list(versions)
    for start in range(0, len(data), _PIECE_BYTES):
        piece = data[start : start + _PIECE_BYTES]
        known = [other[start : start + _PIECE_BYTES] for other in whole]
        if any(other.startswith(piece) for other in known):
            continue
        for index, byte in enumerate(piece):
            if not any(index < len(other) and other[index] == byte for other in known):
                return False
    return True
