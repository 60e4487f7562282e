"""The rules of a vote: what a clause says, what a pack decides and by which clause, and what can still happen.

The page runs this text as ordinary Python and a contract as metered code: both must say the same of everything.
"""

from __future__ import annotations

import ast
import copy
import hashlib
from functools import partial
from itertools import product
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from minichain.contracts import Sandbox, check, rulebook
from minichain.contracts.language import API, MAX_SOURCE_BYTES, RULEBOOK
from minichain.contracts.mixing import RULEBOOK_SOURCE
from minichain.contracts.source import RULEBOOK_FROM, place_of
from minichain.errors import ContractFault, Reverted, UsageError
from minichain.scenarios.voting.rulebook import PACKS, Pack, compare, decide, member, pack, read, standing, verdict

SEATS = ("", "operators", "regulators", "permanent")


def parliament(*weights: int) -> list[list[Any]]:
    """Return members named A, B, C, ... with these weights."""
    return [member(name, weight) for name, weight in zip("ABCDEFGHIJKLMNO", weights, strict=False)]


def said(text: str) -> dict[str, str]:
    """Read ballots: `A B yes, C no`."""
    parts = [part.split() for part in text.split(",") if part.strip()]
    return {name: choice for *names, choice in parts for name in names}


# --- the text --------------------------------------------------------------------------------------------------------


def test_the_rulebook_is_in_the_contract_language() -> None:
    whole = f'{RULEBOOK_SOURCE}\n\nclass Whole(Contract):\n    """Hold it."""\n'
    assert check(whole.replace("import require", "import Contract, require")) == []
    assert len(RULEBOOK_SOURCE) < MAX_SOURCE_BYTES


def test_what_can_be_imported_is_there_and_collides_with_no_name_of_the_language() -> None:
    functions = [node.name for node in ast.parse(RULEBOOK_SOURCE).body if isinstance(node, ast.FunctionDef)]
    assert set(RULEBOOK) <= set(functions)
    assert not set(functions) & set(API)


def test_the_text_of_the_rulebook_is_part_of_the_language() -> None:
    """Whoever changes it changes what contracts decide that are on a chain already: then this is a new language."""
    golden = "a54bb11e465ada082170db54ad63c3b309e1150220b39bbfef76c0f20291998b"
    assert hashlib.sha256(RULEBOOK_SOURCE.encode()).hexdigest() == golden


def test_a_line_of_the_rulebook_is_told_as_that() -> None:
    source = '''from minichain.contracts.api import Contract, view
from minichain.contracts.rulebook import count


class Counter(Contract):
    """Count."""

    @view
    def counted(self, pack: dict) -> dict:
        """Count nothing."""
        return count(pack, [], {}, [])
'''
    box = Sandbox(steps=True)
    counter: Any = box.deploy(source, sender=box.account("Clerk"))
    with pytest.raises(ContractFault, match=r'counter.counted, line 11: the dict has no key "tracks"'):
        counter.counted({})
    line = RULEBOOK_SOURCE[: RULEBOOK_SOURCE.index("def counters")].count("\n") + 1
    assert place_of(RULEBOOK_FROM + line) == f"line {line} of the rulebook"
    outcome = box.view("", "counter", "counted", {"pack": pack("unsc")})
    told = [step for step in outcome.steps if step.line == RULEBOOK_FROM + line]
    assert [step.source for step in told] == ["def counters(pack: dict) -> list:"]
    assert f"rulebook:{line}" in str(outcome.steps)


# --- clauses ---------------------------------------------------------------------------------------------------------


def tally(**counts: int) -> dict[str, Any]:
    full = {"eligible": 0, "yes": 0, "no": 0, "abstain": 0, "veto": 0, **counts}
    return {"weight:": full, "members:": {**full, "yes": 0}}


def clause(part: str, whole: str, comparator: str, share: list[int], kind: str = "majority") -> dict[str, Any]:
    fields = {"id": "it", "kind": kind, "measure": "weight", "seat": "", "blockers": 0}
    return {**fields, "part": part.split(), "whole": whole.split(), "comparator": comparator, "share": share}


