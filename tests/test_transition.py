"""What is valid and what it does: every refusal reached, every header field checked, no unit lost."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from minichain.codec import encode
from minichain.errors import DecodeError, InvalidBlock, Refused, SignatureError
from minichain.ledger.genesis import Access, Fee, Genesis, Limits, Quota
from minichain.ledger.state import TREASURY_KEY, State, contract_key
from minichain.ledger.types import Block, Call, Envelope, SignedTransaction, sign_transaction, transaction_id
from minichain.merkle import root
from minichain.node.mempool import Mempool
from minichain.transition import (
    GAS_BYTE,
    GAS_TRANSACTION,
    REFUSALS,
    apply_block,
    block_time,
    intrinsic_gas,
    open_transaction,
)
from tests.builders import Ledger, body, deploy, genesis, key, sign, transfer

RICH = ((key("resident").public, 10_000_000), (key("shop").public, 1_000))
FREE = genesis(balances=RICH)
PAID = genesis(balances=RICH, policy=Fee(price=2))
CLOSED = genesis(access=Access(writes="members"))


def balance(ledger: Ledger, name: str) -> int:
    return ledger.state.overlay().account(key(name).public).balance


def treasury(state: State) -> int:
    return int.from_bytes(state.values.get(TREASURY_KEY, b"\0"))


# --- refusals ------------------------------------------------------------------------------------------------------


def order(scalar: bytes) -> bytes:
    """Add the order of the group to a signature's S: the other spelling of the same signature."""
    group = 2**252 + 27742317777372353535851937790883648493
    return (int.from_bytes(scalar, "little") + group).to_bytes(32, "little")


def unsigned(chain: Genesis) -> bytes:
    return encode(SignedTransaction(body(chain, "resident"), b""))


def with_signature(envelope: Envelope, signature: bytes) -> bytes:
    return encode(SignedTransaction(envelope.body, signature))


GOOD = sign(FREE, "resident")
UNREADABLE = {
    "oversize": (bytes(200_000), "200000 bytes where at most 131072 are accepted"),
    "empty": (b"", "not a valid SignedTransaction: Input data was truncated"),
    "truncated": (GOOD.raw[:-1], "not a valid SignedTransaction: Input data was truncated"),
    "trailing byte": (
        GOOD.raw + b"\0",
        "not a valid SignedTransaction: MessagePack data is malformed: trailing characters (byte 169)",
    ),
    "non-canonical": (
        GOOD.raw.replace(encode(1_000_000), b"\xcf" + (1_000_000).to_bytes(8)),
        "not the canonical encoding of this SignedTransaction",
    ),
    "unsigned": (unsigned(FREE), "a signature has 64 bytes, not 0: sign the transaction"),
    "a field more": (encode([*msgspec.structs.astuple(SignedTransaction(GOOD.body, GOOD.signature)), 1]), None),
}
BAD_SIGNATURES = {
    "malleated": with_signature(GOOD, GOOD.signature[:32] + order(GOOD.signature[32:])),
    "of somebody else": sign_transaction(GOOD.body, key("shop")).raw,
    "of another purpose": with_signature(GOOD, key("resident").sign("vote", encode(GOOD.body))),
    "zero": with_signature(GOOD, bytes(64)),
    "under a key of small order": with_signature(
        sign(FREE, "resident", sender=b"\1" + bytes(31)), b"\1" + bytes(31) + bytes(32)
    ),
}


@pytest.mark.parametrize(("raw", "message"), UNREADABLE.values(), ids=UNREADABLE.keys())
def test_unreadable_bytes_are_refused_with_the_reason(raw: bytes, message: str | None) -> None:
    with pytest.raises(DecodeError) as caught:
        open_transaction(FREE, raw)
    assert message is None or str(caught.value) == message


@pytest.mark.parametrize("raw", BAD_SIGNATURES.values(), ids=BAD_SIGNATURES.keys())
def test_a_bad_signature_is_refused(raw: bytes) -> None:
    with pytest.raises(SignatureError, match="does not belong to this sender and content: sign it again"):
        open_transaction(FREE, raw)


