"""Ballots of a small body: the stories of open, sealed and secret ones, and everybody who tries something else.

Each refusal is read as an official reads it, and nothing is lost by it: the next right step still works.
"""

from __future__ import annotations

from itertools import combinations
from typing import Any

import pytest
from ballotbox import CLOSES_MS, OPENS_MS, STEP_MS, TRUSTEES, UNTIL_MS, VOTERS, BallotBox
from hypothesis import given, settings
from hypothesis import strategies as st

from minichain.contracts.sandbox import Outcome
from minichain.crypto import KeyPair, did_of, digest
from minichain.elgamal.group import BASE, IDENTITY, ORDER, add, multiply, pack
from minichain.elgamal.proofs import prove
from minichain.errors import ProofError
from minichain.scenarios.voting.elections.contract import MAX_CHOICES, MAX_TRUSTEES, context_of, number_of, seal_of
from minichain.scenarios.voting.elections.recount import CHECKS, Entry, is_one_group
from minichain.scenarios.voting.elections.trustees import Ceremony, deal, polynomial, value_at


def refused(outcome: Outcome) -> str:
    assert not outcome.ok, "it was not refused"
    assert outcome.outcome == "reverted", outcome.error
    return outcome.error


@pytest.fixture
def box() -> BallotBox:
    return BallotBox()


@pytest.fixture
def secret(box: BallotBox) -> BallotBox:
    """A secret ballot in which voting is open."""
    assert box.announce().ok
    box.make_key()
    return box


@pytest.fixture
def closed(secret: BallotBox) -> BallotBox:
    """A secret ballot in which all have voted: 4 yes, 2 no, 1 abstains, by weight."""
    secret.vote_all()
    assert secret.do("Clerk", "close").result == "Closed"
    return secret


# --- the stories -------------------------------------------------------------------------------------------------


def test_a_secret_ballot_is_counted_while_one_trustee_is_missing(closed: BallotBox):
    assert closed.election["ballots"] == 4
    assert closed.do("Auditor", "decrypt", **closed.part("Auditor")).result == 1
    waiting = refused(closed.do("Clerk", "tally", counts=[4, 2, 1]))
    assert "1 trustees have opened their part; 1 more must, so wait for them" in waiting
    assert closed.do("University", "decrypt", **closed.part("University")).result == 2
    assert closed.counts() == [4, 2, 1]
    assert "5 is not what the trustees opened for choice 1" in refused(closed.do("Clerk", "tally", counts=[5, 2, 1]))
    assert closed.do("Stranger", "tally", counts=[4, 2, 1]).ok, "anybody may put down what is right"
    found = closed.again()
    assert (found.state, found.result) == ("Counted", {"yes": 4, "no": 2, "abstain": 1})
    assert found.states == ("Preparing", "Voting", "Closed", "Counted")
    assert found.turnout == (7, 7)
    assert "not counted now" in refused(closed.do("Clerk", "tally", counts=[4, 2, 1]))


def test_an_open_ballot_shows_how_everybody_voted_and_lets_a_vote_be_replaced(box: BallotBox):
    box.announce("open", may_replace=True)
    box.wait(2_000)
    assert box.do("Port", "vote", votes=[1, 0, 0]).ok
    assert box.do("Railway", "vote", votes=[0, 1, 0]).ok
    assert box.do("Port", "vote", votes=[0, 1, 0]).ok
    assert box.elections.cast_of(number=1, voter=box.did("Port"))["votes"] == [0, 1, 0]
    assert "not all have voted, and there is time" in refused(box.do("Clerk", "close"))
    box.wait(CLOSES_MS)
    assert box.do("Clerk", "close").result == "Counted"
    assert box.election["counts"] == [0, 5, 0]
    assert box.again().result == {"yes": 0, "no": 5, "abstain": 0}
    assert box.again().turnout == (5, 7)


