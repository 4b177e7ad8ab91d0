"""Foreign programs: the example's planted bug is found, and nothing a program does stops us."""

import base64
import json
import shlex
import sys
from pathlib import Path

import pytest

from watosfs_fuzz.campaign import run_campaign
from watosfs_fuzz.case import Case
from watosfs_fuzz.cli.main import main
from watosfs_fuzz.crash.log import Write
from watosfs_fuzz.crash.windows import windows
from watosfs_fuzz.findings import read_finding
from watosfs_fuzz.program.session import ProgramFailure
from watosfs_fuzz.program.target import ExecTarget
from watosfs_fuzz.run import Run, RunOptions
from watosfs_fuzz.tally import Settings
from watosfs_fuzz.target import Geometry
from watosfs_model.data import Fill, Literal
from watosfs_model.open_flags import O_CREAT, O_RDWR
from watosfs_model.operations import Crash, Fsync, Open, Operation, Pwrite, Rename, Sync

EXAMPLE = Path(__file__).parents[2] / "fuzz" / "examples" / "journal_store.py"
SMALL: tuple[Operation, ...] = (
    Open(b"/a", O_CREAT | O_RDWR, 0o644),
    Pwrite(3, Literal(b"a"), 0),
    Fsync(3),
    Rename(b"/a", b"/b"),
    Crash(),
    Sync(),
)


def example(*arguments: str) -> str:
    return "exec:" + shlex.join([sys.executable, str(EXAMPLE), *arguments])


def test_the_planted_bug_of_the_example_is_found_and_made_short_survives_crash(
    tmp_path: Path,
) -> None:
    settings = Settings(target=example("--early-commit"), seconds=None, operations=2000,
                        findings_max=1)  # fmt: skip
    tally = run_campaign(settings, tmp_path, lambda tally: None)
    (finding,) = tally.findings
    assert finding.failure.kind == "crash"
    assert len(finding.case.operations) <= 4
    assert finding.choice is not None
    assert not finding.case.cuts
    path = tmp_path / f"{finding.identity}.trace"
    assert read_finding(path).case == finding.case
    assert main(["replay", str(path)]) == 1
    sound = tmp_path / "sound.trace"
    sound.write_text(path.read_text().replace(" --early-commit", ""))
    assert main(["crash", str(sound)]) == 0


def test_the_example_without_the_bug_passes_survives_crash(tmp_path: Path) -> None:
    settings = Settings(target=example(), seed=3, seconds=None, operations=1200, nested=1)
    tally = run_campaign(settings, tmp_path, lambda tally: None)
    assert not tally.findings
    assert tally.exploration.recoveries > 100
    assert not tally.exploration.images_left_out


@pytest.mark.parametrize("arguments", [(), ("--eager",)])
def test_whole_images_and_reads_on_demand_come_to_the_same_survives_crash(
    arguments: tuple[str, ...],
) -> None:
    sound = Case(SMALL, (0,), example(*arguments), Geometry(16)).run()
    assert sound.failure is None
    assert sound.exploration.images > 10
    broken = Case(SMALL, (0,), example("--early-commit", *arguments), Geometry(16)).run()
    assert broken.failure is not None
    assert broken.failure.key == ("crash", "state")


# -- programs that misbehave

HELLO = {"protocol": 1, "operations": ["open", "sync"], "may_refuse": True}
TREE = {"tree": {"/": {"kind": "directory", "size": 0, "content": None}}}
#: A program that answers well, save where ``{misdeed}`` says otherwise.
PROGRAM = """
import json, os, sys
replies = {{"hello": {hello}, "start": {{}}, "apply": {{}}, "observe": {tree}}}
for line in sys.stdin:
    call = json.loads(line)["call"]
    reply = json.dumps(replies.get(call, {{}}))
    if call == {call!r}:
        {misdeed}
    print(reply, flush=True)
"""
MISDEEDS = {
    "says nothing": ("continue", "ProgramTimedOut"),
    "exits": ("sys.stderr.write('out of luck'); sys.exit(3)", "ProgramDied"),
    "is killed": ("os.kill(os.getpid(), 11)", "ProgramDied"),
    "closes its output": ("os.close(1)", "ProgramDied"),
    "talks garbage": ("reply = 'not JSON'", "ProgramTalkedGarbage"),
    "sends a number": ("reply = '7'", "ProgramTalkedGarbage"),
    "sends deep JSON": ("reply = '[' * 100000", "ProgramTalkedGarbage"),
    "never ends its line": ("\n        while True: sys.stdout.write('x' * 65536)", None),
    "complains for ever": (
        "\n        while True: sys.stderr.write('x' * 65536)", "ProgramTimedOut",
    ),
    "asks for ever": (
        "\n        while True: print(json.dumps({'read': [0, 512]}), flush=True)", None,
    ),
    "reads outside": ("reply = json.dumps({'read': [1 << 40, 512]})", "ProgramTalkedGarbage"),
    "reads half a sector": ("reply = json.dumps({'read': [1, 7]})", "ProgramTalkedGarbage"),
    "reads nonsense": ("reply = json.dumps({'read': 'x'})", "ProgramTalkedGarbage"),
    "logs a strange flag": (
        "reply = json.dumps({'log': [['write', 0, '', 'now']]})", "ProgramTalkedGarbage",
    ),
    "logs nonsense": ("reply = json.dumps({'log': [['write', 'x', 'y']]})", "ProgramTalkedGarbage"),
    "logs half sectors": (
        "reply = json.dumps({'log': [['write', 3, 'AAAA']]})", "ProgramTalkedGarbage",
    ),
    "knows other errnos": ("reply = json.dumps({'errno': 'EWHATEVER'})", "ProgramTalkedGarbage"),
}  # fmt: skip