@pytest.mark.parametrize(("comparator", "holds"), [(">", False), (">=", True)])
def test_a_tie_holds_where_as_much_is_enough(comparator: str, holds: bool) -> None:
    even = tally(eligible=100, yes=50, no=50)
    assert rulebook.holds(clause("yes", "yes no", comparator, [1, 2]), even) is holds
    assert rulebook.holds(clause("yes", "", comparator, [50, 100]), even) is holds


def test_a_share_of_nothing_is_no_share() -> None:
    nobody = tally(eligible=100)
    for comparator in (">", ">="):
        assert not rulebook.holds(clause("yes", "yes no", comparator, [0, 1]), nobody)
        assert not rulebook.holds(clause("no", "yes no", comparator, [0, 1], "veto"), nobody)


def test_shares_are_compared_exactly_however_large_the_numbers() -> None:
    third = 2**40 // 3
    counts = tally(eligible=2**40, yes=third, no=2**40 - third)
    assert not rulebook.holds(clause("yes", "", ">=", [1, 3]), counts), "a third of 2**40, rounded down, is less"
    counts["weight:"]["yes"] += 1
    assert rulebook.holds(clause("yes", "", ">=", [1, 3]), counts)
    assert not rulebook.holds(clause("yes", "", ">", [334, 1000]), counts)


# --- the packs, by what their sources say -----------------------------------------------------------------------------


def test_the_abstain_paradox() -> None:
    """To abstain helps what one is against: the quorum counts for and abstain (OpenZeppelin)."""
    rules = pack("oz")
    rules["tracks"]["ordinary"]["clauses"][0]["share"] = [40, 100]
    members = parliament(30, 15, 10, 45)
    lost = decide(rules, members, said("A yes, B C no"))
    assert (lost.status, lost.why, lost.clause) == ("Defeated", "no_quorum", "quorum")
    won = decide(rules, members, said("A yes, B no, C abstain"))
    assert (won.status, won.clause) == ("Succeeded", "quorum")


def test_the_order_of_votes_decides_only_where_the_pack_stops_at_once() -> None:
    """Two of four are half: under fisco the first two decide, and the other two are too late."""
    members = parliament(1, 1, 1, 1)
    ballots = [("A", "no"), ("B", "no"), ("C", "yes"), ("D", "yes")]
    for name, ends in (("fisco", {"Succeeded", "Defeated"}), ("fisco_safe", {"Succeeded"})):
        assert {ending(pack(name), members, order) for order in (ballots, ballots[::-1])} == ends


def ending(rules: Pack, members: list[list[Any]], ballots: list[tuple[str, str]]) -> str:
    """Cast ballots one after another until the vote is decided."""
    track, cast = rules["tracks"]["ordinary"], dict[str, str]()
    for did, choice in ballots:
        cast[did] = choice
        found = verdict(rules, track, rulebook.count(rules, members, cast, []), False)
        if found["status"] != "Active":
            return str(found["status"])
    return str(verdict(rules, track, rulebook.count(rules, members, cast, []), True)["status"])


def test_a_third_and_more_of_vetoes_rejects_whatever_the_majority() -> None:
    members = parliament(60, 33, 35)
    assert decide(pack("cosmos"), members, said("A yes, C veto")).why == "vetoed"
    close = decide(pack("cosmos"), members, said("A yes, B veto, C abstain"))
    assert close.status == "Succeeded", "33 of 128 are no third"
    assert decide(pack("cosmos"), parliament(33, 67), said("A yes")).why == "no_quorum"
    assert decide(pack("cosmos"), parliament(334, 666), said("A yes")).status == "Succeeded"
    assert decide(pack("cosmos"), parliament(4, 6), said("A B abstain")).why == "no_majority", "of nobody"


def union(*populations: int) -> list[list[Any]]:
    return [member(f"state {number}", population=size) for number, size in enumerate(populations)]


def test_a_qualified_majority_of_members_and_of_people() -> None:
    """15 of 27 members are 55 %; fewer than four members cannot block, however large they are."""
    states = union(*[10] * 27)
    for many, status in ((14, "Defeated"), (15, "Defeated"), (17, "Defeated"), (18, "Succeeded")):
        ballots = {row[1]: "yes" for row in states[:many]}
        assert decide(pack("eu_qmv"), states, ballots).status == status, f"{many} of 27"
    assert decide(pack("eu_qmv"), states, {row[1]: "yes" for row in states[:14]}).clause == "states"
    assert decide(pack("eu_qmv"), states, {row[1]: "yes" for row in states[:17]}).clause == "population"
    big = union(100, 100, 100, *[1] * 24)
    assert decide(pack("eu_qmv"), big, {row[1]: "yes" for row in big[3:]}).status == "Succeeded", "three cannot block"
    assert decide(pack("eu_qmv"), big, {row[1]: "yes" for row in big[4:]}).clause == "population", "four can"


