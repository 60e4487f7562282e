"""The trainer's console: what it shows of a class, what its buttons do, and that a projector names nobody."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import ipywidgets as W  # noqa: N812 - the name every ipywidgets text uses
import msgspec
import pytest
from test_classroom import NOON, Person, Phone, let_in, opened, served

from minichain.bench.console import MODULE, lags
from minichain.course.answers import written
from minichain.course.classroom import grid, overview, report
from minichain.course.classroom.desk import (
    Approve,
    Collect,
    Command,
    Desk,
    LetHappen,
    ResetClass,
    ResetLearner,
    StartGame,
    StepGame,
)
from minichain.course.classroom.folder import Folder, new_settings
from minichain.course.classroom.letters import HandIn, Join
from minichain.course.classroom.register import Verdict
from minichain.course.classroom.room import ClassRoom
from minichain.course.classroom.trouble import KINDS, words
from minichain.errors import NetworkError, UsageError
from minichain.faults.timeline import parse_step
from minichain.live.home import Home
from minichain.views import i18n, trainer_console
from minichain.views.trainer_console_desk import DeskLine
from minichain.views.trainer_console_model import Console, trouble_told, trouble_words

NAMES = ("Street office A", "Transporter", "Recycling plant", "Market hall", "Hospital", "Bus depot")
MINUTE_MS = 60_000


@pytest.fixture
def desk(tmp_path) -> Desk:
    Folder(tmp_path / "home").write(new_settings())
    return opened(tmp_path / "home")


@pytest.fixture(autouse=True)
def _english() -> Iterator[None]:
    i18n.use("en")
    yield
    i18n.use("en")


def a_class(desk: Desk, count: int = len(NAMES)) -> list[Person]:
    return [let_in(Person(desk, at), name) for at, name in enumerate(NAMES[:count], 1)]


def miss(person: Person, times: int, exercise: str = "m02.e2", misconception: str = "MC06") -> None:
    """Answer wrongly, so many times."""
    for _time in range(times):
        person.at += MINUTE_MS
        person.answer(exercise, written(0), misconception=misconception, cause="any")
    person.hand_in()


def solve(person: Person, exercise: str = "m02.e2", after_ms: int = MINUTE_MS) -> None:
    person.at += after_ms
    person.answer(exercise, written(1), is_right=True)
    person.hand_in()


def seen(desk: Desk) -> dict[str, Any]:
    return desk.overview()


def exercise_of(found: dict[str, Any], id: str) -> dict[str, Any]:
    return next(one for module in found["modules"] for one in module["exercises"] if one["id"] == id)


# --- what there is to see ----------------------------------------------------------------------------------------


def test_the_grid_says_who_is_stuck_and_who_needs_help_first(desk):
    office, carrier, plant = a_class(desk, 3)
    miss(carrier, 3)
    miss(plant, 1)
    solve(office)
    found = seen(desk)
    states = {one["name"]: one["cells"]["m02.e2"]["state"] for one in found["learners"]}
    assert states == {"Street office A": "done", "Transporter": "stuck", "Recycling plant": "trying"}
    assert [(one["did"], one["why"], one["misses"]) for one in found["help"]] == [(carrier.key.did, "stuck", 3)]
    assert exercise_of(found, "m02.e2") | {"title": ""} == {
        "id": "m02.e2", "title": "", "kind": "break", "median_ms": 0, "trying": 1, "stuck": 1, "done": 1,
    }  # fmt: skip


def test_who_has_begun_and_is_silent_for_long_needs_help_too(desk):
    (office,) = a_class(desk, 1)
    miss(office, 1)
    assert seen(desk)["help"] == []
    later = overview.overview(desk.register, NOON + overview.SILENT_MS)
    assert [(one["why"], one["exercise"]) for one in later["help"]] == [("silent", "m02.e2")]


def test_what_many_believe_is_said_with_the_number_of_those_who_do(desk):
    office, carrier, plant = a_class(desk, 3)
    miss(office, 1)
    miss(carrier, 2)
    miss(plant, 1, "m02.p1", "MC08")
    told = [(one["id"], one["learners"], bool(one["belief"]["zh"])) for one in seen(desk)["beliefs"]]
    assert told == [("MC06", 2, True), ("MC08", 1, True)]


def test_the_median_time_runs_from_the_answer_before_and_leaves_breaks_out(desk):
    office, carrier, plant = a_class(desk, 3)
    for person, pause in ((office, 4), (carrier, 6), (plant, 40)):
        solve(person, "m02.p1")
        person.at += (pause - 1) * MINUTE_MS
        miss(person, 1)
        solve(person)
    assert overview.durations(desk.register)["m02.e2"] == [5 * MINUTE_MS + 2, 7 * MINUTE_MS + 2, MINUTE_MS + 1]
    assert exercise_of(seen(desk), "m02.e2")["median_ms"] == 5 * MINUTE_MS + 2


def test_predictions_are_counted_by_what_they_say_and_the_last_one_counts(desk):
    office, carrier, plant = a_class(desk, 3)
    for person, said in ((office, {1, 2}), (office, {3}), (carrier, {3}), (plant, {4, 3})):
        person.answer("m02.p1", written({"edited": said}), kind="predict")
        person.hand_in()
    found = desk.spread("m02.p1")
    assert (found["learners"], found["values"]) == (3, {"edited": [("[3]", 2), ("[3, 4]", 1)]})
    carrier.answer("m02.p1", "def answer(): pass", kind="predict")
    carrier.hand_in()
    assert desk.spread("m02.p1")["values"][""] == [("def answer(): pass", 1)], "whatever it is, it is shown as text"


# --- beginning again ---------------------------------------------------------------------------------------------


def test_the_class_goes_back_to_the_start_of_a_module_and_no_answer_is_lost(desk):
    office, carrier = a_class(desk, 2)
    miss(office, 3)
    solve(carrier)
    solve(carrier, "m03.e1")
    assert desk.obey(ResetClass("m02.")).code == ""
    found = seen(desk)
    assert [sorted(one["cells"]) for one in found["learners"]] == [[], ["m03.e1"]]
    assert (found["attempts"], found["archived"]) == (5, 4)
    again = opened(desk.folder.home.path)
    assert (len(again.register.taken), seen(again)["archived"]) == (5, 4), "a night later, too"


def test_one_learner_begins_again_and_the_others_go_on(desk):
    office, carrier = a_class(desk, 2)
    miss(office, 3)
    solve(carrier)
    desk.obey(ResetLearner("Street office A", "m02."))
    assert [sorted(one["cells"]) for one in seen(desk)["learners"]] == [[], ["m02.e2"]]


# --- the network -------------------------------------------------------------------------------------------------


def test_every_trouble_is_a_line_of_a_timeline_or_a_story_and_has_its_words():
    nodes = [f"node-{number}" for number in range(4)]
    for what in ("crash", "delay", "partition", "liar"):
        assert parse_step(words(what, "node-2", nodes), tuple(nodes)).words == words(what, "node-2", nodes)
    assert trouble_words().keys() == trouble_told().keys() == set(KINDS)


def test_without_a_network_nothing_happens_and_the_trainer_is_told(desk):
    answer = desk.obey(LetHappen("crash", "node-1"))
    assert (answer.code, "does not answer" in answer.said) == ("no_network", True)
    assert seen(desk)["trouble"] == []


# --- the report --------------------------------------------------------------------------------------------------


def test_the_report_counts_no_group_of_fewer_than_five_and_names_nobody(desk):
    people = a_class(desk)
    for person in people[:5]:
        miss(person, 1)
    miss(people[5], 1, "m02.p1", "MC08")
    told = desk.report("en")
    assert "all, or all but fewer than 5" in told, "five of six have begun: one has not"
    assert "MC06" in told
    assert told.count("fewer than 5") >= 3
    assert not [name for name in NAMES if name in told]
    assert "少于 5 人" in desk.report("zh")


@pytest.mark.parametrize(
    ("count", "of", "said"),
    [
        (5, 10, "5 of 10 (50 %)"),
        (4, 10, "fewer than 5"),
        (0, 10, "fewer than 5"),
        (6, 10, "all, or all but fewer than 5"),
        (10, 10, "all, or all but fewer than 5"),
        (3, 4, "too few to show"),
    ],
)
def test_neither_a_small_cell_nor_what_is_left_beside_it_can_be_read(desk, count, of, said):
    assert report._Report(desk.register, NOON, "en").counted(count, of) == said


def test_an_empty_class_has_a_report_too(desk):
    assert "There is nothing to show yet." in desk.report("en")


# --- the line to the desk ----------------------------------------------------------------------------------------


def test_only_who_has_the_secret_sees_or_does_anything(desk):
    let_in(Person(desk, 1), "Street office A")
    with served(desk) as url:
        stranger = Phone(url)
        stranger.open("join", {"name": "Plant", "token": desk.settings.token})
        for path in ("overview", "predictions?exercise=m02.p1", "report"):
            assert stranger.open(path).startswith("403")
            assert stranger.open(path, Authorization="Bearer guessed").startswith("403")
        desk.folder.announce(url)
        with pytest.raises(UsageError, match="not that of the class"):
            DeskLine(Home(desk.folder.home.path), "guessed").look()
        line = DeskLine(Home(desk.folder.home.path), desk.settings.secret)
        assert line.look()["waiting"] == ["Plant"]
        assert line.tell("approve", names=["Plant"]) == "Plant"
        plant = Person(desk, 9)
        plant.answer("m02.e2", written(1))
        assert line.collect(plant.letter(HandIn(tuple(plant.made), "Carrier"))) == (1, 0)
        assert [one["name"] for one in line.look()["learners"]] == ["Street office A", "Plant", "Carrier"]
        assert "Carrier" not in line.report("en")
        with pytest.raises(UsageError, match="Nobody named Nobody"):
            line.tell("dismiss", name="Nobody")
        with pytest.raises(UsageError, match="could not be read"):
            line.tell("obey me")
    desk.folder.silence()
    with pytest.raises(UsageError, match="No class is open"):
        line.look()


def test_a_console_without_its_secret_says_where_to_find_the_link(tmp_path):
    with pytest.raises(UsageError, match="minichain class start"):
        DeskLine(Home(tmp_path), "")


def test_a_page_that_was_opened_without_its_secret_says_so_in_place_of_a_class(tmp_path):
    async def opened_without() -> W.Widget:
        page = trainer_console.page(Home(tmp_path))
        page.live.start()
        while page.live.state != "lost":
            await asyncio.sleep(0.05)
            if page.live.trouble:
                page.live._patience_s = 0.0
        page.live.stop()
        return page

    *_top, shown, _limits = (getattr(one, "value", "") for one in asyncio.run(opened_without()).children)
    assert "mc-error" in shown
    assert "Open this page with the console&#x27;s link: `minichain class start` prints it." in shown


def test_a_desk_that_is_killed_is_lost_and_no_error_of_the_page(desk):
    with served(desk) as url:
        desk.folder.announce(url)
        line = DeskLine(Home(desk.folder.home.path), desk.settings.secret)
    with pytest.raises(NetworkError):
        line.look()


def test_the_link_of_the_console_has_the_secret_and_the_link_of_learners_has_not(desk):
    room = ClassRoom(desk.folder.home.path)
    assert room.settings.secret in room.console("http://127.0.0.1:8866/")
    assert room.settings.secret not in room.link


def test_a_mark_is_that_of_an_answer_also_where_the_page_has_looked_after_two(desk):
    (office,) = a_class(desk, 1)
    exercise, number = "m14.e1", list(grid.exercises((MODULE,))).index("m14.e1")
    for after_ms, is_right in ((0, False), (400, False), (700, True), (900, True)):
        office.at = NOON + after_ms
        office.answer(exercise, written(after_ms), is_right=is_right)
    cell = f"Street office A|{number}"
    shown = [(NOON - 50, "not started"), (NOON + 1_000, "trying, 2 wrong"), (NOON + 2_000, "done")]
    assert list(lags("Street office A", office.made, {cell: shown})) == [1_000, 600, 1_300]
    assert list(lags("Street office A", office.made, {cell: shown[:2]})) == [1_000, 600, None]
    assert list(lags("Street office A", office.made, {})) == [None] * 3


# --- the page ----------------------------------------------------------------------------------------------------


def texts(widget: W.Widget) -> Iterator[str]:
    """Yield all that a widget and those in it send to the browser as text."""
    yield json.dumps(widget.get_state(), default=lambda _value: "", ensure_ascii=False)
    for child in getattr(widget, "children", ()):
        yield from texts(child)


def page_of(desk: Desk) -> tuple[Console, W.Widget]:
    model = Console()
    page = W.VBox([one for one in trainer_console.content(model, AtOnce(desk)) if isinstance(one, W.Widget)])
    model.show(json.loads(json.dumps(seen(desk))))
    return model, page


class AtOnce:
    """Does what a page asks for while it is asked, at a desk of this process."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk

    def run(self, work, then, failed) -> bool:
        try:
            then(work(self, None))
        except UsageError as error:
            failed(error)
        return True

    def tell(self, command: str, **what: Any) -> str:
        answer = self.desk.obey(msgspec.json.decode(json.dumps({"type": command, **what}), type=Command))
        if answer.code:
            raise UsageError(answer.said)
        return answer.said

    def collect(self, letter: bytes) -> tuple[int, int]:
        answer = self.desk.obey(Collect(letter))
        if answer.code:
            raise UsageError(answer.said)
        return len(answer.have), len(answer.refused)

    def spread(self, exercise: str) -> dict[str, Any]:
        return self.desk.spread(exercise)

    def report(self, language: str) -> str:
        return self.desk.report(language)


