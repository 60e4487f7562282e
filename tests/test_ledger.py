"""Committees, certificates, genesis and state: who decides, what proves it, and what a chain may be."""

from __future__ import annotations

import functools
import random

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from minichain.codec import decode, encode
from minichain.errors import ConfigError, DecodeError, ProofError
from minichain.ledger.certificate import (
    MAX_NONCE,
    PRECOMMIT,
    PREVOTE,
    Certificate,
    LogCertificate,
    QuorumCertificate,
    WorkCertificate,
    in_order,
    is_sealed,
    log_statement,
    seek_nonce,
    sign_log,
    sign_vote,
    vote_statement,
)
from minichain.ledger.committee import MAX_MEMBERS, MAX_WEIGHT, Committee, Member
from minichain.ledger.genesis import Access, ChainSpec, Fee, Limits, Quota, Stake, Timeouts, Work
from minichain.ledger.state import Account, Overlay, State, account_key, contract_key, data_key
from minichain.ledger.types import MAX_CALLS, Call, Header, SignedTransaction, open_envelope, sign_transaction
from minichain.transition import first_root
from tests.builders import body, committee, genesis, key, sign, transfer

# --- committees ----------------------------------------------------------------------------------------------------

weights = st.lists(st.integers(1, 20), min_size=1, max_size=9)


@given(weights, st.randoms(use_true_random=False))
@settings(max_examples=100, deadline=None)
def test_two_quorums_share_more_than_the_faulty_can_weigh(parts: list[int], chance: random.Random) -> None:
    group = committee(*parts)
    publics = [member.public for member in group.members]
    a, b = ({public for public in publics if chance.random() < 0.8} for _ in range(2))
    shared = group.weigh(a & b)
    if group.is_quorum(group.weigh(a)) and group.is_quorum(group.weigh(b)):
        assert 3 * shared > group.total
        assert group.has_correct_member(shared)


@given(weights)
@settings(max_examples=100, deadline=None)
def test_the_correct_decide_without_the_faulty(parts: list[int]) -> None:
    group = committee(*parts)
    most = max(weight for weight in range(group.total) if 3 * weight < group.total)
    assert group.can_lose(most)
    assert group.is_quorum(group.total - most)
    assert not group.has_correct_member(most)
    assert not group.is_quorum(most)
    assert group.is_quorum(group.total)
    assert not group.is_quorum(0)


@pytest.mark.parametrize(
    ("members", "quorum", "correct"), [(1, 1, 1), (2, 2, 1), (3, 3, 2), (4, 3, 2), (6, 5, 3), (7, 5, 3), (10, 7, 4)]
)
def test_the_usual_table(members: int, quorum: int, correct: int) -> None:
    group = committee(*[1] * members)
    assert next(w for w in range(members + 1) if group.is_quorum(w)) == quorum
    assert next(w for w in range(members + 1) if group.has_correct_member(w)) == correct


def test_nobody_counts_twice_and_strangers_count_nothing() -> None:
    group = committee(1, 5)
    heavy = group.members[1].public
    assert group.weigh([heavy, heavy, key("stranger").public]) == 5
    assert group.weight(key("stranger").public) == 0


def member(name: str = "a", public: bytes | None = None, weight: int = 1) -> Member:
    return Member(name, key(name).public if public is None else public, weight)


UNSOUND = {
    "a committee has 1 to 1000 members, not 0": [],
    f"not {MAX_MEMBERS + 1}": [Member(f"m{i}", i.to_bytes(32), 1) for i in range(MAX_MEMBERS + 1)],
    "have the same key": [member("a"), member("b", key("a").public)],
    "have the same name": [member("a"), member("a", key("b").public)],
    "a weight is 1 to 1099511627776, not 0": [member(weight=0)],
    "not -1": [member("b"), member(weight=-1)],
    f"not {MAX_WEIGHT + 1}": [member(weight=MAX_WEIGHT + 1)],
    "a public key has 32 bytes, not 31": [member(public=bytes(31))],
    "member name ''": [member("")],
    r"member name '\.\./a'": [member("../a")],
    r"member name 'a\\n'": [member("a\n")],
    "use 1 to 64 printable characters": [member("a" * 65)],
}


@pytest.mark.parametrize(("message", "members"), UNSOUND.items(), ids=[text[:30] for text in UNSOUND])
def test_an_unsound_committee_is_a_configuration_error(message: str, members: list[Member]) -> None:
    with pytest.raises(ConfigError, match=message):
        Committee(members)


