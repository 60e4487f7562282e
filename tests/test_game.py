"""The consensus game: who may say what, what liars can do and cannot, and what the rules say of it afterwards."""

from __future__ import annotations

import re
from random import Random

import pytest
from test_classroom import Phone, opened, served

from minichain.course import game
from minichain.course.classroom.desk import Approve, Desk, StartGame, StepGame
from minichain.course.classroom.folder import Folder, new_settings
from minichain.course.classroom.register import Played
from minichain.course.game import COMMIT, FIRST, OVER, PREPARE, PROPOSE, SECOND, SILENT, SPLIT, Answered, Began, Stepped
from minichain.crypto import KeyPair

DIDS = tuple(KeyPair(bytes([number]) * 32).did for number in range(1, 14))


def a_round(players: int, liars: tuple[int, ...] = (), proposer: int = 0) -> game.Game:
    return game.begin(Began(DIDS[:players], liars, proposer))


def say(played: game.Game, seat: int, choice: str) -> None:
    move = Answered(played.seats[seat], played.phase, choice)
    played.require(move)
    played.apply(move)


def step(played: game.Game) -> None:
    played.require(Stepped())
    played.apply(Stepped())


def honestly(played: game.Game, *silent: int) -> None:
    """Let every honest seat say the one thing it may, except these; then the phase ends."""
    for seat in range(len(played.seats)):
        choices = played.choices(seat)
        if choices and seat not in played.liars and seat not in silent:
            say(played, seat, choices[0])
    step(played)


def test_seven_honest_people_agree_in_three_phases():
    played = a_round(7)
    for _phase in range(3):
        honestly(played)
    found = game.judge(played)
    assert (found.finals, found.is_safe, found.is_live, found.where) == ((FIRST,) * 7, True, True, "nowhere")
    assert (found.needed, found.bears, found.down) == (5, 2, ())


def test_who_does_not_answer_in_time_was_down_and_two_of_seven_are_borne():
    played = a_round(7)
    honestly(played)
    honestly(played, 5, 6)
    honestly(played, 5, 6)
    found = game.judge(played)
    assert (found.is_live, found.down) == (True, ((PREPARE, 5), (PREPARE, 6), (COMMIT, 5), (COMMIT, 6)))


def test_with_three_of_seven_down_nothing_is_final_and_nothing_false_either():
    played = a_round(7)
    honestly(played)
    honestly(played, 4, 5, 6)
    assert played.waits_for() == [], "nobody is prepared"
    honestly(played)
    found = game.judge(played)
    assert (found.is_safe, found.is_live, found.where) == (True, False, "too_few")


def test_a_proposer_who_says_nothing_stops_the_round():
    played = a_round(4, liars=(0,))
    say(played, 0, SILENT)
    for _phase in range(3):
        step(played)
    assert game.judge(played).where == "silent_proposer"


def test_one_liar_of_four_who_tells_two_stories_fools_nobody_into_two_results():
    played = a_round(4, liars=(0,))
    for _phase in (PROPOSE, PREPARE, COMMIT):
        say(played, 0, SPLIT)
        honestly(played)
    found = game.judge(played)
    assert found.is_safe
    assert {seat for _phase, seat in found.two_faced} == {0}


@pytest.mark.parametrize(("players", "liars"), [(4, (0, 2)), (7, (0, 3, 6))])
def test_more_liars_than_are_borne_make_two_results_final_and_stand_in_both(players, liars):
    played = a_round(players, liars, proposer=liars[0])
    for phase in (PROPOSE, PREPARE, COMMIT):
        for seat in liars if phase != PROPOSE else liars[:1]:
            say(played, seat, SPLIT)
        honestly(played)
    found = game.judge(played)
    honest = {found.finals[seat] for seat in range(players) if seat not in liars}
    assert (found.is_safe, honest, found.where) == (False, {FIRST, SECOND}, "too_many_liars")
    assert found.in_both == liars, "whoever stands in both certificates lied"
    assert len(liars) > found.bears


def test_whatever_so_many_liars_say_as_are_borne_two_results_are_never_final():
    for seed in range(400):
        draw = Random(seed)
        players = draw.randint(4, 10)
        bears = game.bearable(a_round(players).committee)
        played = a_round(players, tuple(draw.sample(range(players), bears)), draw.randrange(players))
        while played.phase != OVER:
            for seat in played.waits_for():
                if draw.random() < 0.9:
                    say(played, seat, draw.choice(played.choices(seat)))
            step(played)
        assert game.judge(played).is_safe, f"seed {seed}"


@pytest.mark.parametrize(
    ("choice", "phase", "code"),
    [(FIRST, PROPOSE, "game_too_late"), (SECOND, PREPARE, "game_not_allowed"), (SPLIT, PREPARE, "game_not_allowed"),
     ("C", PREPARE, "game_not_allowed"), (FIRST, "later", "game_too_late")],
)  # fmt: skip
def test_an_honest_seat_says_what_it_has_heard_when_it_is_time_and_nothing_else(choice, phase, code):
    played = a_round(4)
    honestly(played)
    with pytest.raises(game.Refused) as why:
        played.require(Answered(DIDS[1], phase, choice))
    assert why.value.code == code