def refusals() -> dict[str, tuple[Genesis, Envelope]]:
    """One transaction for each refusal of a readable transaction, offered for height 1."""
    other = genesis(chain_id="other")
    small = genesis(policy=Quota(gas=1_000_000, window=10))
    return {
        "signed for chain 'other', this is 'test'": (FREE, sign(other, "resident")),
        "signed for another chain that is called 'test' too: its genesis differs": (
            FREE,
            sign(FREE, "resident", genesis=bytes(32)),
        ),
        "nonce 1, the sender's next is 0: sign it with that nonce": (FREE, sign(FREE, "resident", nonce=1)),
        "only members, and accounts that a member has admitted, may write on this chain": (
            CLOSED,
            sign(CLOSED, "resident"),
        ),
        "it expired at height 0, the next block is 1: sign it again": (FREE, sign(FREE, "resident", expires=0)),
        "it may expire at height 10001 at the latest": (FREE, sign(FREE, "resident", expires=10_002)),
        "gas limit 2333 is not from 2334 to 50000000": (FREE, sign(FREE, "resident", gas_limit=2_333)),
        "gas limit 50000001 is not from 2338 to 50000000": (FREE, sign(FREE, "resident", gas_limit=50_000_001)),
        f"the present key of the account {key('resident').did} is {key('resident').did}: sign it with that one": (
            FREE,
            sign_transaction(body(FREE, "resident", key=key("shop").public), key("shop")),
        ),
        "its gas limit 1000001 is more than the quota of 1000000: lower it": (
            small,
            sign(small, "resident", gas_limit=1_000_001),
        ),
        "the fee may be 2000000, the balance is 1000": (PAID, sign(PAID, "shop")),
        "too many transactions are waiting: send it again in a moment": (FREE, GOOD),
    }


CODES = {
    "signed": "wrong_chain",
    "nonce": "wrong_nonce",
    "only members": "not_allowed",
    "it expired": "expired",
    "it may": "expires_too_late",
    "the present key": "wrong_key",
    "gas": "gas_limit",
    "its gas limit": "over_quota",
    "the fee": "cannot_pay",
    "too many": "full",
}


@pytest.mark.parametrize("message", refusals())
def test_every_refusal_says_why(message: str, monkeypatch: pytest.MonkeyPatch) -> None:
    chain, envelope = refusals()[message]
    code = next(code for start, code in CODES.items() if message.startswith(start))
    if code == "full":
        monkeypatch.setattr("minichain.node.mempool.MAX_WAITING", 0)
        with pytest.raises(Refused) as caught:
            Mempool().add(envelope)
        assert (caught.value.code, str(caught.value)) == (code, message)
        return
    ledger = Ledger(chain)
    block, execution, refused = ledger.build([envelope])
    assert refused == {envelope.id: code}
    assert not block.txs
    assert not execution.writes, "a refused transaction leaves no trace"
    forced = Block(msgspec.structs.replace(block.header, tx_root=root([envelope.raw])), (envelope.raw,))
    with pytest.raises(InvalidBlock) as invalid:
        apply_block(ledger.runtime, chain, ledger.state, None, forced, ledger.open)
    assert str(invalid.value) == f"transaction 0 of block 1: {message}"


def test_the_list_of_refusals_is_complete() -> None:
    """Codes of unreadable bytes and bad signatures are given by the node, which is where bytes arrive."""
    assert {*CODES.values(), "oversize", "malformed", "bad_signature"} == set(REFUSALS)


def test_the_last_valid_height_is_valid() -> None:
    ledger = Ledger(FREE)
    _, execution, refused = ledger.grow(sign(FREE, "resident", expires=1))
    assert not refused
    assert len(execution.receipts) == 1
    assert ledger.grow(sign(FREE, "resident", nonce=1, expires=1))[2].popitem()[1] == "expired"


# --- execution -----------------------------------------------------------------------------------------------------


def run(*calls: Call, chain: Genesis = FREE, **fields: Any) -> tuple[Ledger, Any]:
    ledger = Ledger(chain)
    _, execution, refused = ledger.grow(sign(chain, "resident", *calls, **fields))
    assert not refused
    return ledger, execution.receipts[0]


