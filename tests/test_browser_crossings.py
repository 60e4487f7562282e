"""The crossing timeline in a browser: choose, step, read; with the keyboard, on a phone, in Chinese."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from typing import Any

import pytest
from browser import require_browser, visit
from playwright.sync_api import expect
from test_browser_frame import be_whole_on_a_phone

from minichain.live import dashboards, supervisor


@pytest.fixture(scope="module")
def server() -> Iterator[Any]:
    """The dashboards alone: the stories need no network."""
    require_browser()
    with dashboards.start(supervisor.apps(), log=subprocess.DEVNULL) as running:
        yield running


def open_timeline(server: Any, seen: Any, query: str) -> Any:
    seen.page.goto(f"{server.url}voila/render/crossings.ipynb{query}")
    seen.page.wait_for_selector(".mc-crossing")
    return seen.page


def test_an_official_lets_a_lie_be_told_and_reads_what_the_ledger_says(server: Any, chromium: Any) -> None:
    with visit(chromium) as seen:
        page = open_timeline(server, seen, "?lang=en")
        page.get_by_role("button", name="Let something go wrong").click()
        page.get_by_label("A forged header").check()
        page.wait_for_selector("text=Step 1 of 7")
        page.get_by_role("button", name="Next step").click()
        page.wait_for_selector("text=The units have left Resident A and are on their way")
        page.get_by_role("button", name="Next step").click()
        page.wait_for_selector(".mc-said >> text=signatures of weight 1 of 4 are not more than two thirds")
        page.get_by_label("Three of four keys are stolen").check()
        page.wait_for_selector("text=Step 1 of 5")
        expect(page.get_by_label("A forged header")).not_to_be_checked()
        page.get_by_role("button", name="To the end").click()
        page.wait_for_selector("text=300 units come from nothing")
        page.wait_for_selector("text=A bridge is a trust of its own")
        page.get_by_label("What crosses").select_option(label="A seat and a room on two chains: both or neither")
        page.wait_for_selector("text=The coordinator crashes")
        assert seen.nameless() == []
        assert seen.outside() == set()
        assert seen.trouble == []


def test_it_works_by_keyboard_on_a_phone_in_chinese(server: Any, chromium: Any) -> None:
    with visit(chromium, width=390, height=844, locale="zh-CN") as seen:
        page = open_timeline(server, seen, "")
        assert page.get_attribute("html", "lang") == "zh-Hans"
        be_whole_on_a_phone(seen)
        page.get_by_role("button", name="让什么出错").press("Space")
        page.get_by_label("太迟").focus()
        page.keyboard.press("Space")
        page.wait_for_selector("text=第 1 步，共 8 步")
        page.get_by_role("button", name="下一步").focus()
        for step in range(2, 9):
            page.keyboard.press("Enter")
            page.wait_for_selector(f"text=第 {step} 步，共 8 步")
        page.wait_for_selector("text=直到此刻才退回 300 点")
        page.wait_for_selector("text=账是平的")
        assert seen.width() <= 390
        assert seen.nameless() == []
        assert seen.outside() == set()
        assert seen.trouble == []
