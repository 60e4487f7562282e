"""Garbage custody on a real network: a day is played, a load goes from hand to hand, a wrong hand is refused."""

from __future__ import annotations

from browser import visit, write
from playwright.sync_api import expect
from test_browser_frame import be_whole_on_a_phone

PLAY = 'button:has-text("Play the example day")'


def choose(page, number: str) -> None:
    page.locator(".mc-pick", has_text=number).first.click()
    page.wait_for_selector(f"text=Manifest {number}")


def sign(page) -> None:
    page.get_by_role("button", name="Sign and send").click()


def test_an_official_plays_the_day_and_brings_a_load_to_its_end(network, chromium):
    with visit(chromium) as seen:
        page = network.open(seen, "garbage_custody")
        expect(page.locator("main").first).to_contain_text("not that the waste is really there")
        page.wait_for_selector(f"{PLAY}, .mc-pick:visible")
        if page.locator(PLAY).count():  # a street of contribution points has brought the day along
            page.locator(PLAY).click()
            page.wait_for_selector(".mc-progress")
        page.wait_for_selector(".mc-pick >> text=HH-20260109")

        choose(page, "HH-20260105")
        page.wait_for_selector(".mc-stop.mc-bad >> text=Incineration plant")  # the loads go on together
        expect(page.get_by_label("Sign as")).to_have_value("Incineration plant")
        sign(page)
        page.wait_for_selector("text=Final in block")
        page.wait_for_selector("text=Save the proof")
        page.wait_for_selector("text=to report what arrived")

        write(page, "Arrived of residual waste", "1000")
        sign(page)
        page.wait_for_selector(".mc-error >> text=a comment is mandatory")
        write(page, "In one plain sentence, why", "a container leaked on the way")
        sign(page)
        page.wait_for_selector("text=to sign the complete manifest")

        page.get_by_label("Sign as").select_option("Vegetable market")
        sign(page)
        page.wait_for_selector(".mc-error >> text=only the destination may do this")
        expect(page.locator(".mc-error").first).to_contain_text("The contract said no")
        assert "did:key" not in page.inner_text(".mc-error")

        page.get_by_role("tab", name="Needs attention").click()
        page.locator(".mc-pick:visible", has_text="2,150 kg were sent").first.click()
        page.wait_for_selector("text=Waiting for Vegetable market")
        page.get_by_role("tab", name="Where the mass went").click()
        assert "kg missing" in page.text_content("svg.mc-wide:visible")
        assert seen.nameless() == []
        assert seen.outside() == set()
        assert seen.trouble == []


def test_a_resident_reads_it_in_chinese_on_a_phone(network, chromium):
    with visit(chromium, width=390, height=844, locale="zh-CN") as seen:
        page = network.open(seen, "garbage_custody", "")
        page.wait_for_selector(".mc-pick >> text=HH-20260108")
        assert page.get_attribute("html", "lang") == "zh-Hans"
        be_whole_on_a_phone(seen)
        expect(page.locator("main").first).to_contain_text("链只证明谁在何时签署了什么")
        expect(page.locator("main").first).to_contain_text("街道办甲")
        for name in ("需要关注", "重量去向", "批次"):
            page.get_by_role("tab", name=name).click()
            assert seen.width() <= 390
        assert seen.outside() == set()
        assert seen.trouble == []
