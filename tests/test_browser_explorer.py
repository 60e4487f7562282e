"""The explorer on a real network: a citizen looks, checks a proof, cheats on a copy, and a trainer pulls plugs."""

from __future__ import annotations

from browser import visit
from playwright.sync_api import expect
from test_browser_frame import be_whole_on_a_phone

import minichain as mc
from minichain.ledger.types import Call


def pay(net: mc.Network, amount: int) -> mc.Receipt:
    """Put a transaction on the chain from outside the page."""
    return net.send(net.wallet("bank"), [Call("ledger", "transfer", {"to": net.wallet("shop").did, "amount": amount})])


def kpi(page, label: str) -> str:
    return page.inner_text(f".mc-kpi:has-text('{label}') .mc-kpi-value")


def test_a_citizen_sees_the_chain_grow_and_checks_what_it_says(network, chromium, tmp_path):
    with mc.Network.attach(network.home) as net, visit(chromium) as seen:
        first = pay(net, 5)
        page = network.open(seen, "explorer")
        page.wait_for_selector(".mc-block")
        assert kpi(page, "Validators in step") == "4 / 4"
        pay(net, 1_234)
        page.wait_for_selector("text=sent 1,234 to")  # live, without a click

        page.fill("input[placeholder='for example 12']", first.tx_id)
        page.get_by_role("button", name="Find").click()
        page.wait_for_selector(f"text=Block {first.height}")
        page.get_by_role("button", name="Check its proof").click()
        page.wait_for_selector(".mc-note.mc-ok >> text=Proven")
        expect(page.locator(".mc-merkle:visible")).to_have_count(1)
        with page.expect_download() as download:
            page.get_by_text("Save the proof").click()
        saved = tmp_path / "proof.json"
        download.value.save_as(saved)
        assert saved.read_bytes() == first.proof().to_bytes()

        page.get_by_role("tab", name="Try to cheat").click()
        page.get_by_label("What you write instead").fill("reverted")
        page.wait_for_selector(".mc-note.mc-bad:visible >> text=Not proven")
        expect(page.locator(".mc-merkle.mc-broken:visible")).to_have_count(1)
        page.get_by_label("How far you go").select_option(index=3)
        page.wait_for_selector("text=It names another chain")
        expect(page.locator(".mc-page").first).to_contain_text("The real chain is not touched")

        page.get_by_role("tab", name="Check a proof").click()
        page.set_input_files("input[type=file]", forged(saved))
        page.wait_for_selector(".mc-note.mc-bad:visible >> text=Not proven")
        page.set_input_files("input[type=file]", saved)
        page.wait_for_selector(".mc-note.mc-ok:visible >> text=Proven")
        assert seen.outside() == set()
        assert seen.trouble == []


def forged(saved):
    """Write the same proof for a chain of another name."""
    path = saved.with_name("forged.json")
    path.write_text(saved.read_text("utf-8").replace("minichain-local", "minichain-other"), "utf-8")
    return path


def test_a_trainer_stops_a_validator_and_then_the_network_and_the_page_goes_on(network, chromium):
    with visit(chromium, width=390, height=844, locale="zh-CN") as seen:
        page = network.open(seen, "explorer", "")
        page.wait_for_selector(".mc-ring-row")
        assert page.get_attribute("html", "lang") == "zh-Hans"
        be_whole_on_a_phone(seen)
        page.click(".mc-ring-row >> nth=3")
        page.get_by_role("button", name="停止该验证者").click()
        page.get_by_role("button", name="确认停止").click()
        page.wait_for_selector(".mc-ring-row >> nth=3 >> text=停机")
        with mc.Network.attach(network.home) as net:
            assert pay(net, 7).ok  # three of four are more than two thirds
        page.click(".mc-ring-row >> nth=3")
        page.get_by_role("button", name="重新启动").click()
        page.wait_for_selector(".mc-ring-row >> nth=3 >> text=同步")

        network.stop_network()
        page.wait_for_selector(".mc-notice >> text=网络没有回应")
        network.start_network()
        page.wait_for_selector('.mc-pulse[data-state="live"]')
        expect(page.locator(".mc-notice")).not_to_be_visible()
        assert seen.width() <= 390
        assert seen.outside() == set()


def test_without_a_network_the_page_says_how_to_start_one_and_notices_it(network, chromium):
    network.stop_network()
    with visit(chromium) as seen:
        seen.page.goto(f"{network.url}voila/render/explorer.ipynb?lang=en")
        seen.page.wait_for_selector("text=No network is running here")
        expect(seen.page.locator(".mc-page").first).to_contain_text("minichain up")
        network.start_network()
        seen.page.wait_for_selector('.mc-pulse[data-state="live"]')
        seen.page.wait_for_selector(".mc-block")


SHOP = '''from minichain.contracts.api import Contract, Value, action


class Shop(Contract):
    """Sell at one price."""

    sold = Value(int)

    @action
    def buy(self) -> int:
        """Buy one."""
        self.sold += 1
        return self.sold
'''


def test_an_official_reads_a_contract_with_the_keyboard_and_sees_it_frozen(network, chromium):
    with mc.Network.attach(network.home) as net, visit(chromium, width=390, height=844, locale="zh-CN") as seen:
        office = net.wallet("office")
        net.deploy(SHOP, sender=office)
        net.upgrade("shop", SHOP.replace("self.sold += 1", "self.sold += 2"), sender=office)
        page = network.open(seen, "explorer", "")
        page.get_by_role("tab", name="合约").click()
        page.wait_for_selector("[title='阅读 shop']")
        page.press("[title='阅读 shop']", "Enter")
        page.wait_for_selector(".mc-note.mc-ok:visible >> text=已核验")
        page.wait_for_selector("text=shop · 版本 2")
        history = page.locator("summary:visible", has_text="版本 2")
        history.focus()
        page.keyboard.press("Enter")
        page.wait_for_selector("text=buy 的代码已改变")
        inner = page.locator("summary:visible", has_text="逐行对照")
        inner.focus()
        page.keyboard.press("Enter")
        expect(page.locator(".mc-diff .mc-added:visible")).to_have_text("+        self.sold += 2")
        assert seen.width() <= 390
        net.freeze("shop", sender=office)
        page.wait_for_selector("text=已冻结：拒绝一切操作")  # live, without a click
        assert seen.nameless() == []
        assert seen.outside() == set()
        assert seen.trouble == []