COUNCIL = [member(f"P{n}", seat="permanent") for n in range(5)] + [member(f"E{n}", seat="elected") for n in range(10)]


@pytest.mark.parametrize(
    ("yes", "no", "status", "clause"),
    [
        ("P0 P1 P2 P3 P4 E0 E1 E2 E3", "", "Succeeded", "nine"),
        ("P0 P1 P2 P3 P4 E0 E1 E2", "", "Defeated", "nine"),
        ("P0 P1 P2 P3 E0 E1 E2 E3 E4 E5 E6 E7 E8 E9", "P4", "Defeated", "permanent"),
        ("P0 P1 P2 P3 E0 E1 E2 E3 E4", "E5 E6 E7 E8 E9", "Succeeded", "nine"),
    ],
)
def test_nine_of_fifteen_and_no_permanent_member_against(yes: str, no: str, status: str, clause: str) -> None:
    found = decide(pack("unsc"), COUNCIL, dict.fromkeys(yes.split(), "yes") | dict.fromkeys(no.split(), "no"))
    assert (found.status, found.clause) == (status, clause)


def test_each_chamber_has_to_agree() -> None:
    both = [member("A", 9, "operators"), member("B", 1, "regulators"), member("C", 1, "regulators")]
    assert decide(pack("two_chamber"), both, said("A B C yes")).status == "Succeeded"
    assert decide(pack("two_chamber"), both, said("A B yes, C no")).clause == "regulators", "a tie is no majority"
    assert decide(pack("two_chamber"), both, said("A yes")).clause == "regulators_present"
    assert decide(pack("two_chamber"), both[:1], said("A yes")).lack.endswith(
        "out of reach, even if all members say yes"
    )


def test_silence_is_consent_where_the_pack_says_so() -> None:
    assert decide(pack("consensus"), parliament(1, 1, 1), {}).status == "Succeeded"
    assert decide(pack("consensus"), parliament(1, 1, 1), said("A B yes, C no")).clause == "objection"
    assert decide(pack("optimistic"), parliament(8, 2), said("A no")).status == "Succeeded", "a no is no veto"
    assert decide(pack("optimistic"), parliament(8, 2), said("B veto")).why == "vetoed", "a fifth is enough"


def test_who_steps_aside_lowers_what_is_needed_or_does_not() -> None:
    members = parliament(1, 1, 1, 1)
    assert decide(pack("one_org_one_vote"), members, said("A yes"), recused=["C", "D"]).status == "Succeeded"
    assert decide(pack("one_org_one_vote"), members, said("A yes")).why == "no_quorum"
    stays = decide(pack("supermajority"), members, said("A B yes"), recused=["C", "D"])
    assert stays.status == "Defeated", "two of four, though nobody else may vote"


def test_the_same_ballots_side_by_side() -> None:
    members = [
        member("A", 40, "operators", 400),
        member("B", 25, "regulators", 300),
        member("C", 20, "operators", 200),
        member("D", 10, "regulators", 50),
        member("E", 5, "permanent", 50),
    ]
    found = {one.pack: (one.status, one.clause) for one in compare(members, said("A B yes, C no, D abstain, E veto"))}
    assert found == {
        "aragon": ("Succeeded", "support"),
        "consensus": ("Defeated", "objection"),
        "cosmos": ("Succeeded", "threshold"),
        "eu_qmv": ("Defeated", "states"),
        "fisco": ("Succeeded", "win"),
        "fisco_safe": ("Succeeded", "win"),
        "one_org_one_vote": ("Defeated", "majority"),
        "optimistic": ("Succeeded", "veto"),
        "oz": ("Succeeded", "more_for"),
        "supermajority": ("Defeated", "two_thirds"),
        "two_chamber": ("Succeeded", "operators"),
        "unsc": ("Defeated", "nine"),
    }
    assert tuple(found) == PACKS


