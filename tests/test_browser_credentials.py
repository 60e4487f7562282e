"""Cards and data on a real network: a resident answers, a card is revoked, a record is read, refused, erased."""

from __future__ import annotations

from typing import Any

from browser import press, visit
from playwright.sync_api import expect
from test_browser_frame import be_whole_on_a_phone


def tab(page: Any, name: str) -> None:
    page.get_by_role("tab", name=name).click()


def test_a_card_and_a_record_live_their_lives(network, chromium):
    with visit(chromium) as seen:
        page = network.open(seen, "credentials")
        expect(page.locator("main").first).to_contain_text("one visitor plays all roles")
        press(page, "Open the town")
        page.wait_for_selector("text=Town Library asks you")
        press(page, "Show exactly this")
        page.wait_for_selector("text=Everything else stayed with you")

        tab(page, "Check a card")
        page.locator(".mc-pick:visible", has_text="over eighteen, district").click()
        press(page, "Check the answer")
        page.wait_for_selector("text=It holds. This is all you learn:")
        assert "Example-1" not in page.locator(".mc-note.mc-ok:visible").inner_text()

        tab(page, "Office")
        page.locator(".mc-pick:visible", has_text="Card 1 of Resident 1").click()
        press(page, "Revoke this card")
        page.wait_for_selector("text=This card is revoked.")
        tab(page, "Check a card")
        press(page, "Check again")
        page.wait_for_selector("text=The office has revoked it")

        tab(page, "Read a record")
        page.get_by_label("For what").last.select_option("billing")
        press(page, "Ask for the record")
        page.wait_for_selector("text=Not granted for this purpose. This attempt is number 4")
        tab(page, "Resident")
        press(page, "Have it erased")
        press(page, "Erase")
        page.wait_for_selector("text=nobody can tell whose it was")
        press(page, "Search every block")
        page.wait_for_selector("text=/^Nothing was found. We looked for /")
        assert seen.nameless() == []
        assert seen.outside() == set()
        assert seen.trouble == []

    with visit(chromium, width=390, height=844, locale="zh-CN") as seen:
        page = network.open(seen, "credentials", "")
        page.wait_for_selector("text=谁可以读我的记录")
        be_whole_on_a_phone(seen)
        for name in ("发证机关", "核验证件", "读取记录", "居民"):
            tab(page, name)
            assert seen.width() <= 390
        assert (seen.outside(), seen.trouble) == (set(), [])
