"""Six people and what they came for: each story runs from the first thing somebody does to what they take home.

One class is open for all of them, with real validators, a desk and dashboards, as a trainer starts it. A step that
another test clicks through is called here; what a story is about is clicked. The class is wiped in the last story.
"""

from __future__ import annotations

import json
import re
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from hashlib import sha256
from itertools import product
from pathlib import Path
from random import Random
from typing import Any

import msgspec
import pytest
from ballotbox import CLOSES_MS, BallotBox
from browser import Running, visit
from click.testing import CliRunner
from playwright.sync_api import expect
from test_browser_frame import opened
from test_classroom import Phone
from test_classroom_live import joined, stop, until
from test_cli import read
from test_crossing import Chain, connect, cross, delivery, follow
from test_views_custody import CustodyReader, played

from minichain.cli import main
from minichain.client.exposure import exposed
from minichain.client.network import Network
from minichain.codec import encode
from minichain.course import check, editions, leaks, marks, place, predict, reveal
from minichain.course import desk as lesson
from minichain.course.answers import written
from minichain.course.certificate import COLUMNS
from minichain.course.classroom import member
from minichain.course.classroom.letters import HandIn
from minichain.course.classroom.member import Member
from minichain.course.classroom.room import ClassRoom
from minichain.course.exercises.m02 import fingerprint
from minichain.course.journal import Journal
from minichain.ledger.types import Call
from minichain.live.home import Home
from minichain.scenarios.residents import Place, Town
from minichain.scenarios.voting.council import MEMBERS, Council
from minichain.scenarios.voting.elections.contract import seal_of
from minichain.views import briefing
from minichain.views.brief import Written
from minichain.views.briefs import custody
from minichain.views.consensus_model import Lab
from minichain.views.consensus_words import outcome
from minichain.views.garbage_custody import Custody
from minichain.views.trainer_console_desk import DeskLine

TRAINEE, VICTIM, THIEF = (
    "Lakeside office",
    "Hill office",
    "Ferry line",
)  # of no example, so that they can be searched for
SIX = ("Harbour office", "Market hall", "Night clinic", "Bus depot", "Song school", "Lock office")
*PUNCTUAL, LATE = SIX


@dataclass(frozen=True)
class Course:
    """A class that is open, and the folder of lessons that its learners were given."""

    home: Path
    url: str
    lessons: Path
    archive: Path

    @property
    def pages(self) -> Running:
        return Running(self.home, self.url)

    @property
    def room(self) -> ClassRoom:
        return ClassRoom(self.home)


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Course]:
    """What a trainer does before anybody comes: one command for the class, one for its bundle."""
    folder = tmp_path_factory.mktemp("course")
    home, names = folder / "home", folder / "names.txt"
    names.write_text("\n".join((TRAINEE, VICTIM, THIEF, *PUNCTUAL)), "utf-8")
    found = read("class", "start", "--home", str(home), "--list", str(names))
    try:
        read("course", "release", str(folder / "out"), "--lang", "en", "--class", found["link"])
        (archive,) = (one for one in (folder / "out").glob("*.zip") if "trainer" not in one.name)
        yield Course(home, found["dashboards"], archive.with_suffix("") / "notebooks", archive)
    finally:
        stop(home)


@pytest.fixture
def at_desk(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Callable[[Path], Path]]:
    """Sit down in a folder of lessons, with a folder of one's own for what is answered."""
    monkeypatch.setenv(place.VARIABLE, str(tmp_path / "mine"))
    monkeypatch.setattr(lesson, "_journals", {})
    monkeypatch.setattr(member, "_senders", {})

    def sit(lessons: Path) -> Path:
        monkeypatch.chdir(lessons)
        return tmp_path / "mine"

    yield sit
    for sender in member._senders.values():
        sender.close()


def say(*words: str) -> Any:
    return CliRunner().invoke(main, list(words))


# --- the trainee -------------------------------------------------------------------------------------------------


def as_a_number(wanted: str, digits: int) -> str | None:
    return next((str(number) for number in range(10**digits) if fingerprint(str(number)) == wanted), None)


def as_a_card(wanted: str, digits: int) -> str | None:
    cards = (f"{number:0{digits}}" for number in range(10**digits))
    return next((card for card in cards if sha256(card.encode()).hexdigest() == wanted), None)