def test_a_sealed_vote_is_unreadable_until_it_is_shown_and_counts_only_if_it_is(box: BallotBox):
    box.announce("sealed")
    box.wait(2_000)
    salts = {name: bytes([number]) * 32 for number, name in enumerate(VOTERS, 1)}
    votes = {"Port": [1, 0, 0], "Railway": [0, 1, 0], "Street office A": [1, 0, 0]}
    for name, one in votes.items():
        assert box.do(name, "seal", seal=seal_of(box.election["statement"], box.did(name), one, salts[name])).ok
    kept = box.elections.cast_of(number=1, voter=box.did("Port"))
    assert kept["votes"] == []
    assert len(kept["ballot"]) == 32
    every = [seal_of(box.election["statement"], box.did("Port"), one, bytes(32)) for one in ([1, 0, 0], [0, 1, 0])]
    assert kept["ballot"] not in every, "without the salt nobody finds it by trying"
    assert "sealed votes are shown after" in refused(box.do("Port", "reveal", votes=[1, 0, 0], salt=salts["Port"]))
    box.wait(CLOSES_MS)
    other = refused(box.do("Port", "reveal", votes=[0, 1, 0], salt=salts["Port"]))
    assert "this is not what you sealed" in other
    assert box.do("Port", "reveal", votes=[1, 0, 0], salt=salts["Port"]).ok, "nothing was lost"
    assert "no sealed vote of yours waits" in refused(box.do("Port", "reveal", votes=[1, 0, 0], salt=salts["Port"]))
    assert box.do("Railway", "reveal", votes=[0, 1, 0], salt=salts["Railway"]).ok
    assert "there is time until" in refused(box.do("Clerk", "close"))
    box.wait(UNTIL_MS)
    late = box.do("Street office A", "reveal", votes=[1, 0, 0], salt=salts["Street office A"])
    assert "and until" in refused(late)
    told = box.do("Clerk", "close")
    assert told.events[0].data["not_shown"] == [box.did("Street office A")]
    found = box.again()
    assert (found.result, found.not_shown) == ({"yes": 3, "no": 2, "abstain": 0}, (box.did("Street office A"),))
    assert found.turnout == (5, 7), "a vote that was not shown counts as not cast"


def test_a_seal_of_somebody_else_cannot_be_shown(box: BallotBox):
    box.announce("sealed")
    box.wait(2_000)
    seal = seal_of(box.election["statement"], box.did("Port"), [1, 0, 0], bytes(32))
    box.do("Port", "seal", seal=seal)
    assert box.do("Railway", "seal", seal=seal).ok, "nobody can tell yet"
    box.wait(CLOSES_MS)
    box.do("Port", "reveal", votes=[1, 0, 0], salt=bytes(32))
    assert "not what you sealed" in refused(box.do("Railway", "reveal", votes=[1, 0, 0], salt=bytes(32)))


@given(votes=st.lists(st.tuples(st.integers(0, 2), st.integers(1, 9)), min_size=2, max_size=4))
@settings(max_examples=4, deadline=None)
def test_the_count_of_a_secret_ballot_is_that_of_the_choices(votes: list[tuple[int, int]]):
    box = BallotBox()
    chosen = dict(zip(VOTERS, votes, strict=False))
    box.announce(voters={name: weight for name, (_, weight) in chosen.items()})
    box.make_key()
    for name, (choice, _) in chosen.items():
        assert box.cast(name, [int(choice == place) for place in range(3)]).ok
    box.do("Clerk", "close")
    for name in TRUSTEES[1:]:
        assert box.do(name, "decrypt", **box.part(name)).ok
    expected = [sum(weight for choice, weight in votes if choice == place) for place in range(3)]
    assert box.counts() == expected
    assert box.do("Clerk", "tally", counts=expected).ok
    assert list(box.again().counts) == expected


def test_a_count_that_only_one_group_adds_up_to_tells_who_they_are(closed: BallotBox):
    for name in TRUSTEES[:2]:
        closed.do(name, "decrypt", **closed.part(name))
    closed.do("Clerk", "tally", counts=[4, 2, 1])
    assert closed.again().exposed == [], "4 may be 3 + 1 in two ways, 2 and 1 are some of several"


@given(weights=st.lists(st.integers(1, 6), max_size=7), total=st.integers(0, 20))
@settings(max_examples=60, deadline=None)
def test_groups_are_counted_as_by_trying_all(weights: list[int], total: int):
    groups = [group for size in range(len(weights) + 1) for group in combinations(weights, size)]
    assert is_one_group(weights, total) == ([sum(group) for group in groups].count(total) == 1)


# --- voters who try something else -------------------------------------------------------------------------------


