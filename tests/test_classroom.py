"""A class on one network: who comes in and under which name, what is handed in, and what nobody can do for another."""

from __future__ import annotations

import asyncio
import builtins
import dis
import inspect
import json
import re
import subprocess
import sys
import threading
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.cookiejar import CookieJar
from pathlib import Path
from types import CodeType

import msgspec
import pytest
from click.testing import CliRunner, Result
from tornado.httpserver import HTTPServer
from tornado.netutil import bind_sockets

from minichain.cli import main
from minichain.cli.class_ import TROUBLE
from minichain.client.network import Network
from minichain.codec import encode, to_json
from minichain.course import check, material, place, predict, progress, reveal, trainer
from minichain.course import desk as lesson
from minichain.course.answers import is_source, made, read_data, written
from minichain.course.attempts import Attempt, is_within, signed
from minichain.course.classroom import clerk, court, grid, member, register, rehearsal, server, trouble, validating
from minichain.course.classroom.clerk import due, has_seat_left, seats
from minichain.course.classroom.collecting import collect_folder
from minichain.course.classroom.desk import Approve, Desk, Dismiss, ListNames, ResetClass, ResetLearner
from minichain.course.classroom.folder import Entries, Folder, chosen, new_settings
from minichain.course.classroom.judge import Case
from minichain.course.classroom.letters import Again, Following, HandIn, Join, Leave, Letter, Look, Place, sealed
from minichain.course.classroom.patience import FAILURE, FULL, Patience
from minichain.course.classroom.register import CLOCK_MS, MAX_NAME, Declined, Took
from minichain.course.classroom.room import ClassRoom
from minichain.course.exercises.notes import Notes
from minichain.course.journal import Journal
from minichain.crypto import KeyPair
from minichain.errors import ConfigError, NetworkError, UsageError

NOON = 1_800_000_000_000  # the desk's clock, in milliseconds
HERE = "192.168.1.20"


class Person:
    """Somebody with a key who writes letters and answers exercises, at times that the test tells."""

    def __init__(self, desk: Desk, number: int) -> None:
        self.desk = desk
        self.key = KeyPair(bytes([number]) * 32)
        self.at = NOON
        self.made: list[Attempt] = []

    def letter(self, body, *, of=None, token=None, learner=None) -> bytes:
        self.at += 1
        letter = Letter(of or self.desk.settings.id, learner or self.key.did, self.at, body)
        return sealed(letter, self.key, self.desk.settings.token if token is None else token)

    def say(self, body, **changed):
        return self.desk.receive(self.letter(body, **changed), HERE)

    def answer(self, exercise="m02.p1", answer='{"!pairs": []}', kind="check", **found) -> Attempt:
        """Answer an exercise, as the lesson would keep it."""
        last = self.made[-1] if self.made else None
        plain = Attempt(
            self.key.did,
            "0" * 16,
            len(self.made) + 1,
            last.digest if last else "",
            exercise,
            kind,
            self.at,
            answer,
            **found,
        )
        self.made.append(signed(plain, self.key))
        return self.made[-1]

    def hand_in(self, *attempts):
        return self.say(HandIn(attempts or tuple(self.made)))


@pytest.fixture
def desk(tmp_path) -> Desk:
    Folder(tmp_path / "home").write(new_settings())
    return opened(tmp_path / "home")


def opened(home) -> Desk:
    """Return a desk whose clock stands, and which judges nothing until it is told to."""
    return Desk(home, now=lambda: NOON)


@pytest.fixture
def first(desk) -> Person:
    return let_in(Person(desk, 1), "Street office A")


def let_in(person: Person, name: str) -> Person:
    assert person.say(Join(name)).place.state == "waiting"
    assert person.desk.obey(Approve((name,))).code == ""
    return person


def test_what_the_desk_says_is_there_in_both_languages_and_fills_in_the_same():
    texts, folder = material.classroom_texts(), Path(register.__file__).parent
    sources = "".join(path.read_text("utf-8") for path in folder.glob("*.py"))
    assert set(re.findall(r'Declined\(\s*"(\w+)"', sources)) <= texts.keys()
    assert {f"seat_{seat}" for seat in (clerk.VOTES, clerk.COMES, clerk.FULL, clerk.SILENT)} <= texts.keys()
    assert set(re.findall(r'(?:say|_field|_flag)\((?:\w+\.\w+, )?"(\w+)"', sources)) <= texts.keys()
    for said in texts.values():
        assert sorted(re.findall(r"{\w+}", said.en)) == sorted(re.findall(r"{\w+}", said.zh)), said.en


# --- coming in ---------------------------------------------------------------------------------------------------


def test_somebody_asks_waits_and_is_let_in_by_the_trainer(desk):
    office = Person(desk, 1)
    assert office.say(Look()).code == "unknown"
    assert office.say(Join("Street office A")).place.state == "waiting"
    assert office.hand_in(office.answer()).code == "not_yet"
    assert desk.obey(Approve()).said == "Street office A"
    found = office.say(Look()).place
    assert (found.state, found.number, found.seed) == ("in", 1, desk.settings.seed)
    assert "Street office A" not in found.institution, "the chain knows a number"
    assert office.hand_in().have == (office.made[0].digest,)


def test_who_is_on_the_list_need_not_wait_however_the_name_is_written(desk):
    desk.obey(ListNames(("Street  Office A ", "Plant")))
    assert Person(desk, 1).say(Join("street office a")).place.state == "in"
    assert Person(desk, 2).say(Join("Transporter")).place.state == "waiting"


def test_listing_a_name_lets_in_who_waits_under_it(desk):
    plant = Person(desk, 1)
    plant.say(Join("Plant"))
    desk.obey(ListNames(("PLANT",)))
    assert plant.say(Look()).place.state == "in"


@pytest.mark.parametrize(
    ("changed", "code", "advice"),
    [
        ({"token": "WRONGTOKEN"}, "wrong_token", "Copy the whole link again"),
        ({"of": "OTHER"}, "wrong_class", "Join this class by its own link"),
        ({"learner": KeyPair(b"2" * 32).did}, "wrong_token", "the letter was changed"),
    ],
)
def test_a_letter_with_another_token_class_or_sender_is_refused_with_what_to_do(desk, changed, code, advice):
    answer = Person(desk, 1).say(Join("Plant"), **changed)
    assert answer.code == code
    assert advice in answer.said
    assert not desk.register.learners