def test_the_committee_hash_covers_order_names_keys_and_weights() -> None:
    a, b = member("a"), member("b")
    others = [[b, a], [a], [a, member("b", weight=2)], [a, member("c", b.public)], [a, member("b", key("c").public)]]
    assert Committee([a, b]).hash not in {Committee(members).hash for members in others}


# --- certificates --------------------------------------------------------------------------------------------------

CHAIN = genesis()
GROUP = CHAIN.committee


def header(**fields: object) -> Header:
    usual = {name: bytes(32) for name in Header.__struct_fields__}
    usual |= {"genesis": CHAIN.hash, "height": 5, "time_ms": 0, "tx_count": 0, "committee": GROUP.hash}
    return Header(**{**usual, **fields})  # type: ignore[arg-type]


HEADER = header()


def signatures(names: list[str], kind: int = PRECOMMIT, round_: int = 2, height: int = 5, **fields: object) -> dict:
    statement = vote_statement(CHAIN.hash, kind, height, round_, HEADER.id)
    return {key(name).public: sign_vote(key(name), statement) for name in names}


def certificate(names: list[str], **how: int) -> QuorumCertificate:
    return QuorumCertificate(5, 2, HEADER.id, in_order(GROUP, signatures(names, **how)))


THREE = ["node-2", "node-0", "node-3"]


def test_three_of_four_make_a_block_final() -> None:
    good = certificate(THREE)
    good.verify(HEADER, GROUP)
    assert [position for position, _ in good.signatures] == [0, 2, 3]
    certificate([*THREE, "node-1"]).verify(HEADER, GROUP)


def change(**fields: object) -> QuorumCertificate:
    return msgspec.structs.replace(certificate(THREE), **fields)


def hostile_certificates() -> dict[str, list[QuorumCertificate]]:
    good = certificate(THREE).signatures
    foreign = sign_vote(key("stranger"), vote_statement(CHAIN.hash, PRECOMMIT, 5, 2, HEADER.id))
    return {
        "signatures of weight 2 of 4 are not more than two thirds": [certificate(THREE[:2])],
        "signatures of weight 0 of 4": [change(signatures=())],
        "for another block": [change(height=6), change(block_id=bytes(32)), change(block_id=b"")],
        "not distinct committee members in order": [
            change(signatures=(good[0], good[0], good[1])),
            change(signatures=good[::-1]),
            change(signatures=(*good[:2], (4, good[2][1]))),
            change(signatures=((-1, good[2][1]), *good[:2])),
        ],
        "the precommit signature of node-3 is wrong": [
            change(signatures=(*good[:2], (3, foreign))),
            change(signatures=(*good[:2], (3, b""))),
            change(signatures=(*good[:2], (3, good[1][1]))),
        ],
        "the precommit signature of node-0 is wrong": [
            change(round=3),
            certificate(THREE, kind=PREVOTE),
            certificate(THREE, round_=1),
            certificate(THREE, height=4),
        ],
    }


@pytest.mark.parametrize("message", hostile_certificates())
def test_a_hostile_certificate_proves_nothing(message: str) -> None:
    for hostile in hostile_certificates()[message]:
        with pytest.raises(ProofError, match=message):
            hostile.verify(HEADER, GROUP)


def test_a_certificate_serves_its_own_committee_header_and_chain() -> None:
    good = certificate(THREE)
    with pytest.raises(ProofError, match="names another committee"):
        good.verify(HEADER, committee(1, 1, 1, 5))
    with pytest.raises(ProofError, match="for another block"):
        good.verify(header(state_root=b"\1" * 32), GROUP)
    elsewhere = header(genesis=b"\1" * 32)
    moved = msgspec.structs.replace(good, block_id=elsewhere.id)
    with pytest.raises(ProofError, match="signature of node-0 is wrong"):
        moved.verify(elsewhere, GROUP)


def test_weight_decides_not_number() -> None:
    group = committee(7, 1, 1, 1)
    heavy = header(committee=group.hash)

    def certify_by(*names: str) -> QuorumCertificate:
        statement = vote_statement(CHAIN.hash, PRECOMMIT, 5, 0, heavy.id)
        signed = {key(name).public: sign_vote(key(name), statement) for name in names}
        return QuorumCertificate(5, 0, heavy.id, in_order(group, signed))

    certify_by("node-0").verify(heavy, group)
    with pytest.raises(ProofError, match="weight 3 of 10"):
        certify_by("node-1", "node-2", "node-3").verify(heavy, group)


# Three kinds of certificate, for three ways to agree.


def log_certificate(names: list[str], term: int = 2, height: int = 5) -> LogCertificate:
    """Return what members sign whose logs, confirmed by the leader of a term, end with `HEADER`."""
    statement = log_statement(CHAIN.hash, term, height, HEADER.id)
    signed = {key(name).public: sign_log(key(name), statement) for name in names}
    return LogCertificate(5, 2, HEADER.id, in_order(GROUP, signed))


