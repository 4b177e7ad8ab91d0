"""Campaigns, commands and the Hypothesis machine on the built-in target."""

import json
from pathlib import Path

import pytest
from hypothesis import settings as hypothesis_settings
from hypothesis.stateful import run_state_machine_as_test

from watosfs_fuzz.campaign import run_campaign
from watosfs_fuzz.cli.main import main
from watosfs_fuzz.crash.log import FLUSH, Event, Write
from watosfs_fuzz.epochs import epoch_problem
from watosfs_fuzz.machine import LockstepMachine
from watosfs_fuzz.tally import Settings
from watosfs_fuzz.targets.wfs3 import Wfs3Target

TRACE = """\
# target: wfs3
# blocks: 256
mkdir "/d" 0o755
open "/d/f" O_CREAT|O_RDWR 0o644
pwrite 3 fill(7,5000) 0
fsync 3
rename "/d/f" "/g"
begin
unlink "/g"
commit
"""


def test_the_same_seed_and_budget_give_the_same_run_byte_for_byte(tmp_path: Path) -> None:
    texts = []
    for name in ("one", "two"):
        settings = Settings(seed=5, seconds=None, operations=1500)
        run_campaign(settings, tmp_path / name, lambda tally: None)
        texts.append((tmp_path / name / "summary.json").read_bytes())
    assert texts[0] == texts[1]


def test_a_short_campaign_finds_nothing_and_leaves_no_image_out(tmp_path: Path) -> None:
    settings = Settings(seed=11, seconds=None, operations=3000, nested=1)
    tally = run_campaign(settings, tmp_path, lambda tally: None)
    assert not tally.findings
    summary = json.loads((tmp_path / "summary.json").read_text())
    assert summary["operations"] >= 3000
    assert summary["recoveries"] > 100
    assert summary["images_left_out"] == "0"


def test_crash_and_replay_of_a_sound_trace_exit_with_0(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "sound.trace"
    path.write_text(TRACE)
    assert main(["crash", str(path), "--nested", "1"]) == 0
    assert "images left out" in capsys.readouterr().out
    assert main(["replay", str(path)]) == 0


def test_wrong_usage_exits_with_2(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["replay", str(tmp_path / "missing.trace")]) == 2
    bad = tmp_path / "bad.trace"
    bad.write_text('mkdir "/d"\n')
    assert main(["replay", str(bad)]) == 2
    assert "line 1" in capsys.readouterr().err
    with pytest.raises(SystemExit) as caught:
        main(["campaign", "--target", "nothing"])
    assert caught.value.code == 2


def test_the_hypothesis_machine_runs_clean() -> None:
    run_state_machine_as_test(
        LockstepMachine,
        settings=hypothesis_settings(max_examples=8, stateful_step_count=20, deadline=None),
    )


def test_the_epoch_check_sees_what_it_must() -> None:
    target = Wfs3Target()
    target.start()
    target.volume.mkdir(b"/d")
    target.volume.sync()
    assert target.epoch_problem() is None
    events: list[Event] = list(target.device.events)
    root = target.volume.superblock.root_tree_block
    overwrite = [*events, Write(root, bytes(4096)), FLUSH]
    problem = epoch_problem(target.base, overwrite, target.block_count)
    assert problem is not None
    assert "durable root reaches" in problem
    flushes = [i for i, event in enumerate(events) if event is FLUSH]
    shared = [event for i, event in enumerate(events) if i != flushes[-2]]
    problem = epoch_problem(target.base, shared, target.block_count)
    assert problem is not None
    assert "shares its epoch" in problem
