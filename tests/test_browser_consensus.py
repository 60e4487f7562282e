"""The consensus lab in a browser: predict, watch, read, touch, break; with the keyboard, on a phone, in Chinese."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from browser import PATIENCE_MS, require_browser, visit
from playwright.sync_api import expect
from test_browser_frame import be_whole_on_a_phone

from minichain.live import dashboards, supervisor

MORNING = Path(__file__).parents[1] / "curriculum/bad-morning.timeline"


@pytest.fixture(scope="module")
def server() -> Iterator[Any]:
    """The dashboards alone: the lab needs no network."""
    require_browser()
    with dashboards.start(supervisor.apps(), log=subprocess.DEVNULL) as running:
        yield running


def open_lab(server: Any, seen: Any, query: str = "?lang=en") -> Any:
    seen.page.goto(f"{server.url}voila/render/consensus_lab.ipynb{query}")
    seen.page.wait_for_selector(".mc-stage-label")
    return seen.page


def choose(page: Any, field: str, **option: Any) -> None:
    """Choose a situation; the questions are new ones with each."""
    asked = page.query_selector_all(".mc-choice")
    page.get_by_label(field).select_option(**option)
    page.wait_for_function("asked => asked.every(e => !e.isConnected)", arg=asked)
    expect(page.locator(".mc-choice")).to_have_count(2)


def predict(page: Any, safe: int, moving: int) -> None:
    """Answer both questions by the places of the answers, and start."""
    for question, answer in ((0, safe), (1, moving)):
        page.locator(".mc-choice").nth(question).locator("input").nth(answer).check()
    page.locator(".mc-primary").first.click()
    page.wait_for_selector(".mc-stage:not(.mc-rest)")


def catch_one_in_flight(page: Any) -> None:
    """Click a message on the ring while it moves; slowly, so that it is still there."""
    page.get_by_label("Speed").select_option("0.1")
    seek(page, 300)
    page.get_by_role("button", name="Play").click()
    page.wait_for_selector(".mc-stage-ring .mc-mark")
    x, y = page.evaluate(
        "(({x, y, width, height}) => [x + width / 2, y + height / 2])"
        "(document.querySelector('.mc-stage-ring .mc-mark').getBoundingClientRect())"
    )
    page.mouse.click(x, y)


def seek(page: Any, ms: int) -> None:
    page.locator(".mc-stage-range").fill(str(ms))


def test_an_official_predicts_watches_touches_and_breaks_it(server, chromium):
    with visit(chromium) as seen:
        page = open_lab(server, seen)
        expect(page.locator(".mc-lamps").first).to_contain_text("First say what you expect")
        expect(page.locator(".mc-stage-label")).to_have_count(7)
        page.get_by_role("button", name="Now show me").click()
        page.wait_for_selector(".mc-error >> text=answer both questions")

        choose(page, "What happens", label="Too many liars")
        page.wait_for_selector("text=Three of seven offices lie together")
        predict(page, 0, 0)
        page.wait_for_selector(".mc-ballot >> text=of 7 have said yes; 5 are needed")  # it plays
        catch_one_in_flight(page)
        page.wait_for_selector(".mc-letter >> text=From")
        page.wait_for_selector("text=Play")  # it stands still, to be read

        seek(page, 800)
        page.wait_for_selector(".mc-stage-time >> text=0.8 of 12 s")
        page.locator(".mc-stage-label", has_text="Street office A").click()
        page.wait_for_selector("text=It is locked on block 1 since try 1")
        page.locator(".mc-pick").first.click()
        page.get_by_role("button", name="Drop it").click()
        page.wait_for_selector("text=You have added a line to this run")
        page.get_by_role("button", name="The run as a text").click()
        page.wait_for_function("document.querySelector('textarea')?.value.includes('lose 1 node-')")
        page.get_by_role("button", name="Take the last one back").click()
        page.wait_for_selector("text=You have added a line to this run", state="detached")
        broken = page.locator(".mc-lamp.mc-bad >> text=have each made a different block 1 final")
        for _ in range(PATIENCE_MS // 500):  # the run without that line is on its way, and is shown from where one was
            seek(page, 12_000)
            page.wait_for_timeout(500)
            if broken.is_visible():
                break
        expect(broken).to_be_visible()
        page.wait_for_selector("text=Signed both: Collection point B, Transfer station C, Sorting plant D")
        expect(page.locator(".mc-cert >> text=the certificate holds")).to_have_count(2)
        page.wait_for_selector("text=You were right about one of the two")
        with page.expect_download() as download:
            page.get_by_text("Save this run").click()
        assert "at 0 behave node-1 colluder" in download.value.path().read_text("utf-8")

        page.locator(".mc-opener input").set_input_files(MORNING)
        page.wait_for_selector("text=This run is ready")
        page.get_by_role("link", name="Say what will happen").click()
        expect(page.get_by_label("What happens")).to_have_value("Your own")
        page.get_by_label("Times are milliseconds").fill("validators 4\nat 0 explode node-1")
        page.get_by_label("Times are milliseconds").press("Tab")
        page.get_by_role("button", name="Take this run").click()
        page.wait_for_selector(".mc-error >> text=line 2: there is no verb 'explode'")
        page.wait_for_selector("text=Line 2 of your text")
        assert seen.nameless() == []
        assert seen.outside() == set()
        assert seen.trouble == []


def test_it_works_by_keyboard_on_a_phone_in_chinese(server, chromium):
    with visit(chromium, width=390, height=844, locale="zh-CN") as seen:
        page = open_lab(server, seen, "")
        assert page.get_attribute("html", "lang") == "zh-Hans"
        be_whole_on_a_phone(seen)
        choose(page, "发生什么", index=4)  # the cable is cut
        page.wait_for_selector("text=两组单位之间没有消息能通过")
        for question in (0, 1):
            page.locator(".mc-choice").nth(question).locator("input").first.press("Space")
        expect(page.locator(".mc-choice input:checked")).to_have_count(2)
        page.get_by_role("button", name="现在演示").focus()
        page.keyboard.press("Enter")
        page.wait_for_selector(".mc-stage:not(.mc-rest)")
        assert "暂停" in page.evaluate("document.activeElement.innerText")  # the play button has the focus
        page.keyboard.press("Enter")
        page.locator(".mc-stage-range").focus()
        page.keyboard.press("End")
        page.wait_for_selector(".mc-lamp.mc-bad >> text=7 个中只有 4 个能互相联系")
        page.wait_for_selector("text=两点中您说对了一点")
        page.locator(".mc-stage-label").first.focus()
        page.keyboard.press("Enter")
        page.wait_for_selector("text=它正在处理区块 1")
        assert seen.width() <= 390
        assert seen.nameless() == []
        assert seen.outside() == set()
        assert seen.trouble == []