FAILURES = {
    'fault: there is no contract "nobody": deploy it first, or correct the name': Call("nobody", "nothing"),
    "fault: the ledger has no action mint; it has transfer, admit, accuse, connect, follow, trace, cross, "
    "deliver, lock, claim, reclaim, report, rekey, deploy, upgrade, freeze, unfreeze, restrict, entrust, version, "
    "pledge, unpledge, hold, release, burn": Call("ledger", "mint"),
    "fault: ledger.transfer takes the arguments to, amount, all of them": Call("ledger", "transfer", {"to": "x"}),
    "fault: ledger.transfer takes `to`, a did:key, and `amount`, a positive integer": transfer("shop", -5),
    "fault: ledger.transfer: `to` is not the did:key of an Ed25519 key": Call(
        "ledger", "transfer", {"to": "did:key:z6Mk\u2fff", "amount": 1}
    ),
    "fault: the balance is 10000000, less than the 10000001 to be sent": transfer("shop", 10_000_001),
    "fault: ledger.deploy takes `args`, a dictionary of the arguments of setup": Call(
        "ledger", "deploy", {"name": "a", "source": "", "args": 0}
    ),
    "fault: a contract's name is 1 to 40 of a-z, 0-9 and dash, and not `ledger`": Call(
        "ledger", "deploy", {"name": "ledger", "source": "", "args": {}}
    ),
}


@pytest.mark.parametrize(("told", "call"), FAILURES.items(), ids=[text[:50] for text in FAILURES])
def test_a_call_that_fails_is_executed_and_charged(told: str, call: Call) -> None:
    ledger, receipt = run(call)
    assert f"{receipt.outcome}: {receipt.error}" == told
    assert not receipt.events
    assert not receipt.results
    account = ledger.state.overlay().account(key("resident").public)
    assert (account.nonce, account.gas_used, account.balance) == (1, receipt.gas, 10_000_000)
    assert receipt.gas >= intrinsic_gas(sign(FREE, "resident", call))


@pytest.mark.parametrize("args", [{"runtime": 1}, {"frame": 1}, {"sender": 1, "to": 1, "amount": 1}, {}, {"": None}])
def test_no_argument_reaches_what_is_not_an_argument(args: dict[str, Any]) -> None:
    for action in ("transfer", "deploy"):
        assert run(Call("ledger", action, args))[1].outcome == "fault"


@pytest.mark.parametrize("amount", [True, 0, -1, 1.0, "1", None, 2**64 - 1])
def test_an_amount_is_a_positive_integer_that_one_has(amount: Any) -> None:
    if isinstance(amount, float):
        with pytest.raises(DecodeError):
            open_transaction(
                FREE, sign(FREE, "resident", Call("ledger", "transfer", {"to": "x", "amount": amount})).raw
            )
        return
    receipt = run(Call("ledger", "transfer", {"to": key("shop").did, "amount": amount}))[1]
    assert receipt.outcome == "fault"


def test_what_a_sender_wrote_never_enters_a_receipt_through_repr() -> None:
    """repr() shows a character or its number as this Python's Unicode tables say: receipts would differ by Python."""
    unassigned = "\u2fff\U000323b0"
    for call in (Call(unassigned, "a"), Call("ledger", unassigned), Call("ledger", "transfer", {unassigned: 1})):
        assert "\\u" not in run(call)[1].error
        assert "\\U" not in run(call)[1].error


def test_all_calls_take_effect_or_none() -> None:
    ledger, receipt = run(transfer("shop", 5), deploy("a"), transfer("shop", 10**9))
    assert (receipt.outcome, receipt.events) == ("fault", ())
    assert balance(ledger, "shop") == 1_000
    assert contract_key("a") not in ledger.state.values
    ledger, receipt = run(transfer("shop", 5), deploy("a"), Call("a", "add", {"amount": 3}), transfer("resident", 1))
    assert receipt.ok
    assert receipt.results == (None, "a", 3, None)
    assert [event.name for event in receipt.events] == ["Transferred", "Deployed", "Transferred"]
    assert (balance(ledger, "shop"), balance(ledger, "resident")) == (1_005, 9_999_995)


