"""Verdicts kept between runs, each under the hash of all it depends on: files in a folder.

A file appears whole or not at all. What cannot be read is as if it were not there: the worst that a
lost file costs is to prove again.
"""

import json
import os
import tempfile
from pathlib import Path
from typing import Any

#: Where verdicts are kept unless told otherwise, below the current directory.
FOLDER = Path(".watosfs-prove")


class Kept:
    """One file of verdicts by name; ``folder`` None keeps nothing. When ``is_fresh``, what earlier
    runs kept is written again but not used.
    """

    def __init__(self, folder: Path | None, name: str, *, is_fresh: bool = False) -> None:
        self.is_fresh = is_fresh
        self.path = None if folder is None else folder / f"{name}.json"
        self.entries: dict[str, dict[str, Any]] = {}
        if self.path is not None and self.path.exists():
            try:
                read = json.loads(self.path.read_text(encoding="utf-8"))
            except ValueError:
                read = {}
            if isinstance(read, dict):
                self.entries = read

    def get(self, name: str, key: str) -> dict[str, Any] | None:
        """What is kept under the name, if it was kept under this key."""
        found = None if self.is_fresh else self.entries.get(name)
        return found if found is not None and found.get("key") == key else None

    def put(self, name: str, key: str, value: dict[str, Any]) -> None:
        """Keep a value of JSON until the key changes."""
        self.entries[name] = {**value, "key": key}

    def save(self) -> None:
        """Write all of it."""
        if self.path is None:
            return
        self.path.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=self.path.parent, suffix=".part")
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as stream:
                json.dump(self.entries, stream, indent=0, sort_keys=True)
            os.replace(temporary, self.path)
        except BaseException:
            os.unlink(temporary)
            raise