def test_three_of_four_logs_make_a_block_final_and_half_of_them_do_not() -> None:
    good = log_certificate(THREE)
    good.verify(HEADER, GROUP)
    assert good.signers == (0, 2, 3)
    with pytest.raises(ProofError, match="signatures of weight 2 of 4 are not more than half"):
        log_certificate(THREE[:2]).verify(HEADER, GROUP)


@pytest.mark.parametrize(("parts", "names"), [((1, 1, 1), ["node-0", "node-2"]), ((1, 5, 1, 1), ["node-1"])])
def test_more_than_half_of_the_weight_is_a_majority_though_it_is_no_quorum(parts: list[int], names: list[str]) -> None:
    group = committee(*parts)
    own = header(committee=group.hash)
    statement = log_statement(CHAIN.hash, 1, 5, own.id)
    signed = in_order(group, {key(name).public: sign_log(key(name), statement) for name in names})
    LogCertificate(5, 1, own.id, signed).verify(own, group)
    assert not group.is_quorum(group.weigh(key(name).public for name in names))


def hostile_logs() -> dict[str, list[LogCertificate]]:
    good = log_certificate(THREE)
    signed, replace = good.signatures, msgspec.structs.replace
    foreign = sign_log(key("stranger"), log_statement(CHAIN.hash, 2, 5, HEADER.id))
    vote = sign_vote(key("node-3"), log_statement(CHAIN.hash, 2, 5, HEADER.id))
    return {
        "signatures of weight 2 of 4 are not more than half": [log_certificate(THREE[:2])],
        "signatures of weight 0 of 4": [replace(good, signatures=())],
        "for another block": [replace(good, height=6), replace(good, block_id=bytes(32))],
        "not distinct committee members in order": [
            replace(good, signatures=(signed[0], signed[0], signed[1])),
            replace(good, signatures=signed[::-1]),
            replace(good, signatures=(*signed[:2], (4, signed[2][1]))),
            replace(good, signatures=((-1, signed[2][1]), *signed[:2])),
        ],
        "the acknowledgement signature of node-3 is wrong": [
            replace(good, signatures=(*signed[:2], (3, foreign))),
            replace(good, signatures=(*signed[:2], (3, vote))),
            replace(good, signatures=(*signed[:2], (3, b""))),
        ],
        "the acknowledgement signature of node-0 is wrong": [
            replace(good, term=3),
            log_certificate(THREE, term=1),
            log_certificate(THREE, height=4),
            LogCertificate(5, 2, HEADER.id, certificate(THREE).signatures),
        ],
    }


@pytest.mark.parametrize("message", hostile_logs())
def test_a_hostile_certificate_of_logs_proves_nothing(message: str) -> None:
    for hostile in hostile_logs()[message]:
        with pytest.raises(ProofError, match=message):
            hostile.verify(HEADER, GROUP)


DIFFICULTY = 16


def sealed(difficulty: int = DIFFICULTY) -> WorkCertificate:
    nonce = seek_nonce(HEADER.id, difficulty, 0, 100 * difficulty)
    assert nonce is not None
    return WorkCertificate(5, HEADER.id, difficulty, nonce)


def test_a_nonce_that_seals_the_block_shows_the_work() -> None:
    good = sealed()
    good.verify(HEADER, GROUP)
    assert good.signers == ()
    assert [nonce for nonce in range(good.nonce + 1) if is_sealed(HEADER.id, nonce, DIFFICULTY)] == [good.nonce]


def test_one_nonce_in_so_many_seals_a_block() -> None:
    tries = 20_000
    found = sum(is_sealed(HEADER.id, nonce, DIFFICULTY) for nonce in range(tries))
    assert abs(found - tries / DIFFICULTY) < 5 * (tries / DIFFICULTY) ** 0.5
    assert all(is_sealed(HEADER.id, nonce, 1) for nonce in (0, 1, MAX_NONCE))


def test_a_search_that_finds_nothing_says_so() -> None:
    assert seek_nonce(HEADER.id, 2**256, 0, 100) is None
    assert seek_nonce(HEADER.id, 1, 7, 1) == 7
    assert seek_nonce(HEADER.id, 1, 7, 0) is None


