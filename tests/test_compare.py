"""The comparison counts what happened: held against tiny runs by hand, other counters, and attacks that must end so."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter

import pytest
from ledgerkinds import SHORT, small, tried

from minichain.codec import encode
from minichain.errors import UsageError
from minichain.faults.network import Network
from minichain.ledger.genesis import Quota, Stake
from minichain.ledger.profiles import PROFILES
from minichain.membership import measures
from minichain.scenarios.comparison import (
    ATTACKS,
    KINDS,
    Design,
    content,
    measure,
    measuring,
)
from minichain.scenarios.comparison.figures import concentration, percentile, rules_of
from minichain.scenarios.comparison.work import CONTRACT, PACE_MS, RESIDENTS, tasks
from tests.builders import genesis

CHAINS = tuple(kind for kind in KINDS if kind != "database")
BFT = ("alliance", "open_alliance", "public_consortium")


# --- the work ----------------------------------------------------------------------------------------------------


def test_the_work_is_the_same_for_all_and_follows_from_the_seed():
    work = tasks(200, 7)
    assert len(work) == 200
    assert work == tasks(200, 7)
    assert work[:50] == tasks(50, 7)
    assert work != tasks(200, 8)
    assert [task.at_ms for task in work] == [PACE_MS * number for number in range(200)]


def test_the_work_is_transfers_among_residents_and_some_contract_calls():
    work = tasks(200, 7)
    kinds = Counter(task.call.contract for task in work)
    assert kinds.keys() == {"ledger", CONTRACT}
    assert 30 < kinds[CONTRACT] < 70
    assert set(Counter(task.who for task in work).values()) <= {16, 17}
    rounds = [{task.who for task in work[at : at + 12]} for at in range(0, 192, 12)]
    assert all(people == set(RESIDENTS) for people in rounds)


# --- hand counts -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", BFT)
def test_one_transaction_among_four_voters_takes_thirty_messages(kind):
    """It is passed on to 3 and proposed to 3; then each of 4 tells the 3 others its prevote and its precommit."""
    figures = small(kind, transactions=1)
    assert figures.messages_per_transaction == 3 + 3 + 4 * 3 + 4 * 3
    assert (figures.blocks, figures.transactions_per_block, figures.final_after_blocks) == (1, 1.0, 1)


def test_one_transaction_under_proof_of_work_takes_as_many_blocks_as_it_waits_for():
    figures, work = small("public", transactions=1), PROFILES["public"]["work"]
    assert figures.blocks == figures.final_after_blocks == work.confirmations == 3
    assert figures.tries == 3 * work.difficulty
    assert figures.fee_per_transaction > 0


def test_messages_and_bytes_are_those_that_arrive(monkeypatch):
    """Counted once more, at the wire, from the first transaction on."""
    arrived: list[int] = []
    carry = Network.carry

    def counted(self, sender, receiver, data):
        found = carry(self, sender, receiver, data)
        arrived.extend(len(one) for _delay, one in found)
        return found

    monkeypatch.setattr(Network, "carry", counted)
    monkeypatch.setattr(measuring._Counts, "__init__", _forget_first(arrived))
    figures = measure(Design("alliance", transactions=5))
    assert figures.messages_per_transaction == round(len(arrived) / 5, 1)
    assert figures.bytes_per_transaction == round(sum(arrived) / 5)


def _forget_first(arrived):
    """Note when the counting begins: the first count is taken before the work, the second after it."""
    original = measuring._Counts.__init__
    taken = []

    def begin(self, world):
        original(self, world)
        if not taken:
            arrived.clear()
        taken.append(1)

    return begin


def test_what_is_stored_is_blocks_and_receipts(monkeypatch):
    stored, seen = measuring._stored, []

    def looked(store, after):
        for height in range(after + 1, store.height() + 1):
            final, receipts = store.block(height), store.receipts(height)
            seen.append(len(encode(final.block)) + len(encode(final.certificate)) + sum(map(len, receipts)))
        return stored(store, after)

    monkeypatch.setattr(measuring, "_stored", looked)
    figures = measure(Design("private", transactions=3))
    assert len(seen) == figures.blocks
    assert 0 <= figures.stored_bytes_per_transaction * 3 - sum(seen) <= 3 * figures.blocks + 3  # the array around both


def test_percentiles_by_hand():
    assert [percentile([40, 10, 30, 20], percent) for percent in (1, 25, 26, 50, 75, 90, 100)] == [
        *(10, 10, 20, 20, 30, 40, 40)
    ]
    assert percentile([5], 90) == 5


# --- the same everywhere -----------------------------------------------------------------------------------------


def test_another_process_gets_the_same_figures():
    command = [sys.executable, "-c", "from minichain.cli import main; main()"]
    options = ["compare", "--transactions", str(SHORT), "--json"]
    told = subprocess.run([*command, *options], capture_output=True, check=True).stdout
    assert json.loads(told)["figures"] == json.loads(json.dumps([content(small(kind)) for kind in KINDS]))


def test_another_seed_is_another_run():
    one, other = (measure(Design("public", transactions=12, seed=seed)) for seed in (7, 8))
    assert (one.latency_p50_ms, one.duration_ms) != (other.latency_p50_ms, other.duration_ms)


# --- who decides -------------------------------------------------------------------------------------------------


def test_concentration_is_what_the_measures_say():
    holdings = [("a", 1), ("b", 1), ("a", 1), ("c", 0), ("d", 2)]
    found = concentration("bft", holdings)
    assert found.shares == (("a", 2), ("d", 2), ("b", 1), ("c", 0))
    assert found.owners_to_halt == measures.owners_to_halt("bft", holdings)
    assert found.owners_to_fork == measures.owners_to_fork("bft", holdings)
    assert found.owners_to_rewrite == measures.owners_to_rewrite("bft", holdings)
    assert found.nakamoto == measures.nakamoto_coefficient(holdings)
    assert found.gini == round(float(measures.gini(holdings)), 3)
    assert found.top10_percent == measures.top_share_permille(holdings) / 10


def test_nine_machines_of_two_owners_can_be_stopped_by_one():
    figures = small("alliance", 4, validators=9, owners=2)
    assert figures.concentration.shares == (("owner A", 5), ("owner B", 4))
    assert figures.concentration.owners_to_halt == 1
    assert figures.copies == 9


def test_shares_of_work_are_blocks_that_were_won():
    figures = small("public")
    assert sum(won for _owner, won in figures.concentration.shares) == figures.blocks
    assert len(figures.concentration.shares) == 4, "who has won nothing counts, too"


def test_a_private_chain_has_one_owner_whatever_is_asked():
    assert {owner for _name, owner in small("private").members} == {"the owner"}
    assert small("private").concentration.owners_to_rewrite == 1


@pytest.mark.parametrize(
    ("kind", "reads", "writes", "validates", "joins"),
    [
        ("database", "owner", "owner", "owner", "owner"),
        ("private", "members", "members", "members", "owner"),
        ("alliance", "members", "members", "members", "vote"),
        ("open_alliance", "anyone", "anyone", "members", "vote"),
        ("public_consortium", "anyone", "anyone", "members", "election"),
        ("public", "anyone", "anyone", "anyone", "work"),
    ],
)
def test_the_rules_are_those_of_the_settings(kind, reads, writes, validates, joins):
    rules = small(kind).rules
    assert (rules.reads, rules.writes, rules.validates, rules.joins) == (reads, writes, validates, joins)


# --- the database ------------------------------------------------------------------------------------------------


def test_a_database_does_the_same_work_alone():
    figures = small("database")
    assert (figures.messages_per_transaction, figures.tries, figures.fee_per_transaction) == (0, 0, 0)
    assert figures.concentration.owners_to_halt == figures.concentration.owners_to_rewrite == 1
    assert 0 < figures.stored_bytes_per_transaction < small("alliance").stored_bytes_per_transaction
    assert figures.latency_p90_ms < small("private").latency_p50_ms
    assert figures.proof_bytes == 0 < small("private").proof_bytes


def test_only_proof_of_work_spends_tries_and_undoes_blocks():
    assert {kind for kind in KINDS if small(kind).tries} == {"public"}
    assert all(small(kind).undone_blocks == 0 for kind in KINDS if kind != "public")
    assert all(small(kind).final_after_blocks == 1 for kind in ("private", *BFT))


# --- attacks -----------------------------------------------------------------------------------------------------


def test_every_attack_is_tried_on_every_kind():
    assert {(tried(kind, attack).kind, tried(kind, attack).attack) for kind in KINDS for attack in ATTACKS} == {
        (kind, attack) for kind in KINDS for attack in ATTACKS
    }


def test_a_quota_lets_each_account_send_so_much_and_a_fee_is_paid_for_all():
    spent = small("public").fee_per_transaction  # one unit for each unit of gas
    for kind in CHAINS:
        figures, policy = small(kind), PROFILES[kind].get("policy", Quota())
        if isinstance(policy, Quota):
            assert figures.fee_per_transaction == 0
            assert figures.quota_blocks == policy.window
            assert figures.quota_transactions == pytest.approx(policy.gas / spent, rel=0.01)
        else:
            assert (kind, figures.quota_transactions, figures.quota_blocks) == ("public", 0, 0)


@pytest.mark.parametrize(
    ("kind", "happened"),
    [("database", "changed"), ("private", "both accepted"), *((kind, "refused") for kind in BFT), ("public", "kept")],
)
def test_one_owner_rewrites_what_it_owns_alone_and_nothing_else(kind, happened):
    found = tried(kind, "edit")
    assert found.happened == happened
    assert found.succeeded == (kind in ("database", "private"))


@pytest.mark.parametrize("kind", BFT)
def test_one_member_of_an_alliance_lacks_the_signatures(kind):
    assert tried(kind, "edit").facts["reason"] == "signatures of weight 1 of 4 are not more than two thirds"


@pytest.mark.parametrize(("validators", "owners"), [(4, None), (7, None), (9, 3)])
def test_just_enough_colluding_members_make_another_past_and_one_fewer_cannot(validators, owners):
    found = tried("alliance", "collude", validators, owners)
    weights = Counter(member.owner for member in Design("alliance", validators, owners).members)
    assert (found.happened, found.succeeded) == ("both accepted", True)
    assert found.facts["owners"] == measures.owners_to_rewrite("bft", weights.items())
    assert (found.facts["fewer"], found.facts["fewer_succeeded"]) == (found.facts["owners"] - 1, 0)
    assert 3 * found.facts["signed_both"] > validators, "two quorums share more than a third"


def test_a_majority_of_the_work_takes_a_payment_back_that_was_final():
    found = tried("public", "collude")
    assert (found.happened, found.succeeded) == ("undone", True)
    assert found.facts["was_final"]
    assert found.facts["undone"] >= PROFILES["public"]["work"].confirmations


@pytest.mark.parametrize("kind", CHAINS)
def test_one_liar_of_four_is_borne(kind):
    found = tried(kind, "lie")
    assert (found.happened, found.succeeded) == ("borne", False)
    assert found.facts["evidence"] if kind in BFT else found.facts["refused"]


@pytest.mark.parametrize(("validators", "owners"), [(9, 2), (7, 3), (6, 3), (9, 4), (10, 5)])
def test_an_owner_who_lies_with_all_it_has_splits_an_alliance_just_where_the_measure_says_so(validators, owners):
    found, weights = tried("alliance", "lie", validators, owners), Design("alliance", validators, owners).members
    is_enough = measures.owners_to_fork("bft", [(member.owner, member.weight) for member in weights]) == 1
    assert (found.happened, found.succeeded) == (("split", True) if is_enough else ("borne", False))


@pytest.mark.parametrize(
    ("kind", "validators", "owners", "stops"),
    [
        ("database", 4, None, True),
        ("private", 4, None, True),
        ("alliance", 4, None, False),
        ("alliance", 9, 2, True),
        ("public", 4, None, False),
        ("public", 4, 1, True),
    ],
)
def test_the_largest_owner_stops_what_depends_on_it(kind, validators, owners, stops):
    assert tried(kind, "stop", validators, owners).succeeded == stops


# --- bad input ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("design", "words"),
    [
        ({"kind": "nation"}, "choose one of database, private"),
        ({"kind": "public", "validators": 3}, "validators: from 4 to 13"),
        ({"kind": "public", "validators": 14}, "validators: from 4 to 13"),
        ({"kind": "alliance", "validators": 5, "owners": 6}, "owners: from 1 to 5"),
        ({"kind": "alliance", "transactions": 0}, "transactions: from 1"),
    ],
)
def test_a_design_that_cannot_be_is_refused(design, words):
    with pytest.raises(UsageError, match=words):
        Design(**design)


def test_an_attack_nobody_knows_is_refused():
    with pytest.raises(UsageError, match="choose one of stop, edit, lie, collude"):
        tried("alliance", "hope")


def test_the_rules_name_who_stakes():
    assert rules_of(genesis(membership=Stake()).spec).joins == "stake"
