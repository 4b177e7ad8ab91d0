"""Fault profiles: clean inside their budgets, and each with a canary that it catches."""

import errno
from pathlib import Path

import pytest

from watosfs_fuzz.cli.main import main
from watosfs_fuzz.crash.log import RecordingDevice
from watosfs_fuzz.faults.campaign import run_profile
from watosfs_fuzz.faults.canaries import FAULT_CANARIES, PROFILE_OF
from watosfs_fuzz.faults.case import case_of, parse_case, text_of
from watosfs_fuzz.faults.device import FaultPlan, FaultyDevice
from watosfs_fuzz.faults.profiles import PROFILES

TRACES, SMOKE_TRACES, OPERATIONS_MAX = 40, 200, 10


@pytest.mark.parametrize("profile", sorted(PROFILES))
def test_nothing_is_wrong_inside_the_budget(profile: str, tmp_path: Path) -> None:
    tally = run_profile(profile, 3, seconds=0, traces=TRACES, out=tmp_path)
    assert not tally.findings, tally.findings[0].read_text()
    assert tally.operations > 5 * TRACES


@pytest.mark.parametrize("profile", sorted(PROFILES))
def test_faults_really_strike(profile: str) -> None:
    assert any(case_of(profile, 4, number).run().struck for number in range(SMOKE_TRACES))


@pytest.mark.parametrize("name", sorted(FAULT_CANARIES))
def test_a_canary_is_caught_by_its_profile_and_replays(name: str, tmp_path: Path) -> None:
    with FAULT_CANARIES[name].plant():
        tally = run_profile(
            PROFILE_OF[name], 0, seconds=0, traces=SMOKE_TRACES, out=tmp_path, canary=name,
            findings_max=1,
        )  # fmt: skip
    assert len(tally.findings) == 1, f"{name} was not caught in {SMOKE_TRACES} traces"
    path = tally.findings[0]
    case, canary = parse_case(path.read_text())
    assert canary == name
    assert len(case.operations) <= OPERATIONS_MAX
    assert main(["faults", "--replay", str(path)]) == 1
    path.write_text(path.read_text().replace(f"# canary: {name}\n", ""))
    assert main(["faults", "--replay", str(path)]) == 0, "without the canary it must be fine"


def test_every_canary_has_its_profile() -> None:
    assert PROFILE_OF.keys() == FAULT_CANARIES.keys()


def test_a_case_is_its_text() -> None:
    for profile in PROFILES:
        case = case_of(profile, 5, 1)
        assert parse_case(text_of(case, "why")) == (case, "")


def test_a_plan_counts_requests_of_its_kind_only() -> None:
    device = FaultyDevice(RecordingDevice(16), FaultPlan("write", 1, every=2))
    failed = []
    for number in range(6):
        device.read(0)
        try:
            device.write(2, bytes(4096))
        except OSError as error:
            failed.append((number, error.errno))
    assert failed == [(1, errno.EIO), (3, errno.EIO), (5, errno.EIO)]
    assert device.fired == 3


def test_a_bad_block_stays_bad_until_the_device_is_healthy() -> None:
    device = FaultyDevice(RecordingDevice(16), FaultPlan("read", 0, is_permanent=True))
    for _ in range(2):
        with pytest.raises(OSError) as caught:
            device.read(3)
        assert caught.value.errno == errno.EIO
    assert bytes(device.read(4)) == bytes(4096)
    device.is_healthy = True
    assert bytes(device.read(3)) == bytes(4096)


def test_the_command_prints_a_line_for_each_profile(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["faults", "flush-once", "--traces", "5", "--out", str(tmp_path)]) == 0
    assert capsys.readouterr().out.startswith("flush-once        5 traces")
    assert main(["faults", "no-such-profile"]) == 2
    assert main(["faults", "--list"]) == 0
    assert len(capsys.readouterr().out.splitlines()) == len(PROFILES)