def test_a_super_quorum_ends_a_vote_early_only_in_favour() -> None:
    """As in GovernorSuperQuorum: enough of all for it, and everything else met."""
    rules = pack("oz")
    above = clause("yes", "", ">=", [60, 100], "super")
    for track in rules["tracks"].values():
        track |= {"early": "super", "clauses": [*track["clauses"], {**above, "id": "super"}]}
    rulebook.check_pack(rules)
    members = parliament(60, 30, 10)
    for text, status in (("A yes", "Succeeded"), ("B C yes", "Active"), ("A no", "Active")):
        assert decide(rules, members, said(text), is_over=False).status == status
    assert decide(rules, members, said("B yes, C no")).status == "Succeeded", "at the end it needs no super quorum"


# --- what can still happen ---------------------------------------------------------------------------------------


def test_how_much_is_still_needed() -> None:
    rules, members = pack("supermajority"), parliament(4, 3, 2, 1)
    counted = rulebook.count(rules, members, said("A yes, B no"), [])
    told = standing(rules, rules["tracks"]["ordinary"], counted)
    assert told == {
        "can_pass": True,
        "can_block": True,
        "clauses": [
            {"id": "two_thirds", "kind": "majority", "part": 4, "whole": 10, "holds": False, "missing": 3},
        ],
    }
    counted = rulebook.count(rules, members, said("A yes, B D no"), [])
    told = standing(rules, rules["tracks"]["ordinary"], counted)
    assert (told["can_pass"], told["can_block"], told["clauses"][0]["missing"]) == (False, True, -1)


def test_while_votes_may_change_everything_is_open() -> None:
    told = decide(pack("cosmos"), parliament(9, 1), said("A B no"), is_over=False)
    assert (told.status, told.can_pass, told.can_block) == ("Active", True, True)


def test_a_veto_tells_how_much_more_would_block() -> None:
    rules = pack("optimistic")
    told = standing(rules, rules["tracks"]["ordinary"], rulebook.count(rules, parliament(90, 8, 2), said("C veto"), []))
    assert (told["can_pass"], told["can_block"], told["clauses"][0]["missing"]) == (True, True, 18)


members_of_any_seat = st.lists(
    st.builds(
        lambda weight, seat, population: (weight, seat, population),
        st.integers(1, 12),
        st.sampled_from(SEATS),
        st.integers(0, 9),
    ),
    min_size=1,
    max_size=5,
)


def named(rows: list[tuple[int, str, int]]) -> list[list[Any]]:
    return [member(f"m{number}", *row) for number, row in enumerate(rows)]


CERTAIN = [name for name in PACKS if pack(name)["tracks"]["ordinary"]["early"] == "certain"]


@given(st.sampled_from(CERTAIN), members_of_any_seat, st.data())
@settings(max_examples=150, deadline=None)
def test_what_is_decided_early_as_certain_is_what_every_ending_decides(name: str, rows: Any, data: Any) -> None:
    rules, electorate = pack(name), named(rows)
    track, choices = rules["tracks"]["ordinary"], ["", *rules["choices"]]
    cast = {row[1]: data.draw(st.sampled_from(choices)) for row in electorate}
    waiting = [did for did, choice in cast.items() if choice == ""]

    def result(ballots: dict[str, str], is_over: bool) -> str:
        return str(verdict(rules, track, rulebook.count(rules, electorate, ballots, []), is_over)["status"])

    endings = {
        result({**cast, **dict(zip(waiting, rest, strict=True))}, True)
        for rest in product(choices, repeat=len(waiting))
    }
    early = result(cast, False)
    assert (endings == {early}) if early != "Active" else len(endings) == 2, "certain, exactly when all endings agree"


@given(st.sampled_from(PACKS), members_of_any_seat, st.data())
@settings(max_examples=150, deadline=None)
def test_what_is_told_as_missing_is_just_enough(name: str, rows: Any, data: Any) -> None:
    rules, electorate = pack(name), named(rows)
    ballots = {row[1]: data.draw(st.sampled_from(["", *rules["choices"]])) for row in electorate}
    counted = rulebook.count(rules, electorate, ballots, [])
    for one in rules["tracks"]["ordinary"]["clauses"]:
        more = rulebook.missing(one, counted)
        counts, choice = counted[rulebook.counter_of(one)], one["part"][0]
        if more > 0:
            for extra, holds in ((more, True), (more - 1, False)):
                after = {**counted, rulebook.counter_of(one): {**counts, choice: counts[choice] + extra}}
                assert rulebook.holds(one, after) is holds


