"""Contribution points on a real network: a resident objects in three clicks, others decide; in Chinese, on a phone."""

from __future__ import annotations

from browser import visit
from playwright.sync_api import expect
from test_browser_frame import be_whole_on_a_phone, trouble

CLICKS = 3
OPEN = 'button:has-text("Open the street"), button:has-text("开放街道")'


def opened(network, seen, query: str = "?lang=en"):
    """Open the page, and the street with it if nobody has."""
    page = network.open(seen, "citizen_points", query)
    page.wait_for_selector(f"{OPEN}, .mc-kpi:visible")
    if page.locator(OPEN).count():
        page.locator(OPEN).first.click()
    page.wait_for_selector(".mc-kpi:visible")
    return page


def test_a_resident_objects_in_three_clicks_and_an_office_decides(network, chromium):
    with visit(chromium) as seen:
        page = opened(network, seen)
        page.get_by_role("button", name="Bring something new").click()
        page.wait_for_selector(".mc-pick:visible >> text=you may object")

        clicks = [
            page.locator(".mc-pick:visible", has_text="Unsorted waste").filter(has_text="you may object").first,
            page.get_by_role("button", name="Object", exact=True),
            page.get_by_role("button", name="It was not me"),
        ]
        assert len(clicks) == CLICKS
        clicks[0].click()
        understood = page.locator(".mc-note:visible", has_text="10 points would be taken from you.")
        expect(understood).to_contain_text("Nothing has been taken yet. Is it wrong? You may object until")
        expect(understood).to_contain_text("days left. It costs nothing.")
        clicks[1].click()
        clicks[2].click()
        page.wait_for_selector("text=The effect is suspended.")
        expect(page.locator("main").first).to_contain_text("If nobody decides in time, you are right.")
        expect(page.locator(".mc-stop:visible", has_text="effect suspended")).to_have_count(1)

        page.get_by_role("tab", name="Appeal desk").click()
        page.locator(".mc-pick:visible", has_text="It was not me").filter(has_text="waits for a reviewer").first.click()
        page.wait_for_selector("text=/Case \\d+: It was not me/")  # another case was open until then
        page.get_by_label("Who decides").select_option("Street office A")
        page.get_by_label("Reasons, as the resident reads them").fill("It stands.")
        page.get_by_role("button", name="Decide and sign").click()
        page.wait_for_selector(".mc-error:visible")
        expect(page.locator(".mc-error:visible").first).to_contain_text("The contract said no")

        page.get_by_role("tab", name="Try a rule").click()
        page.get_by_role("tab", name="Without a safeguard").click()
        page.locator(".mc-pick:visible", has_text="An entry that is objected to has no effect").click()
        page.get_by_role("button", name="Take it out, in the laboratory").click()
        page.wait_for_selector("text=Points are gone while the objection lies on a desk.")
        assert seen.nameless() == []
        assert seen.outside() == set()
        assert seen.trouble == []


def test_it_is_read_in_chinese_on_a_phone(network, chromium):
    with visit(chromium, width=390, height=844, locale="zh-CN") as seen:
        page = opened(network, seen, "")
        assert page.get_attribute("html", "lang") == "zh-Hans"
        be_whole_on_a_phone(seen)
        expect(page.locator("main").first).to_contain_text("链只证明谁在何时签署了什么")
        for name in (
            "试行规则",
            "规则",
            "核实与批准",
            "申诉处",
            "兑换",
            "捐给有需要的人",
            "上门服务",
            "审计与删除",
            "我的积分",
        ):
            page.get_by_role("tab", name=name, exact=True).click()
            assert seen.width() <= 390
            assert trouble(page, ".mc-tabs") == []  # the frame is looked at in `test_browser_frame`
        expect(page.locator("main").first).to_contain_text("没有排名")
        page.locator(".mc-pick:visible").first.click()  # what was chosen stands below the list, and is shown
        expect(page.locator(".mc-split:visible > :last-child h2").first).to_be_in_viewport()
        assert seen.outside() == set()
        assert seen.trouble == []
