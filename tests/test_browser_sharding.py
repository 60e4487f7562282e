"""The sharding lab in a browser: slide, draw, pay a district that sleeps, move house; by keyboard, on a phone."""

from __future__ import annotations

from typing import Any

from browser import visit
from playwright.sync_api import expect
from test_browser_frame import be_whole_on_a_phone


def opened(network: Any, seen: Any, query: str = "?lang=en") -> Any:
    """Open the page: it needs the server only, for its city runs in its own kernel."""
    seen.page.goto(f"{network.url}voila/render/sharding_lab.ipynb{query}")
    seen.page.wait_for_selector(".mc-chart .main-svg")
    return seen.page


def press(page: Any, slider: str, key: str, times: int = 1) -> None:
    page.get_by_role("slider", name=slider).focus()
    for _press in range(times):
        page.keyboard.press(key)


def test_an_official_weighs_draws_follows_a_payment_and_rebalances(network, chromium):
    with visit(chromium) as seen:
        page = opened(network, seen)
        press(page, "Members of a district", "Home")
        page.wait_for_selector("text=With 4 members per district, a captured district happens in about 1 of 4 draws")
        page.get_by_role("button", name="Draw committees 1,000 times").click()
        page.wait_for_selector("text=1,000 draws: district 1 was captured")
        expect(page.locator(".mc-tiles li")).to_have_count(4)
        expect(page.locator(".mc-lamp.mc-bad >> text=your line is 1 of 1,000")).to_have_count(1)
        press(page, "Dishonest validators, %", "Home")
        page.wait_for_selector(".mc-lamp.mc-ok >> text=Some district is captured in no draw")

        page.get_by_role("tab", name="A district sleeps").click()
        page.get_by_role("button", name="Put district 2 to sleep").click()
        page.wait_for_selector(".mc-sums >> text=asleep")
        page.get_by_role("button", name="Pay 30 units to district 2").click()
        page.wait_for_selector(".mc-custody >> text=District 2 sleeps")
        expect(page.locator(".mc-sums").first).to_contain_text("as many as at the beginning")
        page.get_by_role("button", name="Wake district 2").click()
        page.wait_for_selector(".mc-sums >> text=asleep", state="detached")
        page.get_by_role("button", name="Let the carrier go").click()
        page.wait_for_selector(".mc-custody >> text=answered")
        expect(page.locator(".mc-sums").first).to_contain_text("10,030")

        page.get_by_role("tab", name="Who lives where").click()
        page.get_by_role("button", name="Let them trade for a day").click()
        page.wait_for_selector("figcaption >> text=of transfers cross")
        page.wait_for_selector("text=carried a second on the next day")
        assert seen.nameless() == []
        assert seen.outside() == set()
        assert seen.trouble == []


def test_it_fits_a_phone_in_chinese(network, chromium):
    with visit(chromium, width=390, height=844, locale="zh-CN") as seen:
        page = opened(network, seen, "")
        expect(page.locator("main").first).to_contain_text("分片实验室")
        be_whole_on_a_phone(seen)
        for name in ("一个片区休眠", "谁住在哪里", "容量与风险"):
            page.get_by_role("tab", name=name).click()
            assert seen.width() <= 390
        expect(page.locator(".mc-chart-sheet[role=img][aria-label]")).to_have_count(3)
        assert seen.nameless() == []
        assert seen.outside() == set()
        assert seen.trouble == []
