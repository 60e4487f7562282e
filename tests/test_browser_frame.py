"""Every app in its frame, in a browser: nothing serious for axe, a task by keyboard alone, and both sizes of screen."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from browser import PATIENCE_MS, Running, require_browser, running_network, visit
from playwright.sync_api import expect
from test_views_server import ROOT

from minichain.views.gallery import read_apps

APPS = [app.path.removesuffix(".ipynb") for app in read_apps(ROOT / "apps", "en")]
SERIOUS = {"serious", "critical"}
MOST_CONTROLS = 6
MOST_STOPS = 90  # presses of the Tab key from the top of a page to what a task needs

# Controls of the app itself that are there before anything was pressed: those of the frame's own cards come after it.
CONTROLS = """() => {
    const end = document.getElementById('mc-what-if').getBoundingClientRect().top;
    const all = [...document.querySelectorAll('main select, main input, main textarea')];
    const seen = all.filter(e => e.checkVisibility() && e.getBoundingClientRect().top < end);
    const groups = new Set(seen.map(e => e.type == 'radio' ? e.name : e));
    return groups.size;
}"""
# The figures that the list of before and now has, and those that stand marked anywhere on the page.
MARKED = """() => ['.mc-before [data-figure]', '[data-figure]'].map(
    where => [...document.querySelectorAll(where)].map(e => e.dataset.figure))"""
ACTIVE = """() => {
    const e = document.activeElement, names = [e.getAttribute('aria-label'), e.labels?.[0]?.innerText, e.innerText];
    return e === document.body ? '' : names.filter(Boolean).join(' ');
}"""


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A network of its own: what is played on it would be in the way of the tests of single apps."""
    require_browser()
    with running_network(tmp_path_factory.mktemp("frames")) as running:
        yield running


def opened(network: Any, seen: Any, app: str, lang: str) -> Any:
    """Open an app and wait until its frame stands."""
    seen.page.goto(f"{network.url}voila/render/{app}.ipynb?lang={lang}")
    seen.page.wait_for_selector("#mc-brief", state="attached")
    return seen.page


def trouble(page: Any, within: str | None = None) -> list[str]:
    """Return what axe finds serious on a page or in a part of it, with the first element of each and its words."""
    found = [one for one in Axe().run(page, context=within).response["violations"] if one["impact"] in SERIOUS]
    first = [(one["id"], one["nodes"][0]) for one in found]
    return [f"{name}: {node['html'][:160]} {node['failureSummary']}" for name, node in first]


def be_whole_on_a_phone(seen: Any) -> None:
    """Look at what an app shows first, in Chinese: the tests of the apps open each of them so, and go on from there."""
    seen.page.wait_for_selector("#mc-brief", state="attached")
    assert seen.width() <= 390
    assert trouble(seen.page) == []
    expect(seen.page.locator(".mc-limits").first).to_contain_text("本页不能说明")


def tab_to(page: Any, name: str) -> None:
    """Press Tab until something of this name has the focus."""
    for _press in range(MOST_STOPS):
        page.keyboard.press("Tab")
        if name in page.evaluate(ACTIVE):
            return
    raise AssertionError(f"the Tab key does not reach {name!r}")


def press(page: Any, name: str, key: str = "Enter", times: int = 1) -> None:
    tab_to(page, name)
    for _press in range(times):
        page.keyboard.press(key)


def see(page: Any, text: str) -> None:
    page.wait_for_selector(f"text={text}")


def classify(page: Any) -> None:
    press(page, "1. The case", "ArrowRight")
    page.keyboard.press("Enter")
    press(page, "Yes", "Space")
    see(page, "Question 2 of 8")


def draw(page: Any) -> None:
    press(page, "Draw committees 1,000 times")
    see(page, "1,000 draws: district 1 was captured")


def predict(page: Any) -> None:
    press(page, "It stays safe", "Space")
    press(page, "It goes on", "Space")
    press(page, "Now show me")
    see(page, "You said")
    expect(page.locator(".mc-stage-button:focus")).to_have_count(1)  # the run begins to play


def play(page: Any) -> None:
    press(page, "Play the example day")
    see(page, "HH-20260109")


def design(page: Any) -> None:
    press(page, "Validators (computers)", "ArrowRight", 5)
    press(page, "Owners who share them", "Home")
    page.keyboard.press("ArrowRight")
    see(page, "Owners who are enough to stop")


def step(page: Any) -> None:
    press(page, "Next step")
    see(page, "Step 2 of")


