"""Lockstep: every kind of planted fault is seen, at the operation where it shows."""

import errno
from dataclasses import replace

import pytest

from tests.fuzz.broken_models import PLANTED
from watosfs_fuzz.lockstep import Lockstep, difference_lines
from watosfs_fuzz.run import Run, RunOptions
from watosfs_fuzz.tally import Settings
from watosfs_fuzz.target import Observed
from watosfs_fuzz.targets import registry
from watosfs_fuzz.targets.model import ModelTarget
from watosfs_fuzz.targets.wfs3 import Wfs3Target
from watosfs_fuzz.worker import run_trace
from watosfs_model import Outcome
from watosfs_model.data import Fill, Literal
from watosfs_model.open_flags import O_CREAT, O_RDWR
from watosfs_model.operations import Close, Mkdir, Open, Operation, Pwrite, Sync, Unlink

OPEN = Open(b"/a", O_CREAT | O_RDWR, 0o644)


def first_failure(target_class: type[ModelTarget], monkeypatch: pytest.MonkeyPatch) -> object:
    monkeypatch.setitem(registry.TARGETS, "planted", ("a planted fault", target_class))
    for number in range(120):
        report = run_trace(Settings(target="planted"), number, {})
        if report.failure is not None:
            return report.failure.key
    return None


@pytest.mark.parametrize("target_class", PLANTED)
def test_a_planted_fault_is_seen(
    target_class: type[ModelTarget], monkeypatch: pytest.MonkeyPatch
) -> None:
    kind, _ = PLANTED[target_class]
    key = first_failure(target_class, monkeypatch)
    assert isinstance(key, tuple)
    assert key[0] == kind


def test_the_model_against_itself_is_clean(monkeypatch: pytest.MonkeyPatch) -> None:
    assert first_failure(ModelTarget, monkeypatch) is None


def test_enospc_on_an_empty_volume_is_a_lie() -> None:
    class Lies(Wfs3Target):
        def apply(self, pid: int, operation: Operation) -> Outcome:
            if isinstance(operation, Mkdir):
                self.operations_done += 1
                return Outcome(None, errno.ENOSPC)
            return super().apply(pid, operation)

    target = Lies()
    target.start()
    _, failure = Lockstep(target).apply(Mkdir(b"/a", 0o755))
    assert failure is not None
    assert failure.key == ("space", "mkdir")


def test_enospc_on_a_full_volume_is_the_truth() -> None:
    run = Run(Wfs3Target(), RunOptions(crashes=False))
    run.apply(OPEN)
    errnos = [run.apply(Pwrite(3, Fill(1, 65536), i * 65536)).errno for i in range(20)]
    assert run.report.failure is None
    assert errno.ENOSPC in errnos


def test_a_sync_may_never_say_enospc() -> None:
    class Lies(Wfs3Target):
        def apply(self, pid: int, operation: Operation) -> Outcome:
            outcome = super().apply(pid, operation)
            return Outcome(None, errno.ENOSPC) if isinstance(operation, Sync) else outcome

    target = Lies()
    target.start()
    _, failure = Lockstep(target).apply(Sync())
    assert failure is not None
    assert failure.key == ("outcome", "sync")


def test_damage_far_from_the_operation_is_seen_at_once() -> None:
    class Forgets(ModelTarget):
        def observe(self) -> Observed:
            tree, files = super().observe()
            return {p: e for p, e in tree.items() if p != b"/a" or b"/b" not in tree}, files

    target = Forgets()
    target.start()
    lockstep = Lockstep(target)
    assert lockstep.apply(Mkdir(b"/a", 0o755))[1] is None
    _, failure = lockstep.apply(Mkdir(b"/b", 0o755))
    assert failure is not None
    assert failure.key == ("state", "mkdir")
    assert "/a: is missing" in failure.story


def test_an_unlinked_open_file_stays_under_observation() -> None:
    class Truncates(ModelTarget):
        def observe(self) -> Observed:
            tree, files = super().observe()
            wrong = {fd: (*e[:5], 0, *e[6:]) if e[4] == 0 else e for fd, e in files.items()}
            return tree, wrong

    target = Truncates()
    target.start()
    lockstep = Lockstep(target)
    for operation in (OPEN, Pwrite(3, Literal(b"abc"), 0)):
        assert lockstep.apply(operation)[1] is None
    _, failure = lockstep.apply(Unlink(b"/a"))
    assert failure is not None
    assert "descriptor 3: size is 0, should be 3" in failure.story


def test_a_difference_names_the_first_byte() -> None:
    target = ModelTarget()
    for operation in (OPEN, Pwrite(3, Fill(1, 5000), 0), Close(3)):
        target.apply(1, operation)
    due = target.observe()
    entry = due[0][b"/a"]
    content = bytes(str(entry[9]), "latin-1") if not isinstance(entry[9], bytes) else entry[9]
    wrong = content[:4097] + bytes([content[4097] ^ 1]) + content[4098:]
    found = ({**due[0], b"/a": (*entry[:9], wrong, *entry[10:])}, due[1])
    assert any("from byte 4097 on" in line for line in difference_lines(due, found))


def test_an_exception_is_a_finding_and_not_the_end_of_the_campaign() -> None:
    class Breaks(ModelTarget):
        def apply(self, pid: int, operation: Operation) -> Outcome:
            raise RuntimeError("no contract allows this")

    run = Run(Breaks(), replace(RunOptions(), crashes=False))
    run.apply(OPEN)
    assert run.report.failure is not None
    assert run.report.failure.key == ("exception", "RuntimeError in apply")
