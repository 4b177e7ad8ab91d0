"""Every command in README and docs runs, on a smaller budget where it would take minutes."""

import os
import re
import shlex
import shutil
import subprocess
import sys
from importlib.metadata import entry_points
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.docs.commands import ROOT, Command, commands

#: What stands for something of the reader's.
PLACEHOLDERS = {
    "exec:./my_adapter": "exec:python3 fuzz/examples/journal_store.py",
    "exec:./mydriver": "exec:python3 fuzz/examples/journal_store.py",
    "findings/ID.trace": "tests/regressions/second-flush-missing.trace",
    "findings/wfs2-image-0123456789.input": "README.md",
    "some.img": "README.md",
    "FINDING": "tests/regressions/second-flush-missing.trace",
    " DIR": " a-folder",
    "dir:/dev/shm": "dir:.",
}
#: Smaller budgets: what is replaced, by what.
BUDGETS = (
    (r"--seconds \d+", "--seconds 1"),
    (r"--scripts \d+", "--scripts 20"),
    (r"registers --calls \d+", "registers --calls 2000"),
    (r"interleave --calls \d+ --jobs 2", "interleave --calls 1"),
    (r"search --depth 4", "search --depth 2"),
    (r"--depth 11", "--depth 3"),
    (r"interrupt --nested 2", "interrupt wfs3-mkfs --nested 1"),
    (r"watosfs-fuzz faults --seconds 1$", "watosfs-fuzz faults write-once --seconds 1"),
    (r"--executions 1000", "--executions 100"),
    (r"--watosfs-seconds \d+", "--watosfs-seconds 1"),
    (r"parsers --seconds 1$", "parsers --harness wfs3-superblock --seconds 1"),
    (r"watosfs-prove --mutants", "watosfs-prove --help --mutants"),
    (r"watosfs-prove(?! --(only|help|canary))", "watosfs-prove --only extents.add"),
    (r"exhaust --ops 1 --nested 2", "exhaust --ops 1"),
    (r"--watosfs-target (\S+ \S+|\S+)$", r"--watosfs-target \1 --watosfs-seconds 1"),
    (r"(?<=-m pytest)(?= --watosfs)", " --rootdir . -p no:cacheprovider fuzz/examples"),
    (r"verify (?!.*--seconds)", "verify --seconds 0 "),
    (r"verify --seconds 1", "verify --seconds 0"),
    (r"(campaign (?!.*(--seconds|--scripts)).*)", r"\1 --seconds 5"),
    (r"campaign --seconds 1 --canary", "campaign --seconds 10 --findings-max 1 --canary"),
)
#: Exit statuses that are right besides 0: something was found, or the small budget ran out.
STATUS = (
    (r"--canary|--early-commit|watosfs-fuzz (replay|crash) ", {1}),
    (r"verify", {2}),
    (r"exhaust --ops 2|search", {0, 3}),
)
#: Run elsewhere, or only where the machine permits.
ELSEWHERE = {
    "make": ".ci/run runs make test; the others are its parts",
    "python3 -m venv": "what make does, and .ci/run makes",
    "dask ": "tests/fuzz/test_cluster.py starts them",
    "watosfs-fuzz campaign --seconds 28800 --scheduler": "likewise, with a campaign on them",
}


#: Commands with this word run only where this holds.
NEEDS = {
    "atheris": lambda: find_spec("atheris") is not None,  # the extra 'parsers'
    "littlefs": lambda: find_spec("littlefs") is not None,  # the extra 'targets'
    "dir:": lambda: os.getuid() == 0,  # scripts run in a chroot
    "--watosfs-target": lambda: any(
        point.value == "watosfs_fuzz.pytest_plugin" for point in entry_points(group="pytest11")
    ),  # a venv from before the plugin was there
}


def smaller(text: str) -> str:
    """The command as it is run here."""
    for written, used in PLACEHOLDERS.items():
        text = text.replace(written, used)
    for pattern, budget in BUDGETS:
        text = re.sub(pattern, budget, text)
    return text


def statuses(text: str) -> set[int]:
    """The exit statuses that are right."""
    return next((due for pattern, due in STATUS if re.search(pattern, text)), {0})


def argv_of(text: str) -> list[str]:
    """Words, with our programs as modules of this interpreter."""
    program, *words = shlex.split(text)
    modules = {
        "watosfs": "watosfs",
        "watosfs-fuzz": "watosfs_fuzz",
        "watosfs-prove": "watosfs_proofs",
    }
    if program in modules:
        return [sys.executable, "-m", modules[program], *words]
    return [sys.executable if program.startswith("python") else program, *words]


ALL = list(commands())


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A clone's worth of files, to write into."""
    made = tmp_path / "reader"
    for name in ("fuzz/examples", "tests/regressions", "tests/found"):
        shutil.copytree(ROOT / name, made / name)
    shutil.copy(ROOT / "README.md", made)
    for words in (["init", "-q"], ["add", "."], ["commit", "-qm", "1"], ["commit", "-qm", "2"]):
        person = ["-c", "user.name=t", "-c", "user.email=t@example.org"]
        more = ["--allow-empty"] if words[0] == "commit" else []
        subprocess.run(["git", *person, *words, *more], cwd=made, check=True)
    return made


def test_documents_have_commands() -> None:
    assert {command.document for command in ALL} >= {"README.md", "docs/TARGETS.md"}
    assert len(ALL) > 40


@pytest.mark.parametrize("document", sorted({command.document for command in ALL}))
def test_the_commands_of_a_document_do_what_they_should(document: str, folder: Path) -> None:
    for command in ALL:
        if command.document == document:
            try_out(command, folder)


def try_out(command: Command, folder: Path) -> None:
    """Run it in the folder, in which those before it in its document have run."""
    text = command.text
    if any(text.startswith(begin) for begin in ELSEWHERE):
        subprocess.run(["bash", "-n", "-c", text], check=True)
        return
    if any(word in text and not is_there() for word, is_there in NEEDS.items()):
        return
    small = smaller(text)
    done = subprocess.run(
        argv_of(small), cwd=folder, capture_output=True, text=True, check=False, timeout=300
    )
    told = f"{command}: {small}\n{done.stdout[-1500:]}\n{done.stderr[-1500:]}"
    assert done.returncode in statuses(small), told
    assert "Traceback" not in done.stderr, told


def test_a_wrong_command_is_caught(folder: Path) -> None:
    with pytest.raises(AssertionError, match="unrecognized arguments"):
        try_out(Command("x", 1, "watosfs-fuzz campaign --secondz 1"), folder)