def test_bytes_that_are_no_letter_are_refused(desk):
    assert desk.receive(b"{}", HERE).code == "unreadable"
    assert desk.receive(b"\xff" * 100, HERE).code == "unreadable"


@pytest.mark.parametrize("name", ["", "   ", "x" * (MAX_NAME + 1), "a\u202eb", "a\0", "\u3164", "\u0301"])
def test_a_name_that_nobody_could_read_is_refused(desk, name):
    assert Person(desk, 1).say(Join(name)).code == "name"


def test_a_name_is_taken_once_however_it_is_written(desk, first):
    answer = Person(desk, 2).say(Join("STREET office a"))
    assert answer.code == "name_taken"
    assert "come back with the key you joined with" in answer.said


@pytest.mark.parametrize("name", ["Street office A\ufe0f", "Street\u034f office A", "Street office A\u2800"])
def test_a_name_is_no_other_by_signs_that_nobody_sees(desk, first, name):
    assert Person(desk, 2).say(Join(name)).code == "name_taken"


def test_a_clock_that_is_off_by_a_day_is_named_with_its_hours(desk):
    late = Person(desk, 1)
    late.at -= 24 * 3_600_000
    answer = late.say(Join("Plant"))
    assert (answer.code, "about -24 hours" in answer.said) == ("clock", True)
    assert "Set date and time" in answer.said


def test_lessons_of_another_release_are_refused_and_the_answers_stay_with_the_learner(tmp_path):
    Folder(tmp_path).write(msgspec.structs.replace(new_settings(), bundles=("new",)))
    office = let_in(Person(opened(tmp_path), 1), "Plant")
    assert Person(office.desk, 2).say(Join("Transporter", bundle="old")).code == "old_bundle"
    old, new = office.answer(bundle="old"), office.answer(bundle="new")
    answer = office.hand_in()
    assert answer.refused == {old.digest: "old_bundle"}
    assert "your answers are kept on your computer" in str(Declined("old_bundle"))
    assert answer.have == (new.digest,)


def test_a_class_takes_the_lessons_of_its_release_in_either_language_and_those_before_in_none(tmp_path):
    releases = [
        {language: place.digest({"a": f"{language} {version}".encode()}) for language in ("en", "zh")}
        for version in (1, 2)
    ]
    for number, digests in enumerate(releases):
        for language, digest in digests.items():
            folder = tmp_path / f"{number}-{language}"
            folder.mkdir()
            place.write_record(folder, place.Bundle(language, digest=digest, siblings=tuple(digests.values())))
        given = tmp_path / f"{number}-en" / "notebooks"
        given.mkdir()
        chosen(Folder(tmp_path / "home"), bundle=given)
    (old_en, old_zh), (en, zh) = (digests.values() for digests in releases)
    desk = opened(tmp_path / "home")
    for number, (digest, code) in enumerate({old_en: "old_bundle", old_zh: "old_bundle", en: "", zh: ""}.items(), 1):
        assert Person(desk, number).say(Join(f"Office {number}", bundle=digest)).code == code
    office = let_in(Person(desk, 9), "Plant")
    refused = office.answer(bundle=old_zh), office.answer(bundle=old_en)
    kept = office.answer(bundle=en), office.answer(bundle=zh)
    answer = office.hand_in()
    assert answer.refused == dict.fromkeys((one.digest for one in refused), "old_bundle")
    assert answer.have == tuple(one.digest for one in kept)
    assert opened(tmp_path / "home").settings.bundles == chosen(Folder(tmp_path / "home")).bundles == (en, zh)
    with pytest.raises(UsageError, match="is no bundle: give a folder that `minichain course release` wrote"):
        chosen(Folder(tmp_path / "home"), bundle=tmp_path)


def test_somebody_goes_and_comes_back_under_the_same_number_and_goes_on(desk, first):
    let_in(Person(desk, 2), "Plant")
    first.hand_in(first.answer())
    assert first.say(Leave()).place.state == "away"
    assert first.say(Join("Another name")).code == "other_name"
    assert first.say(Join("Street office A")).place.number == 1
    first.answer()
    assert first.hand_in().have == tuple(one.digest for one in first.made)


def test_answers_given_before_joining_and_after_leaving_are_taken(desk):
    office = Person(desk, 1)
    office.answer()
    let_in(office, "Plant")
    office.say(Leave())
    office.answer()
    assert len(office.hand_in().have) == 2


def test_who_was_dismissed_waits_again_even_from_the_list(desk, first):
    room = ClassRoom(desk.folder.home.path)
    room.list_names("Street office A")
    room.dismiss("Street office A")
    again = Person(opened(desk.folder.home.path), 1)
    again.at += 1_000
    assert again.hand_in(again.answer()).code == "dismissed"
    assert again.say(Join("Street office A")).place.state == "waiting"


def test_a_name_is_given_to_who_waits_for_it_not_to_who_was_dismissed_under_it(desk):
    for number in (1, 2):
        Person(desk, number).say(Join("Plant"))
        if number == 1:
            desk.obey(Dismiss("Plant"))
    desk.obey(Approve(("Plant",)))
    assert [one.state for one in desk.register.learners.values()] == ["out", "in"]


def test_whose_node_votes_is_voted_out_also_when_dismissed_and_asking_again(desk):
    node = Person(desk, 1)
    node.say(Join("Plant", "validator"))
    desk.obey(Approve())
    node.say(Following())
    learner = desk.register.learners[node.key.did]
    assert [what for _, what in due(desk.register, 4, NOON)] == ["account", "validator"]
    for what in ("account", "validator"):
        desk._on_registered(learner, what)
    desk.obey(Dismiss("Plant"))
    node.say(Join("Plant"))
    assert (learner.state, [what for _, what in due(desk.register, 4, NOON)]) == ("waiting", ["removal"])


def test_somebody_who_is_in_comes_back_with_a_node(desk, first):
    assert first.say(Following()).code == "no_validator"
    first.say(Join("Street office A", "validator"))
    assert first.say(Following()).code == ""
    assert desk.register.learners[first.key.did].number == 1
    assert first.say(Join("Street office A", "browser")).code == "role"


# --- whose node votes --------------------------------------------------------------------------------------------


