"""The page says by itself that nobody answers any more; how soon, by a clock that only this test moves."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from browser import visit
from playwright.sync_api import expect

from minichain.views.moving import script

TOLD_MS = 3_000  # from the last answer until the page says that there are no more
# The kernel's side of the widget: it answers every question, until it is dead.
PAGE = """<main></main><script type=module>
    const listeners = {};
    const words = { live: "Live", gone: "No answer", goneNotice: "It has lost its connection.", reload: "Again" };
    window.kernel = { alive: true };
    const model = {
        get: name => ({ words, state: "live", notice: "" })[name],
        on: (names, hear) => names.split(" ").forEach(name => listeners[name] = hear),
        send: () => window.kernel.alive && setTimeout(() => listeners["msg:custom"](), 20),
    };
    const source = %s;
    const { default: pulse } = await import(URL.createObjectURL(new Blob([source], { type: "text/javascript" })));
    pulse.render({ model, el: document.querySelector("main") });
</script>"""


@pytest.fixture
def page(chromium: Any) -> Iterator[Any]:
    with visit(chromium) as seen:
        seen.page.clock.install(time=0)
        seen.page.clock.pause_at(1_000)
        seen.page.set_content(PAGE % json.dumps(script("pulse.js")))
        expect(seen.page.locator(".mc-pulse-word")).to_have_text("Live")
        yield seen.page
        assert seen.trouble == []


def test_a_kernel_that_is_silent_is_told_within_three_seconds_and_one_that_answers_never(page: Any) -> None:
    notice = page.locator(".mc-notice")
    page.clock.run_for(60_000)
    expect(notice).to_be_hidden()
    page.evaluate("kernel.alive = false")
    page.clock.run_for(1_000)
    expect(notice).to_be_hidden()
    page.clock.run_for(TOLD_MS - 1_000)
    expect(notice).to_contain_text("lost its connection")
    expect(page.locator(".mc-pulse")).to_have_attribute("data-state", "gone")
    page.evaluate("kernel.alive = true")
    page.clock.run_for(2_000)
    expect(notice).to_be_hidden()


def test_a_page_that_slept_asks_before_it_judges(page: Any) -> None:
    page.clock.run_for(1_500)  # nothing is on its way
    page.clock.fast_forward(3_600_000)
    expect(page.locator(".mc-notice")).to_be_hidden()
    page.clock.run_for(10_000)
    expect(page.locator(".mc-notice")).to_be_hidden()
    page.evaluate("kernel.alive = false")
    page.clock.fast_forward(3_600_000)
    page.clock.run_for(4_000)
    expect(page.locator(".mc-notice")).to_contain_text("lost its connection")
