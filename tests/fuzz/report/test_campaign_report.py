"""Metrics of campaigns, and the page made of them."""

import json
import sqlite3
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fuzz.report.browser import Browser, browser
from tests.fuzz.report.test_html_in_browser import CONTRAST
from watosfs_fuzz.cli.main import main
from watosfs_fuzz.metrics import Recorder, opened, read
from watosfs_fuzz.report.campaign import chance_of_news, page, write_page
from watosfs_fuzz.report.plots import curve
from watosfs_fuzz.tally import Settings, Tally

CONTRAST_MIN = 4.5


@pytest.fixture(scope="module")
def metrics(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("metrics")
    path = folder / "metrics.db"
    common = ["campaign", "--metrics", str(path), "--out", str(folder / "findings"), "--json"]
    assert main([*common, "--ops", "300"]) == 0
    planted = ["--canary", "modified-in-place", "--findings-max", "1", "--ops", "4000"]
    assert main([*common, *planted]) == 1
    return path


def test_the_file_has_what_the_campaigns_did(metrics: Path) -> None:
    first, second = read(metrics)
    assert first.campaign["state"] == second.campaign["state"] == "done"
    assert first.samples[-1]["operations"] >= 300
    assert first.samples[-1]["features"] == len(first.features)
    assert not first.findings
    assert second.campaign["canary"] == "modified-in-place"
    assert len(second.findings) == second.samples[-1]["findings"] >= 1
    assert all(Path(finding["file"]).exists() for finding in second.findings)


def test_a_killed_campaign_is_kept_as_running(tmp_path: Path) -> None:
    path = tmp_path / "m.db"
    with opened(path) as connection:
        recorder = Recorder(connection, Settings())
        features = Counter({"open ok": 3, "open ENOENT": 1})
        recorder(Tally(traces=4, operations=9, seconds=1.5, features=features))
        features.update({"open ok": 1})
        recorder(Tally(traces=5, operations=11, seconds=1.7, features=features))
        recorder(Tally(traces=6, operations=15, seconds=3.0, features=features))
    (kept,) = read(path)
    assert kept.campaign["state"] == "running"
    assert [sample["seconds"] for sample in kept.samples] == [1.5, 3.0]
    assert {f["name"]: (f["count"], f["first_seconds"]) for f in kept.features} == {
        "open ok": (4, 1.5),
        "open ENOENT": (1, 1.5),
    }
    assert chance_of_news(kept) == 1 / 6


def test_a_file_of_something_else_is_refused(tmp_path: Path) -> None:
    text, other = tmp_path / "text", tmp_path / "other.db"
    text.write_text("not a database, but long enough to be looked at as one" * 40)
    with sqlite3.connect(other) as connection:
        connection.execute("CREATE TABLE mine (x)")
    for path in (text, other):
        with pytest.raises(ValueError, match=r"no metrics|not metrics"):
            read(path)
    with pytest.raises(ValueError, match="no such file"):
        read(tmp_path / "nowhere")
    assert main(["report", str(tmp_path / "nowhere")]) == 2


def test_the_command_tells_it(metrics: Path, capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    assert main(["report", str(metrics), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert [campaign["target"] for campaign in told] == ["wfs3", "wfs3"]
    assert told[1]["found"]
    assert main(["report", str(metrics)]) == 0
    text = capsys.readouterr().out
    assert "wfs3 with the fault modified-in-place planted: " in text
    assert "chance that one more trace shows something new" in text


def test_the_page_says_what_was_covered_and_what_not(metrics: Path) -> None:
    text = page(read(metrics)[:1])
    assert "wfs3: nothing found in " in text
    assert "ENOENT" in text
    assert "Detection power" in text
    assert "Never run: " in text
    assert "rmdir" in text.partition("Never run: ")[2].partition("</p>")[0]
    assert page(read(metrics)[:1]) == text, "the same again"
    with pytest.raises(ValueError, match="no campaign"):
        page([])


def test_without_matplotlib_there_are_tables_only(
    metrics: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("watosfs_fuzz.report.campaign.curve", lambda *_: None)
    assert "plots need matplotlib" in page(read(metrics))


def test_a_curve_takes_its_colours_from_the_page() -> None:
    svg = curve([0.0, 1.0, 2.0], [1, 5, 6], "seconds", "features seen")
    assert svg is not None
    assert svg.startswith("<svg")
    assert "var(--ink)" in svg
    assert "var(--accent)" in svg
    assert ">features seen<" in svg, "text stays text"
    assert "http://purl.org" not in svg


# -- in a browser


@pytest.fixture(scope="module")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with browser(tmp_path_factory.mktemp("profile")) as opened_browser:
        yield opened_browser


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_can_be_read_in_both_schemes(
    scheme: str, chromium: Browser, metrics: Path, tmp_path: Path
) -> None:
    chromium.open(write_page(read(metrics), tmp_path / "report.html"))
    chromium.scheme(scheme)
    ratio, where = chromium.run(CONTRAST)
    assert ratio >= CONTRAST_MIN, where
    drawn = (
        "return Math.max(...[...document.querySelectorAll('svg path[style*=accent]')]"
        ".map((path) => path.getBoundingClientRect().height))"
    )
    assert chromium.run(drawn) > 50
    wide = "return document.documentElement.scrollWidth - document.documentElement.clientWidth"
    assert chromium.run(wide) <= 0


def test_the_page_can_be_walked_by_keyboard(
    chromium: Browser, metrics: Path, tmp_path: Path
) -> None:
    chromium.open(write_page(read(metrics), tmp_path / "report.html"))
    chromium.press("Tab")
    assert chromium.run("return document.activeElement.tagName") == "SUMMARY"
    chromium.press("Tab")
    assert chromium.run("return document.activeElement.getAttribute('role')") == "region"
    unnamed = "return [...document.querySelectorAll('[role]')].filter(e => !e.getAttribute('aria-label') && !e.getAttribute('aria-labelledby')).length"  # noqa: E501
    assert chromium.run(unnamed) == 0