def test_nobody_answers_twice_nor_without_a_seat_nor_after_the_end():
    played = a_round(4)
    say(played, 0, FIRST)
    for did, code in ((DIDS[0], "game_said"), (DIDS[5], "game_not_in"), (DIDS[1], "game_not_allowed")):
        with pytest.raises(game.Refused) as why:
            played.require(Answered(did, PROPOSE, SECOND))
        assert why.value.code == code
    for _phase in range(3):
        step(played)
    for move in (Stepped(), Answered(DIDS[0], OVER, FIRST)):
        with pytest.raises(game.Refused, match="game_ended"):
            played.require(move)


@pytest.mark.parametrize("began", [Began(DIDS[:3], (), 0), Began((*DIDS, "x"), (), 0), Began(DIDS[:4], (4,), 0),
                                   Began(DIDS[:4], (), 4), Began(DIDS[:4], (0, 1, 2, 3), 0)])  # fmt: skip
def test_a_round_that_cannot_be_played_does_not_begin(began):
    with pytest.raises(game.Refused, match="game_players"):
        game.begin(began)


def test_the_console_learns_who_lies_only_when_the_round_is_over():
    played = a_round(4, liars=(2,))
    assert (game.told(played)["verdict"], game.told(played)["said"], game.told(played)["waits_for"]) == (None, {}, [0])
    for _phase in range(3):
        honestly(played)
    found = game.told(played)
    assert found["verdict"]["liars"] == (2,)
    assert found["said"][PROPOSE] == {"0": (FIRST,) * 4}


# --- with phones, at a desk --------------------------------------------------------------------------------------


@pytest.fixture
def desk(tmp_path) -> Desk:
    Folder(tmp_path / "home").write(new_settings())
    return opened(tmp_path / "home")


def phones(desk: Desk, url: str, count: int) -> list[Phone]:
    found = [Phone(url) for _number in range(count)]
    for number, phone in enumerate(found, 1):
        phone.open("join", {"name": f"Office {number}", "token": desk.settings.token})
    desk.obey(Approve())
    return found


def buttons(page: str) -> list[str]:
    return re.findall(r'<button name="choice" value="(\w+)"', page)


def test_four_phones_play_a_round_and_each_sees_only_what_its_seat_has_heard(desk):
    assert desk.obey(StartGame(1)).code == "game_players", "nobody is here with a phone"
    with served(desk) as url:
        players = phones(desk, url, 4)
        assert "No round is on" in players[0].open("game")
        assert desk.obey(StartGame(4)).code == "game_players"
        assert desk.obey(StartGame(1)).code == ""
        liar = next(iter(desk.register.game.liars))
        told = ["you lie" in phone.open("game") for phone in players]
        assert told == [seat == liar for seat in range(4)], "nobody but the liar is told"
        for phase in (PROPOSE, PREPARE, COMMIT):
            for phone in players:
                page = phone.open("game?lang=en")
                if offered := buttons(page):
                    assert "Please wait for the others" in phone.open("game", {"phase": phase, "choice": offered[0]})
                    assert buttons(phone.open("game")) == []
            assert desk.obey(StepGame()).code == ""
        assert desk.obey(StepGame()).code == "game_ended"
        assert f"Seats that lied: {liar + 1}" in players[liar - 1].open("game")
        assert "说谎的席位" in players[liar - 1].open("game?lang=zh")


def test_nobody_answers_for_another_and_a_late_answer_is_told_so(desk):
    with served(desk) as url:
        players = phones(desk, url, 4)
        desk.obey(StartGame(0))
        played = desk.register.game
        proposer = players[played.proposer]
        stranger, other = Phone(url), players[played.proposer - 1]
        assert stranger.open("game", {"phase": PROPOSE, "choice": FIRST}).startswith("403")
        assert "You cannot say this now" in other.open("game", {"phase": PROPOSE, "choice": FIRST})
        forged = {"phase": PROPOSE, "choice": FIRST, "did": played.seats[played.proposer], "seat": "0"}
        assert other.open("game", forged).startswith("403"), "a form names nobody"
        assert proposer.open("game", {"phase": PROPOSE, "choice": FIRST}, Origin="http://elsewhere").startswith("403")
        assert played.said[PROPOSE] == {}
        desk.obey(StepGame())
        assert "This phase is over" in proposer.open("game", {"phase": PROPOSE, "choice": FIRST})


def test_a_round_goes_on_where_it_was_when_the_desk_starts_again(desk):
    with served(desk) as url:
        phones(desk, url, 4)
        desk.obey(StartGame(1))
        desk.obey(StepGame())
    again = opened(desk.folder.home.path).register.game
    assert (again.phase, again.liars, again.proposer) == (
        PREPARE,
        desk.register.game.liars,
        desk.register.game.proposer,
    )
    assert [type(one.move).__name__ for one in desk.register.events if isinstance(one, Played)] == ["Began", "Stepped"]