def press(page: W.Widget, words: str) -> None:
    """Press the button that has these words, wherever it is."""
    for child in getattr(page, "children", ()):
        if isinstance(child, W.Button) and child.description == words:
            child.click()
            return
    for child in getattr(page, "children", ()):
        with suppress(LookupError):
            press(child, words)
            return
    raise LookupError(words)


def test_a_projector_names_nobody_anywhere_on_the_page(desk):
    office, carrier, *_rest = a_class(desk)
    miss(office, 3)
    solve(carrier)
    Person(desk, 20).say(Join("Water works"))
    desk.register.taken[office.made[0].digest].verdict = Verdict(0, 1, False)
    model, page = page_of(desk)
    shown = "\n".join(texts(page))
    assert all(name in shown for name in (*NAMES, "Water works"))
    model.is_projected = True
    shown = "\n".join(texts(page))
    assert [name for name in (*NAMES, "Water works") if name in shown] == []
    assert "Number 1" in shown
    assert "Guest 1" in shown


def test_a_state_is_said_by_colour_sign_and_word(desk):
    (office,) = a_class(desk, 1)
    miss(office, 3)
    shown = "".join(texts(page_of(desk)[1]))
    assert "mc-chip mc-bad" in shown
    assert "stuck, 3 wrong" in shown
    assert "not started" in shown