def test_a_call_that_never_ends_uses_its_gas_limit_and_no_more() -> None:
    ledger, receipt = run(deploy("a"), Call("a", "spin"), gas_limit=300_000)
    assert (receipt.outcome, receipt.gas) == ("out_of_gas", 300_000)
    assert "the gas limit of 300000 is reached: allow more gas" in receipt.error
    assert ledger.state.overlay().account(key("resident").public).gas_used == 300_000


def test_gas_begins_with_the_size_of_the_transaction() -> None:
    envelope = sign(FREE, "resident")
    assert intrinsic_gas(envelope) == GAS_TRANSACTION + GAS_BYTE * len(envelope.raw)


# --- who pays ------------------------------------------------------------------------------------------------------


def test_the_fee_is_paid_to_the_treasury() -> None:
    ledger, receipt = run(transfer("shop", 5), chain=PAID)
    assert receipt.ok
    assert treasury(ledger.state) == 2 * receipt.gas
    assert balance(ledger, "resident") == 10_000_000 - 5 - 2 * receipt.gas


def test_whoever_gives_the_balance_away_first_pays_all_the_same() -> None:
    ledger, receipt = run(transfer("friend", 10_000_000 - 2_000_000), deploy("a"), Call("a", "spin"), chain=PAID)
    assert (receipt.outcome, treasury(ledger.state)) == ("out_of_gas", 2_000_000)
    _, receipt = run(transfer("friend", 10_000_000 - 2_000_000 + 1), chain=PAID)
    assert receipt.error == "the balance is 8000000, less than the 8000001 to be sent"


names = st.sampled_from(["resident", "shop", "friend"])
moves = st.lists(st.tuples(names, names, st.integers(-1, 400_000), st.sampled_from([5_000, 100_000])), max_size=12)


@given(moves)
@settings(max_examples=40, deadline=None)
def test_no_unit_is_ever_made_or_lost(steps: list[tuple[str, str, int, int]]) -> None:
    ledger, nonces = Ledger(PAID), dict.fromkeys(["resident", "shop", "friend"], 0)
    for sender, to, amount, gas_limit in steps:
        envelope = sign(PAID, sender, transfer(to, amount), nonce=nonces[sender], gas_limit=gas_limit)
        nonces[sender] += not ledger.grow(envelope)[2]
        assert sum(balance(ledger, name) for name in nonces) + treasury(ledger.state) == PAID.supply


def test_a_quota_is_fresh_in_each_window() -> None:
    """1 000 000 gas in each window of three heights; every transaction uses 400 000 (heights 0 to 2 are a window)."""
    chain = genesis(policy=Quota(gas=1_000_000, window=3))
    ledger, nonce, story = Ledger(chain), 0, []
    for height in range(1, 9):
        spin = sign(chain, "resident", deploy("a"), Call("a", "spin"), nonce=nonce, gas_limit=400_000)
        _, execution, refused = ledger.grow(spin)
        nonce += not refused
        story.append((height, refused.get(spin.id) or execution.receipts[0].gas))
    assert story == [
        (1, 400_000),
        (2, 400_000),
        (3, 400_000),
        (4, 400_000),
        (5, "over_quota"),
        (6, 400_000),
        (7, 400_000),
        (8, "over_quota"),
    ]


# --- blocks --------------------------------------------------------------------------------------------------------


def apply(ledger: Ledger, block: Block) -> Any:
    return apply_block(ledger.runtime, ledger.genesis, ledger.state, ledger.head, block, ledger.open)


def two_blocks(chain: Genesis = FREE) -> tuple[Ledger, Block]:
    """Return a chain of one block, and the next one, not yet kept."""
    ledger = Ledger(chain)
    ledger.grow(sign(chain, "resident", deploy("a")))
    return ledger, ledger.build([sign(chain, "resident", Call("a", "add", {"amount": 3}), nonce=1)])[0]