def test_a_trainee_signs_a_first_block_is_wrong_once_reads_the_hint_and_passes(
    course: Course, at_desk: Callable[[Path], Path], tmp_path: Path
) -> None:
    mine = at_desk(course.lessons)
    code = json.loads(say("doctor", "--json").stdout)["arrival"]
    assert json.loads(say("course", "arrived", code, "--json").stdout)["is_same_version"], "what the trainer is told"
    found = read("class", "join", "--name", TRAINEE)  # the link came with the lessons
    assert found["name"] == TRAINEE

    office = Member(mine)
    with office.network() as net:
        receipt = net.send(office.wallet, [Call("board", "sign", {"text": "my first block"})])
        assert net.height() >= receipt.height > 0
        (tmp_path / "proof.json").write_bytes(receipt.proof().to_bytes())
    assert say("verify", str(tmp_path / "proof.json")).exit_code == 0

    predict("m02.p1", {"edited": set(), "resealed": set(), "owner": set(), "quorum": set()})
    assert reveal("m02.p1", lambda: "the result") == "the result"
    assert not reveal("m02.p1").is_right, "it was another belief, and it is told"
    wrong = check("m02.e2", as_a_number)
    assert (wrong.is_right, wrong.hint) == (False, 1)
    assert "Hint 1 of 3" in wrong.said
    assert check("m02.e2", as_a_card).is_right

    room = course.room
    until(lambda: room.refresh() and _is_judged(room, TRAINEE, "m02.e2", tries=2), "the desk had both answers")
    learner = next(one for one in room.learners if one.name == TRAINEE)
    assert room.cell(learner, "m02.e2").state == "done"


def _is_judged(room: ClassRoom, name: str, exercise: str, tries: int) -> bool:
    learner = next(one for one in room.learners if one.name == name)
    return room.cell(learner, exercise).tries == tries and not room.register.unjudged


# --- the section chief -------------------------------------------------------------------------------------------


def test_a_section_chief_leaves_with_a_no_two_faults_and_a_brief(course: Course, chromium: Any) -> None:
    with visit(chromium) as seen:
        page = opened(course.pages, seen, "need_a_chain", "en")
        page.get_by_label("What is recorded?").fill("keys of the depot")
        page.get_by_role("tab", name="2. ").click()
        for number, answer in enumerate(["Yes", "Yes", "Yes", "No", "Yes", "Yes", "Yes", "Yes"], 1):
            page.wait_for_selector(f"text=Question {number} of 8")
            page.get_by_role("button", name=answer, exact=True).click()
        page.get_by_role("tab", name="Verdict").click()
        expect(page.locator(".mc-live:visible").first).to_contain_text("signed log", ignore_case=True)

    compared = read("compare", "--validators", "9", "--owners", "2")
    alliance = next(one for one in compared["figures"] if one["kind"] == "alliance")
    assert (len(alliance["members"]), alliance["concentration"]["owners_to_halt"]) == (9, 1), (
        "nine computers, and one owner stops them"
    )

    with visit(chromium) as seen:
        page = course.pages.open(seen, "garbage_custody")
        page.wait_for_selector("button:has-text('Play the example day'), .mc-pick:visible")
        if page.get_by_role("button", name="Play the example day").count():
            page.get_by_role("button", name="Play the example day").click()
        page.wait_for_selector(".mc-pick >> text=HH-20260109")
        found = {"2,150 kg were sent": "HH-20260103", "never confirmed by Incineration plant": "HH-20260105"}
        for fault, load in found.items():
            page.get_by_role("tab", name="Needs attention").click()
            page.locator(".mc-pick:visible", has_text=fault).first.click()  # which opens the load
            page.wait_for_selector(f"text=Manifest {load}")
        page.get_by_role("button", name="Make my brief").click()
        limit = "A false first weighing passes every check."
        page.get_by_label("What surprised you?").fill(limit)
        page.get_by_label("Who signs (role)").fill("Section chief")
        page.get_by_role("button", name="Show both pages").click()
        sheet = page.frame_locator("iframe.mc-sheet")
        expect(sheet.locator("body")).to_contain_text(limit)
        expect(sheet.locator(".sheet")).to_have_count(2)
        assert seen.trouble == []


# --- the auditor -------------------------------------------------------------------------------------------------