def program(tmp_path: Path, call: str, misdeed: str, hello: object = HELLO) -> str:
    path = tmp_path / "program.py"
    path.write_text(PROGRAM.format(hello=hello, tree=TREE, call=call, misdeed=misdeed))
    return shlex.join([sys.executable, str(path)])


@pytest.mark.parametrize("name", MISDEEDS)
def test_a_program_that_misbehaves_is_a_finding_and_no_hang(name: str, tmp_path: Path) -> None:
    misdeed, expected = MISDEEDS[name]
    target = ExecTarget(program(tmp_path, "apply", misdeed), Geometry(16), timeout_seconds=1)
    run = Run(target, RunOptions())
    run.apply(Sync())
    failure = run.report.failure
    assert failure is not None
    assert failure.kind == "exception"
    assert expected is None or failure.subject.startswith(expected)
    if name == "exits":
        assert "exited with 3" in failure.story
        assert "out of luck" in failure.story
    target.close()


def test_a_program_that_does_not_read_is_a_finding_and_no_hang(tmp_path: Path) -> None:
    # It never reads the line after start, which is longer than a pipe holds.
    stop = "print(reply, flush=True); os.close(0); os.read(os.pipe()[0], 1)"
    command = program(tmp_path, "start", stop, HELLO | {"operations": ["pwrite"]})
    run = Run(ExecTarget(command, Geometry(16), timeout_seconds=1), RunOptions())
    run.apply(Pwrite(3, Fill(1, 1 << 20), 0))
    assert run.report.failure is not None
    assert run.report.failure.subject.startswith("Program")


@pytest.mark.parametrize(
    ("hello", "problem"),
    [
        ({"protocol": 2}, "speaks protocol 2, we speak 1"),
        ({"operations": ["fly"]}, "no such operations: fly"),
        ({"operations": []}, "lacks its list of operations"),
        ({"fields": ["kind"]}, "must show"),
        ({"fields": ["kind", "size", "content", "colour"]}, "no such fields"),
        ({"names": "["}, "names: "),
        ({"recovery": "hope"}, "recovery is 'hope'"),
        ({"file_bytes_max": 1 << 40}, "file_bytes_max"),
        ({"open_flags": ["O_MAGIC"]}, "O_MAGIC"),
        ({"operations": ["stat"]}, "whole entries"),
    ],
)
def test_a_handshake_that_we_do_not_understand_is_refused_in_words(
    hello: dict[str, object], problem: str, tmp_path: Path
) -> None:
    with pytest.raises(ProgramFailure) as caught:
        ExecTarget(program(tmp_path, "", "pass", HELLO | hello), Geometry(16), timeout_seconds=5)
    assert problem in str(caught.value)
    assert "program.py" in str(caught.value)


def test_a_command_that_does_not_exist_exits_with_2(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    target = "exec:no-such-program-anywhere"
    assert main(["campaign", "--target", target, "--out", str(tmp_path)]) == 2
    assert "cannot be started" in capsys.readouterr().err


def test_a_trace_beyond_the_dialect_is_refused_in_words(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "beyond.trace"
    path.write_text(f'# target: {example()}\nmkdir "/a" 0o755\n')
    assert main(["replay", str(path)]) == 2
    assert "cannot do mkdir" in capsys.readouterr().err


def test_refusals_are_seen_and_change_nothing(tmp_path: Path) -> None:
    refuse = "reply = json.dumps({'errno': 'EOPNOTSUPP'})"
    target = ExecTarget(program(tmp_path, "apply", refuse), Geometry(16))
    run = Run(target, RunOptions())
    run.apply(Sync())
    assert run.report.failure is None
    assert target.statistics() == {"refusals": 1}
    strict = program(tmp_path, "apply", refuse, json.loads(json.dumps(HELLO)) | {"may_refuse": 0})
    run = Run(ExecTarget(strict + " strict", Geometry(16)), RunOptions())
    run.apply(Sync())
    assert run.report.failure is not None
    assert run.report.failure.key == ("outcome", "sync")


def test_a_write_with_fua_is_durable_and_orders_nothing_before_it() -> None:
    target = ExecTarget(example().removeprefix("exec:"), Geometry(16))
    target.start()
    data = base64.b64encode(b"x" * 512).decode()
    target.device.events.clear()
    target.record({"log": [["write", 4096, data], ["write", 8192, data, "fua"]]})
    assert [event.fua for event in target.device.events if isinstance(event, Write)] == [
        False,
        True,
    ]
    crash = list(windows(target.base, target.device.events))[-1]
    assert crash.versions.keys() == {1}
    assert crash.durable[2][:512] == b"x" * 512
    target.close()
