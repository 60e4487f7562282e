"""A proof leaves its network as a file and is checked by a stranger: whatever somebody changed in it, it is refused."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from typing import Any

import builders
import msgspec
import pytest

import minichain as mc
from minichain import merkle
from minichain.codec import Record, decode, encode
from minichain.crosschain import proofs
from minichain.crosschain.proofs import Proof, Verified, verify
from minichain.errors import CallFailed, ConfigError, ProofError
from minichain.ledger.certificate import FinalBlock, Handover
from minichain.ledger.committee import Committee, Member
from minichain.ledger.genesis import Authority, ChainSpec, Genesis, Quota
from minichain.ledger.types import Call, Header, Receipt, SignedTransaction, transaction_id

replace = msgspec.structs.replace


@pytest.fixture(scope="module")
def proof() -> Proof:
    """A proof out of a simulated network of four."""
    with mc.Network.simulated(validators=4, seed=3) as net:
        counter = net.deploy(builders.COUNTER, sender=net.wallet("author"))
        return counter.add(7).proof()


@pytest.fixture(scope="module")
def in_a_crowd() -> Proof:
    """The proof of the sixth transaction of a block of eleven."""
    chain = builders.genesis(balances=((builders.key("bank").public, 10**6),))
    block, execution, _ = builders.Ledger(chain).build(
        [builders.sign(chain, "bank", builders.transfer("shop", 1 + nonce), nonce=nonce) for nonce in range(11)]
    )
    return assemble(chain, builders.finalise(chain, block), execution.encoded_receipts, 5)


def assemble(chain: Genesis, final: FinalBlock, receipts: tuple[bytes, ...], index: int) -> Proof:
    txs = final.block.txs
    return Proof(
        spec=chain.spec,
        header=final.block.header,
        certificate=final.certificate,
        tx=txs[index],
        receipt=receipts[index],
        index=index,
        count=len(txs),
        tx_path=merkle.inclusion_proof(index, txs),
        receipt_path=merkle.inclusion_proof(index, receipts),
    )


def is_sound(data: bytes) -> bool:
    try:
        verify(Proof.from_bytes(data))
    except ProofError:
        return False
    return True


# --- what is right -------------------------------------------------------------------------------------------------


def test_a_proof_says_who_did_what_and_when(proof: Proof):
    found = verify(Proof.from_bytes(proof.to_bytes()))
    assert isinstance(found, Verified)
    assert found.chain_id == "minichain-local"
    assert found.genesis == Genesis(proof.spec).hash
    assert (found.height, found.receipt.height) == (2, 2)
    assert [(call.contract, call.action, call.args) for call in found.transaction.calls] == [
        ("counter", "add", {"amount": 7})
    ]
    assert found.receipt.ok
    assert found.receipt.results == (7,)
    assert set(found.signers) <= {"node-0", "node-1", "node-2", "node-3"}
    assert len(found.signers) >= 3


def test_a_proof_of_one_among_many(in_a_crowd: Proof):
    assert len(in_a_crowd.tx_path) == 4
    assert verify(in_a_crowd).transaction.nonce == 5


def test_a_failure_can_be_proved_too():
    with mc.Network.simulated(validators=1) as net:
        counter = net.deploy(builders.COUNTER, sender=net.wallet("author"))
        with pytest.raises(CallFailed) as failed:
            counter.add(-1)
        found = verify(failed.value.receipt.proof())
    assert (found.receipt.outcome, found.receipt.events) == ("reverted", ())
    assert "only positive amounts" in found.receipt.error


def test_every_validator_gives_a_proof_that_is_sound():
    with mc.Network.simulated(validators=4, seed=5) as net:
        receipt = net.deploy(builders.COUNTER, sender=net.wallet("author")).add(1)
        net.wait_for_height(receipt.height)
        for name in net.nodes:
            net.client._last_good = name
            assert verify(receipt.proof(), net.genesis.hash).receipt.tx_id.hex() == receipt.tx_id


# --- one changed byte -----------------------------------------------------------------------------------------------


def test_no_byte_of_the_file_can_be_changed(proof: Proof):
    data = proof.to_bytes()
    assert is_sound(data)
    for place, old in enumerate(data):
        new = (old ^ 1, old ^ 0x20, ord("0") if old != ord("0") else ord("1"))[place % 3]
        changed = data[:place] + bytes([new]) + data[place + 1 :]
        assert not is_sound(changed), f"byte {place} of {len(data)}: {chr(old)!r} -> {chr(new)!r}"


def test_no_byte_can_be_left_out_added_or_swapped(proof: Proof):
    data = proof.to_bytes()
    for place in range(0, len(data), 7):
        assert not is_sound(data[:place] + data[place + 1 :])
        assert not is_sound(data[:place] + b" " + data[place:])
        if place + 1 < len(data) and data[place] != data[place + 1]:
            pair = bytes([data[place + 1], data[place]])
            assert not is_sound(data[:place] + pair + data[place + 2 :])


def test_another_spelling_of_the_same_content_is_refused(proof: Proof):
    data = proof.to_bytes()
    content = json.loads(data)
    assert json.loads(json.dumps(content)) == content
    for other in (json.dumps(content), json.dumps(content, indent=1), data.decode() + "\n", "\ufeff" + data.decode()):
        with pytest.raises(ProofError, match="this is not a proof"):
            Proof.from_bytes(other.encode())


@pytest.mark.parametrize(
    "nonsense", [b"", b"null", b"[]", b"{}", b"[1]", b"\xff\xfe", b"[" * 100_000, b"1e999", b"NaN"]
)
def test_nonsense_is_refused(nonsense: bytes):
    with pytest.raises(ProofError, match="this is not a proof"):
        Proof.from_bytes(nonsense)


def test_a_file_that_is_too_large_is_not_read():
    with pytest.raises(ProofError, match=r"at most 4194304 bytes, not 4194305"):
        Proof.from_bytes(b" " * (proofs.MAX_FILE_BYTES + 1))


# --- one changed field ----------------------------------------------------------------------------------------------


def other(value: Any) -> Any:  # noqa: PLR0911
    """Return another value of the same type."""
    match value:
        case bytes():
            return bytes([value[0] ^ 1]) + value[1:] if value else b"x"
        case bool():
            return not value
        case int():
            return value + 1
        case str():
            return value + "x"
        case Record():
            name = value.__struct_fields__[0]
            return replace(value, **{name: other(getattr(value, name))})
        case tuple():
            return value[1:] if value else (bytes(32),)
        case None:
            return Authority()  # the only setting that may be missing is who governs the members
    raise AssertionError(type(value))


def with_a_handover(proof: Proof) -> Proof:
    """Let the committee hand over to itself with the block that the proof is about."""
    return replace(proof, handovers=(Handover(proof.header, proof.certificate, proof.spec.members),))


def changes(record: Record) -> list[tuple[str, Callable[[], Any]]]:
    """Name each field of a record and of its records, with how to change it alone."""
    found: list[tuple[str, Callable[[], Any]]] = []
    for name in record.__struct_fields__:
        value = getattr(record, name)
        if name == "handovers":
            found.append((name, lambda: with_a_handover(record)))
            continue
        found.append((name, lambda name=name, value=value: replace(record, **{name: other(value)})))
        if isinstance(value, Record):
            for inner, make in changes(value):
                found.append((f"{name}.{inner}", lambda name=name, make=make: replace(record, **{name: make()})))
    return found


def test_no_field_can_be_changed(proof: Proof):
    changed = []
    for name, make in changes(proof):
        changed.append(name)
        try:
            new = make()
        except ConfigError:
            continue  # such a value cannot even be made
        with pytest.raises(ProofError):
            verify(new)
        assert not is_sound(new.to_bytes()), name
    assert {"header.state_root", "certificate.round", "spec.limits.block_gas", "index"} <= set(changed)
    assert "handovers" in changed
    assert len(changed) > 40


@pytest.mark.parametrize("index", [-1, 0, 4, 6, 10, 11, 2**63, -(2**63)])
@pytest.mark.parametrize("count", [0, -1, 11, 12, 2**64 - 1])
def test_a_place_in_the_block_cannot_be_made_up(in_a_crowd: Proof, index: int, count: int):
    with pytest.raises(ProofError, match=r"the transaction is not in block 1|block 1 has [0-9]+ transactions, not"):
        verify(replace(in_a_crowd, index=index, count=count))


def test_paths_cannot_be_shortened_lengthened_or_swapped(in_a_crowd: Proof):
    path = in_a_crowd.tx_path
    for bad in ((), path[:-1], path[1:], (*path, bytes(32)), path[::-1], (b"", *path[1:]), in_a_crowd.receipt_path):
        with pytest.raises(ProofError, match="the transaction is not in block"):
            verify(replace(in_a_crowd, tx_path=bad))
    with pytest.raises(ProofError, match="the receipt is not in block"):
        verify(replace(in_a_crowd, receipt_path=path))


def test_a_receipt_of_another_transaction_is_seen(in_a_crowd: Proof):
    """Both are in the block, at different places: a quorum of liars could arrange it at one place, too."""
    chain, header = Genesis(in_a_crowd.spec), in_a_crowd.header
    receipt = replace(decode(in_a_crowd.receipt, Receipt), tx_id=bytes(32))
    receipts = [encode(receipt)]
    lying = replace(header, tx_count=1, receipt_root=merkle.root(receipts), tx_root=merkle.root([in_a_crowd.tx]))
    final = builders.finalise(chain, builders.Block(lying, (in_a_crowd.tx,)))
    with pytest.raises(ProofError, match="the receipt is that of another transaction"):
        verify(assemble(chain, final, tuple(receipts), 0))


# --- signatures -----------------------------------------------------------------------------------------------------


def with_signatures(proof: Proof, change: Callable[[tuple[tuple[int, bytes], ...]], Any]) -> Proof:
    certificate = proof.certificate
    return replace(proof, certificate=replace(certificate, signatures=tuple(change(certificate.signatures))))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda s: s[:2], "signatures of weight 2 of 4 are not more than two thirds"),
        (lambda s: (), "signatures of weight 0 of 4"),
        (lambda s: (s[0], s[0], s[0]), "not distinct committee members in order"),
        (lambda s: s[::-1], "not distinct committee members in order"),
        (lambda s: [(p + 1, b) for p, b in s[:3]], "the precommit signature of node-1 is wrong"),
        (lambda s: [(-1, s[0][1]), *s], "not distinct committee members in order"),
        (lambda s: [*s, (10**9, s[0][1])], "not distinct committee members in order"),
        (lambda s: [(p, bytes(64)) for p, _ in s], "the precommit signature of node-0 is wrong"),
        (lambda s: [(p, b"") for p, _ in s], "the precommit signature of node-0 is wrong"),
    ],
)
def test_signatures_cannot_be_made_up(in_a_crowd: Proof, change: Any, words: str):
    with pytest.raises(ProofError, match=words):
        verify(with_signatures(in_a_crowd, change))


def test_three_of_four_signatures_are_enough(in_a_crowd: Proof):
    assert len(verify(with_signatures(in_a_crowd, lambda s: s[1:])).signers) == 3


def test_a_transaction_its_sender_did_not_sign_is_seen_although_it_is_certified():
    chain = builders.genesis()
    tx = builders.sign(chain, "victim")
    forged = encode(SignedTransaction(tx.body, builders.sign(chain, "thief").signature))
    with pytest.raises(ProofError, match="the transaction is not signed by its sender"):
        verify(certified_by_liars(chain, forged))


def certified_by_liars(chain: Genesis, tx: bytes) -> Proof:
    """What a committee can put together that signs anything."""
    receipt = encode(Receipt(transaction_id(tx), 1, 0, "ok", "", 1, (), (None,)))
    header = Header(
        genesis=chain.hash,
        height=1,
        time_ms=0,
        parent=bytes(32),
        proposer=chain.committee.members[0].public,
        tx_count=1,
        tx_root=merkle.root([tx]),
        receipt_root=merkle.root([receipt]),
        state_root=bytes(32),
        committee=chain.committee.hash,
        next_committee=chain.committee.hash,
    )
    return assemble(chain, builders.finalise(chain, builders.Block(header, (tx,))), (receipt,), 0)


# --- another chain --------------------------------------------------------------------------------------------------


def test_a_proof_is_only_good_for_its_own_chain(proof: Proof):
    genesis = Genesis(proof.spec).hash
    assert verify(proof, genesis).genesis == genesis
    with pytest.raises(ProofError, match=f"the chain with genesis {genesis.hex()}, not {'00' * 32}"):
        verify(proof, bytes(32))
    with pytest.raises(ProofError, match="not "):
        verify(proof, b"")


def test_a_made_up_chain_is_sound_by_itself_and_not_the_one_we_know(proof: Proof):
    members = tuple(Member(m.name, builders.key(m.name).public) for m in proof.spec.members)
    twin = Genesis(replace(proof.spec, members=members, balances=()))
    block, execution, _ = builders.Ledger(twin).build([builders.sign(twin, "victim of nobody")])
    made_up = assemble(twin, builders.finalise(twin, block), execution.encoded_receipts, 0)
    assert verify(made_up).chain_id == "minichain-local"  # the name proves nothing
    with pytest.raises(ProofError, match="the proof is about the chain with genesis"):
        verify(made_up, Genesis(proof.spec).hash)


def test_nobody_can_be_shown_on_a_chain_they_did_not_sign_for(proof: Proof):
    """A real transaction of a real person, in a chain whose committee signs anything."""
    twin = builders.genesis(chain_id="gallows")
    with pytest.raises(ProofError, match="the transaction was signed for another chain"):
        verify(certified_by_liars(twin, proof.tx))
    same_name = builders.genesis(chain_id=proof.spec.chain_id)
    with pytest.raises(ProofError, match="the transaction was signed for another chain"):
        verify(certified_by_liars(same_name, proof.tx))


def test_the_committee_must_be_the_chains(in_a_crowd: Proof):
    liars = Committee(Member(f"liar-{i}", builders.key(f"node-{i}").public) for i in range(4))
    header = replace(in_a_crowd.header, committee=liars.hash)
    final = builders.finalise(Genesis(in_a_crowd.spec), builders.Block(header, (in_a_crowd.tx,)))
    with pytest.raises(ProofError, match="names another committee"):
        verify(replace(in_a_crowd, header=header, certificate=final.certificate))


@pytest.mark.parametrize("members", [(), ("same", "same")])
def test_a_chain_that_cannot_be_is_refused(proof: Proof, members: tuple[str, ...]):
    spec = replace(proof.spec, members=tuple(Member(name, builders.key(name).public) for name in members))
    with pytest.raises(ProofError, match="the proof's chain cannot be"):
        verify(Proof.from_bytes(replace(proof, spec=spec).to_bytes()))


def test_a_setting_that_cannot_be_is_refused(proof: Proof):
    content = json.loads(proof.to_bytes())
    place = ChainSpec.__struct_fields__.index("clock")
    content[1][1 + Proof.__struct_fields__.index("spec")][place] = "sundial"
    with pytest.raises(ProofError, match="this is not a proof: clock 'sundial': choose one of wall, logical"):
        Proof.from_bytes(json.dumps(content, separators=(",", ":")).encode())


def test_a_version_of_yesterday_or_tomorrow_is_named(proof: Proof):
    for version in (2, 4):
        with pytest.raises(ProofError, match=f"proof version {version}: this program reads version 3; take the proof"):
            Proof.from_bytes(proof.to_bytes().replace(b"[3,", b"[%d," % version, 1))


def test_what_is_certified_but_unreadable_is_refused():
    chain = builders.genesis(policy=Quota())
    with pytest.raises(ProofError, match="what the proof carries cannot be read"):
        verify(certified_by_liars(chain, b"not a transaction"))


def test_the_file_is_for_people_too(proof: Proof):
    content = json.loads(proof.to_bytes())
    assert base64.b64decode(content[1][1 + Proof.__struct_fields__.index("tx")]) == proof.tx


def test_calls_are_named_in_the_file(proof: Proof):
    assert verify(proof).transaction.calls == (Call("counter", "add", {"amount": 7}, version=1),)
