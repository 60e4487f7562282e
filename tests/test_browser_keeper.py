"""A page that is drawn anew at any moment keeps the keyboard's focus where it was, and loses no press of a finger."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from browser import visit
from playwright.sync_api import expect

from minichain.views.panels import STYLE_SHEET

KEEPER = STYLE_SHEET.with_name("keeper.js").read_text("utf-8")
# Two panels with buttons of the same name; `draw` replaces one as widgets do: gone at once, there again after a while.
PAGE = """<script>%s</script><main><p>Words</p><section id=a></section><section id=b></section></main><script>
    window.pressed = [];
    function draw(id, words = "Next step") {
        const made = Object.assign(document.createElement("button"), { textContent: words });
        made.addEventListener("click", () => pressed.push(id));
        document.getElementById(id).replaceChildren();
        setTimeout(() => document.getElementById(id).replaceChildren(made), 50);
    }
    draw("a"); draw("b");
</script>"""


@pytest.fixture
def page(chromium: Any) -> Iterator[Any]:
    with visit(chromium) as seen:
        seen.page.set_content(PAGE % KEEPER)
        expect(seen.page.locator("button")).to_have_count(2)
        yield seen.page
        assert seen.trouble == []


def test_the_focus_comes_back_to_the_one_that_had_it_and_not_to_its_namesake(page: Any) -> None:
    for id_ in ("b", "a"):
        page.locator(f"#{id_} button").focus()
        page.evaluate("id => draw(id)", id_)
        expect(page.locator(f"#{id_} button:focus")).to_have_count(1)
        page.keyboard.press("Enter")
    assert page.evaluate("pressed") == ["b", "a"]


def test_the_focus_goes_to_nothing_of_another_name_and_is_not_taken_from_who_has_it(page: Any) -> None:
    page.locator("#a button").focus()
    page.evaluate("draw('a', 'Delete everything')")
    expect(page.locator("#a button")).to_have_text("Delete everything")
    assert page.locator("button:focus").count() == 0
    page.locator("#b button").focus()
    page.evaluate("draw('a')")
    expect(page.locator("#a button")).to_have_text("Next step")
    expect(page.locator("#b button:focus")).to_have_count(1)


def test_who_pressed_beside_everything_wants_no_focus(page: Any) -> None:
    page.locator("#a button").focus()
    page.get_by_text("Words").click()
    page.evaluate("draw('a')")
    expect(page.locator("button")).to_have_count(2)
    assert page.locator("button:focus").count() == 0


@pytest.mark.parametrize(("words", "pressed"), [("Next step", ["a"]), ("Delete everything", [])])
def test_a_press_that_a_redraw_divides_counts_once(page: Any, words: str, pressed: list[str]) -> None:
    box = page.locator("#a button").bounding_box()
    page.mouse.move(box["x"] + 9, box["y"] + 9)
    page.mouse.down()
    page.evaluate("words => draw('a', words)", words)
    expect(page.locator("#a button")).to_have_text(words)
    page.mouse.up()
    page.wait_for_timeout(50)
    assert page.evaluate("pressed") == pressed
    page.mouse.down()
    page.mouse.up()
    assert page.evaluate("pressed") == [*pressed, "a"], "a press without a redraw is one press, too"