class Nodes:
    """The register of a class of learners with nodes, which say at some time that they run; 4 nodes are the trainer's.

    With four, the chain can do without one node of a learner.
    """

    def __init__(self, *names: str) -> None:
        self.register = register.Register("A")
        for name in names:
            self._let(self.register.join(name, name, "validator", 0, NOON))
        self._let(self.register.approve_all(NOON))

    def _let(self, entries) -> None:
        for entry in entries:
            self.register.apply(entry)

    def say(self, name: str, body, at: int) -> None:
        self._let(self.register.receive(Letter("A", name, at, body), at))

    def do(self, at: int) -> list[tuple[str, str]]:
        """Do what the network has to do at some time, accounts aside; return it."""
        found = [(one.did, what) for one, what in due(self.register, 4, at) if what != "account"]
        self._let(register.Registered(at, name, what) for name, what in found)
        return found

    def seats(self, at: int) -> dict[str, str]:
        return seats(self.register, 4, at)


def test_of_two_nodes_that_ask_at_once_one_votes_and_the_other_is_told_why_not():
    nodes = Nodes("Plant", "Transporter")
    assert nodes.seats(NOON) == {"Plant": "silent", "Transporter": "silent"}
    for name in ("Transporter", "Plant"):
        nodes.say(name, Following(), NOON)
    assert nodes.seats(NOON) == {"Plant": "comes", "Transporter": "full"}
    assert nodes.do(NOON) == [("Plant", "validator")]
    assert nodes.seats(NOON) == {"Plant": "votes", "Transporter": "full"}


@pytest.mark.parametrize(("silent_ms", "done"), [(register.RUNS_MS, ["validator"]), (register.RUNS_MS + 1, [])])
def test_a_seat_that_comes_free_goes_only_to_a_node_that_was_heard_of_just_now(silent_ms, done):
    nodes = Nodes("Plant", "Transporter")
    for name in ("Plant", "Transporter"):
        nodes.say(name, Following(), NOON)
    nodes.do(NOON)
    nodes.say("Plant", Leave(), NOON + 1)
    assert nodes.do(NOON + 1) == [("Plant", "removal")], "before another one is voted in"
    assert [what for _, what in nodes.do(NOON + silent_ms)] == done
    nodes.say("Transporter", Following(), NOON + 2 * silent_ms)
    nodes.do(NOON + 2 * silent_ms)
    assert nodes.seats(NOON + 2 * silent_ms) == {"Transporter": "votes"}


def test_a_node_that_says_again_that_it_runs_is_written_down_from_time_to_time():
    nodes = Nodes("Plant")
    nodes.say("Plant", Following(), NOON)
    assert nodes.register.receive(Letter("A", "Plant", NOON, Following()), NOON + register.HEARD_MS - 1) == []
    assert nodes.register.receive(Letter("A", "Plant", NOON, Following()), NOON + register.HEARD_MS) != []
    assert register.HEARD_MS < register.RUNS_MS, "else a node that runs is taken for one that does not"


def test_who_comes_back_without_a_node_gives_the_seat_back():
    nodes = Nodes("Plant")
    nodes.say("Plant", Following(), NOON)
    nodes.do(NOON)
    nodes.say("Plant", Join("Plant", "light"), NOON + 1)
    assert nodes.do(NOON + 1) == [("Plant", "removal")]
    assert nodes.seats(NOON + 1) == {}


def test_a_learner_is_told_in_the_own_language_whether_the_node_votes_and_what_would_change_it(
    desk, tmp_path, monkeypatch
):
    monkeypatch.setattr(clerk.Clerk, "own", 1)  # so that there is no seat for a learner's node
    plant = Person(desk, 1)
    plant.say(Join("Plant", "validator"))
    desk.obey(Approve())
    assert plant.say(Look()).place.seat == "silent"
    assert plant.say(Following()).place.seat == "full"
    assert "it gets the next seat that comes free" in validating.said_seat("full")
    place.write_record(tmp_path, place.Bundle("zh"))
    monkeypatch.chdir(tmp_path)
    assert "在此期间您是轻客户端" in validating.said_seat("full")
    desk._due()
    assert "The node of Plant gets no vote" in ClassRoom(desk.folder.home.path).flags[0].said


# --- what is handed in -------------------------------------------------------------------------------------------


def test_attempts_come_in_any_order_any_number_of_times_and_count_once(desk, first):
    one, two, three = (first.answer() for _ in range(3))
    assert first.hand_in(three).have == (three.digest,)
    assert set(first.hand_in(two, one, two).have) == {one.digest, two.digest}
    assert len(first.hand_in(one, two, three).have) == 3
    assert list(desk.register.taken) == [three.digest, one.digest, two.digest]


def test_an_attempt_that_is_in_a_letter_twice_is_kept_and_not_held_against_anybody(desk, first):
    once = first.answer()
    answer = first.hand_in(once, once)
    assert (answer.have, answer.refused) == ((once.digest,), {})


@pytest.mark.parametrize("answer", ["[" * 100_000, "[" * 50_000 + "]" * 50_000])
def test_an_answer_nested_too_deep_stops_neither_the_desk_nor_its_next_start(desk, first, answer):
    given = first.answer(answer=answer)
    assert first.hand_in(given).have == (given.digest,)
    again = opened(desk.folder.home.path)
    again.catch_up()
    assert "RecursionError" in again.register.taken[given.digest].verdict.trouble


def test_a_history_that_was_written_anew_is_refused_and_told_to_the_trainer(desk, first):
    first.hand_in(first.answer(), first.answer())
    first.made.pop()
    other = first.answer("m02.e1", "def f(): pass")
    assert first.hand_in(other).refused == {other.digest: "chain"}
    assert "does not follow the one before it" in ClassRoom(desk.folder.home.path).flags[0].said
    first.hand_in(other)
    assert len(ClassRoom(desk.folder.home.path).flags) == 1, "once"


def test_an_attempt_from_the_future_waits_until_its_time_has_come(desk, first):
    first.at += CLOCK_MS * 3
    future = first.answer()
    first.at = NOON
    assert first.hand_in(future).refused == {future.digest: "future"}
    later = Person(Desk(desk.folder.home.path, now=lambda: future.at), 1)
    later.at = future.at
    assert later.hand_in(future).have == (future.digest,)