def test_who_may_not_vote_and_when(secret: BallotBox):
    stranger = secret.do("Stranger", "cast", ballot=secret.ballot("Stranger", [1, 0, 0]))
    assert "you are not on the list of voters of this ballot" in refused(stranger)
    assert "this ballot is secret, not open" in refused(secret.do("Port", "vote", votes=[1, 0, 0]))
    assert secret.cast("Port", [1, 0, 0]).ok
    again = "you have voted, and this ballot does not let a vote be replaced"
    assert again in refused(secret.cast("Port", [0, 1, 0], "another"))
    secret.wait(CLOSES_MS)
    assert "votes are taken from" in refused(secret.cast("Railway", [1, 0, 0]))
    secret.number = 9
    assert "there is no ballot 9: check its number" in refused(secret.do("Port", "cast", ballot=b""))


def test_nobody_votes_before_it_opens(box: BallotBox):
    box.announce("open")
    assert "votes are taken from" in refused(box.do("Port", "vote", votes=[1, 0, 0]))
    box.wait(2_000)
    assert box.do("Port", "vote", votes=[1, 0, 0]).ok


def test_a_copied_ballot_is_refused_and_so_is_one_for_another_election(secret: BallotBox):
    first = secret.ballot("Port", [1, 0, 0])
    assert secret.do("Port", "cast", ballot=first).ok
    copied = refused(secret.do("Railway", "cast", ballot=first))
    assert "changed, copied, or made for another voter, election or key" in copied
    assert secret.announce().ok
    secret.make_key()
    other = refused(secret.do("Port", "cast", ballot=first))
    assert "another voter, election or key" in other
    assert secret.cast("Railway", [0, 1, 0]).ok


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda ballot: b"", "it is malformed"),
        (lambda ballot: ballot[:-1], "it is malformed"),
        (lambda ballot: IDENTITY + ballot[32:], "choice 1 of the ballot is no ciphertext"),
        (lambda ballot: ballot[:32] + bytes(32) + ballot[64:], "choice 1 of the ballot is no ciphertext"),
        (lambda ballot: ballot[64:128] + ballot[:64] + ballot[128:], "does not prove"),
        (lambda ballot: add(ballot[:32], BASE) + ballot[32:], "does not prove"),
        (lambda ballot: ballot[:-1] + bytes([ballot[-1] ^ 1]), "does not prove"),
        (lambda ballot: ballot[:-32] + b"\xff" * 32, "not in its only form"),
    ],
)
def test_a_malformed_ballot_is_refused_and_the_voter_can_still_vote(secret: BallotBox, change: Any, words: str):
    assert words in refused(secret.do("Port", "cast", ballot=change(secret.ballot("Port", [1, 0, 0]))))
    assert secret.election["ballots"] == 0
    assert secret.cast("Port", [1, 0, 0]).ok


def test_a_replaced_ballot_counts_once_and_the_very_same_one_not_twice(box: BallotBox):
    box.announce(may_replace=True)
    box.make_key()
    box.vote_all()
    assert "this very ballot is in already" in refused(box.cast("Port", [1, 0, 0]))
    assert box.cast("Port", [0, 1, 0], "second thoughts").ok
    assert box.election["ballots"] == 4
    box.wait(CLOSES_MS)
    box.do("Clerk", "close")
    for name in TRUSTEES[:2]:
        box.do(name, "decrypt", **box.part(name))
    assert box.counts() == [1, 5, 1]


def test_open_votes_that_the_rules_do_not_allow(box: BallotBox):
    box.announce("open", least=1, most=2)
    box.wait(2_000)
    for votes, words in (
        ([1, 0], "0 or 1 for each of the 3 choices"),
        ([2, 0, 0], "each choice is voted on with 0 or 1"),
        ([-1, 1, 1], "each choice is voted on with 0 or 1"),
        ([1, 1, 1], "a vote takes 1 to 2 of the choices, not 3"),
        ([0, 0, 0], "a vote takes 1 to 2 of the choices, not 0"),
    ):
        assert words in refused(box.do("Port", "vote", votes=votes))
    assert box.do("Port", "vote", votes=[1, 1, 0]).ok


def test_a_ballot_counts_among_the_voters_that_were_announced_and_no_others(secret: BallotBox):
    """Where a chain forks, the ballot could count under the same number among two voters, one of them a spy."""
    fork = BallotBox()
    fork.announce(voters={"Port": 3, "Stranger": 1})
    fork.make_key()
    replayed = fork.do("Port", "cast", ballot=secret.ballot("Port", [1, 0, 0]))
    assert "made for another voter, election or key" in refused(replayed)


