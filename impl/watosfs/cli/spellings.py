"""Where names fold, two files of a copy may be one: what was made is remembered by its spelling.

On FAT ``readme`` replaces ``README``, and a name may also be the alias of another file. A file that
was there before gives way, as everywhere; one of the same copy must not be lost without a word.
"""

import errno

from watosfs.cli.names import last_name, printable
from watosfs.cli.path_volume import folds_names
from watosfs.errors import failure
from watosfs.wfs3.volume import Volume


class Spellings:
    """How what one copy made is spelled, by inode; nothing on volumes that tell all names apart."""

    def __init__(self, volume: Volume) -> None:
        self._volume = volume
        self._is_needed = folds_names(volume)
        self._made: dict[int, bytes] = {}

    def note(self, target: bytes) -> None:
        """This copy has made ``target``, or takes it for its own."""
        if self._is_needed:
            number = self._volume.stat(target, follow=False).st_ino
            self._made[number] = last_name(target)

    def require_other(self, target: bytes, number: int) -> None:
        """EEXIST when this copy made the inode ``number``, found at ``target``, by another name."""
        made = self._made.get(number)
        if made is not None and made != last_name(target):
            reason = f"the volume takes this for {printable(made)}, which was just copied"
            raise failure(errno.EEXIST, reason=reason)