def test_a_desk_that_starts_again_is_where_it_was_though_its_last_line_was_torn(desk, first):
    first.hand_in(first.answer(), first.answer())
    path = desk.folder.path / "entries.jsonl"
    path.write_bytes(path.read_bytes() + b'{"type":"took","at":18')
    again = opened(desk.folder.home.path)
    assert grid.status(again.register, NOON) == grid.status(desk.register, NOON)
    person = Person(again, 1)
    person.at, person.made = first.at, first.made
    person.hand_in(person.answer())
    assert len(opened(desk.folder.home.path).register.taken) == 3


@pytest.mark.parametrize("line", [b"x\n", b"\xff\n", b'{"type":"left","at":1,"did":"did:key:z6Mk","letter":1}\n'])
def test_a_damaged_line_is_named_with_its_number_and_what_to_do(desk, first, line):
    path = desk.folder.path / "entries.jsonl"
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join([lines[0], line, *lines[1:]]))
    for open_again in (opened, ClassRoom):
        with pytest.raises(ConfigError, match=r"entries\.jsonl is damaged in line 2: put a copy of it back"):
            open_again(desk.folder.home.path)


def test_a_class_that_lost_what_it_is_is_not_mixed_with_a_new_one(desk, first):
    (desk.folder.path / "settings.json").unlink()
    with pytest.raises(
        ConfigError, match=r"settings\.json is missing, .* delete the class with `minichain class wipe`"
    ):
        chosen(desk.folder)
    desk.folder.wipe()
    assert chosen(desk.folder).id != desk.settings.id


def test_damaged_settings_are_named(desk):
    (desk.folder.path / "settings.json").write_bytes(b"{")
    with pytest.raises(ConfigError, match=r"settings.json is damaged .*: put a copy of it back"):
        Desk(desk.folder.home.path)
    with pytest.raises(ConfigError, match=r"start one with `minichain class start`"):
        ClassRoom(desk.folder.home.path / "elsewhere")


# --- nobody acts as another --------------------------------------------------------------------------------------


def test_nobody_hands_in_the_answers_of_another(desk, first):
    thief = let_in(Person(desk, 2), "Plant")
    own, stolen = thief.answer(), first.answer()
    answer = thief.hand_in(own, stolen)
    assert answer.have == (own.digest,)
    assert answer.refused == {stolen.digest: "anothers"}
    assert [flag.did for flag in ClassRoom(desk.folder.home.path).flags] == [thief.key.did]
    renamed = msgspec.structs.replace(stolen, learner=thief.key.did)
    assert thief.hand_in(renamed).refused == {renamed.digest: "forged"}


def test_an_answer_that_was_improved_afterwards_is_refused(desk, first):
    better = msgspec.structs.replace(first.answer(is_right=False), is_right=True)
    assert first.hand_in(better).refused == {better.digest: "forged"}


def test_a_letter_that_was_overheard_brings_nobody_back(desk, first):
    overheard = first.letter(Join("Street office A"))
    desk.receive(overheard, HERE)
    first.say(Leave())
    assert desk.receive(overheard, "192.168.1.66").code == "used"
    assert desk.register.learners[first.key.did].state == "away"


def test_a_letter_to_another_class_opens_nothing_here(desk, first, tmp_path):
    Folder(tmp_path / "other").write(new_settings())
    other = opened(tmp_path / "other")
    assert other.receive(first.letter(Look()), HERE).code == "wrong_class"


def test_who_guesses_is_made_to_wait_and_a_whole_class_behind_one_address_is_not(desk, first):
    for _ in range(100):
        assert first.say(Look()).code == ""
    guesses = [Person(desk, 3).say(Look(), token=f"{number:010}").code for number in range(20)]
    assert guesses[0] == "wrong_token"
    assert guesses[-1] == "too_often"
    assert desk.receive(first.letter(Look()), "192.168.1.21").code == "", "others are not made to"


def test_patience_comes_back_with_time():
    patience = Patience()
    for _ in range(int(FULL / FAILURE) + 1):
        patience.fail(HERE, NOON)
    with pytest.raises(Declined, match=r"Wait \d+ seconds"):
        patience.take(HERE, NOON)
    patience.take(HERE, NOON + 10_000)
    for number in range(5_000):
        patience.take(f"address {number}", NOON)
    assert len(patience._buckets) <= 4_096


# --- those who come by browser -----------------------------------------------------------------------------------


def test_a_key_of_somebody_who_came_by_browser_opens_with_the_session_only(desk):
    session = desk.join_by_browser("Plant", desk.settings.token.lower(), HERE)
    learner, key = desk.session(session, HERE)
    assert (learner.name, learner.did) == ("Plant", key.did)
    kept = desk.folder.key_file(key.did).read_bytes()
    assert key.seed not in kept
    assert session.partition(".")[2].encode() not in b"".join(
        path.read_bytes() for path in desk.folder.path.rglob("*") if path.is_file()
    )
    assert opened(desk.folder.home.path).session(session, HERE)[1].did == key.did


def test_a_session_is_not_guessed_and_fits_nobody_else(desk):
    mine, theirs = (desk.join_by_browser(name, desk.settings.token, HERE) for name in ("Plant", "Transporter"))
    mixed = f"{theirs.partition('.')[0]}.{mine.partition('.')[2]}"
    for wrong in (mixed, mine[:-1], "", "..", "../../settings.json.x", f"{mine.partition('.')[0]}."):
        with pytest.raises(Declined, match="belongs to nobody here"):
            desk.session(wrong, "192.168.1.66")


def test_the_door_for_browsers_asks_for_the_token_too(desk):
    with pytest.raises(Declined, match="Copy the whole link again"):
        desk.join_by_browser("Plant", "", HERE)
    desk.join_by_browser("Plant", desk.settings.token, HERE)
    with pytest.raises(Declined, match="taken"):
        desk.join_by_browser("plant", desk.settings.token, HERE)


@contextmanager
def served(desk: Desk) -> Iterator[str]:
    """Let a desk be reached over HTTP, from a thread of this process; yields its address."""
    ready, ended = threading.Event(), asyncio.Event()
    where: list[object] = []

    async def serve() -> None:
        sockets = bind_sockets(0, "127.0.0.1")
        web = HTTPServer(server.application(desk, server.hosts_of("127.0.0.1")))
        web.add_sockets(sockets)
        where.extend((f"http://127.0.0.1:{sockets[0].getsockname()[1]}/", asyncio.get_running_loop()))
        ready.set()
        await ended.wait()
        web.stop()

    thread = threading.Thread(target=asyncio.run, args=(serve(),))
    thread.start()
    ready.wait()
    try:
        yield str(where[0])
    finally:
        where[1].call_soon_threadsafe(ended.set)  # type: ignore[attr-defined]
        thread.join()


