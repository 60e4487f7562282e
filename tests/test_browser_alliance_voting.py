"""Alliance voting on a real network: a council is founded; a proposal passes, waits, is carried out, counted again."""

from __future__ import annotations

from typing import Any

from browser import press, visit
from playwright.sync_api import expect
from test_browser_frame import be_whole_on_a_phone


def tab(page: Any, name: str) -> None:
    page.get_by_role("tab", name=name).click()


def vote(page: Any, who: str) -> None:
    page.locator("select:visible").nth(0).select_option(who)
    press(page, "Sign and vote")


def test_a_council_decides_and_a_stranger_counts_again(network, chromium):
    with visit(chromium) as seen:
        page = network.open(seen, "alliance_voting")
        expect(page.locator("main").first).to_contain_text("Not for public elections")
        press(page, "Found the council")
        page.wait_for_selector("text=8 of 17 (weight) still needed.")
        page.wait_for_selector("text=from 60 to 45")
        vote(page, "Environment bureau")
        page.wait_for_selector("text=4 of 17 (weight) still needed.")
        vote(page, "Street office B")
        page.wait_for_selector("text=The clause that was closest")
        press(page, "Let the wait begin")
        page.wait_for_selector("text=Carry it out")
        press(page, "Carry it out")
        page.wait_for_selector(".mc-error >> text=It waits: it can be carried out from")
        press(page, "Count it again from the blocks")
        page.wait_for_selector("text=The votes add up to what the chain says: in favour 12")
        page.wait_for_selector("text=Save the minutes")

        tab(page, "Propose")
        page.get_by_label("What is to be done").select_option("Admit a member")
        page.wait_for_selector("text=Admits Recycling company as a member")
        press(page, "Try it first")
        page.wait_for_selector("text=A dry run: nothing was sent")
        press(page, "Sign and propose")
        page.wait_for_selector(".mc-error:visible >> text=Write why it should be done.")

        tab(page, "Who has power")
        page.wait_for_selector("text=Without any power, whatever the weight: Composting plant.")
        tab(page, "Other rules")
        page.get_by_label("Whose ballots").select_option("the heaviest against, all others in favour")
        page.wait_for_selector("text=/These ballots pass under \\d+ of \\d+ rules/")
        assert seen.nameless() == []
        assert seen.outside() == set()
        assert seen.trouble == []

    with visit(chromium, width=390, height=844, locale="zh-CN") as seen:
        page = network.open(seen, "alliance_voting", "")
        page.wait_for_selector("text=用于机构之间的决定，不用于公共选举。")
        page.wait_for_selector("text=降低清运费")
        be_whole_on_a_phone(seen)
        for name in ("提案", "谁有权力", "换一套规则", "不公开投票", "表决"):
            tab(page, name)
            assert seen.width() <= 390
        assert seen.outside() == set()
        assert seen.trouble == []