def test_a_block_that_was_built_is_valid() -> None:
    ledger, block = two_blocks()
    execution = apply(ledger, block)
    assert execution.tree.root == block.header.state_root
    assert execution.receipts[0].results == (3,)


WRONG_FIELDS = {
    "genesis": (bytes(32), "block 2 does not follow height 1 of this chain"),
    "height": (3, "block 3 does not follow height 1 of this chain"),
    "time_ms": (5, "block 2 has time 5, which its clock does not allow"),
    "parent": (bytes(32), "block 2 has another parent than the last final block"),
    "proposer": (key("stranger").public, "block 2 was proposed by somebody outside the committee"),
    "tx_count": (7, "the tx_count of block 2 is not what its transactions make it"),
    "tx_root": (bytes(32), "the tx_root of block 2 is not what its transactions make it"),
    "receipt_root": (bytes(32), "the receipt_root of block 2 is not what its transactions make it"),
    "state_root": (bytes(32), "the state_root of block 2 is not what its transactions make it"),
    "committee": (bytes(32), "the committee of block 2 is not what its transactions make it"),
    "next_committee": (bytes(32), "the next_committee of block 2 is not what its transactions make it"),
}


@pytest.mark.parametrize("field", WRONG_FIELDS)
def test_a_header_with_one_false_field_is_refused(field: str) -> None:
    ledger, block = two_blocks()
    value, message = WRONG_FIELDS[field]
    false = Block(msgspec.structs.replace(block.header, **{field: value}), block.txs)
    root_before = ledger.state.root
    with pytest.raises(InvalidBlock) as caught:
        apply(ledger, false)
    assert str(caught.value) == message
    assert ledger.state.root == root_before


def test_every_field_of_a_header_is_checked() -> None:
    _, block = two_blocks()
    assert WRONG_FIELDS.keys() == set(block.header.__struct_fields__)


def test_the_first_block_has_no_parent() -> None:
    ledger = Ledger(FREE)
    block = ledger.build([])[0]
    false = Block(msgspec.structs.replace(block.header, parent=b"\1" * 32), ())
    with pytest.raises(InvalidBlock, match="the parent of block 1"):
        apply(ledger, false)


def test_other_transactions_under_the_same_header_are_refused() -> None:
    ledger, block = two_blocks()
    first = sign(FREE, "shop", transfer("resident", 1)).raw
    for txs in ((), block.txs * 2, (*block.txs, first), (first, *block.txs), (b"",), (b"\xc0",)):
        with pytest.raises(InvalidBlock):
            apply(ledger, Block(block.header, txs))


def test_a_replay_is_refused_in_the_same_block_and_later() -> None:
    ledger = Ledger(FREE)
    envelope = sign(FREE, "resident", transfer("shop", 5))
    _, execution, refused = ledger.build([envelope, envelope])
    assert (len(execution.receipts), refused) == (1, {envelope.id: "wrong_nonce"})
    ledger.grow(envelope)
    assert ledger.grow(envelope)[2] == {envelope.id: "wrong_nonce"}
    assert balance(ledger, "shop") == 1_005


@pytest.mark.parametrize(("limits", "fit"), [(Limits(block_bytes=1_100), 6), (Limits(block_gas=50_000), 3)])
def test_a_block_takes_what_fits_and_the_rest_waits(limits: Limits, fit: int) -> None:
    limits = msgspec.structs.replace(limits, transaction_bytes=1_000, transaction_gas=50_000)
    chain = genesis(limits=limits)
    ledger = Ledger(chain)
    # Each of them has 167 bytes and uses all of its 15 000 gas.
    waiting = [sign(chain, "resident", nonce=n, gas_limit=15_000) for n in range(9)]
    block, _, refused = ledger.build(waiting)
    assert not refused
    assert block.txs == tuple(envelope.raw for envelope in waiting[:fit])
    apply(ledger, block)