class Phone:
    """A browser without scripts."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.cookies = CookieJar()
        self._opener = urllib.request.build_opener(
            urllib.request.ProxyHandler({}), urllib.request.HTTPCookieProcessor(self.cookies)
        )

    def open(self, path: str = "", form: dict[str, str] | None = None, **headers: str) -> str:
        data = None if form is None else urllib.parse.urlencode(form).encode()
        try:
            with self._opener.open(urllib.request.Request(self.url + path, data, headers)) as answer:
                return answer.read().decode()
        except urllib.error.HTTPError as error:
            return f"{error.code} {error.read().decode()}"


def test_a_phone_joins_by_the_link_waits_and_is_shown_its_place_in_its_language(desk):
    with served(desk) as url:
        phone = Phone(url)
        assert "Which institution are you?" in phone.open(f"?class={desk.settings.id}&token={desk.settings.token}")
        assert "403" in phone.open("join", {"name": "Plant", "token": "no"})
        assert "Plant, your trainer has to let you in" in phone.open(
            "join", {"name": "Plant", "token": desk.settings.token}
        )
        desk.obey(Approve(("Plant",)))
        page = phone.open("me?lang=zh")
        assert 'lang="zh-Hans"' in page
        assert "您是 Plant，本课堂第 1 号机构。" in page
        assert "您已离开课堂" in phone.open("leave", {})
        assert "您是 Plant" in phone.open("back", {})


def test_a_page_elsewhere_can_do_nothing_in_the_name_of_a_phone(desk):
    with served(desk) as url:
        phone = Phone(url)
        phone.open("join", {"name": "<b>Plant</b>", "token": desk.settings.token})
        assert "&lt;b&gt;Plant&lt;/b&gt;" in phone.open("me")
        assert phone.open("leave", {}, Origin="http://elsewhere.example").startswith("403")
        assert phone.open("me", Host="elsewhere.example").startswith("403")
        assert {cookie.name: cookie.has_nonstandard_attr("HttpOnly") for cookie in phone.cookies}[server.COOKIE]
        assert Phone(url).open("note", {"text": "as another"}).startswith("403")


def test_an_address_or_a_form_that_is_no_text_is_told_so_on_a_page(desk):
    with served(desk) as url:
        phone = Phone(url)
        assert "Which institution are you?" in phone.open("?lang=%ff")
        told = phone.open("me?session=%ff&lang=%fe")
        assert told.startswith("400")
        assert "could not be read" in told


def test_only_the_trainer_decides(desk):
    with served(desk) as url:
        assert Phone(url).open("trainer", {}, Authorization="Bearer guess").startswith("403")
        assert Phone(url).open("trainer").startswith("403")
        desk.folder.announce(url)
        let_in(Person(desk, 1), "Plant")
        room = ClassRoom(desk.folder.home.path)
        assert [one.name for one in room.learners] == ["Plant"]
        with pytest.raises(UsageError, match="Nobody named Nobody is there for this"):
            room.approve("Nobody")
        room.dismiss("Plant")
        assert room.learners == []
        assert opened(desk.folder.home.path).register.named("Plant", "out")


def test_a_class_is_open_to_this_computer_only_unless_the_local_network_is_asked_for(tmp_path, monkeypatch):
    folder = Folder(tmp_path)
    first = chosen(folder)
    assert first.host == "127.0.0.1"
    assert chosen(folder, lan=True, address="192.168.1.5").host == "192.168.1.5"
    assert chosen(folder) == first, "and no longer than it is asked for; id and token stay"
    assert server.hosts_of("192.168.1.5") == {"127.0.0.1", "localhost", "192.168.1.5"}
    monkeypatch.setattr("minichain.course.classroom.folder.ELSEWHERE", "256.0.0.1")
    with pytest.raises(NetworkError, match="connect it, or name its address with --address"):
        chosen(folder, lan=True)


# --- from a lesson, in the background ------------------------------------------------------------------------------


def trusting(entry, place, size, proof, root):
    return True


@pytest.fixture
def learner(monkeypatch, tmp_path):
    """Be somebody with a folder of the course of one's own."""
    monkeypatch.setenv(place.VARIABLE, str(tmp_path / "course"))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(lesson, "_journals", {})
    monkeypatch.setattr(member, "_senders", {})
    yield tmp_path / "course"
    for sender in member._senders.values():
        sender.close()


@pytest.fixture
def open_class(tmp_path) -> Iterator[ClassRoom]:
    """A desk with a real clock, reached over HTTP."""
    Folder(tmp_path / "home").write(new_settings())
    desk = Desk(tmp_path / "home")
    with served(desk) as url:
        desk.folder.announce(url)
        yield ClassRoom(tmp_path / "home")


def test_a_lesson_hands_in_what_was_answered_before_and_after_joining(open_class, learner):
    check("m02.e1", trusting)
    open_class.list_names("Plant")
    assert member.join(open_class.link, "Plant").membership.name == "Plant"
    check("m02.e1", trusting)
    (sender,) = member._senders.values()
    assert sender.flush(20)
    open_class.refresh()
    (row,) = open_class.grid().values()
    assert (row["m02.e1"].tries, row["m02.e1"].misconception) == (2, "MC08")


def test_a_lesson_waits_for_no_desk_and_another_kernel_hands_in_the_rest(open_class, learner, monkeypatch):
    open_class.list_names("Plant")
    member.join(open_class.link, "Plant")

    def down(url: str, data: bytes) -> bytes:
        raise OSError("nobody listens")

    monkeypatch.setattr(member, "_senders", {learner: member.Sender(learner, down)})
    check("m02.e1", trusting)
    sender = member._senders[learner]
    assert not sender.flush(0.3)
    sender.close()
    later = member.Sender(learner)
    assert later.flush(20)
    later.close()
    assert open_class.refresh()
    assert len(open_class.register.taken) == 1


def test_what_the_desk_declines_stays_in_the_journal(open_class, learner):
    open_class.list_names("Plant")
    member.join(open_class.link, "Plant")
    open_class.dismiss("Plant")
    check("m02.e1", trusting)
    (sender,) = member._senders.values()
    assert not sender.flush(0.5)
    assert "has not let you in" in sender.trouble
    assert len(Journal(learner).all()) == 1