# --- announcements that make no sense ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"title": " "}, "the title is one line of 1 to 200"),
        ({"title": "two\nlines"}, "the title is one line"),
        ({"text": "ab"}, "named by its SHA-256"),
        ({"secrecy": "hidden"}, "a ballot is open, sealed or secret, not hidden"),
        ({"choices": []}, "there are 1 to 12 choices"),
        ({"choices": ["yes", "yes"]}, "a choice is named twice"),
        ({"choices": ["Yes", "yes"]}, "a choice is named twice"),
        ({"choices": ["yes", "yes "]}, "a choice is one line of 1 to 200 visible signs"),
        ({"choices": ["not now", "not  now"]}, "with single spaces"),
        ({"choices": ["yes", "yes\u200b"]}, "visible signs"),
        ({"choices": ["yes", "\u202eyes"]}, "visible signs"),
        ({"choices": ["not now", "not\u00a0now"]}, "visible signs"),
        ({"least": 2, "most": 1}, "2 to 1 of 3 choices: impossible"),
        ({"most": 4}, "1 to 4 of 3 choices: impossible"),
        ({"opens": 5}, "voting opens from now on"),
        ({"closes": 2**50}, "closes within a year"),
        ({"until": 5}, "sealed votes, and no others"),
        ({"fewest": 1}, "one secret ballot would tell who voted what"),
        ({"fewest": 5}, "there are 5 to 200 voters"),
        ({"threshold": 0}, "0 of 3 trustees cannot open a sum"),
        ({"threshold": 4}, "4 of 3 trustees cannot open a sum"),
        ({"threshold": 1}, "one trustee alone could read each vote"),
        ({"step_ms": 0}, "the key is dealt in three steps"),
        ({"step_ms": CLOSES_MS // 3 + 1}, "before voting closes"),
        ({"trustees": ["did:key:z6Mk", "b"]}, "did:key:z6Mk is no did:key that somebody can own"),
        ({"trustees": [did_of(b"\2" + bytes(31)), did_of(bytes(32))]}, "nobody could deal to it"),
    ],
    ids=str,
)
def test_an_announcement_that_could_not_be_kept_is_refused(box: BallotBox, changed: dict[str, Any], words: str):
    assert words in refused(box.announce(**changed))


def test_a_list_of_voters_that_could_not_be_is_refused(box: BallotBox):
    listed = [{"did": box.did("Port"), "weight": 1}, {"did": box.did("Port"), "weight": 1}]
    for voters, words in (
        (listed, "is on the list of voters twice"),
        ([{"did": box.did("Port"), "weight": 0}, listed[0]], "has no weight: leave it out"),
        ([{"did": "Port", "weight": 1}, listed[0]], "named by its did:key"),
        ([{"did": box.did("Port"), "weight": 10**9}, {"did": box.did("Railway"), "weight": 1}], "weigh at most"),
    ):
        assert words in refused(box.elections.attempt("announce", rules=box.rules(), voters=voters))
    assert "only a secret ballot has trustees" in refused(box.announce("open", trustees=[box.did("Auditor")]))
    assert "a trustee is named twice" in refused(box.announce(trustees=[box.did("Auditor")] * 2))


def test_too_few_ballots_are_not_counted(secret: BallotBox):
    assert secret.cast("Port", [1, 0, 0]).ok
    secret.wait(CLOSES_MS)
    assert secret.do("Clerk", "close").result == "Void"
    assert secret.again().result == {}
    opened = secret.do("Auditor", "decrypt", **secret.part("Auditor"))
    assert "the sum of a ballot that is Void is not opened" in refused(opened)
    assert "not closed any more" in refused(secret.do("Clerk", "close"))


