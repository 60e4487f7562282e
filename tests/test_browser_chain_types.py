"""Kinds of ledger in a browser: a weak design is flagged, a run brings figures, an attack is tried, on a phone too."""

from __future__ import annotations

from browser import visit
from playwright.sync_api import expect
from test_browser_frame import be_whole_on_a_phone


def opened(network, seen, query="?lang=en"):
    """Open the page: it needs the server only, for its ledgers run in its own kernel."""
    seen.page.goto(f"{network.url}voila/render/chain_types.ipynb{query}")
    seen.page.wait_for_selector(".mc-slide")
    return seen.page


def test_an_official_designs_runs_and_attacks(network, chromium):
    with visit(chromium) as seen:
        page = opened(network, seen)
        assert page.locator(".mc-chip >> text=4 owners, 2 can halt").count() >= 3
        validators, owners = (
            page.get_by_role("slider", name=name) for name in ("Validators (computers)", "Owners who share them")
        )
        validators.focus()
        for _press in range(5):
            page.keyboard.press("ArrowRight")
        owners.focus()
        for _press in range(2):
            page.keyboard.press("ArrowLeft")
        page.wait_for_selector("text=2 owners, 1 can halt")

        page.get_by_label("Run on").select_option("Private chain")
        page.get_by_role("button", name="Run 200 transactions").click()
        page.wait_for_selector(".mc-progress")
        page.wait_for_selector("text=in each of 9 copies")
        expect(page.locator(".mc-ledgers").first).to_contain_text("its only owner can change the past")

        page.get_by_role("tab", name="What do you need?").click()
        page.get_by_role("button", name="Everybody can read it").click()
        page.wait_for_selector(".mc-lights >> text=No single owner can change the past")

        page.get_by_role("tab", name="Attacks").click()
        page.get_by_role("button", name="Try it on all").nth(1).click()
        page.wait_for_selector("text=5 of 9 computers were switched off")
        page.wait_for_selector("text=there is no other copy")
        assert seen.nameless() == []
        assert seen.outside() == set()
        assert seen.trouble == []


def test_it_fits_a_phone_in_chinese(network, chromium):
    with visit(chromium, width=390, height=844, locale="zh-CN") as seen:
        page = opened(network, seen, "")
        expect(page.locator("main").first).to_contain_text("账本的类型")
        expect(page.locator("main").first).to_contain_text("2 个即可使其停止")
        be_whole_on_a_phone(seen)
        for name in ("您需要什么", "攻击试验", "并列比较"):
            page.get_by_role("tab", name=name).click()
            assert seen.width() <= 390
        assert seen.nameless() == []
        assert seen.outside() == set()
        assert seen.trouble == []