# --- packs as they are written -----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", PACKS)
def test_every_pack_says_where_it_is_from_and_what_it_is_in_both_languages(name: str) -> None:
    rules = pack(name)
    assert rules["name"] == name
    assert rules["source"]
    assert rules["as_of"][:4].isdigit()
    assert any("\u4e00" <= sign <= "\u9fff" for sign in rules["zh"])
    assert not any("\u4e00" <= sign <= "\u9fff" for sign in rules["en"])
    rules["tracks"]["ordinary"]["clauses"][0]["part"].append("me")
    assert pack(name) != rules, "each is a copy of its own"


def test_the_packs_of_the_domain_are_all_there() -> None:
    needed = "aragon consensus cosmos eu_qmv fisco fisco_safe one_org_one_vote optimistic oz two_chamber unsc"
    assert set(needed.split()) <= set(PACKS)


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"clock": "days"}, "rule pack fisco_safe: clock is one of ms, blocks"),
    ({"name": ""}, "rule pack: name is text of 1 to 1000 characters"),
    ({"about_oneself": "no"}, "about_oneself is true or false"),
    ({"revote": 1}, "revote is true or false"),
    ({"revote": True}, "nothing is certain where votes or weights may change"),
    ({"delegation": True}, "nothing is certain where votes or weights may change"),
    ({"electorate": "live"}, "nothing is certain where votes or weights may change"),
    ({"deadline": False}, "without a deadline, early is immediate"),
    ({"choices": ["no", "yes"]}, "choices are yes, no, and perhaps more"),
    ({"choices": ["yes", "no", "maybe"]}, "choices are yes, no, and perhaps more"),
    ({"threshold": [3, 2]}, "threshold is a share [part, whole] of whole numbers, from 0 to all"),
    ({"threshold": [1, 0]}, "threshold is a share [part, whole]"),
    ({"threshold": [True, 2]}, "threshold is a share [part, whole]"),
    ({"voting": 0}, "track ordinary: voting is 1 to 100000000, counted in blocks"),
    ({"grace": -1}, "track ordinary: grace is 1 to 100000000, counted in blocks"),
    ({"timelock": 100_000_001}, "track ordinary: timelock is 0 to 100000000, counted in blocks"),
    ({"clock": "ms", "voting": 40}, "track ordinary: voting is 60000 to 315576000000, counted in ms"),
    ({"proposer_votes": True, "delay": 1}, "no delay where to propose is to vote"),
    ({"early": "soon"}, "early is one of none, certain, super, immediate"),
    ({"early": "super"}, "early is super where a clause is, and only there"),
    ({"clauses": []}, "has 1 to 8 clauses"),
    ({"tracks": {}}, "tracks are ordinary, amendment, and perhaps urgent"),
]


@pytest.mark.parametrize(("change", "words"), WRONG)
def test_a_pack_that_is_not_sound_is_refused_with_its_clause(change: dict[str, Any], words: str) -> None:
    with pytest.raises(Reverted) as caught:
        pack("fisco_safe", **change)
    assert words in str(caught.value)


CLAUSES: list[tuple[dict[str, Any], str]] = [
    ({"kind": "rumour"}, "clause participation: no such kind or measure"),
    ({"measure": "area"}, "no such kind or measure"),
    ({"comparator": "<"}, "comparator is > or >="),
    ({"share": [2, 1]}, "clause participation: share is a share"),
    ({"blockers": -1}, "blockers is a number of members"),
    ({"seat": "a:b"}, "a seat is named in up to 40 characters, without a colon"),
    ({"part": []}, "the part is something, and of the whole"),
    ({"part": ["no"]}, "its part begins with yes"),
    ({"part": ["no", "yes"]}, "part and whole list choices of this pack, in its order"),
    ({"part": ["yes", "yes"]}, "part and whole list choices of this pack, in its order"),
    ({"part": ["yes", "abstain"]}, "part and whole list choices of this pack"),
    ({"whole": ["no"]}, "the part is something, and of the whole"),
    ({"kind": "veto"}, "a veto does not count yes in its part, but in its whole"),
    ({"kind": "veto", "part": ["no"], "whole": ["no"]}, "a veto does not count yes in its part, but in its whole"),
    ({"id": ""}, "a clause has an id"),
    ({"id": "win"}, "two clauses have the same id"),
    ({"source": "x"}, "a clause has these fields and no other: id, kind"),
]


