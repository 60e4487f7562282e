"""The dashboards as a person meets them: in a browser, in both languages, on a phone, and when something dies."""

from __future__ import annotations

import subprocess

import pytest
from browser import visit
from playwright.sync_api import expect
from test_views_server import ask, kernels, wait_until, write_app

from minichain.live import dashboards

ORPHAN_TIMEOUT_S = 10.0

# An app on a network that a button unplugs, with hostile text in every place that shows text.
STORY = """
from minichain.errors import NetworkError
from minichain.views import i18n, panels, parts, pictures
from minichain.views.models import BlockCard, NodeCard
from minichain.views.moving import BlockStrip, NodeRing
from minichain.views.polling import LiveLoop

HOSTILE = "<img src=x onerror='window.hacked=1'><script>window.hacked=1</script>"


class World:
    is_up, height = True, 12_800


def read(_client):
    if not World.is_up:
        raise NetworkError("no validator answers")
    World.height += 1
    return World.height


def turn(is_up):
    World.is_up = is_up


def build():
    ring, strip, choice, place = NodeRing(), BlockStrip(), panels.W.Dropdown(options=[HOSTILE, "b"]), panels.stack()

    def show(height):
        names = ["office 0", HOSTILE, "office 2", "office 3", "office 4", "office 5", "office 6"]
        ring.show([NodeCard(name, height, "bad" if name == "office 3" else "ok", HOSTILE) for name in names])
        first = max(12_801, height - 5)
        heights = range(first, height + 1)
        strip.show([BlockCard(h, bytes([h % 251]) * 32, bytes(32), 0, 3, HOSTILE, 5, 7, 0, True) for h in heights])

    live = LiveLoop(lambda: None, read, show)
    flow = pictures.Flow
    flows = [flow(HOSTILE, "truck", 5), flow("truck", "plant", 4), flow("truck", "gone", 1, "bad", HOSTILE)]
    stops = [parts.Stop(HOSTILE, "truck", "ok", HOSTILE, HOSTILE, HOSTILE, HOSTILE)] * 4
    return panels.Page(
        panels.band(parts.kpi(HOSTILE, HOSTILE, HOSTILE, HOSTILE), parts.kpi("Height", 12_801)),
        panels.tabs(("One", panels.stack(
            panels.card(ring, title=HOSTILE, sentence=HOSTILE),
            panels.card(strip, title="Blocks"),
            panels.card(parts.table(HOSTILE, [HOSTILE, "b"], [[HOSTILE, 1]] * 3), parts.custody("c", stops)),
            panels.card(pictures.sankey("s", flows, "kg")),
            panels.card(
                panels.field(choice, HOSTILE), panels.field(panels.W.Text(value=HOSTILE), HOSTILE, HOSTILE),
                panels.bar(panels.button("Unplug", lambda: turn(False)), panels.button("Plug in", lambda: turn(True))),
                panels.button(HOSTILE, lambda: 1 / 0, place=place), place,
            ),
        )), (HOSTILE, parts.paragraph("two"))),
        live=live, limits=[HOSTILE],
    )
"""


# What the kernel has to show lies there for longer than Voila waits by itself, as on a busy computer.
LATE = """
import sys, time
sys.stdout.flush_timeout = sys.stderr.flush_timeout = 0.1
get_ipython().kernel.iopub_thread.schedule(lambda: time.sleep(5))
from IPython.display import HTML, display
display(HTML("Here it is."))
"""


@pytest.fixture(scope="module")
def apps(tmp_path_factory):
    folder = tmp_path_factory.mktemp("apps")
    (folder / "story.py").write_text(STORY, "utf-8")
    write_app(
        folder,
        "story.ipynb",
        "from minichain.views import panels\nimport story",
        "panels.show(story.build)",
        title="A story",
        sentence="It is told here.",
        minutes=3,
    )
    write_app(folder, "broken.ipynb", "print('noise')", "1/0", "print('never')", title="Broken")
    write_app(folder, "late.ipynb", LATE, title="Late")
    return folder


@pytest.fixture(scope="module")
def server(apps):
    with dashboards.start(apps, log=subprocess.DEVNULL, orphan_timeout_s=ORPHAN_TIMEOUT_S) as running:
        yield running


def open_story(server, seen, query: str = "") -> None:
    seen.page.goto(f"{server.url}voila/render/story.ipynb{query}")
    seen.page.wait_for_selector(".mc-ring-row")
    seen.page.wait_for_selector('.mc-pulse[data-state="live"]')


