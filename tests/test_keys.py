"""The key of an account: it signs, it changes, and the account stays. Told by a ledger alone, then by nodes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import builders
import msgspec
import pytest
from builders import Ledger, deploy, genesis, key, sign, transfer

from minichain.codec import encode
from minichain.contracts.runtime import Deployed
from minichain.crypto import KeyPair
from minichain.errors import DecodeError, InvalidBlock, Refused
from minichain.ledger.genesis import Access, Genesis
from minichain.ledger.state import NO_KEY, Account, account_key, contract_key
from minichain.ledger.types import Call, Envelope, SignedTransaction, open_envelope
from minichain.node.messages import AskAccount, Await
from minichain.node.readers import Readers
from minichain.node.refusals import Refusals
from minichain.transition import apply_block, first_state
from tests import test_node

BANK = ((key("bank").public, 1_000),)
CHAIN = genesis(identity=True, balances=BANK)

MIMIC = '''"""Say what only another contract may say."""
from minichain.contracts.api import Contract, action, emit


class Mimic(Contract):
    """Announce."""

    @action
    def announce(self, did: str, key: str) -> None:
        """Announce what the contract identity would."""
        emit("KeyChanged", did=did, key=key)

    @action
    def rotate_for(self, key: str) -> None:
        """Try to rotate for whoever calls."""
        self.call("identity", "rotate", key=key)
'''


def rotate(to: str) -> Call:
    return Call("identity", "rotate", {"key": key(to).did})


def ask(ledger: Ledger, who: str) -> Account:
    return ledger.state.overlay().account(key(who).public)


def rotated(chain: Genesis = CHAIN) -> Ledger:
    """A chain on which the bank signs with the key of "phone"."""
    ledger = Ledger(chain)
    ledger.grow(sign(chain, "bank", rotate("phone"), gas_limit=5_000_000))
    return ledger


def code_of(ledger: Ledger, *candidates: Envelope) -> list[str]:
    return [*ledger.build(candidates)[2].values()]


# --- one ledger ------------------------------------------------------------------------------------------------------


def test_an_account_keeps_its_name_its_units_and_its_count_when_its_key_changes() -> None:
    ledger = rotated()
    assert ask(ledger, "bank").key == key("phone").public
    _, execution, refused = ledger.grow(sign(CHAIN, "bank", transfer("shop", 7), nonce=1, by="phone"))
    assert not refused
    assert execution.receipts[0].events[0].data["from"] == key("bank").did, "the account, not its key"
    assert (ask(ledger, "bank").balance, ask(ledger, "bank").nonce, ask(ledger, "phone").balance) == (993, 2, 0)


def test_the_old_key_signs_no_more_and_a_block_that_says_so_is_invalid() -> None:
    ledger = rotated()
    old = sign(CHAIN, "bank", transfer("shop", 7), nonce=1)
    assert code_of(ledger, old) == ["wrong_key"]
    careless = rotated()
    overlay = careless.state.overlay()
    overlay.put_account(key("bank").public, msgspec.structs.replace(ask(careless, "bank"), key=b""))
    careless.state.commit(overlay.writes, careless.state.tree.update(overlay.writes))
    block, _, _ = careless.build([old])
    assert block.txs == (old.raw,), "a proposer that does not look"
    with pytest.raises(InvalidBlock, match="transaction 0 of block 2: the present key of the account"):
        apply_block(ledger.runtime, CHAIN, ledger.state, ledger.head, block, ledger.open)


def test_in_one_block_the_new_key_signs_what_comes_after_the_change() -> None:
    ledger = Ledger(CHAIN)
    first = sign(CHAIN, "bank", rotate("phone"), gas_limit=5_000_000)
    late, new = (sign(CHAIN, "bank", transfer("shop", 1), nonce=1, by=by) for by in ("", "phone"))
    block, _, refused = ledger.grow(first, late, new)
    assert block.txs == (first.raw, new.raw)
    assert refused == {late.id: "wrong_key"}


def test_a_change_that_is_undone_changes_no_key() -> None:
    ledger = Ledger(CHAIN)
    both = sign(CHAIN, "bank", rotate("phone"), transfer("shop", 10**9), gas_limit=5_000_000)
    _, execution, _ = ledger.grow(both)
    assert not execution.receipts[0].ok
    assert ask(ledger, "bank").key == b""


def test_nothing_is_replayed_on_this_chain_or_on_another() -> None:
    ledger, other = rotated(), rotated(genesis(identity=True, balances=BANK, chain_id="other"))
    paid = sign(CHAIN, "bank", transfer("shop", 7), nonce=1, by="phone")
    assert code_of(other, paid) == ["wrong_chain"]
    ledger.grow(paid)
    assert code_of(ledger, paid) == ["wrong_nonce"]


def test_a_deactivated_account_is_closed_to_everybody() -> None:
    ledger = Ledger(CHAIN)
    ledger.grow(sign(CHAIN, "bank", Call("identity", "deactivate"), gas_limit=5_000_000))
    assert ask(ledger, "bank").key == NO_KEY
    with pytest.raises(Refused, match="is deactivated: nobody can sign for it any more"):
        raise next(iter(_refusals(ledger, sign(CHAIN, "bank", nonce=1))))
    forged = sign(CHAIN, "bank", nonce=1, key=NO_KEY)
    for signature in (forged.signature, bytes(64), NO_KEY + bytes(32), b"\1" + bytes(63)):
        raw = encode(SignedTransaction(forged.body, signature))
        assert not open_envelope(raw, 10_000).has_valid_signature(), "a key of small order signs nothing"


def _refusals(ledger: Ledger, *candidates: Envelope) -> list[Refused]:
    proposer = ledger.genesis.committee.members[0].public
    args = (ledger.runtime, ledger.genesis, ledger.state, ledger.head, candidates, proposer, 0)
    return [refusal for _, refusal in builders.build_block(*args)[2]]


def test_only_the_contract_identity_is_heard_and_only_for_who_calls_it() -> None:
    ledger = Ledger(CHAIN)
    ledger.grow(sign(CHAIN, "thief", deploy("mimic", MIMIC), gas_limit=20_000_000))
    said = Call("mimic", "announce", {"did": key("bank").did, "key": key("thief").did})
    for_caller = Call("mimic", "rotate_for", {"key": key("thief").did})
    taken = Call("ledger", "deploy", {"name": "identity", "source": MIMIC, "args": {}})
    receipts = [
        ledger.grow(sign(CHAIN, "thief", call, nonce=n, gas_limit=20_000_000))[1].receipts[0]
        for n, call in enumerate((said, for_caller, taken), start=1)
    ]
    assert [receipt.outcome for receipt in receipts] == ["ok", "reverted", "fault"]
    assert "caller: this is not the did:key" in receipts[1].error
    assert receipts[2].error == "the name identity is kept for the contract that says which key belongs to an account"
    assert (ask(ledger, "bank").key, ask(ledger, "thief").key) == (b"", b"")


def test_a_chain_without_the_contract_knows_no_other_keys() -> None:
    chain = genesis(balances=BANK)
    ledger = Ledger(chain)
    assert code_of(ledger, sign(chain, "bank", by="phone")) == ["wrong_key"]
    _, execution, _ = ledger.grow(sign(chain, "bank", deploy("identity", MIMIC), gas_limit=20_000_000))
    assert "is kept for the contract" in execution.receipts[0].error


def test_who_never_rotates_pays_two_bytes() -> None:
    plain, named = sign(CHAIN, "bank"), sign(CHAIN, "bank", by="phone")
    assert len(named.raw) - len(plain.raw) == 32
    state = dict(first_state(CHAIN))
    assert encode(Account())[-2:] == encode(b""), "and its account ends with two bytes that say so"
    assert msgspec.msgpack.decode(state[contract_key("identity")], type=Deployed).deployer == "ledger"
    assert {k: v for k, v in state.items() if k != contract_key("identity")} == dict(
        first_state(genesis(balances=BANK))
    )


HOSTILE: dict[str, Callable[[], bytes]] = {
    "a short key": lambda: sign(CHAIN, "bank", key=b"k" * 31).raw,
    "a long key": lambda: sign(CHAIN, "bank", key=b"k" * 33).raw,
    "the sender as key": lambda: sign(CHAIN, "bank", by="bank").raw,
    "no field for the key": lambda: encode([msgspec.structs.astuple(sign(CHAIN, "bank").body)[:-1], bytes(64)]),
    "text as key": lambda: encode([[*msgspec.structs.astuple(sign(CHAIN, "bank").body)[:-1], "k" * 32], bytes(64)]),
}


@pytest.mark.parametrize("what", HOSTILE)
def test_a_transaction_has_one_spelling(what: str) -> None:
    with pytest.raises(DecodeError):
        open_envelope(HOSTILE[what](), 10_000)


def test_a_key_is_part_of_what_is_signed() -> None:
    paid = sign(CHAIN, "bank", by="phone")
    other = msgspec.structs.replace(paid.body, key=key("thief").public)
    assert not open_envelope(encode(SignedTransaction(other, paid.signature)), 10_000).has_valid_signature()
    none = msgspec.structs.replace(paid.body, key=b"")
    assert not open_envelope(encode(SignedTransaction(none, paid.signature)), 10_000).has_valid_signature()


# --- nodes -----------------------------------------------------------------------------------------------------------


def test_what_the_old_key_signed_and_waits_is_refused_with_the_reason() -> None:
    run = test_node.world(identity=True)
    clients = [test_node.Client(run, name, name.encode()) for name in run.names]
    change = builders.sign(run.genesis, "bank", rotate("phone"), gas_limit=5_000_000)
    late = [test_node.pay(run, nonce) for nonce in (1, 2)]
    assert [verdict.code for verdict in clients[0].submit(change, *late)] == ["accepted"] * 3
    numbers = [client.send(Await(tuple(tx.id for tx in late))) for client in clients]
    for client, number in zip(clients, numbers, strict=True):
        verdicts = client.wait(number).verdicts
        assert {verdict.code for verdict in verdicts} == {"wrong_key"}, "everywhere, and at once"
    assert {test_node.node_of(run, name).status().waiting for name in run.names} == {0}
    assert clients[1].ask(AskAccount(key("bank").public)).next_nonce == 1
    (receipt,) = clients[2].finalise(test_node.pay(run, 1, by="phone"))
    assert receipt.ok


def test_on_a_chain_that_may_change_its_mind_they_are_refused_once_the_change_is_final() -> None:
    refusals, late = Refusals(), sign(CHAIN, "bank", nonce=5)
    assert refusals.set_aside([(late, Refused("wrong_key", "later"))]) == []
    change, other = sign(CHAIN, "bank", nonce=4).body, {key("shop").public: key("phone").public}
    assert refusals.take_final([change], other, 1, lambda tx_id: False) == [], "it may still find a place"
    (found,) = refusals.take_final([], {key("bank").public: key("phone").public}, 2, lambda tx_id: False)
    assert (found[0], found[1].code) == (late.id, "wrong_key")


def test_who_reads_a_closed_chain_connects_with_the_present_key() -> None:
    chain = genesis(identity=True, access=Access(reads="members", writes="members"))
    readers, question = Readers(chain), AskAccount(bytes(32))

    def note(who: str, **fields: Any) -> None:
        readers.note({account_key(key(who).public): encode(Account(may_write=True, **fields))})

    def may(pair: KeyPair) -> bool:
        return readers.may_ask(pair.curve_keys()[0], question, chain.committee)

    note("clerk")
    note("envious", key=key("clerk").public)
    assert may(key("clerk"))
    assert not may(key("envious"))
    note("envious")
    assert may(key("clerk")), "what another account does with this key takes nothing away"
    note("clerk", key=key("phone").public)
    assert (may(key("clerk")), may(key("phone"))) == (False, True)
    readers.note({account_key(key("clerk").public): None})
    assert not may(key("phone"))