NO_WORK = "the nonce of block 5 does not show the work of"
HOSTILE_WORK = {
    "another nonce": ({"nonce": sealed().nonce - 1}, NO_WORK),
    "a negative nonce": ({"nonce": -1}, NO_WORK),
    "a nonce without end": ({"nonce": MAX_NONCE + 1, "difficulty": 1}, NO_WORK),
    "difficulty 0": ({"difficulty": 0}, NO_WORK),
    "a negative difficulty": ({"difficulty": -1}, NO_WORK),
    "more than was done": ({"difficulty": 2**200}, NO_WORK),
    "another height": ({"height": 6}, "for another block"),
    "another block": ({"block_id": bytes(32)}, "for another block"),
}


@pytest.mark.parametrize(("fields", "message"), HOSTILE_WORK.values(), ids=HOSTILE_WORK)
def test_work_that_was_not_done_proves_nothing(fields: dict[str, object], message: str) -> None:
    with pytest.raises(ProofError, match=message):
        msgspec.structs.replace(sealed(), **fields).verify(HEADER, GROUP)


def test_work_for_one_committee_is_none_for_another() -> None:
    with pytest.raises(ProofError, match="names another committee"):
        sealed().verify(HEADER, committee(1, 1, 1, 5))


def test_each_kind_of_certificate_comes_back_as_what_it_was() -> None:
    """They are told apart by their tag: one kind can never be read as another."""
    kinds = (certificate(THREE), log_certificate(THREE), sealed())
    for one in kinds:
        assert decode(encode(one), Certificate) == one
        for other in kinds:
            if type(other) is not type(one):
                with pytest.raises(DecodeError):
                    decode(encode(one), type(other))


# --- genesis -------------------------------------------------------------------------------------------------------

A, B = key("resident").public, key("shop").public
BAD_SETTINGS = {
    "chain id ''": {"chain_id": ""},
    "chain id 'Waste'": {"chain_id": "Waste"},
    r"chain id 'a\\n'": {"chain_id": "a\n"},
    "chain id '-a'": {"chain_id": "-a"},
    f"chain id '{'a' * 41}'": {"chain_id": "a" * 41},
    "clock 'sun': choose one of wall, logical": {"clock": "sun"},
    "engine 'dice'": {"engine": "dice"},
    "engine pow needs the clock wall": {"engine": "pow"},
    "work.difficulty is 0: it must be positive": {"work": Work(difficulty=0)},
    "work.confirmations is 0": {"work": Work(confirmations=0)},
    "interval_ms is 0: it must be positive": {"interval_ms": 0},
    "genesis_time_ms is -1: it must be 0 or more": {"genesis_time_ms": -1},
    "max_skew_ms is 9007199254740992: it must be at most": {"max_skew_ms": 2**53},
    "policy.window is 0": {"policy": Quota(window=0)},
    "policy.price is -1": {"policy": Fee(price=-1)},
    "limits.block_gas": {"limits": Limits(block_gas=10, transaction_gas=11)},
    "limits.transaction_bytes": {"limits": Limits(block_bytes=10, transaction_bytes=11)},
    "limits.max_expiry is 0": {"limits": Limits(max_expiry=0)},
    "timeouts.propose is 0": {"timeouts": Timeouts(propose=0)},
    "timeouts.growth is -1": {"timeouts": Timeouts(growth=-1)},
    "the same key occurs twice": {"balances": ((A, 1), (A, 2))},
    "a positive amount, not 0": {"balances": ((A, 0),)},
    "a positive amount, not -5": {"balances": ((A, -5),)},
    "a public key of 32 bytes": {"balances": ((A[:-1], 5),)},
    "all units together are at most 9223372036854775807": {"balances": ((A, 2**62), (B, 2**62))},
    "1 to 1000 members, not 0": {"weights": ()},
}


@pytest.mark.parametrize(("message", "settings_"), BAD_SETTINGS.items(), ids=[text[:40] for text in BAD_SETTINGS])
def test_a_chain_that_makes_no_sense_is_refused(message: str, settings_: dict[str, object]) -> None:
    with pytest.raises(ConfigError, match=message):
        genesis(**settings_)


def test_what_may_be_zero_may_be_zero() -> None:
    genesis(policy=Fee(price=0), genesis_time_ms=0, timeouts=Timeouts(growth=0, block_interval=0))


def test_every_setting_changes_the_genesis_hash() -> None:
    others = {
        "chain_id": "other",
        "profile": "school",
        "engine": "raft",
        "membership": Stake(),
        "access": Access(writes="members"),
        "clock": "wall",
        "genesis_time_ms": 1,
        "interval_ms": 2,
        "max_skew_ms": 3,
        "policy": Quota(gas=4),
        "limits": Limits(block_gas=600_000_000),
        "timeouts": Timeouts(growth=5),
        "work": Work(window=21),
        "balances": ((A, 6),),
        "identity": True,
        "identity_home": "home",
        "weights": (1, 1, 1, 2),
    }
    assert others.keys() >= set(ChainSpec.__struct_fields__) - {"members"}
    hashes = {genesis(**{"identity": name == "identity_home", name: value}).hash for name, value in others.items()}
    assert len(hashes | {CHAIN.hash}) == len(others) + 1