def test_the_page_speaks_chinese_with_the_words_of_the_course(desk):
    i18n.use("zh")
    (office,) = a_class(desk, 1)
    miss(office, 3)
    shown = "".join(texts(page_of(desk)[1]))
    assert "卡住，错 3 次" in shown
    assert "MC06" in shown
    assert "哈希" in shown


def test_the_page_opens_at_the_module_that_is_being_worked_on_and_stays_where_it_is_put(desk):
    (office,) = a_class(desk, 1)
    miss(office, 1, "m03.e1")
    model, _page = page_of(desk)
    assert model.module == "m03"
    model.module = "m02"
    model.show(seen(desk))
    assert model.module == "m02"


def test_the_buttons_of_a_lesson_do_what_they_say(desk):
    (office,) = a_class(desk, 1)
    miss(office, 3)
    Person(desk, 20).say(Join("Water works"))
    model, page = page_of(desk)
    press(page, "Let in: Water works")
    model.show(seen(desk))
    assert "Let in" not in "".join(texts(page))
    assert [one["name"] for one in model.people] == ["Street office A", "Water works"]
    press(page, "The whole class begins again")
    press(page, "Cancel")
    assert seen(desk)["archived"] == 0, "it asks first"
    press(page, "This learner begins again")
    press(page, "Yes, begin again")
    assert (seen(desk)["archived"], model.module) == (3, "m02")
    press(page, "Let it happen")
    assert "does not answer just now" in "".join(texts(page))
    press(page, "Make the report")
    assert "data:text/html;base64," in "".join(texts(page))