def found(page: Any) -> None:
    press(page, "Open the town")
    see(page, "Questions to you")


def find(page: Any) -> None:
    tab_to(page, "Number of a block")
    page.keyboard.type("1")
    page.keyboard.press("Enter")
    see(page, "Block before it")


def try_rule(page: Any) -> None:
    page.wait_for_selector("[role=tab] >> text=Try it on made-up residents", state="attached")
    if page.get_by_role("tab", name="My points").count():  # a street is open here
        press(page, "My points", "ArrowRight")
        page.keyboard.press("Enter")
    press(page, "A desk for people without a device", "Space")
    see(page, "Older people: 0 points in the middle")


def establish(page: Any) -> None:
    press(page, "Found the council")
    see(page, "8 of 17 (weight) still needed.")


def check_a_figure(page: Any) -> None:
    """Open the drawer at a figure, make it anew, and come back to where one was, all by keyboard."""
    known, marked = page.evaluate(MARKED)
    assert known, "the page lists its figures"
    assert set(marked) <= set(known), "a mark that leads to no figure"
    page.locator(".mc-before .mc-proven").first.focus()
    name = page.evaluate("document.activeElement.dataset.figure")  # a run that just ended may have brought others
    page.keyboard.press("Enter")
    drawer = page.get_by_role("dialog", name=name)
    expect(drawer.locator(".mc-proofs-value")).to_be_visible()
    for _ in range(3):  # where the figure itself changes meanwhile, the drawer begins anew
        press(page, "Check it yourself")
        with suppress(AssertionError):
            expect(drawer.locator(".mc-chip")).to_have_text("the same", timeout=PATIENCE_MS / 6)
            break
    expect(drawer.locator(".mc-chip")).to_have_text("the same")
    assert trouble(page, "dialog[open]") == []
    page.keyboard.press("Escape")
    expect(drawer).not_to_be_visible()
    expect(page.locator(f'[data-figure="{name}"]:focus')).to_have_count(1)


TASKS: dict[str, Callable[[Any], None]] = {
    "need_a_chain": classify,
    "sharding_lab": draw,
    "consensus_lab": predict,
    "garbage_custody": play,
    "chain_types": design,
    "crossings": step,
    "credentials": found,
    "alliance_voting": establish,
    "explorer": find,
    "citizen_points": try_rule,
}


@pytest.mark.parametrize("app", sorted(APPS, key=lambda app: app == "explorer"))  # it needs a block to look at
def test_an_app_is_whole_for_everybody(network, chromium, app):
    with visit(chromium, 1280, 720) as seen:
        page = opened(network, seen, app, "en")
        assert page.evaluate(CONTROLS) <= MOST_CONTROLS
        assert seen.width() <= 1280
        TASKS[app](page)
        check_a_figure(page)
        assert trouble(page) == []
        assert seen.nameless() == []
        assert seen.outside() == set()
        assert seen.trouble == []


def test_a_page_that_needs_no_network_is_whole_in_chinese_on_a_phone(network, chromium):
    with visit(chromium, 390, 844, "zh-CN") as seen:
        opened(network, seen, "need_a_chain", "zh")
        be_whole_on_a_phone(seen)
        assert seen.outside() == set()


def test_no_app_is_forgotten_on_a_phone():
    tests = [path.read_text("utf-8") for path in (ROOT / "tests").glob("test_browser_*.py")]
    looked = [text for text in tests if "be_whole_on_a_phone(seen)" in text and "def be_whole_on_a_phone" not in text]
    assert [app for app in APPS if not any(app in text for text in looked)] == ["need_a_chain"]


def test_a_run_comes_back_from_its_code_in_another_language(network, chromium):
    with visit(chromium) as seen:
        page = opened(network, seen, "need_a_chain", "en")
        classify(page)
        page.get_by_role("button", name="Make my brief").click()
        page.get_by_label("Who signs (role)").fill("Section chief")
        page.get_by_role("button", name="Show both pages").click()
        page.wait_for_selector("iframe.mc-sheet")
        code = page.inner_text(".mc-sheet-home >> xpath=preceding::code[1]")
        sheet = page.frame_locator("iframe.mc-sheet")
        assert "Section chief" in sheet.locator("body").inner_text()
        assert code in sheet.locator("footer code").inner_text()
        assert trouble(page) == []
        assert seen.trouble == []
        page.goto(f"{network.url}voila/render/need_a_chain.ipynb?lang=zh&run={code}")
        page.wait_for_selector("text=您看到的就是简报上的数字")