def test_the_largest_election_that_may_be_announced_has_room_in_its_transactions(box: BallotBox):
    """Each action within the gas of one transaction: so many choices and trustees, weights, and a ballot replaced."""
    names = [f"trustee {number}" for number in range(MAX_TRUSTEES)]
    box.keys |= {name: KeyPair.derive(bytes(32), name) for name in names}
    choices = [f"choice {number}" for number in range(MAX_CHOICES)]
    size = {"trustees": [box.did(name) for name in names], "threshold": MAX_TRUSTEES, "may_replace": True}
    assert box.announce(choices=choices, least=0, most=MAX_CHOICES, **size).ok
    for name in names:
        assert box.deal(name).ok
    for name in names:
        assert box.do(name, "agree").ok
    assert box.do("Clerk", "fix_key").ok
    box.wait(OPENS_MS)
    votes = [place % 2 for place in range(MAX_CHOICES)]
    assert box.cast("Port", votes).ok
    assert box.cast("Railway", [1] * MAX_CHOICES).ok
    assert box.cast("Port", votes[::-1], "again").ok
    box.wait(CLOSES_MS)
    assert box.do("Clerk", "close").ok
    for name in names:
        assert box.do(name, "decrypt", **box.part(name, dealers=names)).ok
    assert box.do("Clerk", "tally", counts=box.counts()).ok
    assert box.election["counts"] == [2 + 3 * vote for vote in votes[::-1]]


# --- trustees who lie while the key is dealt ---------------------------------------------------------------------


def test_a_dealer_who_lies_to_one_trustee_must_show_the_share_and_then_counts(box: BallotBox):
    box.announce()
    dealt = box.dealt_by("Auditor")
    box.deal("Auditor", shares=[dealt.shares[0], pack(1), dealt.shares[2]])
    for name in TRUSTEES[1:]:
        box.deal(name)
    assert box.share("Chamber of commerce", "Auditor") is None
    assert box.share("University", "Auditor") is not None
    box.wait(STEP_MS)
    assert box.do("Chamber of commerce", "complain", dealer=box.did("Auditor")).ok
    twice = box.do("Chamber of commerce", "complain", dealer=box.did("Auditor"))
    assert "you have complained of this already" in refused(twice)
    box.do("University", "agree")
    assert "have time yet" in refused(box.do("Clerk", "fix_key"))
    wrong = box.do("Auditor", "answer", by=box.did("Chamber of commerce"), share=pack(2))
    assert "does not fit your commitments either: the complaint stands" in refused(wrong)
    nobody = box.do("Auditor", "answer", by=box.did("University"), share=pack(2))
    assert "there is no complaint of" in refused(nobody)
    share = value_at(polynomial(box.keys["Auditor"], box.ceremony), 2)
    assert box.do("Auditor", "answer", by=box.did("Chamber of commerce"), share=pack(share)).ok
    box.wait(3 * STEP_MS)
    assert box.do("Clerk", "fix_key").result == [box.did(name) for name in TRUSTEES]
    assert box.again().checks["answer"] == 1


def test_a_dealer_who_cannot_answer_is_left_out_and_the_others_make_the_key(box: BallotBox):
    box.announce()
    box.deal("Auditor", shares=[bytes(32)] * 3)
    for name in TRUSTEES[1:]:
        box.deal(name)
    for name in TRUSTEES[1:]:
        assert box.do(name, "complain", dealer=box.did("Auditor")).ok
    box.wait(3 * STEP_MS)
    assert box.do("Clerk", "fix_key").result == [box.did(name) for name in TRUSTEES[1:]]
    box.vote_all()
    box.do("Clerk", "close")
    for name in TRUSTEES[1:]:
        own = sum(box.share(name, dealer) or 0 for dealer in TRUSTEES[1:])
        assert box.do(name, "decrypt", **box.part(name, secret=own)).ok
    assert box.counts() == [4, 2, 1]
    assert box.again().checks["key"] > 0


def test_a_trustee_who_is_missing_while_the_key_is_dealt_can_still_open(box: BallotBox):
    box.announce()
    for name in TRUSTEES[1:]:
        box.deal(name)
    box.wait(3 * STEP_MS)
    assert box.do("Clerk", "fix_key").result == [box.did(name) for name in TRUSTEES[1:]]
    box.vote_all()
    box.do("Clerk", "close")
    for name in TRUSTEES[:2]:
        assert box.do(name, "decrypt", **box.part(name, dealers=TRUSTEES[1:])).ok
    assert box.counts() == [4, 2, 1]


def test_nobody_agrees_to_shares_that_are_not_dealt_yet(box: BallotBox):
    """Else whoever deals last deals badly, agrees, and has the key fixed before the others can complain."""
    box.announce()
    for name in TRUSTEES[:2]:
        box.deal(name)
    assert "1 trustees have not dealt yet" in refused(box.do("Auditor", "agree"))
    box.deal("University", shares=[bytes(32)] * 3)
    box.do("University", "agree")
    assert "have time yet" in refused(box.do("Clerk", "fix_key"))
    assert box.do("Auditor", "complain", dealer=box.did("University")).ok


