"""What is measured beside the file systems' own works: system calls a second, and the fuzzer."""

from collections.abc import Callable
from importlib import import_module


def system_calls(who: str) -> Callable[[], dict[str, float]]:
    """The rates of ``who`` (ours, host, fake), imported when asked for: pyfakefs may be missing."""

    def rates() -> dict[str, float]:
        measured = getattr(import_module("benchmarks.system_calls"), who)()
        assert isinstance(measured, dict)
        return measured

    return rates


def ours() -> dict[str, float]:
    """System calls, lockstep and crash recoveries."""
    fuzzing = import_module("benchmarks.fuzzing")
    return {
        **system_calls("ours")(),
        "lockstep": fuzzing.lockstep_rate(),
        "crash": fuzzing.crash_rate(),
    }


#: By the subject in whose column they stand.
RATES: dict[str, Callable[[], dict[str, float]]] = {
    "wfs3": ours,
    "disk": system_calls("host"),
    "pyfakefs": system_calls("fake"),
}