def test_a_block_of_too_many_bytes_or_too_much_gas_is_refused() -> None:
    tight = genesis(limits=Limits(block_bytes=400, transaction_bytes=400, block_gas=5_000, transaction_gas=5_000))
    two = [sign(tight, "resident", nonce=n, gas_limit=4_000) for n in range(2)]
    header = Ledger(tight).build([])[0].header
    for txs, message in (
        (tuple(envelope.raw for envelope in two), "block 1 may use more than 5000 gas"),
        (tuple(envelope.raw for envelope in two) * 2, "block 1 has more than 400 bytes of transactions"),
    ):
        with pytest.raises(InvalidBlock, match=message):
            apply(Ledger(tight), Block(header, txs))


def test_a_transaction_that_can_never_fit_does_not_hold_up_the_others() -> None:
    ledger = Ledger(FREE)
    greedy, modest = sign(FREE, "resident", gas_limit=10**15), sign(FREE, "shop", gas_limit=5_000)
    block, _, refused = ledger.build([greedy, modest])
    assert block.txs == (modest.raw,)
    assert refused == {greedy.id: "gas_limit"}


def test_the_logical_clock_counts_heights() -> None:
    ledger = Ledger(FREE)
    spec = FREE.spec
    for height in (1, 2, 3):
        ledger.keep(*ledger.build([], now_ms=987_654_321)[:2])
        assert ledger.head is not None
        assert ledger.head.time_ms == spec.genesis_time_ms + height * spec.interval_ms


def test_the_wall_clock_is_the_proposers_and_never_stands_still() -> None:
    chain = genesis(clock="wall")
    start = chain.spec.genesis_time_ms
    ledger = Ledger(chain)
    times = []
    for now in (start + 500, start + 500, start + 400, start + 900):
        block, execution, _ = ledger.build([], now_ms=now)
        apply(ledger, block)
        ledger.keep(block, execution)
        times.append(block.header.time_ms - start)
    assert times == [500, 501, 502, 900]
    assert block_time(chain, 1, start, start - 5) == start + 1
    late = Block(msgspec.structs.replace(ledger.build([], now_ms=0)[0].header, time_ms=start + 900), ())
    with pytest.raises(InvalidBlock, match="which its clock does not allow"):
        apply(ledger, late)


# --- builder and judge agree ---------------------------------------------------------------------------------------

calls = st.sampled_from(
    [
        transfer("shop", 5),
        transfer("resident", 10**9),
        deploy("a"),
        Call("a", "add", {"amount": 2}),
        Call("a", "add", {"amount": -2}),
        Call("a", "spin"),
        Call("a", "add", {"amount": "x"}),
        Call("ledger", "deploy", {"name": "b", "source": "import os", "args": {}}),
        Call("nobody", "nothing"),
    ]
)
offers = st.lists(
    st.tuples(
        st.sampled_from(["resident", "shop", "stranger"]),
        st.integers(0, 2),
        st.lists(calls, min_size=1, max_size=3),
        st.sampled_from([1, 4_000, 60_000, 400_000]),
        st.sampled_from([0, 1, 50, 20_000]),
    ),
    max_size=8,
)


@given(st.sampled_from([FREE, PAID]), st.lists(offers, min_size=1, max_size=3))
@settings(max_examples=120, deadline=None)
def test_whatever_is_offered_the_built_block_is_valid_and_does_what_was_said(
    chain: Genesis, rounds: list[list[tuple[str, int, list[Call], int, int]]]
) -> None:
    ledger = Ledger(chain)
    for offered in rounds:
        waiting = [
            sign(chain, who, *made, nonce=nonce, gas_limit=gas, expires=expires)
            for who, nonce, made, gas, expires in offered
        ]
        block, built, refused = ledger.build(waiting)
        judged = apply(ledger, block)
        assert judged.encoded_receipts == built.encoded_receipts
        assert (judged.writes, judged.tree.root) == (built.writes, built.tree.root)
        assert {envelope.id for envelope in waiting} == {*refused, *(transaction_id(raw) for raw in block.txs)}
        for receipt, raw in zip(built.receipts, block.txs, strict=True):
            assert intrinsic_gas(ledger.open(raw)) <= receipt.gas <= ledger.open(raw).body.gas_limit
        ledger.keep(block, built)
        assert ledger.state.root == State(ledger.state.values.items()).root
