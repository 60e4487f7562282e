"""The page of contribution points knows what a resident may do and until when, and what is tried on nobody."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache
from random import Random
from types import SimpleNamespace
from typing import Any

import pytest
from msgspec.structs import replace

from minichain.client import Network
from minichain.errors import CallFailed, UsageError
from minichain.scenarios.points import street as streets
from minichain.scenarios.points import workshop
from minichain.scenarios.points.acting import Deed
from minichain.scenarios.points.street import Street
from minichain.views import citizen_points, i18n
from minichain.views import citizen_points_lab as lab
from minichain.views import citizen_points_words as words
from minichain.views.briefs import points
from minichain.views.citizen_points_desk import Desk
from minichain.views.citizen_points_model import ARRIVED, Points, PointsReader, Snapshot, Trial
from minichain.views.markup import Safe

MINE, ELDER = Street.residents
# A year of made-up residents is drawn once for each trial; what is made anew from its seed says so and draws again.
DRAWN = SimpleNamespace(**{**vars(workshop), "run": cache(workshop.run)})


@pytest.fixture(autouse=True)
def _own_language():
    yield
    i18n.use("en")


@pytest.fixture(scope="module")
def street():
    with Network.simulated(validators=1, seed=7, clock="wall") as net:
        made = Street(net, {}, Random(7).randbytes)
        made.play()
        yield made


@pytest.fixture
def model(street):
    return looked(street)


def looked(street: Street, resident: str = MINE) -> Points:
    made = Points(DRAWN, Street.residents)
    made.resident = resident
    made.show(PointsReader(lambda: 0)(street))
    return made


def line(model: Points, state: str, kind: str = "reward") -> Any:
    return next(one for one in model.lines if (one.state, one.kind) == (state, kind))


# --- reading -----------------------------------------------------------------------------------------------------


def test_a_resident_sees_their_own_entries_newest_first_and_nobody_elses(model, street):
    assert [one.number for one in model.lines] == sorted((one.number for one in model.lines), reverse=True)
    account = street.did(MINE)
    own = [one["number"] for one in model.seen.entries if one["entry"]["account"] == account]
    assert sorted(own) == sorted(one.number for one in model.lines)


def test_the_deduction_that_can_be_objected_to_is_open_first(model):
    assert model.opened["entry"]["kind"] == "deduction"
    assert model.opened["entry"]["state"] == "Notified"


def test_a_reader_asks_the_street_only_when_there_is_a_new_block(street, monkeypatch):
    read, looks = PointsReader(lambda: 0), []
    look = street.look
    monkeypatch.setattr(street, "look", lambda: looks.append(1) or look())
    read(street)
    read(street)
    assert len(looks) == 1


def test_a_network_without_a_street_has_nothing_to_show():
    with Network.simulated(validators=1, seed=3, clock="wall") as net:
        seen = PointsReader(lambda: 0)(Street(net, {}, Random(1).randbytes))
        assert seen.seen is None


def test_what_is_written_stays_beside_the_chain(street, model):
    commitment = model.opened["entry"]["notice"]
    assert "one bag" in model.said(commitment)
    assert street.search()[0] == ()


# --- from the notice to the effect -------------------------------------------------------------------------------


def test_an_objection_suspends_and_a_late_desk_has_decided_for_the_resident(street):
    (_reward, deduction) = street.news(MINE)
    street.object_to(MINE, deduction, "not-me", "It was not me")
    model = looked(street)
    model.entry = deduction
    assert model.opened["entry"]["state"] == "Objected"
    effect = words.stops(model.clocked, model.now_ms, Street.day_ms)[-1]
    assert (effect.word, effect.state) == ("effect suspended", "warn")
    case = model.opened["cases"][0]
    later = Snapshot(model.height, "", case["case"]["deadline"] + 1, street.names(), model.seen)
    model.case = case["number"]
    assert not model.heard["is_over"]
    model.show(later)
    assert model.heard["is_over"]


def test_what_nobody_objected_to_is_due_when_its_time_is_over(street):
    (reward, _deduction) = street.news(MINE)
    model = looked(street)
    assert reward not in model.due
    street.net.pass_time(6 * Street.day_ms)
    model.show(Snapshot(model.height, "", model.now_ms + 6 * Street.day_ms, street.names(), model.seen))
    assert reward in model.due
    before = model.balance
    street.settle(MINE, [reward])
    assert looked(street).balance == before + 10


def test_who_recorded_does_not_verify_and_is_told_why(street):
    number = street.record([(MINE, "service-hour", 60, "a sheet")])[0]
    recorder, verifier = Street.clerks
    with pytest.raises(CallFailed, match="only the role verifier"):
        street.verify(recorder, street.did(MINE), number)
    assert street.verify(verifier, street.did(MINE), number).ok
    assert looked(street).desk[-1]["entry"]["state"] == "Verified"


def test_a_flagged_entry_waits_for_somebody_who_looks(model):
    flagged = [one for one in model.desk if one["entry"]["flags"]]
    assert [one["entry"]["flags"] for one in flagged] == [["in two zones at once"]]


def test_a_withdrawal_destroys_what_says_whose_account_it_was(street):
    account, before = street.did(ELDER), len(street.papers())
    street.withdraw(ELDER)
    model = looked(street, ELDER)
    assert not model.is_in
    assert len(street.papers()) < before
    assert account not in street.names()
    street.join(ELDER)
    assert street.did(ELDER) != account
    assert looked(street, ELDER).is_in


# --- what is rejected, or looked at by nobody --------------------------------------------------------------------


def test_a_rejection_is_told_with_its_reasons_and_another_office_verifies_after_an_objection(street):
    number = street.record([(MINE, *streets.SHORT_HELP)])[0]
    verifier, second, recorder = Street.verifiers
    coming = looked(street).coming
    street.reject(verifier, street.did(MINE), number, streets.STANDS)
    model = looked(street)
    model.entry = number
    assert (model.opened["entry"]["state"], model.coming) == ("Rejected", coming)
    assert model.said(model.opened["entry"]["notice"]) == streets.STANDS
    shown = [stop.place for stop in words.stops(model.clocked, model.now_ms, Street.day_ms)]
    assert shown == ["Recorded", "Rejection with reasons", "Objection", "Human review", "The rejection counts"]
    street.object_to(MINE, number, "facts", "It did not happen like that")
    case = looked(street).cases[0]
    assert words.outcomes(case["case"]["kind"])["Withdrawn"] == "Another office verifies it"
    street.decide("Review office", street.did(MINE), case["number"], "Withdrawn", streets.CORRECTED)
    with pytest.raises(CallFailed, match="who recorded or rejected an entry"):
        street.verify(verifier, street.did(MINE), number)
    assert street.verify(second, street.did(MINE), number).ok
    with pytest.raises(CallFailed, match="only the role verifier"):
        street.reject(recorder, street.did(MINE), number, streets.STANDS)


def test_what_no_office_looks_at_in_time_goes_on_for_the_resident(street):
    number = street.record([(MINE, *streets.SHORT_HELP)])[0]
    model = looked(street)
    model.entry = number
    due = {stop.place: stop.remark for stop in words.stops(model.clocked, model.now_ms, Street.day_ms)}
    assert due["Verified by another office"].endswith("days left")
    assert due["Takes effect"] == "", "nobody has been told, so no time to object runs"
    with pytest.raises(CallFailed, match="there is time to look at this entry"):
        street.let_lapse(MINE, number)
    street.net.pass_time(6 * Street.day_ms)
    model.show(Snapshot(model.height, "", model.now_ms + 6 * Street.day_ms, street.names(), model.seen))
    assert model.opened["is_over"]
    street.let_lapse(MINE, number)
    assert line(looked(street), "Notified").number == number


def test_a_rejection_without_reasons_is_not_sent(street):
    said = Desk(lambda: street, Street, workshop).blank("Why")
    with pytest.raises(UsageError, match="Write the reasons first"):
        said.needed()


# --- weighed drops -----------------------------------------------------------------------------------------------


def test_a_weighed_drop_waits_for_its_load_and_is_verified_when_that_has_arrived(street):
    model = looked(street)
    drop = next(one for one in model.desk if one["entry"]["drop"])
    model.paper = drop["number"]
    assert (model.filed["load"]["state"], model.load_of("")) == ("Scheduled", None)
    assert model.weighing(drop["entry"]["drop"])["device"] == street.did("Street scale")
    recorder, verifier = Street.clerks
    load, account = model.filed["load"]["number"], drop["entry"]["account"]
    with pytest.raises(CallFailed, match="a drop is verified when its load has arrived"):
        street.verify(verifier, account, drop["number"])
    street.bring_in(load)
    assert looked(street).load_of(drop["entry"]["drop"])["state"] in ARRIVED
    with pytest.raises(UsageError, match="is at the plant already"):
        street.bring_in(load)
    with pytest.raises(CallFailed, match="only the role verifier"):
        street.verify(recorder, account, drop["number"])
    assert street.verify(verifier, account, drop["number"]).ok


def test_what_the_scale_has_signed_waits_for_the_recorder_and_travels_in_the_load_that_is_there(street):
    street.weigh(MINE, 2_500)
    street.weigh(ELDER, 1_000)
    waiting = looked(street).unrecorded
    assert [one["weighing"]["grams"] for one in waiting] == [2_500, 1_000]
    assert len({one["weighing"]["manifest"] for one in waiting}) == 1
    recorder, verifier = Street.clerks
    with pytest.raises(CallFailed, match="only the role recorder"):
        street.record_drop(verifier, waiting[0]["drop"])
    for one in waiting:
        street.record_drop(recorder, one["drop"])
    assert looked(street).unrecorded == []


def test_a_load_that_stands_half_way_is_brought_in_from_there(street):
    street.weigh(MINE, 1_500)
    number = looked(street).unrecorded[-1]["weighing"]["manifest"]
    street.do(Street.clerks[0], Deed("waste", "hand_over", {"number": number}))
    street.do("Collection truck 7", Deed("waste", "take_over", {"number": number}))
    street.bring_in(number)
    assert looked(street).seen.loads[number]["state"] == "Signed"


# --- services that come to the door ------------------------------------------------------------------------------


def test_a_resident_is_offered_a_service_only_with_consent_and_declines_without_consequence(street):
    model, balance = looked(street), looked(street).balance
    assert model.agrees_to_offers
    assert [one["state"] for one in model.offers] == ["Offered"]
    street.answer(MINE, model.offers[0]["number"], is_accepted=False)
    street.agree_to_offers(MINE, offers=False)
    model = looked(street)
    assert (model.agrees_to_offers, model.offers[0]["state"], model.balance) == (False, "Declined", balance)
    with pytest.raises(CallFailed, match="has not agreed to be offered services"):
        street.offer(MINE, "hot-meals")
    street.agree_to_offers(MINE, offers=True)
    street.offer(MINE, "hot-meals")
    number = looked(street).offers[0]["number"]
    street.answer(MINE, number, is_accepted=True)
    street.deliver(number)
    assert looked(street).offers[0]["state"] == "Delivered"


def test_who_plans_services_has_put_on_record_that_it_asked_for_points(street):
    street.agree_to_offers(ELDER, offers=True)
    before = len(looked(street).seen.asked)
    street.offer(ELDER, "hot-meals")
    asked = looked(street).seen.asked
    assert len(asked) == before + 1
    assert asked[-1]["use"] == "service-planning"


def test_an_offer_that_nobody_answered_ends(street):
    model = looked(street)
    until = max(one["until"] for one in model.offers)
    model.show(Snapshot(model.height, "", until + 1, street.names(), model.seen))
    assert all(one["is_over"] for one in model.offers)
    assert words.offer_state("Offered", is_over=True) == ("plain", "ended")


# --- orders that did not come ------------------------------------------------------------------------------------


def received(street: Street) -> int:
    """Let a resident order something that is called handed over; returns the number of the order."""
    numbers = street.notify([(MINE, *streets.LONG_HELP)])
    street.net.pass_time(6 * Street.day_ms)
    street.settle(MINE, numbers)
    street.order(MINE, "shopping-bag")
    number = looked(street).orders[0]["number"]
    street.reserve(Street.treasury, number)
    street.fulfil(Street.provider, street.did(MINE), number, Street.slip)
    return number


def test_a_resident_disputes_an_order_and_a_person_who_had_no_part_in_it_gives_the_points_back(street):
    number = received(street)
    before = looked(street).balance
    street.dispute(MINE, number)
    quarrel = looked(street).quarrels[0]
    assert (quarrel["number"], quarrel["is_over"]) == (number, False)
    reviewer, provider = Street.arbiters
    with pytest.raises(CallFailed, match="only the role reviewer"):
        street.decide_order(provider, street.did(MINE), number, is_refunded=False, reasons=streets.STANDS)
    street.decide_order(reviewer, street.did(MINE), number, is_refunded=True, reasons=streets.CORRECTED)
    model = looked(street)
    order = model.orders[0]["order"]
    assert (model.quarrels, order["state"], model.balance) == ([], "Cancelled", before + 20)
    assert model.said(order["reasons"]) == streets.CORRECTED


def test_a_dispute_that_nobody_decides_in_time_ends_with_the_points_back(street):
    number = received(street)
    street.dispute(MINE, number)
    before = looked(street).balance
    street.net.pass_time(6 * Street.day_ms)
    model = looked(street)
    late = Snapshot(model.height, "", model.quarrels[0]["order"]["due"] + 1, street.names(), model.seen)
    model.show(late)
    assert model.disputed[0]["is_over"]
    street.cancel(street.signer(MINE), number)
    assert looked(street).balance == before + 20


# --- gifts -------------------------------------------------------------------------------------------------------


def richer(street: Street, points: int) -> None:
    """Let a resident have so many points in effect, at the least."""
    while looked(street).balance < points:
        numbers = street.notify([(MINE, *streets.LONG_HELP)])
        street.net.pass_time(6 * Street.day_ms)
        street.settle(MINE, numbers)


def cause_of(model: Points, code: str) -> Any:
    return next(one for one in model.causes if one["code"] == code)


def test_a_resident_gives_and_takes_back_while_the_cause_is_open(street):
    richer(street, 10)
    before = looked(street)
    assert (cause_of(before, "cause-1")["cause"]["goal"], before.given) == (40, [])
    street.give(MINE, "cause-1", 10)
    model = looked(street)
    assert (cause_of(model, "cause-1")["cause"]["given"], model.balance) == (10, before.balance - 10)
    (gift,) = model.given
    assert (gift["gift"]["points"], gift["cause"]["state"]) == (10, "Open")
    assert looked(street, ELDER).given == [], "nobody sees the gifts of others"
    with pytest.raises(CallFailed, match="only who gave takes a gift back"):
        street.take_back(ELDER, gift["number"])
    street.take_back(MINE, gift["number"])
    model = looked(street)
    assert (model.given[0]["gift"]["state"], model.balance) == ("Returned", before.balance)
    with pytest.raises(CallFailed, match="points are missing"):
        street.reserve_cause("cause-1")


def test_what_is_said_to_have_helped_nobody_is_decided_on_and_comes_back(street):
    richer(street, 20)
    before = looked(street).balance
    street.open_cause("shopping-bag", 1)
    code = looked(street).causes[0]["code"]
    street.give(MINE, code, 20)
    gift = looked(street).given[0]["number"]
    street.reserve_cause(code)
    with pytest.raises(CallFailed, match="is Reserved"):
        street.take_back(MINE, gift)
    street.deliver_cause(code, Street.handed_over)
    model = looked(street)
    assert model.said(cause_of(model, code)["cause"]["proof"]) == Street.handed_over
    street.dispute_gift(MINE, gift)
    assert [one["code"] for one in looked(street).contested] == [code]
    reviewer, provider = Street.arbiters
    with pytest.raises(CallFailed, match="only the role reviewer"):
        street.decide_cause(provider, code, is_returned=False, reasons=streets.STANDS)
    street.decide_cause(reviewer, code, is_returned=True, reasons=streets.CORRECTED)
    street.take_back(MINE, gift)
    model = looked(street)
    assert (model.contested, model.balance) == ([], before)


def test_a_cause_that_is_not_reached_in_its_time_is_over_for_everybody(street):
    model = looked(street)
    cause = cause_of(model, "cause-1")
    with pytest.raises(CallFailed, match="there is time until"):
        street.end_cause(street.signer(MINE), "cause-1")
    model.show(Snapshot(model.height, "", cause["cause"]["due"] + 1, street.names(), model.seen))
    assert (cause["is_over"], cause_of(model, "cause-1")["is_over"]) == (False, True)


# --- clocks ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("left", "told"), [(5, "5 days left"), (1, "1 day left"), (0.5, "less than a day left")])
def test_a_clock_counts_the_days_of_the_street(left, told):
    now = 1_767_225_600_000
    assert words.until(now + int(left * Street.day_ms), now, Street.day_ms).endswith(told)


def test_while_the_ledger_stands_still_the_time_to_object_does_not_pass(street):
    """What the contract then says of it is compared with this in `test_points_due_process`."""
    (reward, deduction) = street.news(MINE)
    model = looked(street)
    model.entry = deduction
    still = replace(model.seen, stands={"from": 0, "at": model.now_ms})
    told, opened, now = model.clocked["closes"], model.opened, model.now_ms
    for days in (3, 30):
        model.show(Snapshot(model.height, "", now + days * Street.day_ms, street.names(), still))
        assert model.clocked["closes"] == model.clocked["effect"] == told + days * Street.day_ms
    assert model.opened == opened, "the card is not made anew because a clock stands"
    assert (reward in model.due, deduction in model.due) == (True, False), "what gives something waits for nobody"
    effect = words.stops(model.clocked, model.now_ms, Street.day_ms)[-1]
    assert (effect.word, effect.remark) == ("to come", "in 5 days, if nobody objects")


def test_a_resident_sees_what_an_objection_would_bring_and_until_when_it_is_possible(street):
    (_reward, deduction) = street.news(MINE)
    model = looked(street)
    model.entry = deduction
    shown = {stop.place: stop for stop in words.stops(model.clocked, model.now_ms, Street.day_ms)}
    assert list(shown)[-3:] == ["Objection", "Human review", "Takes effect"]
    assert shown["Objection"].remark.endswith("days left")
    assert shown["Human review"].remark == "only if you object"
    assert shown["Takes effect"].remark.endswith("if nobody objects")


# --- the appeal desk ---------------------------------------------------------------------------------------------


def case(outcome: str, state: str = "Closed") -> dict[str, Any]:
    return {"number": 1, "case": {"outcome": outcome, "state": state, "opened_at": 0, "deadline": 9}}


def seen_with(cases: Iterable[Any]) -> Any:
    """Return a street in which nothing has happened but these cases."""
    nothing: Any = {"entries": (), "items": (), "rules": (), "orders": (), "drops": ()}
    return SimpleNamespace(cases=list(cases), lines={}, accounts={}, offers={}, gifts={}, causes=(), **nothing)


@pytest.mark.parametrize(
    ("outcomes", "is_stamp"),
    [
        (["Upheld"] * 2, False),  # too few to tell
        (["Upheld"] * 3, True),
        (["Upheld"] * 3 + ["Amended"], False),
        ([], False),
    ],
)
def test_a_desk_that_never_changes_anything_is_called_a_rubber_stamp(outcomes, is_stamp):
    model = Points(workshop)
    model.seen = seen_with(case(one) for one in outcomes)
    assert model.is_rubber_stamp is is_stamp


def test_what_lapsed_was_decided_by_nobody(model):
    model.seen = seen_with([case("Withdrawn", "Lapsed")])
    assert (len(model.decided), model.lapsed) == (0, 1)


# --- on nobody ---------------------------------------------------------------------------------------------------


def test_the_same_seed_gives_the_same_figures():
    one, other = Points(workshop), Points(workshop)
    one.change(error=20, seed=9)
    other.change(error=20, seed=9)
    assert one.result == other.result
    other.change(seed=10)
    assert one.result != other.result


def test_without_the_desk_a_group_has_nothing_and_the_task_is_done():
    model = Points(workshop)
    assert "unequal" not in model.done
    model.change(desk=0)
    assert "unequal" in model.done
    assert lab.findings(model.result)[0][0] == "bad"


@pytest.mark.parametrize("wrong", [{"error": 41}, {"residents": 100_000}, {"scheme": "none"}, {"seed": "1"}])
def test_a_trial_that_cannot_be_is_refused(wrong):
    settings = {**Trial().settings, **wrong}
    with pytest.raises(UsageError, match="more than a page can do"):
        Trial.of(settings, tuple(workshop.schemes()))


def test_six_scripted_schemes_may_begin_and_six_may_not():
    model = Points(workshop)
    for name in workshop.packs():
        model.look_at(name)
    verdicts = [pick.word for pick in lab._schemes(model)]
    assert (verdicts.count("may begin"), verdicts.count("may not begin")) == (6, 6)


def test_a_verdict_shows_only_after_somebody_has_looked():
    model = Points(workshop)
    model.look_at("honour-wall")
    assert {pick.key: pick.word for pick in lab._schemes(model) if pick.word != "your turn"} == {
        "honour-wall": "may not begin"
    }


def test_a_safeguard_that_is_taken_out_stands_in_the_brief():
    model = Points(workshop)
    model.told("suspended", workshop.harm("suspended"))
    told = points.case(model, None).told()
    assert any("has no effect until the objection is decided" in one for one in told.safeguards)
    harm = next(figure for figure in points.of_trial(model) if figure.name == "Without the safeguard")
    assert harm.shown == "Points are gone while the objection lies on a desk."


def test_nobody_goes_ahead_while_a_safeguard_is_missing():
    case = points.case(Points(workshop), None)
    case.gate(case.model, "pilot", ["a safeguard"])
    case.gate(case.model, "go", [])
    with pytest.raises(UsageError, match="while a safeguard is missing"):
        case.gate(case.model, "go", ["a safeguard"])


def test_figures_are_made_anew_from_the_seed_and_from_the_blocks(street, model):
    model.change(error=12)
    model.told("window", workshop.harm("window"))
    found = points.recompute(model, street)
    assert [one.figure.name for one in found if not one.is_same] == []
    assert any("each executed anew" in str(one.source) for one in found)


def test_a_run_is_brought_back_with_its_ledger(street):
    then = looked(street)
    then.change(error=20)
    settings = points._settings(then)
    street.news(MINE)
    now = looked(street)
    assert len(now.seen.entries) > len(then.seen.entries)
    points._reload(now, settings)
    assert now.trial.error == 20
    now.pin(citizen_points.as_it_was(now.wanted, street))
    assert points.of_ledger(now.seen) == points.of_ledger(then.seen)
    now.show(PointsReader(lambda: 0)(street))
    assert now.height == then.height  # until somebody follows the ledger again


@pytest.mark.parametrize(("change", "said"), [({"chain": "00000000"}, "another network"), ({"height": 9_999}, "9,999")])
def test_a_ledger_that_is_not_there_is_not_made_up(street, model, change, said):
    with pytest.raises(UsageError, match=said):
        citizen_points.as_it_was({**points._settings(model), **change}, street)


# --- words -------------------------------------------------------------------------------------------------------


def test_the_words_of_the_street_are_in_the_catalogue():
    assert set(streets.SAID) == set(words.said_by_street())
    written = {
        words_ for _code, _amount, words_ in (streets.HELP, streets.LONG_HELP, streets.SHORT_HELP, streets.MIXED)
    }
    written |= {streets.CONSENT, streets.DECISION, streets.CORRECTED, streets.STANDS, streets.SLIP, streets.HANDED_OVER}
    assert written <= set(words.written())


def test_every_state_ground_and_practice_has_words(street):
    for state in ("Open", "Reserved", "Delivered", "Disputed", "Returned"):
        assert words.cause_state(state)[1] != state != words.gift_state("Given", state)[1]
    for state in ("Recorded", "Rejected", "Notified", "Objected", "Effective", "Repaired", "Expired"):
        assert words.entry_state(state)[1] != state
    for pack in workshop.packs().values():
        for finding in workshop.lint(pack.scheme, pack.practices):
            assert words.practice_name(finding.where) != finding.where or "_" not in finding.where


def test_the_page_offers_a_street_only_where_there_is_none(street):
    page = citizen_points.page(lambda: street, Street, workshop)
    page.live._arrived(Snapshot(3))
    assert "Open the street" in buttons(page)
    page.live._arrived(PointsReader(lambda: 0)(street))
    assert "Open the street" not in buttons(page)
    assert {"Bring something new", "Record", "Check it yourself"} <= {*buttons(page)}


def test_the_page_speaks_chinese(street):
    i18n.use("zh")
    page = citizen_points.page(lambda: street, Street, workshop)
    page.live._arrived(PointsReader(lambda: 0)(street))
    shown = [re.sub(r"z6Mk\w+", "", text) for text in texts(page)]  # an account that is nobody's any more
    assert {word for text in shown for word in re.findall(r"[A-Za-z]{4,}", text)} <= {"Raft"}


def buttons(widget: Any) -> list[str]:
    found = [widget.description] if type(widget).__name__ == "Button" else []
    return found + [one for child in getattr(widget, "children", ()) for one in buttons(child)]


def texts(widget: Any) -> list[str]:
    """List what is written on a page, markup and the style sheet left out."""
    found = [re.sub(r"<style>.*?</style>|<[^>]+>", " ", widget.value, flags=re.S)] if _is_html(widget) else []
    return found + [text for child in getattr(widget, "children", ()) for text in texts(child)]


def _is_html(widget: Any) -> bool:
    return type(widget).__name__ == "HTML"


def test_a_desk_names_who_is_known_and_nobody_else(street):
    desk = Desk(lambda: street, Street, workshop)
    desk.model.show(PointsReader(lambda: 0)(street))
    assert desk.name(street.did(MINE)) == "Resident 1"
    assert desk.name("did:key:z6MkUnknown").startswith("account ")
    assert isinstance(desk.quoted("ab" * 32), Safe)
