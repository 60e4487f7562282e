"""What people are shown of a scheme: every figure is counted on the contracts, and nobody can be recognised in one."""

from __future__ import annotations

import pytest

from minichain.errors import UsageError
from minichain.scenarios.points import preset
from minichain.scenarios.points.figures import audit, gini_permille, outliers, queue, statement, timeline, worklist
from minichain.scenarios.points.presets import DAY_MS
from minichain.scenarios.points.simulation import BINS, GROUPS, Result, Trial, simulate
from minichain.scenarios.points.staging import Stage
from minichain.scenarios.points.story import CASES, INTAKE, PANEL, PROVIDER, REDEMPTION, RESIDENT, TREASURER, named

RULES = preset("training").rules


# --- my points ---------------------------------------------------------------------------------------------------


def test_a_resident_reads_each_entry_with_its_rule_its_basis_and_until_when_to_object() -> None:
    on = Stage()
    on.effective(amount=120)
    number = on.notified("mixed-waste", 1)
    on.stocked()
    on.do(TREASURER, REDEMPTION, "reserve", number=on.ordered())
    spent, deduction, reward = statement(on.ask, on.did(RESIDENT))
    assert (reward.points, reward.state, reward.basis, reward.object_until) == (20, "Effective", "community", 0)
    assert (deduction.points, deduction.state, deduction.rule) == (-10, "Notified", "mixed-waste 1")
    assert (deduction.basis, deduction.reference) == ("law", RULES[2]["basis_reference"])
    assert deduction.object_until == on.entry(number)["closes_at"]
    assert (spent.kind, spent.points, spent.rule) == ("redemption", -10, "")


def test_the_clocks_of_an_entry_tell_what_was_done_and_what_is_due() -> None:
    on = Stage()
    number = on.verified("mixed-waste", 1)
    assert [(one.name, bool(one.at)) for one in timeline(on.ask, number)] == [
        ("recorded", True),
        ("verified", True),
        ("notice", False),
        ("effect", False),
    ]
    number = on.notified("mixed-waste", 1)
    case = on.objected(number)
    moments = {one.name: one for one in timeline(on.ask, number)}
    assert moments["decision"].due == on.box.now_ms + 5 * DAY_MS
    on.wait(days=2)
    on.decided(case, "Upheld")
    moments = {one.name: one for one in timeline(on.ask, number)}
    assert (moments["decision"].at, moments["decision"].due) == (on.box.now_ms, 0)
    assert moments["appeal"].due == moments["effect"].due == on.box.now_ms + 5 * DAY_MS
    on.do(RESIDENT, CASES, "appeal", number=case, grounds="rule", evidence=named("a"))
    assert timeline(on.ask, number)[-3].name == "appeal"
    on.wait(days=11)
    on.do(PANEL[0], CASES, "lapse", number=case)
    assert [one.due for one in timeline(on.ask, number) if one.name == "appeal"] == [0]


def test_the_queue_tells_how_long_a_case_has_waited_and_how_long_it_may() -> None:
    on = Stage()
    first = on.objected(on.notified())
    on.wait(days=2)
    second = on.objected(on.notified())
    waiting = queue(on.ask, on.box.now_ms)
    assert [(one.number, one.age_days, one.days_left) for one in waiting] == [(first, 2, 3), (second, 0, 5)]
    on.decided(first, "Upheld")
    assert [one.number for one in queue(on.ask, on.box.now_ms)] == [second]


def test_the_worklist_tells_what_is_to_be_done_next_and_by_whom() -> None:
    on = Stage()
    on.recorded(zone="street-1")
    on.recorded(zone="street-9")
    on.verified()
    on.notified()
    tasks = [(one.number, one.action, one.role, one.flags) for one in worklist(on.ask, on.box.now_ms)]
    flagged = ("in two zones at once",)
    assert tasks == [(1, "verify", "verifier", ()), (2, "verify", "verifier", flagged), (3, "notify", "recorder", ())]
    on.wait(days=5)
    done = on.effective()
    assert [(one.number, one.action) for one in worklist(on.ask, on.box.now_ms)[3:]] == [(4, "settle")]
    on.wait_until(on.entry(done)["ends_at"])
    assert [(one.number, one.action) for one in worklist(on.ask, on.box.now_ms)[4:]] == [(done, "expire")]


def test_a_rejection_is_read_with_its_reasons_its_clock_and_as_nothing_that_is_to_come() -> None:
    on = Stage()
    number = on.rejected()
    (line,) = statement(on.ask, on.did(RESIDENT))
    assert (line.state, line.object_until) == ("Rejected", on.entry(number)["closes_at"])
    effect = timeline(on.ask, number)[-1]
    assert (effect.name, effect.due) == ("effect", 0)
    case = on.objected(number)
    assert timeline(on.ask, number)[-3].name == "objection"
    on.decided(case, "Upheld")
    assert statement(on.ask, on.did(RESIDENT))[0].state == "Rejected", "what was upheld is the rejection"
    on.wait(days=5)
    assert [(one.number, one.action) for one in worklist(on.ask, on.box.now_ms)] == [(number, "settle")]


def test_the_clock_of_an_office_runs_from_the_record_and_is_seen() -> None:
    on = Stage()
    number = on.recorded("mixed-waste", 1)
    verified, notice = timeline(on.ask, number)[1:3]
    assert (verified.due, notice.due) == (on.box.now_ms + 5 * DAY_MS, 0)
    on.wait(days=5, ms=1)
    assert [(one.action, one.role) for one in worklist(on.ask, on.box.now_ms)] == [("lapse", "anybody")]
    on.do(RESIDENT, INTAKE, "lapse", number=number)
    assert audit(on.ask).lapsed == 1
    told = on.verified()
    verified, notice = timeline(on.ask, told)[1:3]
    assert (verified.due, notice.due) == (0, on.box.now_ms + 5 * DAY_MS)


