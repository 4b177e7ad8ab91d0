"""What an OSS-Fuzz build needs of each harness: a target file, its seeds, its dictionary.

    python -m watosfs_fuzz.parsers.oss_fuzz FOLDER [CORPORA]

``fuzz/oss-fuzz/build.sh`` runs this, so that a new harness is a new target without another line.
"""

import sys
from hashlib import sha256
from pathlib import Path
from typing import Final
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from watosfs_fuzz.parsers import corpus
from watosfs_fuzz.parsers.atheris_engine import write_dictionary
from watosfs_fuzz.parsers.catalogue import harnesses
from watosfs_fuzz.parsers.harness import Harness

#: A target names its harness and nothing else; the imports happen where they are instrumented.
TARGET: Final = '''"""OSS-Fuzz target of the harness {name}: {description}."""

import sys

from watosfs_fuzz.parsers.atheris_target import main

if __name__ == "__main__":
    main("{name}", None, sys.argv[1:])
'''


def target_name(harness: Harness) -> str:
    """``fuzz_NAME``, as OSS-Fuzz finds targets."""
    return "fuzz_" + harness.name.replace("-", "_")


def write_seeds(path: Path, inputs: list[bytes]) -> None:
    """A seed corpus as OSS-Fuzz unpacks it: the same bytes for the same inputs."""
    with ZipFile(path, "w", ZIP_DEFLATED) as archive:
        for data in sorted(set(inputs)):
            archive.writestr(ZipInfo(sha256(data).hexdigest()[:40]), data, ZIP_DEFLATED)


def write_targets(folder: Path, corpora: Path | None = None) -> list[Path]:
    """``fuzz_NAME.py``, ``fuzz_NAME.dict`` and ``fuzz_NAME_seed_corpus.zip`` of every harness.

    The target files, by name.
    """
    folder.mkdir(parents=True, exist_ok=True)
    targets = []
    for harness in harnesses():
        name = target_name(harness)
        target = folder / f"{name}.py"
        text = TARGET.format(name=harness.name, description=harness.description)
        target.write_text(text, encoding="utf-8")
        write_dictionary(folder / f"{name}.dict", harness)
        kept = corpus.load(corpora, harness.name) if corpora else []
        write_seeds(folder / f"{name}_seed_corpus.zip", [*harness.seeds(), *kept])
        targets.append(target)
    return targets


if __name__ == "__main__":
    for written in write_targets(Path(sys.argv[1]), *map(Path, sys.argv[2:3])):
        print(written.name)