def test_files_are_taken_where_there_is_no_network_and_what_is_wrong_with_one_is_said(desk):
    (office,) = a_class(desk, 1)
    office.answer("m02.e2", written(1), is_right=True)
    letter = office.letter(HandIn(tuple(office.made)))
    _model, page = page_of(desk)
    upload = next(one for one in widgets(page) if isinstance(one, W.FileUpload))
    at = datetime(2026, 3, 2, tzinfo=UTC)
    upload.value = tuple(
        {"name": name, "type": "", "size": len(content), "content": memoryview(content), "last_modified": at}
        for name, content in (("a.handin", letter), ("b.handin", b"{}"), ("again.handin", letter))
    )
    shown = "".join(texts(page))
    assert "a.handin: 1 kept, 0 refused" in shown
    assert "again.handin: 1 kept, 0 refused" in shown
    assert "b.handin was not taken: This could not be read" in shown
    assert len(desk.register.taken) == 1, "it counts once"


def widgets(widget: W.Widget) -> Iterator[W.Widget]:
    yield widget
    for child in getattr(widget, "children", ()):
        yield from widgets(child)


# --- the consensus game ------------------------------------------------------------------------------------------


def a_round(desk: Desk, liars: int) -> None:
    """Play a round in which everybody says the first thing they may, or splits."""
    played = desk.register.game
    assert played is not None
    while played.phase != "over":
        for seat in played.waits_for():
            choices = played.choices(seat)
            choice = "split" if liars > 1 and "split" in choices else choices[0]
            desk.play(desk.register.learners[played.seats[seat]], played.phase, choice)
        desk.obey(StepGame())