# --- the audit ---------------------------------------------------------------------------------------------------


def reviewed(on: Stage, *outcomes: str) -> None:
    for outcome in outcomes:
        case = on.objected(on.notified())
        on.wait(days=2)
        on.decided(case, outcome, amount=120)


def test_a_review_that_never_finds_anything_is_called_a_rubber_stamp() -> None:
    on = Stage()
    reviewed(on, *["Upheld"] * 4)
    assert not audit(on.ask).is_rubber_stamping, "four decisions say nothing yet"
    assert audit(on.ask).overturn_permille is None
    reviewed(on, "Upheld")
    late = on.objected(on.notified())
    on.wait(days=6)
    on.do(RESIDENT, CASES, "lapse", number=late)
    found = audit(on.ask)
    assert (found.is_rubber_stamping, found.overturn_permille, found.median_days) == (True, 0, 2)
    assert found.lapsed == 1, "which nobody decided"
    reviewed(on, "Amended", "Amended", "Upheld")
    found = audit(on.ask)
    assert (found.is_rubber_stamping, found.overturn_permille, found.objection_permille) == (False, 250, 1_000)


def test_an_audit_counts_what_the_pool_owes_and_shows_no_few() -> None:
    on = Stage()
    assert audit(on.ask).evidence_permille is None
    on.effective(amount=240)
    on.stocked(points=10, price=700, money=5_000)
    number = on.ordered()
    on.do(TREASURER, REDEMPTION, "reserve", number=number)
    on.do(PROVIDER, REDEMPTION, "fulfil", number=number, proof=named("slip"))
    found = audit(on.ask)
    assert (found.unredeemed_points, found.liability_fen, found.pool_left_fen) == (30, 2_100, 4_300)
    assert (found.accounts, found.gini_permille, found.evidence_permille) == (None, None, 1_000)
    assert found.assisted == 0
    for neighbour in range(9):
        on.assist(f"Neighbour {neighbour}")
    found = audit(on.ask)
    assert (found.accounts, found.assisted, found.gini_permille) == (10, None, 900), "one of ten has everything"
    on.assist("Neighbour 9")
    for neighbour in range(9):
        on.join(f"Other {neighbour}")
    assert audit(on.ask).assisted == 10, "and ten are not"


def test_a_clerk_with_far_more_entries_for_one_resident_is_looked_at() -> None:
    usual = [{"by": "clerk", "account": f"resident {number}"} for number in range(12)]
    friend = [{"by": "clerk", "account": "friend"}] * 5
    assert outliers(usual) == ()
    assert outliers(usual + friend) == (("clerk", "friend", 5),)
    assert outliers(friend) == (), "too few pairs to say what is usual"


def test_inequality_is_that_of_gini() -> None:
    assert gini_permille([5, 5, 5, 5]) == 0
    assert gini_permille([0, 0, 0, 8]) == 750
    assert gini_permille([1, 2, 3, 4]) == 250
    assert gini_permille([]) == gini_permille([0, 0]) == 0


# --- the simulator -----------------------------------------------------------------------------------------------


def tried(**changes: object) -> Result:
    return simulate(Trial(**{"rules": RULES, **changes}))  # type: ignore[arg-type]


def test_the_same_seed_gives_the_same_figures_and_another_seed_others() -> None:
    assert tried() == tried()
    assert tried(seed=2).points != tried().points
    assert sum(group.share for group in GROUPS) == 100
    assert sum(one.residents for one in tried().groups) == 1_000


def test_worse_evidence_costs_points_and_people_and_the_weaker_groups_most() -> None:
    good, bad = tried(error_percent=0), tried(error_percent=30)
    assert (good.dropped_out, good.objections) == (0, 0)
    assert all(one.uncounted == one.wrongly_deducted == 0 for one in good.groups)
    assert bad.points < good.points
    assert (bad.dropped_out or 0) > 100
    assert bad.gini_permille > good.gini_permille
    left = {one.name: (one.dropped_out or 0) * 1_000 // one.residents for one in bad.groups}
    assert min(left["elderly"], left["disabled"]) > left["others"]


def test_without_a_desk_who_has_no_device_gets_nothing_for_the_same_deeds() -> None:
    with_desk, without = tried(), tried(has_desk=False)
    assert all(one.shut_out == 0 for one in with_desk.groups)
    elderly = without.groups[0]
    assert elderly.name == "elderly"
    assert (elderly.shut_out or 0) > elderly.residents // 3
    assert without.widest_gap_permille < with_desk.widest_gap_permille


def test_no_number_of_residents_from_one_to_nine_is_shown() -> None:
    for error in (0, 5, 20, 60):
        result = tried(error_percent=error, residents=120)
        shown = [count for _, count in result.histogram] + [result.dropped_out]
        for one in result.groups:
            shown += [one.without_points, one.shut_out, one.dropped_out]
        assert [count for count in shown if count is not None and 0 < count < 10] == []
        assert [first for first, _ in result.histogram] == list(BINS)


def test_a_deduction_by_mistake_is_counted_and_takes_no_more_than_there_is() -> None:
    only = tuple(rule for rule in RULES if rule["points"] < 0)
    result = tried(rules=only, error_percent=50)
    assert sum(one.wrongly_deducted for one in result.groups) > 0
    assert result.points == 0


@pytest.mark.parametrize(
    ("changes", "words"), [({"error_percent": 101}, "0 to 100 percent"), ({"residents": 20}, "50 residents or more")]
)
def test_a_trial_that_makes_no_sense_is_refused(changes: dict[str, object], words: str) -> None:
    with pytest.raises(UsageError, match=words):
        tried(**changes)