@pytest.mark.parametrize(("change", "words"), CLAUSES)
def test_a_clause_by_which_yes_could_do_harm_is_refused(change: dict[str, Any], words: str) -> None:
    rules = pack("fisco_safe")
    for track in rules["tracks"].values():
        track["clauses"][0] |= change
    with pytest.raises(Reverted) as caught:
        rulebook.check_pack(rules)
    assert words in str(caught.value)


def test_a_vote_that_ends_at_once_has_a_quorum_or_its_first_voter_would_decide() -> None:
    rules = pack("fisco")
    for track in rules["tracks"].values():
        del track["clauses"][0]
    with pytest.raises(Reverted, match="track ordinary: where early is immediate, one clause is a quorum"):
        rulebook.check_pack(rules)


@pytest.mark.parametrize("title", ["amendment", "urgent"])
def test_a_pack_is_harder_to_change_or_to_hurry_than_to_use(title: str) -> None:
    rules = pack("fisco_safe")
    easier = copy.deepcopy(rules["tracks"]["ordinary"])
    rules["tracks"][title] = easier
    clauses, refused = easier["clauses"], partial(pytest.raises, Reverted)
    clauses[1]["share"] = [1, 3]
    with refused(match=f"track {title}: it asks for no less than clause win of the ordinary track does"):
        rulebook.check_pack(rules)
    clauses[0]["share"], clauses[1]["share"] = [50, 100], [50, 100]
    with refused(match=f"track {title}: it needs more than an ordinary decision, in one clause at least"):
        rulebook.check_pack(rules)
    easier["early"] = "super"
    clauses.append({**clauses[1], "id": "enough", "kind": "super"})
    with refused(match="it needs more than an ordinary decision"):
        rulebook.check_pack(rules)
    clauses[1]["comparator"] = ">"
    with refused(match="it keeps clause win of the ordinary track, and changes at most its share"):
        rulebook.check_pack(rules)
    del clauses[1]
    with refused(match="it keeps clause win"):
        rulebook.check_pack(rules)


@pytest.mark.parametrize("change", [{"voting": 1}, {"timelock": 0}, {"early": "immediate"}])
def test_the_rules_do_not_change_over_night(change: dict[str, Any]) -> None:
    rules = pack("fisco_safe")
    rules["tracks"]["amendment"] |= change
    with pytest.raises(Reverted, match="an amendment takes no less time than an ordinary decision, nor ends earlier"):
        rulebook.check_pack(rules)


@pytest.mark.parametrize("change", [{"blockers": 4}, {"share": [0, 1], "whole": []}])
def test_rules_by_which_nobody_could_stop_anything_are_told(change: dict[str, Any]) -> None:
    rules = pack("supermajority")
    for track in rules["tracks"].values():
        track["clauses"][0] |= {"comparator": ">=", **change}
    words = "nobody could stop a decision, even if all members are against it"
    assert words in rulebook.out_of_reach(rules, parliament(1, 1, 1))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("clock = ", "this is not a rule pack in TOML"),
        ('[tracks.ordinary]\nlike = "amendment"', "track ordinary is like 'amendment', which does not stand above it"),
        ("[tracks.ordinary]\nshares = { win = [1, 2] }", "gives a share to win, which is none of its clauses"),
    ],
)
def test_what_is_not_written_as_a_pack_is_refused(text: str, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        read(text)


def test_what_is_asked_of_packs_that_is_not_there() -> None:
    with pytest.raises(UsageError, match=r"there is no rule pack 'veche'; there are aragon, consensus"):
        pack("veche")
    with pytest.raises(UsageError, match="a rule pack has no 'quorum'; it has name"):
        pack("oz", quorum=[1, 2])
    with pytest.raises(UsageError, match="a ballot says yes, no, abstain, veto, not 'perhaps'"):
        decide(pack("oz"), parliament(1), {"A": "perhaps"})