def test_an_auditor_brings_the_run_back_counts_with_no_node_and_finds_the_altered_figure(tmp_path: Path) -> None:
    told, paper = Custody(), Custody()
    case, again = custody.case(told, None), custody.case(paper, None)
    told.show(CustodyReader()(played()))
    brief = briefing.document(case, Written(signer="Section chief"))
    altered = re.sub(r"(<dt>Sent, kg</dt><dd>)[^<]*", r"\g<1>9,999", brief)

    code = re.search(r"<code[^>]*>([0-9A-Z-]+)</code>", altered)[1]  # type: ignore[index]
    briefing.reload(again, code)
    paper.show(CustodyReader()(played()))
    assert briefing.is_reproduced(again, code), "the code is that of the run that was made"
    printed = dict(re.findall(r"<dt>([^<]*)</dt><dd>([^<]*)</dd>", altered))
    assert [one.name for one in again.figures() if printed[one.name] != one.shown] == ["Sent, kg"]

    with Network.simulated(4, seed=7, clock="wall") as net:
        council = Council(net)
        council.play()
        for name in list(MEMBERS)[:3]:
            council.act(name, "vote", number=1, choice="yes")
        taken = council.minutes(1)
    path = tmp_path / "minutes.json"  # from here on no node runs
    path.write_bytes(taken.to_bytes())
    counted = read("verify", str(path))
    assert counted["decision"]["result"]["yes"] == sum(MEMBERS[name][0] for name in list(MEMBERS)[:3])
    short = msgspec.structs.replace(taken, proofs=taken.proofs[:-1])
    path.write_bytes(short.to_bytes())
    refused = say("verify", str(path))
    assert (refused.exit_code, "check 'tally' fails" in refused.stdout) == (1, True)


# --- the resident ------------------------------------------------------------------------------------------------


def test_a_resident_of_65_objects_on_a_phone_in_large_letters(course: Course, chromium: Any) -> None:
    with visit(chromium, width=390, height=844) as seen:
        seen.page.context.new_cdp_session(seen.page).send(
            "Page.setFontSizes", {"fontSizes": {"standard": 24, "fixed": 20}}
        )
        page = course.pages.open(seen, "citizen_points")
        page.wait_for_selector("button:has-text('Open the street'), .mc-kpi:visible")
        page.get_by_role("button", name="Open the street").first.click()
        page.wait_for_selector(".mc-kpi:visible")
        deduction = page.locator(".mc-pick:visible", has_text="Unsorted waste").filter(has_text="you may object")
        deduction.first.click()
        understood = page.locator(".mc-note:visible", has_text="points would be taken from you.")
        expect(understood).to_contain_text("Nothing has been taken yet.")
        page.get_by_role("button", name="Object", exact=True).click()
        page.get_by_role("button", name="It was not me").click()
        page.wait_for_selector("text=The effect is suspended.")
        expect(page.locator(".mc-stop:visible", has_text="effect suspended")).to_have_count(1)
        assert seen.width() <= 390
        assert seen.outside() == set()
        assert seen.trouble == []


# --- the adversary -----------------------------------------------------------------------------------------------


def test_an_adversary_fails_everywhere_and_leaves_traces(course: Course, tmp_path: Path) -> None:
    _reads_no_sealed_vote()
    _finds_nobody_behind_an_account()
    _carries_no_forged_message()
    _finds_no_solution(course)
    _hands_in_nothing_of_another(course, tmp_path)


def _reads_no_sealed_vote() -> None:
    box = BallotBox()
    box.announce("sealed")
    box.wait(2_000)
    statement = box.election["statement"]
    assert box.do("Port", "seal", seal=seal_of(statement, box.did("Port"), [1, 0, 0], b"\x07" * 32)).ok
    sealed = box.elections.cast_of(number=1, voter=box.did("Port"))["ballot"]
    salts = (bytes(32), *(bytes([number]) * 32 for number in range(1, 5)))
    choices = ([1, 0, 0], [0, 1, 0], [0, 0, 1])
    assert sealed not in {seal_of(statement, box.did("Port"), one, salt) for one, salt in product(choices, salts)}
    box.wait(CLOSES_MS)
    refused = box.do("Port", "reveal", votes=[0, 1, 0], salt=bytes(32))
    assert "this is not what you sealed" in str(refused.error)


def _finds_nobody_behind_an_account() -> None:
    with Network.simulated(validators=1, seed=21) as net:
        town = Town(Place(net, {}, Random(21).randbytes))
        town.play()
        assert town.search()[0] == (), "neither a value nor a hash of one"