@pytest.fixture(scope="module")
def story(server, chromium):
    """One open page for the tests that leave it as they found it."""
    with visit(chromium) as seen:
        open_story(server, seen, "?lang=en")
        yield seen


def is_harmless(seen) -> bool:
    return seen.page.evaluate("window.hacked === undefined") and seen.trouble == []


@pytest.mark.parametrize("width", [1280, 390])
def test_the_gallery_opens_in_both_languages_on_any_screen(server, chromium, width):
    with visit(chromium, width=width) as seen:
        for lang, title in (("en", "What would you like"), ("zh-Hans", "您想了解什么")):
            if lang == "en":
                seen.page.goto(server.url)
            else:
                seen.page.click(".mc-nav a")
            assert seen.page.get_attribute("html", "lang") == lang
            assert title in seen.page.inner_text("main h1")
            assert seen.width() <= width
        assert seen.outside() == set()


def test_an_app_speaks_english_and_a_keyboard_and_a_screen_reader_reach_everything(story):
    page = story.page
    expect(page.locator(".mc-limits").first).to_contain_text("This does not show")
    expect(page.locator(".mc-pulse-word").first).to_have_text("Live")
    assert (page.locator("main").count(), page.locator("h1").count()) == (1, 1)
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "mc-skip"
    assert story.nameless() == []
    page.locator(".mc-block").last.focus()
    page.keyboard.press("Home")
    assert page.evaluate("document.activeElement === document.querySelector('.mc-block')")
    assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"


def test_hostile_text_stays_text_whatever_is_pressed(story):
    page = story.page
    page.get_by_role("button", name="window.hacked").last.click()
    card = page.wait_for_selector(".mc-error")
    assert "Something went wrong on our side" in card.inner_text()
    assert "division" not in card.inner_text()
    page.click(".mc-ring-row >> nth=1")
    page.click(".mc-block >> nth=0")
    assert page.get_attribute(".mc-ring-row >> nth=1", "aria-pressed") == "true"
    assert page.evaluate("document.querySelectorAll('main img, main script[src=x]').length") == 0
    assert is_harmless(story)


def test_a_dead_network_is_told_and_a_new_one_too(story):
    page = story.page
    page.get_by_role("button", name="Unplug").click()
    page.wait_for_selector(".mc-notice >> text=The network is not answering")
    expect(page.locator(".mc-pulse-word").first).to_have_text("No answer")
    page.get_by_role("button", name="Plug in").click()
    page.wait_for_selector('.mc-pulse[data-state="live"]')
    expect(page.locator(".mc-notice")).not_to_be_visible()


def test_a_dead_kernel_is_told_and_a_left_page_ends_its_own(server, story):
    for kernel in kernels(server):
        kernel.kill()
    story.page.wait_for_selector(".mc-notice >> text=lost its connection")
    story.page.click(".mc-reload")
    story.page.wait_for_selector('.mc-pulse[data-state="live"]')
    assert story.outside() == set()
    assert len(kernels(server)) == 1
    story.page.goto("about:blank")
    wait_until(lambda: not kernels(server), ORPHAN_TIMEOUT_S * 0.8, "the page's farewell did not end its kernel")


def test_a_chinese_browser_gets_chinese_on_a_phone_and_its_kernel_ends_when_it_dies_without_a_word(server, chromium):
    with visit(chromium, width=390, height=844, locale="zh-CN") as seen:
        open_story(server, seen)
        assert seen.page.get_attribute("html", "lang") == "zh-Hans"
        expect(seen.page.locator(".mc-pulse-word").first).to_have_text("实时")
        expect(seen.page.locator(".mc-limits").first).to_contain_text("本页不能说明")
        assert seen.width() <= 390
        assert is_harmless(seen)
        assert seen.outside() == set()
        seen.page.evaluate("() => { navigator.sendBeacon = () => false; }")
    wait_until(lambda: not kernels(server), 6 * ORPHAN_TIMEOUT_S, "the kernel outlived its browser")


def test_what_a_page_shows_is_waited_for(server):
    assert "Here it is." in ask(server, "/voila/render/late.ipynb")[2]


def test_a_broken_notebook_shows_a_card_and_no_traceback(server, chromium):
    with visit(chromium) as seen:
        seen.page.goto(f"{server.url}voila/render/broken.ipynb?lang=en")
        card = seen.page.wait_for_selector(".mc-error")
        assert "Something went wrong while this page was made" in card.inner_text()
        shown = seen.page.inner_text("body")
        assert not [
            word for word in ("Traceback", "ZeroDivision", "noise", "never", "show_tracebacks") if word in shown
        ]