@pytest.mark.parametrize(("liars", "said"), [(1, "Nothing went wrong"), (2, "Not one slip was forged")])
def test_a_round_is_begun_and_judged_on_the_console_and_nobody_learns_before_who_lies(desk, liars, said):
    for number in range(4):
        desk.join_by_browser(f"Phone {number}", desk.settings.token, "127.0.0.1")
    desk.obey(Approve())
    model, page = page_of(desk)
    desk.obey(StartGame(liars))
    while liars == 2 and desk.register.game.proposer not in desk.register.game.liars:
        desk.obey(StartGame(liars))  # until a liar proposes
    model.show(seen(desk))
    shown = "\n".join(texts(page))
    assert "we wait" in shown
    assert "liar</span>" not in shown
    a_round(desk, liars)
    model.show(json.loads(json.dumps(seen(desk))))
    shown = "\n".join(texts(page))
    assert said in shown
    assert shown.count("mc-chip mc-bad") >= liars
    assert "Phone 2" in shown
    model.is_projected = True
    assert "Phone" not in "\n".join(texts(page)).replace("point a phone", "")


def test_the_buttons_of_the_game_begin_a_round_and_end_its_phases(desk):
    model, page = page_of(desk)
    press(page, "Begin a round")
    assert "A round needs at least 4" in "\n".join(texts(page))
    for number in range(4):
        desk.join_by_browser(f"Phone {number}", desk.settings.token, "127.0.0.1")
    desk.obey(Approve())
    press(page, "Begin a round")
    for _phase in range(3):
        model.show(seen(desk))
        press(page, "End this phase")
    model.show(seen(desk))
    shown = "\n".join(texts(page))
    assert "The proposer said nothing" in shown
    assert "down in: 1. Propose" in shown or "liar" in shown