def _carries_no_forged_message() -> None:
    main_chain, side = (Chain(name, clock="logical") for name in ("main", "side"))
    connect(main_chain, side)
    connect(side, main_chain, mints=True)
    main_chain.do("bank", cross("side", 5))
    assert follow(side, main_chain).ok
    told = delivery(main_chain)
    forged = told.args | {"receipt": told.args["receipt"].replace(encode(5), encode(6))}
    tried = side.do("carrier", Call("ledger", "deliver", forged))
    assert not tried.ok
    assert "its path does not lead to the root" in tried.error
    assert tried in side.blocks[-1][1], "the attempt is on the chain, with who made it"


def _finds_no_solution(course: Course) -> None:
    assert list(leaks.search(course.archive.read_bytes(), leaks.secrets())) == []
    with zipfile.ZipFile(course.archive) as opened:
        everything = b"\n".join(opened.read(name) for name in opened.namelist() if name.endswith(".ipynb")).decode()
    solutions = set(marks.solutions(editions.read_master(editions.masters(), "02-hashes")))
    assert [line for line in solutions if len(line) > 20 and line in everything] == []


def _hands_in_nothing_of_another(course: Course, tmp_path: Path) -> None:
    victim = joined(course.home, VICTIM, tmp_path / "victim")
    thief = joined(course.home, THIEF, tmp_path / "thief")
    stolen = Journal(tmp_path / "victim").add("m02.e2", "check", "1", is_right=True)
    answer = thief.line.send(HandIn((stolen,)))
    assert answer.refused == {stolen.digest: "anothers"}
    assert [flag.did for flag in course.room.flags] == [thief.key.did]
    assert victim.key.did != thief.key.did


# --- the trainer -------------------------------------------------------------------------------------------------


def test_a_trainer_teaches_a_class_from_the_first_link_to_the_last_wipe(course: Course, tmp_path: Path) -> None:
    home, room = ("--home", str(course.home)), course.room
    offices = [joined(course.home, name, tmp_path / name) for name in PUNCTUAL]
    url, _, token = member.read_link(room.link)
    phone = Phone(url)
    phone.open("join", {"name": LATE, "token": token})
    assert read("class", "status", *home)["waiting"] == [LATE]
    assert read("class", "approve", LATE, *home)["approved"] == LATE
    assert f"You are {LATE}" in phone.open("me")

    lab = Lab()
    lab.choose("liars")
    lab.guess_safe, lab.guess_moving = True, True
    lab.run()
    assert not outcome(lab.recording)[0], "three liars of seven make two different blocks final"

    stuck = Journal(offices[0].folder)
    for _time in range(3):
        stuck.add("m02.e2", "check", written(as_a_number), cause="zeros")
    offices[0].line.send(HandIn(tuple(stuck.all())))
    told = {one["name"]: one["exercises"] for one in read("class", "status", *home)["learners"]}
    assert [name for name, cells in told.items() if "stuck" in cells.values()] == [PUNCTUAL[0]]

    console = DeskLine(Home(course.home), room.settings.secret)
    assert read("class", "let-happen", "crash", "--node", "node-2", *home)["blocks"] == []
    until(lambda: {"name": "node-2", "is_on": False} in console.look()["nodes"], "the node was off")
    assert say("class", "recover", *home).exit_code == 0
    until(lambda: all(node["is_on"] for node in console.look()["nodes"]), "the node was back")
    report = console.report("en")
    assert "too few to show" in report or "fewer than 5" in report
    assert [name for name in SIX if name in report] == []

    (tmp_path / "marks.csv").write_text(f"{','.join(COLUMNS)}\n{PUNCTUAL[1]},80,2,3,3,2,3\n", "utf-8")
    asked = (PUNCTUAL[1], "--as", "operator", "--marks", str(tmp_path / "marks.csv"), "--out", str(tmp_path))
    given = read("class", "certificate", *asked, *home)
    assert read("verify", given["files"][0], "--issuer", given["issuer"])["valid"]

    with Network.attach(course.home) as net:
        assert not exposed(net, [*SIX, TRAINEE, "m02.e2"]), "who was there and how they did is not on the chain"
    assert "stop it first" in say("class", "wipe", "--yes", *home).stderr
    assert say("down", *home).exit_code == 0
    assert say("class", "wipe", "--yes", *home).exit_code == 0
    assert not (course.home / "class").exists()
