"""The trainer's console in a browser: a class without a shell, on the wall without names, for everybody to use."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from typing import Any

import pytest
from browser import require_browser, visit
from playwright.sync_api import expect
from test_browser_frame import press, trouble
from test_classroom import Phone, until

from minichain.course.classroom.folder import Folder, new_settings
from minichain.course.classroom.room import ClassRoom
from minichain.live import dashboards, supervisor
from minichain.live.carrier import DESK, Carrier
from minichain.live.home import VARIABLE, Home

TABS = ("Predictions", "Network", "Game", "Files", "Start again", "Report")


@pytest.fixture(scope="module")
def console(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[ClassRoom, str]]:
    """A class whose desk runs without a network, and the link of its console."""
    require_browser()
    home = tmp_path_factory.mktemp("console") / "home"
    Folder(home).write(new_settings(port=0))
    desk = Carrier(home / "desk.log", [Home(home)], DESK)
    desk.spawn()
    try:
        with dashboards.start(supervisor.apps(), log=subprocess.DEVNULL, environment={VARIABLE: str(home)}) as server:
            until(Folder(home).running)
            room = ClassRoom(home)
            yield room, room.console(server.url)
    finally:
        desk.close()


def opened(seen: Any, link: str, lang: str) -> Any:
    seen.page.goto(f"{link}&lang={lang}")
    seen.page.wait_for_selector('.mc-pulse[data-state="live"]')
    return seen.page


def test_a_class_is_held_from_the_console_with_keys_only_and_on_the_wall_it_names_nobody(console, chromium):
    room, link = console
    phones = [Phone(room.link.partition("?")[0]) for _number in range(4)]
    for number, phone in enumerate(phones, 1):
        phone.open("join", {"name": f"Office {number}", "token": room.settings.token})
    with visit(chromium, 1280, 720) as seen:
        page = opened(seen, link, "en")
        press(page, "Let in: Office 1")
        expect(page.locator(".mc-class-grid")).to_contain_text("1 · Office 1")
        press(page, "Let everybody in")
        expect(page.locator(".mc-class-grid")).to_contain_text("4 · Office 4")
        for name in TABS:
            page.get_by_role("tab", name=name).click()
            assert trouble(page) == []
        page.get_by_role("tab", name="Game").click()
        page.get_by_role("button", name="Begin a round").click()
        expect(page.get_by_role("button", name="End this phase")).to_be_visible()
        assert "You sit on seat 1 of 4." in phones[0].open("game?lang=en")
        page.get_by_label("Projector: leave names out").check()
        expect(page.locator("body")).to_contain_text("Seat 4")
        page.get_by_role("tab", name="Class").click()
        expect(page.locator(".mc-class-grid")).to_contain_text("Number 4")
        assert "Office" not in page.inner_text("main")
        assert "Office" not in page.locator("main").inner_html()
        assert seen.nameless() == []
        assert seen.outside() == set()
        assert seen.trouble == []
    with visit(chromium, 390, 844, "zh-CN") as seen:
        page = opened(seen, link, "zh")
        expect(page.locator(".mc-class-grid")).to_contain_text("1 · Office 1")
        assert seen.width() <= 390
        assert trouble(page) == []
        expect(page.locator(".mc-limits").first).to_contain_text("本页不能说明")
