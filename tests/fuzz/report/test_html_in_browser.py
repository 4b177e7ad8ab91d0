"""The page in a real browser: readable in both schemes, usable from the keyboard, no network.

Checks: contrast of every text (WCAG AA), focus, keys, roles, layout, that nothing is fetched.
Does not check: that it is beautiful; somebody looked at it.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fuzz.report.browser import Browser, browser
from tests.fuzz.report.crashes import JOURNAL, TORN
from watosfs_fuzz.findings import read_finding
from watosfs_fuzz.report.again import run_again
from watosfs_fuzz.report.html import write_page

SELECTED = "return document.querySelector('[aria-selected=true] .name').textContent"
OUTLINE = (
    "const s = getComputedStyle(document.activeElement);"
    "return document.activeElement.matches(':focus-visible') && s.outlineStyle === 'solid'"
    " ? parseFloat(s.outlineWidth) : 0"
)
OPENED_MAX = 10
FOCUSED = "return document.activeElement.querySelector('.name')?.textContent"
#: The lowest contrast of any text with what is behind it, and where.
CONTRAST = """
const parse = (c) => { const m = c.match(/[\\d.]+/g).map(Number); return [m[0], m[1], m[2], m[3] ?? 1]; };
const light = (c) => { const [r, g, b] = c.slice(0, 3).map((v) => { v /= 255;
  return v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4; });
  return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
const ground = (e) => { for (; e; e = e.parentElement) {
  const c = parse(getComputedStyle(e).backgroundColor); if (c[3] > 0) return c; } return [255, 255, 255, 1]; };
let worst = [99, ""];
for (const e of document.querySelectorAll("main *")) {
  const own = [...e.childNodes].some((n) => n.nodeType === 3 && n.textContent.trim());
  if (!own || !e.checkVisibility()) continue;
  const [a, b] = [light(parse(getComputedStyle(e).color)), light(ground(e))];
  const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
  if (ratio < worst[0]) worst = [ratio, e.className + ": " + e.textContent.slice(0, 40)];
}
return worst;
"""  # noqa: E501 (a script)


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("pages")
    made = {}
    for name, text in (("journal", JOURNAL), ("torn", TORN)):
        trace = folder / f"{name}.trace"
        trace.write_text(text)
        evidence = run_again(read_finding(trace)).evidence
        assert evidence is not None
        made[name] = write_page(evidence, folder / f"{name}.html")
    return made


@pytest.fixture(scope="module")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with browser(tmp_path_factory.mktemp("profile")) as opened:
        yield opened


def test_the_power_cut_is_selected_and_keys_move_from_it(
    chromium: Browser, pages: dict[str, Path]
) -> None:
    chromium.open(pages["journal"])
    assert chromium.run(SELECTED) == "power cut"
    chromium.press("Tab")
    assert chromium.run(FOCUSED) == "power cut"
    chromium.press("ArrowUp")
    assert chromium.run(FOCUSED) == chromium.run(SELECTED) == "write 2"
    chromium.press("ArrowUp")
    assert chromium.run(FOCUSED) == "a flush is missing here"
    chromium.press("ArrowUp")
    detail = chromium.run("return document.getElementById('detail').textContent")
    assert "at the power cut: lost" in detail
    assert "during operation 3: fsync 3" in detail
    chromium.press("End")
    assert chromium.run(FOCUSED) == "end of operation 3"
    chromium.press("ArrowDown", "Home")
    assert chromium.run(FOCUSED) == "begin of operation 1"
    chromium.press("c")
    assert chromium.run(FOCUSED) == "power cut"


def test_what_has_the_focus_is_outlined(chromium: Browser, pages: dict[str, Path]) -> None:
    def outline() -> float:
        chromium.open(pages["journal"])
        chromium.press("Tab", "ArrowUp")
        return float(chromium.run(OUTLINE))

    # On a busy machine keys may come before a page that was just opened takes them.
    assert any(outline() >= 2 for _ in range(OPENED_MAX))
    chromium.press("Tab")
    assert chromium.run("return document.activeElement.id") == "state"


@pytest.mark.parametrize("name", ["journal", "torn"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_text_can_be_read_in_both_schemes(
    chromium: Browser, pages: dict[str, Path], scheme: str, name: str
) -> None:
    chromium.scheme(scheme)
    chromium.open(pages[name])
    ratio, where = chromium.run(CONTRAST)
    assert ratio >= 4.5, f"{where} has a contrast of {ratio:.2f}"


def test_the_schemes_differ(chromium: Browser, pages: dict[str, Path]) -> None:
    shots = []
    for scheme in ("light", "dark"):
        chromium.scheme(scheme)
        chromium.open(pages["torn"])
        shots.append(chromium.screenshot())
    assert shots[0][:8] == shots[1][:8] == b"\x89PNG\r\n\x1a\n"
    assert shots[0] != shots[1]


def test_the_contrast_check_sees_grey_on_grey(
    chromium: Browser, pages: dict[str, Path], tmp_path: Path
) -> None:
    """The canary of the check above."""
    pale = tmp_path / "pale.html"
    text = pages["journal"].read_text()
    pale.write_text(text.replace("--dim: #5b6168", "--dim: #c8c8c8"))
    chromium.scheme("light")
    chromium.open(pale)
    assert chromium.run(CONTRAST)[0] < 4.5


def test_nothing_is_fetched(chromium: Browser, pages: dict[str, Path]) -> None:
    for page in pages.values():
        chromium.open(page)
        assert chromium.run("return performance.getEntriesByType('resource').length") == 0
        assert "http:" not in page.read_text()
        assert "https:" not in page.read_text()


def test_roles_tell_a_screen_reader_what_is_what(chromium: Browser, pages: dict[str, Path]) -> None:
    chromium.open(pages["torn"])
    chromium.press("Tab")
    element = next(iter(chromium.call("GET", "/element/active").values()))
    assert chromium.call("GET", f"/element/{element}/computedrole") == "option"
    assert "power cut" in chromium.call("GET", f"/element/{element}/computedlabel")
    box = chromium.run("return document.getElementById('timeline')")
    found = next(iter(box.values()))
    assert chromium.call("GET", f"/element/{found}/computedrole") == "listbox"
    assert chromium.call("GET", f"/element/{found}/computedlabel") == "Timeline"


def test_the_two_trees_stand_side_by_side_and_each_state_can_be_shown(
    chromium: Browser, pages: dict[str, Path]
) -> None:
    chromium.open(pages["journal"])
    heads = chromium.run(
        "return [...document.querySelectorAll('.comparison:not([hidden]) th')]"
        ".map((th) => [th.textContent, Math.round(th.getBoundingClientRect().top)])"
    )
    assert [text for text, _ in heads] == [
        "path", "permitted: as after operations 2 and 3", "found",
    ]  # fmt: skip
    assert len({top for _, top in heads}) == 1
    chromium.run(
        "const s = document.getElementById('state'); s.value = 'tree-0';"
        "s.dispatchEvent(new Event('change'))"
    )
    shown = "return document.querySelector('.comparison:not([hidden])').textContent"
    assert "as at the start" in chromium.run(shown)
    assert "+ extra" in chromium.run(shown)


def test_a_narrow_window_needs_no_sideways_scrolling(
    pages: dict[str, Path], tmp_path: Path
) -> None:
    with browser(tmp_path / "profile", 500, 800) as narrow:
        narrow.open(pages["torn"])
        wide = "return document.documentElement.scrollWidth - document.documentElement.clientWidth"
        assert narrow.run(wide) <= 0