def test_the_seed_of_the_class_is_that_of_the_checks(open_class, learner):
    assert place.seed() == 0
    open_class.list_names("Plant")
    member.join(open_class.link, "Plant")
    assert place.seed() == open_class.settings.seed > 0


def test_in_a_class_the_first_note_is_ones_own(open_class, learner):
    neighbours = trainer.keys("m00")["m00.e1"].solutions[0]
    assert check("m00.e1", neighbours).is_right, "where nobody knows whose it is"
    open_class.list_names("Plant")
    member.join(open_class.link, "Plant")
    assert "the account is not yours: in this class" in str(check("m00.e1", neighbours))
    with Network.simulated(validators=1, seed=1, profile="private") as net:
        me = lesson.own_wallet(net)
        proof = net.deploy(Notes, sender=me).write("I was here.").proof().to_bytes()
    assert check("m00.e1", {"account": me.did, "note": "I was here.", "proof": proof}).is_right


def test_a_link_that_is_none_and_a_desk_that_is_gone_are_told_apart(learner):
    for link in ("http://127.0.0.1:1/", "http://[::1"):
        with pytest.raises(UsageError, match="is not the link of a class: copy all of it"):
            member.join(link, "Plant")
    with pytest.raises(NetworkError, match=r"no class is reached at http://127\.0\.0\.1:1/"):
        member.join("http://127.0.0.1:1/?class=A&token=B", "Plant")
    with pytest.raises(ConfigError, match="has joined no class"):
        member.Member()


# --- beginning again ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("what", "within"), [("", True), ("m02", True), ("m02.", True), ("m02.e1", True), ("m0", False), ("m02.e", False)]
)
def test_an_exercise_is_within_its_module_itself_and_everything(what, within):
    assert is_within("m02.e1", what) is within


def test_a_learner_is_told_with_each_answer_where_to_begin_again(desk, first):
    desk.obey(ResetLearner("Street office A", "m02"))
    desk.obey(ResetClass("m02"))
    desk.obey(ResetClass("m06."))
    assert first.hand_in(first.answer()).place.again == (Again("m02", NOON, 0), Again("m06.", NOON, 0))
    refused = desk.obey(ResetLearner("Street office A", "m6"))
    assert (refused.code, "Write a module (m06)" in refused.said) == ("no_such_exercise", True)
    assert desk.obey(ResetClass("m99")).code == "no_such_exercise"


def test_when_that_was_is_put_on_the_learners_own_clock_once(tmp_path, monkeypatch):
    clock = iter(at * 1_000_000 for at in (5_000, 9_000, 9_500, 10_000))
    monkeypatch.setattr(member.time, "time_ns", lambda: next(clock))
    told = Place("Plant", "in", again=(Again("m02", NOON, 1_000),))
    member.heed(told, tmp_path)
    member.heed(told, tmp_path)
    assert place.again(tmp_path) == (place.Again("m02", 4_000, NOON),)
    member.heed(Place("Plant", "in", again=(Again("m02", NOON + 1, 500), Again("m03", NOON, 0))), tmp_path)
    assert [(one.prefix, one.at) for one in place.again(tmp_path)] == [("m02", 9_000), ("m03", 9_500)]
    (tmp_path / place.AGAIN).write_bytes(b"[")
    assert place.again(tmp_path) == ()
    member.heed(told, tmp_path)
    assert place.again(tmp_path) == (place.Again("m02", 9_000, NOON),), "what is damaged is said again"


def test_somebody_who_begins_again_sees_it_in_the_lesson_and_no_answer_is_lost(open_class, learner):
    open_class.list_names("Plant")
    member.join(open_class.link, "Plant")
    believed = {part: set() for part in ("edited", "resealed", "owner", "quorum")}
    predict("m02.p1", believed)
    reveal("m02.p1")
    assert [check("m02.e1", trusting).hint for _time in range(2)] == [1, 2]
    (sender,) = member._senders.values()
    assert sender.flush(20)
    before = progress("m02")
    assert (before.done, before.begin, [one.misses for one in before.standings]) == (1, "m02.e1", [1, 2, 0])

    open_class.reset_all("m02")
    found = progress("m02")
    assert (found.done, found.begin, [one.kept for one in found.standings]) == (0, "m02.p1", [2, 2, 0])
    assert "4 earlier answers are kept, and count no longer" in repr(found)
    assert len(lesson.attempts()) == 4
    with pytest.raises(UsageError, match="First say what you expect"):
        reveal("m02.p1")
    assert check("m02.e1", trusting).hint == 1, "hints begin again, too"
    assert sender.flush(20)
    open_class.refresh()
    (row,) = open_class.grid().values()
    assert {id: cell.tries for id, cell in row.items()} == {"m02.e1": 1}, "trainer and learner see the same"
    assert len(open_class.register.taken) == 5, "and nothing is lost"


def test_progress_without_a_class_says_where_to_go_on_and_names_the_modules_there_are(learner):
    assert progress().standings == ()
    check("m02.e1", trusting)
    said = CliRunner().invoke(main, ["course", "progress"]).output
    assert "0 of 3 done." in said
    assert "[trying, 1 wrong] m02.e1" in said
    with pytest.raises(UsageError, match="there is no module 'm2': one of m00, m01"):
        progress("m2")


# --- judged again ------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def judged():
    """Return what judges attempts by the real processes, and waits for each verdict."""
    told: dict[str, object] = {}
    heard = threading.Event()

    def tell(attempt: Attempt, verdict) -> None:
        told[attempt.digest] = verdict
        heard.set()

    bench = court.Court(5, tell)

    def judge(exercise: str, answer: str):
        attempt = Attempt("did", "0", 1, "", exercise, "check", 0, answer)
        heard.clear()
        bench.judge(attempt)
        assert heard.wait(60)
        return told[attempt.digest]

    yield judge
    bench.close()


NAUGHTY = """
def verify(*given):
    import os, socket, subprocess
    tried = {
        "write": lambda: open(os.path.expanduser("~/minichain-was-here"), "w"),
        "reach": lambda: socket.create_connection(("127.0.0.1", 9)),
        "start": lambda: subprocess.run([os.sys.executable, "-c", "pass"], check=True),
        "see": lambda: os.environ["SECRET"],
    }
    for name, do in tried.items():
        try:
            do()
        except (OSError, KeyError) as error:
            if isinstance(error, ConnectionRefusedError):
                raise SystemExit(name)
        else:
            raise SystemExit(name)
    return False
"""