def test_shares_on_two_chains_of_one_name_are_hidden_by_different_masks(box: BallotBox):
    """Else what is dealt on both tells everybody how the keys of the two elections differ."""
    box.announce()
    key, here = box.keys["Auditor"], box.ceremony
    there = Ceremony(digest("genesis", b"another"), here.statement, here.trustees, here.threshold)
    masks = [
        [
            (number_of(share) - value_at(polynomial(key, ceremony), place)) % ORDER
            for place, share in enumerate(deal(key, ceremony).shares, 1)
        ]
        for ceremony in (here, there)
    ]
    assert not set(masks[0]) & set(masks[1])


def test_too_few_trustees_make_no_key_and_the_ballot_says_so(box: BallotBox):
    box.announce()
    box.deal("Auditor")
    assert "have time yet" in refused(box.do("Clerk", "fix_key"))
    box.wait(3 * STEP_MS)
    assert box.do("Clerk", "fix_key").ok
    assert box.election["state"] == "Failed"
    assert box.again().state == "Failed"
    assert "nobody can vote now: the ballot is Failed" in refused(box.do("Port", "cast", ballot=b""))
    assert box.announce().result == 2, "it is announced again"


def test_what_a_trustee_may_not_do_while_the_key_is_dealt(box: BallotBox):
    box.announce()
    dealt, foreign = box.dealt_by("Auditor"), box.dealt_by("University")
    assert "only a trustee of this ballot" in refused(box.deal("Stranger", dealt))
    one = box.deal("Auditor", commitments=dealt.commitments[:1])
    assert "2 commitments are needed, each with its proof" in refused(one)
    assert "a share of 32 bytes for each of the 3" in refused(box.deal("Auditor", shares=dealt.shares[:2]))
    assert "a share of 32 bytes for each of the 3" in refused(box.deal("Auditor", shares=[b"", *dealt.shares[1:]]))
    unknown = "commitment 1 comes without a proof that you know what is behind it"
    assert unknown in refused(box.deal("Auditor", proofs=dealt.proofs[::-1]))
    assert unknown in refused(box.deal("Auditor", foreign)), "a proof of somebody else"
    context = context_of(box.election["statement"], "trustee", box.did("Auditor"))
    for point in (IDENTITY, bytes(32), b"\xff" * 32):
        bad = [point, dealt.commitments[1]]
        assert unknown in refused(box.deal("Auditor", commitments=bad, proofs=[prove(context, 0, [BASE])] * 2))
    rogue = add(multiply(5), foreign.commitments[0])  # so that the sum would be one's own key
    assert unknown in refused(box.deal("Auditor", commitments=[rogue, dealt.commitments[1]]))
    assert "3 trustees have not dealt yet" in refused(box.do("Auditor", "agree"))
    assert "has dealt no shares" in refused(box.do("Auditor", "complain", dealer=box.did("University")))
    assert box.deal("Auditor").ok
    assert "you have dealt already" in refused(box.deal("Auditor"))
    box.wait(STEP_MS)
    assert "this step of dealing the key ended" in refused(box.deal("University"))
    box.wait(STEP_MS)
    assert "this step of dealing the key ended" in refused(box.do("Auditor", "agree"))


# --- trustees who lie while the sum is opened --------------------------------------------------------------------


def test_the_contract_takes_no_opening_but_of_the_sum_of_all_ballots(closed: BallotBox):
    single = closed.ballot("Port", [1, 0, 0])
    pairs = [[single[64 * place : 64 * place + 32], single[64 * place + 32 : 64 * place + 64]] for place in range(3)]
    words = "does not prove that your part of the sum of all accepted ballots was opened rightly"
    assert words in refused(closed.do("Auditor", "decrypt", **closed.part("Auditor", sums=pairs)))
    assert words in refused(closed.do("Auditor", "decrypt", **closed.part("Auditor", secret=12345)))
    good = closed.part("Auditor")
    lie = {**good, "shares": [add(good["shares"][0], BASE), *good["shares"][1:]]}
    assert words in refused(closed.do("Auditor", "decrypt", **lie))
    assert words in refused(closed.do("University", "decrypt", **good)), "what another trustee opened"
    few = closed.do("Auditor", "decrypt", shares=good["shares"][:2], proof=good["proof"])
    assert "the sum has 3 choices" in refused(few)
    assert "only a trustee of this ballot" in refused(closed.do("Port", "decrypt", **good))
    assert closed.do("Auditor", "decrypt", **good).ok
    assert "you have opened your part already" in refused(closed.do("Auditor", "decrypt", **good))


