"""Panels are driven without a browser, as the page would drive them."""

from __future__ import annotations

import asyncio
import time

import pytest
from traitlets import HasTraits, Int

from minichain.errors import NetworkError, Reverted
from minichain.views import panels, parts, renewed
from minichain.views.markup import tag
from minichain.views.models import BlockCard, NodeCard
from minichain.views.moving import BlockStrip, NodeRing, Pulse
from minichain.views.polling import Errands, LiveLoop


def test_a_panel_takes_no_bare_text():
    with pytest.raises(AssertionError, match="markup built by"):
        panels.html("<b>not built by tag</b>")


class Model(HasTraits):
    height = Int(1)
    round = Int(0)


def test_a_bound_panel_follows_its_model():
    model = Model()
    panel = panels.bound(model, ["height"], lambda: parts.kpi("Height", model.height))
    model.height = 12_801
    assert "12,801" in panel.value


def test_what_a_panel_showed_just_now_still_hears_a_click_that_is_on_its_way(monkeypatch):
    model, made, now = Model(), [], [100.0]
    monkeypatch.setattr(renewed.time, "monotonic", lambda: now[0])

    def build():
        made.append(panels.button("Go", lambda: None))
        return [made[-1]]

    panels.rebuilt(model, ["height"], build)
    model.height = 2
    assert made[0].comm
    now[0] += renewed.GRACE_S
    model.height = 3
    assert [bool(one.comm) for one in made] == [False, True, True]


def test_what_a_panel_shows_no_more_is_closed_and_drawn_no_more(monkeypatch):
    monkeypatch.setattr(renewed, "GRACE_S", 0)
    model, made, drawn = Model(), [], []
    others = panels.html(tag("p", "made by others"))

    def draw(number):
        drawn.append(number)
        return tag("p", f"{number}: {model.height}")

    def build():
        number = len(made)
        made.append(panels.bound(model, ["height"], lambda: draw(number)))
        return [others, made[0] if number == 1 else made[number], panels.button("Go", lambda: None)]

    held = panels.rebuilt(model, ["height"], lambda: [panels.rebuilt(model, ["round"], build)])

    def open_ones():
        return [number for number, widget in enumerate(made) if widget.comm]

    model.round = 1
    assert open_ones() == [0, 1], "the first is shown again, and the second may still be"
    model.round = 2
    assert open_ones() == [2]
    first = held.children[0]
    model.height = 12_801
    assert open_ones() == [3], "what a part has made goes with it"
    assert first.comm is None
    assert others.comm
    drawn.clear()
    model.height = 12_802
    assert set(drawn) <= {3, 4}
    assert open_ones() == [4]


def press(button):
    button.click()


def test_what_cannot_be_undone_is_asked_twice():
    done: list[str] = []
    control = panels.ConfirmButton("Stop it", "It will stop.", "Yes, stop it", lambda: done.append("stopped"))
    press(control.children[0])
    question, answers = control.children[0].children
    assert "It will stop." in question.value
    press(answers.children[1])
    assert (done, control.children[0].description) == ([], "Stop it")
    press(control.children[0])
    press(control.children[0].children[1].children[0])
    assert (done, control.children[0].description) == (["stopped"], "Stop it")


def test_an_error_becomes_a_card_and_the_next_success_clears_it(capsys):
    place, answers = panels.stack(), [Reverted("<b>too long</b>"), None]

    def handler():
        if error := answers.pop(0):
            raise error

    button = panels.button("Do it", handler, place=place)
    press(button)
    assert "&lt;b&gt;too long&lt;/b&gt;" in place.children[0].value
    press(button)
    assert place.children == ()


def test_progress_shows_each_step_and_the_one_that_failed(capsys):
    progress = panels.Progress("signed", "sent", "final")
    progress.at(1, "Sent to four validators.")
    assert [f"mc-step-{state}" in progress.value for state in ("done", "now", "todo", "failed")] == [
        True,
        True,
        True,
        False,
    ]
    assert "Sent to four validators." in progress.value
    progress.fail(NetworkError("no validator answers"))
    assert "mc-step-failed" in progress.value
    assert "no validator answers" in progress.value
    progress.finish("Final in block 7.")
    assert progress.value.count("mc-step-done") == 3


@pytest.mark.parametrize("fails", [False, True])
def test_a_long_action_keeps_its_button_down_and_gives_it_back(fails, capsys):
    def work(client, say):
        say(1, "half way")
        time.sleep(0.05)
        if fails:
            raise NetworkError("cable cut")
        return 7

    async def run():
        action = panels.LongAction(
            "Go", ["a", "b"], Errands(lambda: None), lambda: work, lambda height: f"Final in block {height}."
        )
        press(action.button)
        assert action.button.disabled
        while action.button.disabled:
            await asyncio.sleep(0.01)
        return action.progress.value

    assert ("cable cut" if fails else "Final in block 7.") in asyncio.run(run())


def sent_by(widget):
    """Collect what a widget sends to its page."""
    messages = []
    widget.send = lambda content, buffers=None: messages.append(content)
    return messages


def test_a_page_is_opened_by_its_first_message_and_gets_an_answer():
    opened = []
    pulse = Pulse(lambda: opened.append(True))
    messages = sent_by(pulse)
    assert opened == []
    pulse._handle_custom_msg({"ask": True}, [])
    assert (opened, messages) == ([True], [{"answer": True}])


def test_a_page_says_what_its_network_does():
    live = LiveLoop(lambda: None, lambda client: None, lambda answer: None)
    page = panels.Page(tag("p", "x"), live=live, limits=["mass never weighed"])
    states = []
    for state in ("live", "lost", "live"):
        live.state = state
        states.append((page.pulse.state, bool(page.pulse.notice)))
    assert states == [("live", False), ("lost", True), ("live", False)]
    assert "mass never weighed" in page.children[-1].value


def test_in_a_notebook_a_page_brings_its_title_and_style_and_under_voila_it_does_not(monkeypatch):
    assert "<h1" in panels.Page(title="Explorer").children[0].value
    assert "--mc-accent" in panels.Page().children[0].value
    monkeypatch.setenv("SERVER_SOFTWARE", "voila/0.5.13")
    assert isinstance(panels.Page(title="Explorer").children[0], Pulse)


def test_a_page_that_cannot_be_built_shows_a_card(monkeypatch, capsys):
    shown = []
    monkeypatch.setattr(panels, "display", shown.append)
    panels.show(lambda: 1 / 0)
    assert "ZeroDivisionError" in shown[0].children[-1].value
    assert "division by zero" not in shown[0].children[-1].value


def test_moving_pictures_get_short_plain_lists():
    ring, strip = NodeRing(), BlockStrip()
    ring.show([NodeCard("a\u202eb", 12_801, "warn", "catching up")], "12,801", "last block")
    strip.show([BlockCard(5, b"\xab" * 32, bytes(32), 0, 1, "plant", 2, 4, 0, False)])
    assert ring.nodes == [
        {"name": "a\N{REPLACEMENT CHARACTER}b", "height": "12,801", "state": "warn", "word": "catching up"}
    ]
    assert (strip.blocks[0]["id"], strip.blocks[0]["state"], strip.blocks[0]["txsText"]) == (
        "abababab",
        "warn",
        "1 entry",
    )
