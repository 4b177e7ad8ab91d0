"""``pytest --watosfs-target exec:./mydriver``: another project's file system as pytest items.

For each target two items: whether it conforms to the interface (``target_conformance``), and a
campaign against the model, power cuts included. Nothing happens, and nothing is imported, without
the option.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

_CONFORMANCE, _CAMPAIGN = "conforms", "campaign"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Our options."""
    group = parser.getgroup("watosfs", "fuzz a file system with watosfs")
    group.addoption(
        "--watosfs-target",
        action="append",
        default=[],
        metavar="TARGET",
        help="a target of `watosfs-fuzz targets`, such as exec:./mydriver; may be repeated",
    )
    group.addoption(
        "--watosfs-seconds", type=float, default=30.0, help="of campaign for each target (30)"
    )
    group.addoption("--watosfs-seed", type=int, default=0, help="where the randomness starts (0)")
    group.addoption("--watosfs-canary", default=None, help="fuzz a broken variant")
    group.addoption(
        "--watosfs-out", type=Path, default=Path("findings"), help="for findings (findings)"
    )


class FindingsError(Exception):
    """The campaign found something; the text is what there is to know."""


class TargetItem(pytest.Item):
    """One of the two things that are asked of a target."""

    target: str

    def runtest(self) -> None:
        """Do it; raises FindingsError, or what the target let out."""
        if self.name.startswith(_CONFORMANCE):
            conform(self.target)
        else:
            fuzz(self.target, self.config)

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """A finding is a text, not a traceback of ours."""
        if isinstance(excinfo.value, FindingsError):
            return str(excinfo.value)
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Path, None, str]:
        """Where pytest says that it is."""
        return self.path, None, f"watosfs {self.name}"


def pytest_collection_modifyitems(
    session: pytest.Session, config: pytest.Config, items: list[pytest.Item]
) -> None:
    """Our items come after the project's own."""
    items += items_of(session, config)


def items_of(session: pytest.Session, config: pytest.Config) -> Iterator[pytest.Item]:
    """Two for each target."""
    for target in config.getoption("--watosfs-target"):
        for what in (_CONFORMANCE, _CAMPAIGN):
            item: TargetItem = TargetItem.from_parent(session, name=f"{what}[{target}]")
            item.target = target
            yield item


@pytest.hookimpl(tryfirst=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """A project whose only tests are ours has collected something."""
    if session.testscollected == 0 and session.config.getoption("--watosfs-target"):
        session.testscollected = len(session.items)


def conform(name: str) -> None:
    """Raises AssertionError, or what the target lets out, when it breaks the interface."""
    from hypothesis import settings
    from hypothesis.stateful import run_state_machine_as_test

    from watosfs_fuzz.target import Geometry, Target
    from watosfs_fuzz.target_conformance import TargetConformance
    from watosfs_fuzz.targets.registry import make_target

    class Conforms(TargetConformance):
        def make_target(self) -> Target:
            return make_target(name, Geometry(64))

    run_state_machine_as_test(
        Conforms,
        settings=settings(max_examples=20, stateful_step_count=10, deadline=None, database=None),
    )


def fuzz(name: str, config: pytest.Config) -> None:
    """A campaign. Raises FindingsError."""
    from watosfs_fuzz.campaign import run_campaign
    from watosfs_fuzz.tally import Settings

    out: Path = config.getoption("--watosfs-out")
    settings = Settings(
        target=name,
        seconds=config.getoption("--watosfs-seconds"),
        seed=config.getoption("--watosfs-seed"),
        canary=config.getoption("--watosfs-canary"),
        findings_max=1,
    )
    tally = run_campaign(settings, out, lambda tally: None)
    texts = [
        f"{finding.failure.kind}: {finding.failure.subject}\n{finding.failure.story}\n"
        + "\n".join(finding.report)
        + f"\nwatosfs-fuzz replay {out / finding.identity}.trace"
        for finding in tally.findings
    ]
    if texts:
        raise FindingsError("\n\n".join(texts))