def test_nothing_is_opened_before_the_close_nor_counted_wrongly(secret: BallotBox):
    secret.vote_all()
    early = secret.do("Auditor", "decrypt", **secret.part("Auditor"))
    assert "the sum of a ballot that is Voting is not opened now" in refused(early)
    assert "a ballot that is Voting are not counted" in refused(secret.do("Clerk", "tally", counts=[4, 2, 1]))
    secret.do("Clerk", "close")
    for name in TRUSTEES[:2]:
        assert secret.do(name, "decrypt", **secret.part(name)).ok
    for counts, words in (
        ([4, 2], "there are 3 choices: give a count of each"),
        ([4, 2, 2], "2 is not what the trustees opened for choice 3"),
        ([-3, 2, 1], "a count is from 0 to the weight of all voters"),
        ([11, 2, 1], "a count is from 0 to the weight of all voters"),
    ):
        assert words in refused(secret.do("Clerk", "tally", counts=counts))
    assert secret.do("Clerk", "tally", counts=[4, 2, 1]).ok


# --- what a recount notices --------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def told() -> tuple[BallotBox, list[Entry]]:
    """All that was announced of a secret ballot in which a complaint was answered and a ballot replaced."""
    box = BallotBox()
    box.announce(may_replace=True)
    dealt = box.dealt_by("Auditor")
    box.deal("Auditor", shares=[dealt.shares[0], pack(1), dealt.shares[2]])
    for name in TRUSTEES[1:]:
        box.deal(name)
    box.do("Chamber of commerce", "complain", dealer=box.did("Auditor"))
    share = value_at(polynomial(box.keys["Auditor"], box.ceremony), 2)
    box.do("Auditor", "answer", by=box.did("Chamber of commerce"), share=pack(share))
    box.wait(3 * STEP_MS)
    assert box.do("Clerk", "fix_key").ok
    box.vote_all()
    box.cast("Port", [0, 1, 0], "again")
    box.wait(CLOSES_MS)
    box.do("Clerk", "close")
    for name in (TRUSTEES[0], TRUSTEES[2]):
        assert box.do(name, "decrypt", **box.part(name)).ok
    assert box.do("Clerk", "tally", counts=[1, 5, 1]).ok
    return box, box.told


def changed(
    told: list[Entry], name: str, nth: int = 0, *, sender: str = "", later: int = 0, **data: Any
) -> list[Entry]:
    """Return what was told with one event changed."""
    place = [place for place, entry in enumerate(told) if entry.name == name][nth]
    old = told[place]
    new = Entry(sender or old.sender, old.height, old.time_ms + later, old.name, {**old.data, **data})
    return [*told[:place], new, *told[place + 1 :]]


def without(told: list[Entry], name: str) -> list[Entry]:
    place = next(place for place, entry in enumerate(told) if entry.name == name)
    return [*told[:place], *told[place + 1 :]]


def test_what_was_told_counts_again_to_the_same(told: tuple[BallotBox, list[Entry]]):
    box, all_of_it = told
    found = box.again(all_of_it)
    assert found.result == {"yes": 1, "no": 5, "abstain": 1}
    assert set(found.checks) == set(CHECKS) - {"votes", "seal"}


