"""The engine ``atheris``: libFuzzer with branch feedback over one harness, in a process of its own.

Seeds, kept corpus and dictionary are files in a work folder, as libFuzzer wants them; what it adds
to the corpus stays there when the caller named the folder.
"""

import importlib.util
import re
import subprocess
import sys
import time
from hashlib import sha256
from pathlib import Path
from typing import Final

from watosfs_fuzz.parsers import findings
from watosfs_fuzz.parsers.dictionary import libfuzzer_text
from watosfs_fuzz.parsers.harness import Failure, Harness, execute
from watosfs_fuzz.parsers.loop import Tally
from watosfs_fuzz.parsers.mutators import INPUT_BYTES_MAX

MISSING: Final = "atheris is missing: pip install 'watosfs[parsers]'"
_UNITS = re.compile(r"stat::number_of_executed_units:\s*(\d+)")
_FOUND_STATUS: Final = 77
_SHOWN: Final = 2000


def is_installed() -> bool:
    """Whether Atheris can be imported; it is not, here: that would be too late or too early."""
    return importlib.util.find_spec("atheris") is not None


def write_corpus(folder: Path, inputs: list[bytes]) -> Path:
    """Inputs as files, named as libFuzzer names its own."""
    folder.mkdir(parents=True, exist_ok=True)
    for data in inputs:
        (folder / sha256(data).hexdigest()[:40]).write_bytes(data)
    return folder


def write_dictionary(path: Path, harness: Harness) -> Path:
    """The harness' words for libFuzzer."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(libfuzzer_text(harness.words()), encoding="ascii")
    return path


def run(
    harness: Harness,
    kept: list[bytes],
    *,
    work: Path,
    out: Path,
    seed: int = 0,
    seconds: float | None = None,
    executions: int | None = None,
) -> Tally:
    """Fuzz until the budget ends or an input fails.

    ValueError: Atheris is not installed. RuntimeError: libFuzzer failed for another reason.
    """
    if not is_installed():
        raise ValueError(MISSING)
    corpus = write_corpus(work / harness.name, [*harness.seeds(), *kept])
    words = write_dictionary(work / f"{harness.name}.dict", harness)
    before = set(out.glob(f"{harness.name}-*{findings.SUFFIX}"))
    arguments = [
        "-print_final_stats=1", f"-seed={seed + 1}", f"-max_len={INPUT_BYTES_MAX}",
        "-len_control=0", f"-dict={words}", f"-artifact_prefix={work}/crash-",
    ]  # fmt: skip
    if executions is not None:
        arguments.append(f"-runs={executions}")
    if seconds is not None:
        arguments.append(f"-max_total_time={max(1, round(seconds))}")
    target = [sys.executable, "-m", "watosfs_fuzz.parsers.atheris_target"]
    started = time.monotonic()
    done = subprocess.run(
        [*target, harness.name, str(out), *arguments, str(corpus)],
        capture_output=True, check=False, stdin=subprocess.DEVNULL,
    )  # fmt: skip
    printed = (done.stdout + done.stderr).decode("utf-8", "replace")
    units = _UNITS.search(printed)
    tally = Tally(harness.name, seconds=time.monotonic() - started)
    tally.executions = int(units[1]) if units else 0
    for path in sorted(set(out.glob(f"{harness.name}-*{findings.SUFFIX}")) - before):
        result = execute(harness, path.read_bytes())
        if not isinstance(result, Failure):
            raise RuntimeError(f"{path} failed under atheris and does not here")
        tally.failures[result.key] = result
    tally.kept = [path.read_bytes() for path in sorted(corpus.iterdir())]
    if done.returncode and not tally.failures:
        raise RuntimeError(f"libFuzzer ended with {done.returncode}:\n{printed[-_SHOWN:]}")
    return tally