def test_right_and_wrong_answers_are_judged_as_in_a_lesson_and_a_hidden_check_comes_after(judged):
    key = trainer.keys("m02")["m02.e1"]
    assert [judged("m02.e1", written(answer)).hidden for answer in key.solutions] == ["right", "right"]
    believer = next(bot for bot in key.bots if bot.cause == "entry_ignored")
    verdict = judged("m02.e1", written(believer.answer))
    assert (verdict.is_right, verdict.cause, verdict.misconception) == (False, "entry_ignored", "MC08")
    assert judged("m02.p1", written(trainer.keys("m02")["m02.p1"].solutions[0])).is_right
    assert judged("m00.e1", written(trainer.keys("m00")["m00.e1"].solutions[0])).cause == "anothers"


def test_a_learners_function_can_neither_write_nor_reach_anybody_nor_start_anything(judged, monkeypatch):
    monkeypatch.setenv("SECRET", "of the trainer")
    assert judged("m02.e1", NAUGHTY).trouble == ""


def test_where_a_process_cannot_be_let_read_only_it_reads_before_it_is_shut_in():
    answer = written(trainer.keys("m02")["m02.e1"].solutions[0])
    _, verdict = judge_with("executor.landlock_version = lambda: 0", answer)
    assert json.loads(verdict)["hidden"] == "right"


@pytest.mark.skipif(sys.platform == "win32", reason="it cannot count a processor's time")
def test_an_answer_without_an_end_ends_its_judge():
    assert judge_with("judge.PROCESSOR_S = 1", "def f(*given):\n    while True: pass\n") == [b"ready"]


def judge_with(change: str, answer: str) -> list[bytes]:
    """Let a judge that is a little different judge one answer; return the lines that it says."""
    program = (
        f"from minichain.live import executor\nfrom minichain.course.classroom import judge\n{change}\njudge.main()"
    )
    case = to_json(Case("m02.e1", answer, "", 5)) + b"\n"
    told = subprocess.run([sys.executable, "-c", program], input=case, capture_output=True, check=False, timeout=120)
    return told.stdout.splitlines()


def test_a_function_counts_as_told_where_it_cannot_be_run_safely(judged, monkeypatch):
    monkeypatch.setattr(court, "can_confine", lambda: False)
    assert "counts as told" in judged("m02.e1", "def unheard_of(*given):\n    return 1\n").trouble


@pytest.mark.parametrize(
    ("answer", "trouble"),
    [
        ("def f(*a):\n    import os\n    os._exit(0)\n", "ended the judge"),
        ("raise SystemExit('none')\ndef f(): pass", "SystemExit: none"),
        ("def f(:", "SyntaxError"),
        ("import os", "StopIteration"),
        ('{"!bytes": 5}', "TypeError"),
        ("null", "there is no answer in it"),
    ],
)
def test_what_ends_the_judge_or_is_no_answer_is_told_to_the_trainer(judged, answer, trouble):
    assert trouble in judged("m02.e1", answer).trouble


def test_an_edited_check_is_seen_and_the_desks_own_counts(tmp_path):
    Folder(tmp_path).write(new_settings())
    desk = opened(tmp_path)
    cheat = let_in(Person(desk, 1), "Plant")
    wrong = next(bot for bot in trainer.keys("m02")["m02.p1"].bots if bot.cause == "nothing_breaks")
    cheat.hand_in(cheat.answer("m02.p1", written(wrong.answer), is_right=True))
    room = ClassRoom(tmp_path)
    assert room.cell(room.learners[0], "m02.p1").state == "done", "as long as nobody has looked"
    desk.open()
    until(lambda: room.refresh() and not room.register.unjudged)
    desk.close()
    room.refresh()
    cell = room.cell(room.learners[0], "m02.p1")
    assert (cell.state, cell.differs, cell.misconception) == ("trying", True, "MC02")
    assert "m02.p1: the check of Plant said right, ours says wrong" in room.flags[0].said


def until(condition) -> None:
    for _ in range(600):
        if condition():
            return
        threading.Event().wait(0.1)
    pytest.fail("it did not come to pass")


LIMIT = 3


def helper(value):
    return min(value, LIMIT)


def with_helpers(value):
    return msgspec.json.encode(helper(value)) + to_json([]) + encode([])


def test_a_function_is_written_down_with_all_that_it_needs():
    text = written(with_helpers)
    assert text.index("LIMIT = 3") < text.index("def helper") < text.index("def with_helpers")
    assert "import msgspec" in text
    assert "from minichain.codec import to_json" in text
    assert "from minichain.codec import encode" in text, "though a bound method does not say where it is from"
    assert made(text)(7) == with_helpers(7) == b"3[]\x90"
    with pytest.raises(UsageError, match="write it in a cell of the notebook"):
        written(eval("lambda: 1", {"__name__": "nowhere"}).__class__)


def names_missing(code: CodeType, known: Mapping[str, object]) -> set[str]:
    """Return the names that a function, or one within it, would look for in vain."""
    asked = {one.argval for one in dis.get_instructions(code) if one.opname in ("LOAD_GLOBAL", "LOAD_NAME")}
    within = [names_missing(one, known) for one in code.co_consts if isinstance(one, CodeType)]
    return {name for name in asked if name not in known and not hasattr(builtins, name)}.union(*within)


@pytest.mark.parametrize("module", [module.id for module in material.syllabus().modules])
def test_every_answer_can_be_judged_elsewhere(module):
    for key in trainer.keys(module).values() if material.tasks(module) else ():
        for answer in (*key.solutions, *(bot.answer for bot in key.bots)):
            text = written(answer)
            if not is_source(text):
                assert read_data(text) == answer
            elif inspect.isfunction(there := made(text)):
                assert names_missing(there.__code__, there.__globals__) == set()


# --- what a trainer sees -----------------------------------------------------------------------------------------