def test_supply_and_first_state_are_the_balances() -> None:
    chain = genesis(balances=((A, 5), (B, 7)))
    state = State(chain.state_items())
    assert chain.supply == 12
    assert first_root(chain) == state.root
    assert state.overlay().account(A) == Account(balance=5, may_write=True)
    assert state.overlay().account(key("nobody").public) == Account()


# --- transactions as bytes -----------------------------------------------------------------------------------------


def test_a_signature_covers_every_field_of_the_transaction() -> None:
    good = sign(CHAIN, "resident")
    assert good.has_valid_signature()
    others: dict[str, object] = {
        "chain_id": "other",
        "genesis": bytes(32),
        "sender": B,
        "nonce": 1,
        "calls": (Call("a", "b"),),
        "gas_limit": 7,
        "expires": 8,
        "key": B,
    }
    for field, value in others.items():
        changed = SignedTransaction(msgspec.structs.replace(good.body, **{field: value}), good.signature)
        assert not open_envelope(encode(changed), 10_000).has_valid_signature(), field
    assert others.keys() == set(good.body.__struct_fields__)


def test_what_was_checked_is_what_was_received() -> None:
    good = sign(CHAIN, "resident", transfer("shop", 5))
    opened = open_envelope(good.raw, len(good.raw))
    assert (opened.body, opened.raw, opened.id) == (good.body, good.raw, good.id)
    assert opened.has_valid_signature()


MALFORMED = {
    "1 to 64 calls, not 0": {"calls": ()},
    "1 to 64 calls, not 65": {"calls": (Call("a", "b"),) * (MAX_CALLS + 1)},
    "sender and genesis have 32 bytes each": {"sender": A[:-1]},
    "nonce, gas limit and expiry": {"nonce": -1},
    "never negative": {"expires": -1},
    "name has at most 64 characters": {"calls": (Call("a" * 65, "b"),)},
    "float is not a ledger value": {"calls": (Call("a", "b", {"x": [1.5]}),)},
    "nested deeper than 16": {
        "calls": (Call("a", "b", {"x": functools.reduce(lambda inner, _: [inner], range(20), 0)}),)
    },
}


@pytest.mark.parametrize(("message", "fields"), MALFORMED.items())
def test_a_malformed_transaction_is_refused_with_its_reason(message: str, fields: dict[str, object]) -> None:
    raw = sign_transaction(body(CHAIN, "resident", **fields), key("resident")).raw
    with pytest.raises(DecodeError, match=message):
        open_envelope(raw, 100_000)


# --- state ---------------------------------------------------------------------------------------------------------


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 5), st.none() | st.binary(max_size=2)), max_size=40))
@settings(max_examples=80, deadline=None)
def test_a_rollback_leaves_no_trace(steps: list[tuple[int, int, bytes | None]]) -> None:
    """Against a model that copies everything at each checkpoint."""
    below = {b"0": b"below", b"1": b"below"}
    overlay, marks = Overlay(below.get), [(0, {})]
    model: dict[bytes, bytes | None] = {}
    for what, number, value in steps:
        if what == 0:
            marks.append((overlay.checkpoint(), dict(model)))
        elif what == 1:
            mark, model = marks[number % len(marks)]
            model = dict(model)
            overlay.rollback(mark)
            marks = [known for known in marks if known[0] <= mark]
        else:
            overlay.put(b"%d" % number, value)
            model[b"%d" % number] = value
        assert overlay.writes == model
        assert overlay.get(b"1") == model.get(b"1", b"below")


def test_keys_of_different_kinds_never_collide() -> None:
    keys = [
        account_key(b"a"),
        contract_key("a"),
        data_key("a", "b"),
        data_key("a", "b", "c"),
        data_key("a", "b", ["c"]),
        data_key("ab", ""),
        data_key("a", "b", b"c"),
        data_key("a", "b", 1),
        data_key("a", "b", True),
    ]
    assert len(set(keys)) == len(keys)


def test_a_committed_state_proves_its_values() -> None:
    state = State([(b"a", b"1"), (b"b", b"2")])
    writes = {b"a": None, b"c": b"3"}
    state.commit(writes, state.tree.update(writes))
    assert state.values == {b"b": b"2", b"c": b"3"}
    assert state.root == State(state.values.items()).root
    assert state.prove(b"a")[0] is None
