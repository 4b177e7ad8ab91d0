"""flock: whole-file locks that belong to open file descriptions."""

from watosfs.kernel.descriptions import Description, Identity
from watosfs.kernel.numbers import LOCK_EX


class Flocks:
    """For each inode, its holders with LOCK_SH or LOCK_EX."""

    def __init__(self) -> None:
        self.holders: dict[Identity, dict[Description, int]] = {}

    def conflicts(self, description: Description, kind: int) -> bool:
        """Whether somebody else's lock is in the way."""
        holders = self.holders.get(description.identity, {})
        return any(
            other is not description and LOCK_EX in (kind, held) for other, held in holders.items()
        )

    def held(self, description: Description) -> int:
        """LOCK_SH, LOCK_EX or 0."""
        return self.holders.get(description.identity, {}).get(description, 0)

    def take(self, description: Description, kind: int) -> None:
        """Record a lock that does not conflict."""
        self.holders.setdefault(description.identity, {})[description] = kind

    def drop(self, description: Description) -> None:
        """Give up the description's lock, if it has one."""
        holders = self.holders.get(description.identity)
        if holders is not None:
            holders.pop(description, None)
            if not holders:
                del self.holders[description.identity]
