"""Breaking the descriptor calls refutes their proofs."""

from types import ModuleType

import pytest

from tests.proofs.variants import variant
from watosfs.kernel import descriptors, kernel, process
from watosfs_proofs.descriptor_obligations import descriptor_obligations
from watosfs_proofs.descriptor_world import Calls
from watosfs_proofs.obligation import PROVED, REFUTED, settle
from watosfs_proofs.process_obligations import process_obligations

#: (what is broken, module, obligation, text, its replacement, which occurrence)
VARIANTS = [
    ("the search starts one late", process, "lowest_free", "number = first", "number = first + 1",
     0),
    ("every other number", process, "lowest_free", "number += 1", "number += 2", 0),
    ("one beyond the limit", process, "lowest_free", "number >= self.limit",
     "number > self.limit", 0),
    ("one below the limit is refused", process, "lowest_free", "number >= self.limit",
     "number >= self.limit - 1", 0),
    ("the search starts at 0", descriptors, "fcntl F_DUPFD", "process.lowest_free(argument)",
     "process.lowest_free()", 0),
    ("dup closes on exec", descriptors, "dup", "description, False)", "description, True)", 0),
    ("dup does not look whether it is open", process, "dup", "if found is None:", "if False:", 0),
    ("F_DUPFD_CLOEXEC does not close on exec", descriptors, "fcntl F_DUPFD",
     "command == F_DUPFD_CLOEXEC", "False", 0),
    ("not counted", kernel, "dup", "        description.references += 1\n", "", 0),
    ("the new number is not closed", descriptors, "dup2",
     "    if new in process.descriptors:\n        kernel.remove(process, new)\n", "", 0),
    ("the old one is closed", descriptors, "dup2", "kernel.remove(process, new)",
     "kernel.remove(process, old)", 0),
    ("onto itself closes it", descriptors, "dup2",
     "    if old == new:\n        return new\n", "", 0),
    ("the description dies on its way", descriptors, "dup2",
     "    description.references += 1\n    if new in", "    if new in", 0),
    ("counted on its way, and ever after", descriptors, "dup2",
     "    description.references -= 1\n    return kernel", "    return kernel", 0),
    ("dup3 onto itself", descriptors, "dup2", "old == new or flags", "flags", 0),
    ("beyond the limit", descriptors, "dup2", "0 <= new < process.limit", "0 <= new", 0),
    ("close does not release", kernel, "close", "if not description.references:", "if False:", 0),
    ("close releases too early", kernel, "close", "if not description.references:", "if True:", 0),
    ("close forgets to count", kernel, "close", "        description.references -= 1\n", "", 0),
    ("locks stay after a close", kernel, "close",
     "        self.record_locks.drop_process(description.identity, process.pid)\n", "", 0),
    ("the lock of the description stays", kernel, "close",
     "            self.flocks.drop(description)\n", "", 0),
    ("F_SETFD sets always", descriptors, "fcntl F_SETFD", "argument & FD_CLOEXEC != 0", "True", 0),
    ("F_GETFD says no", descriptors, "fcntl F_SETFD", "return FD_CLOEXEC if", "return 0 if", 0),
    ("a flag that cannot be set is set", descriptors, "fcntl F_SETFL",
     "description.flags & ~settable | argument & settable", "argument", 0),
    ("an unknown command passes", descriptors, "fcntl F_SETFL", "    raise failure(errno.EINVAL)\n"
     "\n\ndef umask", "    return 0\n\n\ndef umask", 0),
    ("dup3 takes any flag", descriptors, "dup2", "old == new or flags & ~O_CLOEXEC", "old == new",
     0),
    ("a negative number is taken", descriptors, "dup2", "if not 0 <= new < process.limit",
     "if not new < process.limit", 0),
    ("F_DUPFD from anywhere", descriptors, "fcntl F_DUPFD", "if not 0 <= argument < process.limit",
     "if False", 0),
    ("any number of processes", descriptors, "fork", ">= PROCESSES_MAX", "> PROCESSES_MAX", 0),
    ("exit commits", descriptors, "exit", "commits=False", "commits=True", 0),
    ("exit aborts another's", descriptors, "exit", "volume.owner == process.pid",
     "volume.owner != process.pid", 0),
    ("the child's are not counted", descriptors, "fork",
     "kernel.install(child, number, description, closes)",
     "child.descriptors[number] = Descriptor(description, closes)", 0),
    ("the child's stay open", descriptors, "fork", "(child, number, description, closes)",
     "(child, number, description, False)", 0),
    ("exec closes the others", descriptors, "execve", "if descriptor.closes_on_exec",
     "if not descriptor.closes_on_exec", 0),
    ("exit leaves one", descriptors, "exit", "in list(process.descriptors):",
     "in list(process.descriptors)[1:]:", 0),
]  # fmt: skip


@pytest.mark.parametrize(("what", "module", "name", "old", "new", "occurrence"), VARIANTS)
def test_a_broken_descriptor_call_is_refuted(
    what: str, module: ModuleType, name: str, old: str, new: str, occurrence: int
) -> None:
    broken = variant(module, old, new, occurrence=occurrence)
    modules = [broken if each is module else each for each in (descriptors, kernel, process)]
    obligations = [*descriptor_obligations(*modules), *process_obligations(*modules)]
    (chosen,) = [o for o in obligations if o.name.partition(".")[2] == name]
    result = settle(chosen)
    assert result.verdict == REFUTED, f"{what}: {result.reason}"


def test_an_unedited_copy_is_proved() -> None:
    same = variant(descriptors, "return new", "return new")
    assert {settle(each).verdict for each in descriptor_obligations(same)} == {PROVED}


def test_what_is_proved_is_what_production_imports() -> None:
    calls = Calls()
    assert calls.calls.dup2.__code__ is descriptors.dup2.__code__
    assert calls.process.lowest_free.__code__ is process.Process.lowest_free.__code__
    assert calls.kernel.remove.__code__ is kernel.Kernel.remove.__code__