def test_the_grid_tells_who_tries_who_is_stuck_and_what_many_believe(desk, first):
    plant = let_in(Person(desk, 2), "Plant")
    for office in (first, plant):
        office.answer("m02.e1", "def f(): pass", is_right=False, misconception="MC08")
    first.answer("m02.e1", "def f(): pass", is_right=False, misconception="MC08")
    first.answer("m02.e1", "def f(): pass", is_right=False, misconception="MC08")
    plant.answer("m02.e1", "def g(): pass", is_right=True)
    plant.answer("m02.p1", kind="predict")
    for office in (first, plant):
        office.hand_in()
    room = ClassRoom(desk.folder.home.path)
    one, two = room.learners
    assert room.cell(one, "m02.e1").state == "stuck"
    assert [room.cell(two, id).state for id in ("m02.e1", "m02.p1", "m02.e2")] == ["done", "trying", "not started"]
    held = grid.beliefs(room.register, NOON)
    assert [(belief.id, belief.learners) for belief in held] == [("MC08", ("Street office A",))]
    assert grid.beliefs(room.register, NOON + grid.NOW_MS + 1) == [], "only what is believed now"
    desk.obey(ResetLearner("Street office A", "m02"))
    room.refresh()
    assert room.cell(one, "m02.e1").state == "not started"
    assert len(room.register.taken) == 6, "nothing is forgotten"


def test_an_exercise_with_a_prediction_is_done_when_its_result_was_opened(desk, first):
    first.answer("m02.p1", kind="predict")
    first.answer("m02.p1", kind="reveal", is_right=False, misconception="MC02")
    first.hand_in()
    room = ClassRoom(desk.folder.home.path)
    cell = room.cell(room.learners[0], "m02.p1")
    assert (cell.state, cell.is_right, cell.misconception) == ("done", False, "MC02")


def test_a_console_reads_only_what_is_new(desk, first):
    room = ClassRoom(desk.folder.home.path)
    assert not room.refresh()
    first.hand_in(first.answer())
    assert room.refresh()
    assert [type(entry) for entry in Entries(desk.folder).read()][-1] is Took
    assert not room.refresh()


# --- without a network -------------------------------------------------------------------------------------------


def test_a_file_does_what_letters_do(tmp_path, learner):
    check("m02.e1", trusting)
    (tmp_path / "files").mkdir()
    (tmp_path / "files" / "plant.handin").write_bytes(member.file_of(name="Plant"))
    chosen(Folder(tmp_path / "home"))
    files = sorted((tmp_path / "files").glob("*"))
    rows = [collect_folder(tmp_path / "home", files) for _ in range(2)]
    assert rows[0] == rows[1] == [{"file": "plant.handin", "name": "Plant", "kept": 1, "refused": []}]
    room = ClassRoom(tmp_path / "home")
    assert room.cell(room.learners[0], "m02.e1").misconception == "MC08"
    assert not room.register.unjudged, "though no desk runs"


def test_a_file_with_answers_of_another_or_under_their_name_or_changed_is_refused(desk, first, tmp_path):
    files = tmp_path / "files"
    files.mkdir()
    thief = Person(desk, 2)

    def write(name: str, person: Person, body: HandIn) -> None:
        letter = Letter("", person.key.did, person.at, body)
        (files / name).write_bytes(sealed(letter, person.key, ""))

    write("1.handin", thief, HandIn((first.answer(),), "Plant"))
    write("2.handin", Person(desk, 3), HandIn((), "Street office A"))
    (files / "3.handin").write_bytes((files / "1.handin").read_bytes().replace(b'"Plant"', b'"Truck"'))
    (files / "4.handin").write_bytes(b"not a letter")
    (files / "0.handin").mkdir()  # comes first, and keeps no other away
    rows = collect_folder(desk.folder.home.path, sorted(files.glob("*")))
    assert [row["kept"] for row in rows] == [0, 0, 0, 0, 0]
    said = [row["refused"][0] for row in rows[1:]]
    assert "signed with another key" in said[0]
    assert "is taken" in said[1]
    assert "it was changed" in said[2]
    assert "could not be read" in said[3]


def test_there_is_nothing_to_hand_in_before_an_answer_and_a_name_is_asked(learner):
    with pytest.raises(UsageError, match="nothing was answered yet"):
        member.file_of(name="Plant")
    check("m02.e1", trusting)
    with pytest.raises(UsageError, match="--name NAME"):
        member.file_of()


def test_the_commands_do_it_and_their_exit_codes_say_what_came_of_it(tmp_path, learner):
    def say(*words: str) -> Result:
        return CliRunner().invoke(main, ["class", *words])

    home = ("--home", str(tmp_path / "home"))
    assert "start one with `minichain class start`" in say("status", *home).stderr
    check("m02.e1", trusting)
    assert "Give it to your trainer" in say("hand-in", str(tmp_path / "a"), "--name", "Plant").output
    assert say("collect", str(tmp_path), *home).output == "a.handin: Plant: 1 kept\n"
    (tmp_path / "b.handin").write_bytes(b"{}")
    refused = say("collect", str(tmp_path), *home)
    assert (refused.exit_code, "b.handin: -: 0 kept; refused: This could not be read" in refused.output) == (1, True)
    assert "MC08" in say("status", *home).output
    assert json.loads(say("status", "--json", *home).output)["learners"][0]["exercises"] == {"m02.e1": "trying"}
    assert say("approve", "Nobody", *home).exit_code == 3
    assert say("approve", *home).exit_code == 2
    assert "The network of the class" in say("let-happen", "crash", "--node", "node-2", *home).stderr
    assert say("let-happen", "flood", *home).exit_code == 2
    assert say("recover", *home).exit_code == 3
    assert say("wipe", "--yes", *home).exit_code == 0
    assert not (tmp_path / "home" / "class").exists()


def test_the_command_lets_the_same_happen_as_the_console():
    assert TROUBLE == trouble.KINDS


# --- all together ------------------------------------------------------------------------------------------------


def test_learners_nodes_never_become_so_many_that_the_chain_depends_on_them():
    assert [own for own in range(1, 8) if has_seat_left(own, 0)] == [3, 4, 5, 6, 7]
    assert has_seat_left(7, 2)
    assert not has_seat_left(7, 3)


def test_no_answer_of_a_whole_class_is_lost_through_losses_and_a_killed_desk():
    plan = rehearsal.Plan(learners=6, modules=("m01",), loss=10, restart=True, seed=3, pace_s=0.1)
    found = rehearsal.run(plan)
    assert (found["lost"], found["restarts"]) == (0, 1)
    assert found["made"] == found["kept"] >= 6 * found["exercises"]
    assert found["letters_lost"] > 0
    assert found["differing"] == []
