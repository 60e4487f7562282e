"""The consensus lab: some offices agree on transfers, something goes wrong, and one sees what they can bear.

`Lab` (consensus_model) is what the page knows, `consensus_words` how it says it; here is only how it looks. Nothing is
staged: every line is a message that a real node sent in the simulator, and every sentence is counted from those.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import ipywidgets as W  # noqa: N812 - the name every ipywidgets text uses

from minichain.faults.network import Weather
from minichain.sim import reading
from minichain.sim.recording import Message, Recording
from minichain.views import consensus_words as words
from minichain.views import frame, parts
from minichain.views.briefs import consensus
from minichain.views.consensus_model import LEAST, MOST, PREDICTION, Lab
from minichain.views.consensus_text import own
from minichain.views.i18n import _, ngettext, number
from minichain.views.markup import Safe, join, tag
from minichain.views.moving import Pick, PickList, Slide, Stage
from minichain.views.panels import Content, Page, bar, bound, button, card, field, guarded, html, rebuilt, row, stack
from minichain.views.parts import State

MARKS: Final = {
    "proposal": "square", "prevote": "ring", "precommit": "disc", "ask": "triangle", "yes": "disc", "entry": "square",
    "ack": "ring", "block": "square", "blocks": "diamond", "copy": "diamond",
}  # fmt: skip
SMALL_TALK: Final = frozenset({
    "position", "transactions", "heartbeat", "tip", "pre-ask", "pre-yes", "no", "mismatch", "question", "forgotten",
    "noise",
})  # fmt: skip
PACE: Final = {"bft": 0.3, "raft": 0.3, "pow": 0.12}  # pixels for a millisecond
TICK_MS: Final = {"bft": 500, "raft": 500, "pow": 1_000}
LISTED: Final = 8


def page(lab: Lab | None = None) -> Page:
    """Build the lab."""
    model = lab or Lab()
    situation = row(_situation(model), _prediction(model))
    return frame.page(consensus.case(model), situation, _screen(model), frame.more(_("The run as a text"), own(model)))


# --- the situation -----------------------------------------------------------------------------------------------


def _presets() -> Mapping[str, tuple[str, str]]:
    return {
        "well": (_("All is well"), _("Everybody is there, and every message arrives.")),
        "offline": (_("One office offline"), _("One office is switched off from the beginning.")),
        "liar": (_("One liar of four"), _("One office tells one half of the others this, and the other half that.")),
        "liars": (_("Too many liars"), _("Three of seven offices lie together.")),
        "cable": (_("The cable is cut"), _("Between two groups of offices no message passes.")),
        "slow": (_("A slow office"), _("One office needs a long time for everything it does.")),
        "": (_("Your own"), _("You have changed the situation.")),
    }


def _situation(model: Lab) -> W.Box:
    preset = W.Dropdown(options=[(title, key) for key, (title, _told) in _presets().items()], value=model.preset)
    method = W.Dropdown(options=consensus.methods(), value=model.situation.engine)

    def choose(change: Any) -> None:
        if change.new and change.new != model.preset:
            model.choose(change.new)

    preset.observe(choose, "value")
    method.observe(lambda change: model.change(engine=change.new), "value")

    def follow(_change: Any) -> None:
        preset.value, method.value = model.preset, model.situation.engine

    model.observe(follow, ["preset", "situation"])
    return card(
        field(preset, _("What happens")),
        bound(model, ["preset"], lambda: parts.paragraph(_presets()[model.preset][1])),
        field(method, _("How they agree")),
        frame.more(_("Change it"), _sliders(model)),
        title=_("1. The situation"),
    )


def _sliders(model: Lab) -> W.Box:
    def slider(trait: str, label: str, least: int, most: int, step: int = 1) -> Slide:
        made = Slide(label, least, most, step)
        made.value = getattr(model.situation, trait)
        made.observe(lambda change: model.change(**{trait: change.new}), "value")
        model.observe(lambda _change: made.set_trait("value", getattr(model.situation, trait)), "situation")
        return made

    trouble = W.Dropdown(options=consensus.troubles())
    trouble.value = model.situation.trouble
    trouble.observe(lambda change: model.change(trouble=change.new), "value")
    model.observe(lambda _change: trouble.set_trait("value", model.situation.trouble), "situation")
    return stack(
        slider("offices", _("Offices"), LEAST, MOST),
        slider("offline", _("Offline"), 0, MOST - 1),
        slider("liars", _("Liars (BFT only)"), 0, MOST - 1),
        slider("delay_ms", _("Delay of a message, ms"), 20, 1_500, 20),
        slider("loss", _("Messages lost, %"), 0, 60),
        field(trouble, _("Other trouble")),
    )


# --- the prediction ----------------------------------------------------------------------------------------------


def _prediction(model: Lab) -> W.Box:
    asked = rebuilt(model, ["recording", "timeline"], lambda: _questions(model))
    answer = bound(model, ["is_told", "recording"], lambda: _answer(model), "mc-live")
    title = html(tag("h2", _("2. What will happen?"), class_="mc-h2", id=PREDICTION))
    return card(title, asked, answer)


def _safe_answers() -> list[tuple[str, bool]]:
    return [(_("It stays safe: one result"), True), (_("Two different results"), False)]


def _moving_answers() -> list[tuple[str, bool]]:
    return [(_("It goes on"), True), (_("It comes to a stop"), False)]


def _questions(model: Lab) -> Sequence[Content]:
    if model.recording:
        again = button(_("Another prediction"), lambda: model.bring(model.timeline, model.situation))
        return [_said(model), again]
    place = stack()
    safe = _choice(_safe_answers(), lambda value: model.set_trait("guess_safe", value))
    moving = _choice(_moving_answers(), lambda value: model.set_trait("guess_moving", value))

    def run() -> None:
        place.children = [html(parts.paragraph(_("One moment…")), "mc-live")]
        guarded(model.run, place)()

    show = button(_("Now show me"), run, "primary")
    asked = W.Box([field(safe, _("Will they agree?")), field(moving, _("Will it go on?"))], _dom_classes=["mc-guess"])
    return [asked, show, place]


def _choice(answers: list[tuple[str, bool]], choose: Callable[[bool], None]) -> W.RadioButtons:
    made = W.RadioButtons(options=answers, index=None)
    made.add_class("mc-choice")
    made.observe(lambda change: choose(change.new), "value")
    return made


def _said(model: Lab) -> Safe:
    safe = next(told for told, value in _safe_answers() if value == model.guess_safe)
    moving = next(told for told, value in _moving_answers() if value == model.guess_moving)
    return parts.facts([(_("You said"), safe), ("", moving)])


def _answer(model: Lab) -> Safe:
    if not model.recording:
        return Safe("")
    if not model.is_told:
        return parts.paragraph(_("Watch it to its end, and you will be told how your prediction came out."))
    right = model.guessed_right
    was_safe, was_moving = words.outcome(model.recording)
    safe = _("It stayed safe.") if was_safe else _("There were two results.")
    moving = _("It went on.") if was_moving else _("It came to a stop.")
    lines: list[tuple[State, Safe]] = [
        ("ok" if right[0] else "info", parts.proven(_("It stayed safe"), safe)),
        ("ok" if right[1] else "info", parts.proven(_("It went on"), moving)),
    ]
    title = {
        2: _("You were right about both."),
        1: _("You were right about one of the two."),
        0: _("It went the other way. That is where one learns most."),
    }[sum(right)]
    return parts.note("ok" if all(right) else "info", title, parts.sentences(lines))


# --- the screen --------------------------------------------------------------------------------------------------


def staged(model: Lab) -> dict[str, Any]:
    """Return what the moving picture needs of a run; before it, the offices at rest."""
    names, engine = model.timeline.names, model.timeline.engine
    offices = [{"key": name, "letter": words.letters([name]), "name": words.office(name)} for name in names]
    rest = {"offices": offices, "pace": PACE[engine], "tick": TICK_MS[engine], "usual": _usual_ms(model), "liars": []}
    if model.recording is None:
        return {**rest, "kinds": [], "messages": [], "off": [], "finals": [], "end": 0}
    return {**rest, **_played(model.recording)}


def _usual_ms(model: Lab) -> int:
    weather: Weather = model.timeline.weather
    return max(20, (weather.least_ms + weather.most_ms) // 2)


def _played(recording: Recording) -> dict[str, Any]:
    place = {name: at for at, name in enumerate(recording.names)}
    kinds = list(dict.fromkeys(message.saying.kind for message in recording.messages))
    return {
        "liars": [place[name] for name in sorted(recording.liars)],
        "kinds": [{"name": words.kind_name(kind), "mark": MARKS.get(kind, "")} for kind in kinds],
        "messages": [_line(recording, message, place, kinds) for message in recording.messages],
        "off": [span for name in recording.names for span in _off_spans(recording, name, place[name])],
        "finals": _flags(recording, place),
        "end": recording.end_ms,
    }


def _line(recording: Recording, message: Message, place: Mapping[str, int], kinds: Sequence[str]) -> list[int]:
    said = message.saying
    version = reading.versions(recording).get(said.block, (0, 0))[1] if said.block else 0
    is_no = said.kind in reading.VOTES and said.block is None
    due, seen = (-1 if ms is None else ms for ms in (message.due_ms, message.seen_ms))
    ends = [place[message.sender], place[message.receiver]]
    return [
        *ends,
        kinds.index(said.kind),
        version,
        int(is_no),
        int(said.kind in SMALL_TALK),
        message.sent_ms,
        due,
        seen,
    ]


def _off_spans(recording: Recording, name: str, at: int) -> list[list[int]]:
    states = recording.states[name]
    ends = [*(state.ms for state in states[1:]), recording.end_ms + 1]
    return [[at, state.ms, end] for state, end in zip(states, ends, strict=True) if not state.is_on]


def _flags(recording: Recording, place: Mapping[str, int]) -> list[list[Any]]:
    """List which office had which block final, when, and when it took it back."""
    versions = reading.versions(recording)
    final = [kept for kept in recording.kept if kept.final_ms is not None]
    return [
        [
            place[kept.name],
            kept.final_ms,
            reading.label(recording, kept.id),
            versions[kept.id][1],
            -1 if kept.undone_ms is None else kept.undone_ms,
        ]
        for kept in sorted(final, key=lambda kept: kept.final_ms or 0)
    ]


def _screen(model: Lab) -> W.Box:
    stage = Stage(staged(model))

    def follow(_change: Any) -> None:
        with stage.hold_sync():
            stage.position, stage.run = model.position, staged(model)

    model.observe(follow, ["timeline", "recording"])
    for trait in ("position", "office", "message"):
        W.link((model, trait), (stage, trait))
    moment = ["recording", "position"]
    scene = stack(
        bound(model, moment, lambda: _lamps(model)),
        card(
            stage,
            bound(model, ["recording"], lambda: _cut(model)),
            rebuilt(model, ["message", "recording"], lambda: _message(model)),
        ),
        bound(model, moment, lambda: _conflict(model)),
        row(_count(model), _office(model)),
        row(_messages(model, stage), _changes(model)),
    )
    scene.add_class("mc-scene")
    return scene


def _cut(model: Lab) -> Safe:
    if not model.recording or not model.recording.is_cut:
        return Safe("")
    told = _("More happened than one recording holds. It ends after {time}.")
    return parts.sentences([("warn", told.format(time=words.seconds(model.recording.end_ms)))])


def _lamps(model: Lab) -> Safe:
    if model.recording is None:
        first = _("First say what you expect. Then you see it.")
        lamps = [parts.lamp(_("Safe?"), "plain", first), parts.lamp(_("Moving?"), "plain", first)]
    else:
        safe, moving = (tell(model.recording, model.position) for tell in (words.safe, words.moving))
        lamps = [parts.lamp(_("Safe?"), *safe), parts.lamp(_("Moving?"), *moving)]
    return tag("div", lamps, class_="mc-lamps")


def _conflict(model: Lab) -> Safe:
    conflict = model.recording and model.recording.conflict(model.position)
    if not conflict:
        return Safe("")
    version = reading.versions(model.recording)
    pair = sorted((conflict.first, conflict.second), key=lambda kept: version[kept.id])
    both = [words.certificate(model.recording, kept) for kept in pair]
    return tag(
        "section",
        parts.heading(_("Two results, and what stands behind each")),
        tag("div", both, class_="mc-certs"),
        words.verdict_on_conflict(model.recording, conflict),
        class_="mc-card mc-conflict",
    )


def _count(model: Lab) -> W.Box:
    def told() -> Safe:
        recording, ms = model.recording, model.position
        if recording is None:
            return parts.paragraph(_("Here the votes are counted while they are cast."))
        ballots = [_ballot(recording, ballot) for ballot in reading.ballots(recording, ms)]
        if not ballots:
            ballots = [parts.paragraph(_("Nobody has said yes to anything at this moment."))]
        title = tag("p", tag("strong", words.discussion_title(recording, ms)), class_="mc-p")
        return join(title, ballots)

    sentence = _("As somebody sees it who sees all offices at once. None of them can.")
    return card(bound(model, ["recording", "position"], told), title=_("The count"), sentence=sentence)


def _ballot(recording: Recording, ballot: reading.Ballot) -> Safe:
    title = tag("div", words.ballot_title(recording, ballot), class_="mc-ballot-title")
    count = tag("div", words.ballot_count(ballot), class_="mc-kpi-note")
    return tag("div", title, words.seats(ballot, recording.names, recording.liars), count, class_="mc-ballot")


def _office(model: Lab) -> W.Box:
    place, moment = stack(), ["recording", "position", "office"]

    def told() -> Safe:
        if not model.office or model.recording is None:
            return parts.paragraph(_("Choose an office on the ring or on its lane."))
        title = tag("p", tag("strong", words.office(model.office)), class_="mc-p")
        return join(title, parts.sentences(words.knows(model.recording, model.office, model.position)))

    turn = button("", lambda: model.switch(model.office), place=place)

    def follow(_change: Any = None) -> None:
        is_on = model.recording and model.office and model.recording.state(model.office, model.position).is_on
        turn.description = _("Switch it off from here on") if is_on else _("Switch it on from here on")
        turn.tooltip = turn.description

    def controls() -> Sequence[Content]:
        follow()
        return [turn, place] if model.office and model.recording else ()

    model.observe(follow, moment)
    sentence = _("It knows only what has reached it.")
    shown = bound(model, moment, told)
    return card(
        shown, rebuilt(model, ["office", "recording"], controls), title=_("What one office knows"), sentence=sentence
    )


# --- messages ----------------------------------------------------------------------------------------------------


def _messages(model: Lab, stage: Stage) -> W.Box:
    picks = PickList(_("Messages under way"), _("No message is under way at this moment."))

    def follow(_change: Any = None) -> None:
        if not stage.playing:
            picks.show([_pick(model.recording, message) for message in under_way(model)])

    model.observe(follow, ["recording", "position", "office"])
    stage.observe(follow, "playing")
    picks.observe(lambda change: model.set_trait("message", int(change.new or -1)), "selected")
    model.observe(lambda change: picks.set_trait("selected", str(change.new) if change.new >= 0 else ""), "message")
    sentence = _("Pause, then choose one here or on the picture.")
    return card(picks, title=_("Messages under way"), sentence=sentence)


def under_way(model: Lab) -> list[Message]:
    """List the messages on their way at the moment, those of the chosen office if there is one."""
    if model.recording is None:
        return []
    now, mine = model.position, model.office
    flying = (
        m for m in model.recording.messages if m.sent_ms <= now < (m.sent_ms + 1 if m.due_ms is None else m.due_ms)
    )
    wanted = (m for m in flying if m.saying.kind not in SMALL_TALK and (not mine or mine in (m.sender, m.receiver)))
    return list(wanted)[:LISTED]


def _pick(recording: Recording, message: Message) -> Pick:
    title = _("{sender} to {receiver}").format(
        sender=words.office(message.sender), receiver=words.office(message.receiver)
    )
    state, _told = words.way(message, recording.end_ms)
    return Pick(str(message.number), title, words.says(recording, message), state, words.kind_name(message.saying.kind))


def _message(model: Lab) -> Sequence[Content]:
    """Show the chosen message right under the picture it was chosen on, and what can be done to it."""
    if model.recording is None:
        return ()
    message = model.chosen
    if message is None:
        return [parts.paragraph(_("Choose a message to read it, lose it, or hold it back."))]
    ends = _("From {sender} to {receiver}").format(
        sender=words.office(message.sender), receiver=words.office(message.receiver)
    )
    state, way = words.way(message, model.recording.end_ms)
    told = tag(
        "p", tag("strong", ends), " ", words.says(model.recording, message), " ", tag("span", way), class_="mc-p"
    )
    place = stack()
    drop, hold = button(_("Drop it"), model.drop, place=place), button(_("Delay it 2 s"), model.hold, place=place)
    return [
        tag("div", parts.chip(state, words.kind_name(message.saying.kind)), told, class_="mc-letter"),
        bar(drop, hold),
        place,
    ]


def _changes(model: Lab) -> W.Box:
    def told() -> Sequence[Content]:
        if model.recording is None:
            return [parts.paragraph(_("Here is listed what you do to a run while you look at it."))]
        place = stack()
        mend = button(_("Mend everything from here on"), model.mend, place=place)
        if not model.added:
            return [parts.paragraph(_("Nothing yet: this is the run as it began.")), bar(mend), place]
        count = len(model.added)
        added = ngettext("You have added a line to this run.", "You have added {count} lines to this run.", count)
        lines = [parts.codeline(str(step)) for step in model.added_steps]
        undo = button(_("Take the last one back"), model.undo, place=place)
        return [parts.paragraph(added.format(count=number(count))), parts.sentences(lines), bar(undo, mend), place]

    return card(rebuilt(model, ["added", "recording"], told), title=_("What you have changed"))