@pytest.mark.parametrize("check", sorted(set(CHECKS) - {"votes", "seal"}))
def test_a_recount_names_the_check_that_fails(told: tuple[BallotBox, list[Entry]], check: str):
    """For each check something is changed that only this one notices first."""
    box, told_of = told
    ballots = [entry.data["ballot"] for entry in told_of if entry.name == "Cast"]
    sums = next(entry.data["sums"] for entry in told_of if entry.name == "Closed")
    lies: dict[str, list[Entry]] = {
        "announcement": changed(told_of, "Announced", rules={**told_of[0].data["rules"], "most": 9}),
        "list of voters": changed(told_of, "Cast", sender=box.did("Stranger"), voter=box.did("Stranger")),
        "signature": changed(told_of, "Cast", sender=box.did("Railway")),
        "time": changed(told_of, "Cast", later=CLOSES_MS),
        "one ballot": changed(told_of, "Cast", weight=99),
        "dealing": changed(told_of, "Dealt", proofs=[bytes(64)] * 2),
        "answer": changed(told_of, "Answered", share=pack(7)),
        "key": without(told_of, "Answered"),
        "ballot": changed(told_of, "Cast", ballot=ballots[1]),
        "tracker": changed(told_of, "Cast", tracker="00" * 32),
        "all ballots": without(told_of, "Cast"),
        "sum": changed(told_of, "Closed", sums=sums[::-1]),
        "opening": changed(told_of, "Decrypted", shares=[BASE] * 3),
        "count": changed(told_of, "Counted", counts=[2, 4, 1]),
    }
    with pytest.raises(ProofError, match=f"check '{check}' of election 1 fails at height"):
        box.again(lies[check])


def test_a_recount_takes_nothing_out_of_its_turn(told: tuple[BallotBox, list[Entry]]):
    box, told_of = told
    ballot = next(entry for entry in told_of if entry.name == "Cast")
    closed = next(place for place, entry in enumerate(told_of) if entry.name == "Closed")
    for lie in (
        [*told_of[: closed + 1], ballot],
        [*told_of, told_of[-2]],
        [*told_of, told_of[-1]],
        [*told_of[: closed + 1], told_of[closed]],
        [*told_of[: closed + 1], told_of[1]],
        changed(told_of, "Closed", later=-CLOSES_MS),
    ):
        with pytest.raises(ProofError, match="check 'time' of election 1 fails"):
            box.again(lie)


def test_a_recount_misses_votes_that_were_replaced_though_the_sum_is_the_same(box: BallotBox):
    box.announce("open", may_replace=True)
    box.wait(OPENS_MS)
    for first, second in (("Street office A", "Street office B"), ("Street office B", "Street office A")):
        assert box.do(first, "vote", votes=[1, 0, 0]).ok
        assert box.do(second, "vote", votes=[0, 1, 0]).ok
    box.wait(CLOSES_MS)
    box.do("Clerk", "close")
    assert box.again().checks["all ballots"] == 2
    with pytest.raises(ProofError, match="check 'all ballots' of election 1"):
        box.again([entry for place, entry in enumerate(box.told) if place not in (3, 4)])


def test_a_recount_takes_no_state_on_trust(told: tuple[BallotBox, list[Entry]]):
    box, told_of = told
    for lie in (changed(told_of, "Announced", state="Voting"), changed(told_of, "Counted", state="Void")):
        with pytest.raises(ProofError, match="where it should become"):
            box.again(lie)
    assert box.again(changed(told_of[:-1], "Decrypted", 1, state="Counted")).state == "Closed"


def test_a_recount_of_what_is_no_election_says_so(told: tuple[BallotBox, list[Entry]]):
    box, told_of = told
    with pytest.raises(ProofError, match="'announcement' fails: no election 1"):
        box.again([])
    with pytest.raises(ProofError, match="check 'announcement' of election 1 fails"):
        box.again(told_of[1:])
    with pytest.raises(ProofError, match="check 'announcement' of election 1 fails"):
        box.again([*told_of, told_of[0]])
    with pytest.raises(ProofError, match=r"Closed at height .* cannot be read"):
        box.again([*told_of[:-4], Entry("", 1, 1, "Closed", {"number": 1})])


def test_a_recount_notices_a_sealed_and_an_open_vote_that_were_changed(box: BallotBox):
    box.announce("sealed")
    box.wait(2_000)
    box.do("Port", "seal", seal=seal_of(box.election["statement"], box.did("Port"), [1, 0, 0], bytes(32)))
    box.wait(CLOSES_MS)
    box.do("Port", "reveal", votes=[1, 0, 0], salt=bytes(32))
    with pytest.raises(ProofError, match="check 'seal' of election 1"):
        box.again(changed(box.told, "Revealed", votes=[0, 1, 0]))
    with pytest.raises(ProofError, match="check 'votes' of election 1"):
        box.again(changed(box.told, "Revealed", votes=[1, 1, 0]))
