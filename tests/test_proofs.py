"""A proof leaves its network as a file and is checked by a stranger: whatever somebody changed in it, it is refused."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable
from typing import Any, NamedTuple

import builders
import msgspec
import pytest

import minichain as mc
from minichain import merkle
from minichain.client import crossing
from minichain.client.relayer import Relayer
from minichain.codec import Record, decode, encode
from minichain.contracts.storage import state_key
from minichain.crosschain import proofs, work
from minichain.crosschain.proofs import Crossed, CrossingProof, Proof, ProvenValue, ValueProof, Verified, verify
from minichain.errors import CallFailed, ConfigError, ProofError, UsageError
from minichain.ledger.certificate import FinalBlock, Handover
from minichain.ledger.committee import Committee, Member
from minichain.ledger.genesis import Authority, ChainSpec, Genesis, Quota, Work
from minichain.ledger.local import validator_key
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


# --- values of the state, and their absence ---------------------------------------------------------------------------


class Counted(NamedTuple):
    """Proofs of a value, and of an absent one, out of one network, and of that value in an earlier block."""

    genesis: bytes
    total: ValueProof
    nothing: ValueProof
    before: ValueProof


@pytest.fixture(scope="module")
def counted() -> Counted:
    with mc.Network.simulated(validators=4, seed=3) as net:
        counter = net.deploy(builders.COUNTER, sender=net.wallet("author"))
        counter.add(7)
        before = net.value_proof(TOTAL)
        counter.add(1)
        return Counted(net.genesis.hash, net.value_proof(TOTAL), net.value_proof(state_key("counter", "no")), before)


TOTAL = state_key("counter", "total")


def test_a_value_and_its_absence_are_proved_by_files(counted: Counted):
    found = verify(proofs.read(counted.total.to_bytes()), counted.genesis)
    assert isinstance(found, ProvenValue)
    assert (found.key, found.value, found.height) == (TOTAL, encode(8), 3)
    assert len(found.signers) >= 3
    absent = verify(ValueProof.from_bytes(counted.nothing.to_bytes()), counted.genesis)
    assert absent.value is None
    assert verify(counted.before).value == encode(7), "a value is that of its block, and of no later one"


def why_refused(proof: proofs.AnyProof) -> str:
    """Return why a proof does not hold; empty if it does."""
    try:
        verify(proof)
    except ProofError as error:
        return str(error)
    return ""


def lying_about_a_value(counted: Counted) -> list[tuple[str, ValueProof, str]]:
    total, nothing, before = counted.total, counted.nothing, counted.before
    path, elsewhere = total.path, "its path leads elsewhere"
    minority = replace(total.certificate, signatures=total.certificate.signatures[:2])
    liars = Committee(Member(member.name, builders.key(member.name).public) for member in total.spec.members)
    own_keys = builders.finalise(Genesis(total.spec), builders.Block(total.header, ()), by=liars)
    return [
        ("another value", replace(total, value=encode(9)), elsewhere),
        ("another key", replace(total, key=state_key("counter", "no")), elsewhere),
        ("what was there is said to be absent", replace(total, value=None), "the key is not shown to be absent"),
        ("what is absent is said to be there", replace(nothing, value=encode(8)), elsewhere),
        ("the absence of another key", replace(nothing, key=TOTAL), "the key is not shown to be absent"),
        ("no path", replace(total, path=merkle.StateProof(())), elsewhere),
        ("a shorter path", replace(total, path=replace(path, levels=path.levels[:-1])), elsewhere),
        ("a longer path", replace(total, path=replace(path, levels=(*path.levels, path.levels[0]))), elsewhere),
        ("the path of another key", replace(total, path=nothing.path), elsewhere),
        ("the value of an earlier block", replace(total, value=before.value, path=before.path), elsewhere),
        ("the header of an earlier block", replace(total, header=before.header), "certificate is for another block"),
        ("another height", replace(total, header=replace(total.header, height=9)), "certificate is for another block"),
        ("two of four signed", replace(total, certificate=minority), "weight 2 of 4 are not more than two thirds"),
        ("signed by others", replace(total, certificate=own_keys.certificate), "signature of node-0 is wrong"),
        ("another chain", replace(total, spec=replace(total.spec, chain_id="twin")), "belongs to another chain"),
    ]


def test_nobody_can_be_told_another_value(counted: Counted):
    for what, lie, words in lying_about_a_value(counted):
        assert re.search(words, why_refused(lie)), f"{what}: {why_refused(lie)}"


def test_the_newest_state_of_a_chain_of_work_is_told_with_its_depth():
    with mc.Network.simulated(2, seed=5, engine="pow", work=Work(block_ms=1_000, confirmations=4)) as net:
        net.deploy(builders.COUNTER, sender=net.wallet("author")).add(3)
        held = net.value_proof(TOTAL)
        found = verify(ValueProof.from_bytes(held.to_bytes()), net.genesis.hash)
    assert (found.value, found.signers) == (encode(3), ())
    assert found.depth == work.depth_of(net.genesis, held.header, held.links)
    with pytest.raises(ProofError, match="not in the chain of headers"):
        verify(replace(held, links=held.links[: held.header.height - 1]))


# --- from one chain to another ----------------------------------------------------------------------------------------


class Crossings(NamedTuple):
    """Proofs of the first and the second message from `main` to `side`, whose committee has changed before."""

    main: Genesis
    side: Genesis
    first: CrossingProof
    second: CrossingProof


@pytest.fixture(scope="module")
def crossings() -> Crossings:
    main = mc.Network.simulated(4, seed=1, chain_id="main", engine="raft")
    side = mc.Network.simulated(4, seed=2, chain_id="side", membership=Authority(voting_blocks=50, delay=2))
    with main, side:
        crossing.connect(main, side)
        crossing.connect(side, main, mints=True)
        voters = [mc.Wallet(name, validator_key(side.world.root, place)) for place, name in enumerate(side.nodes[:3])]
        members, leaver = side.contract("members"), side.genesis.committee.members[3].did
        members.with_sender(voters[0]).propose_removal(did=leaver, reason="it has closed")
        for voter in voters:
            members.with_sender(voter).vote(proposal=1, yes=True)
        counter = side.deploy(builders.COUNTER, sender=side.wallet("author"))
        while len(side.members()) == 4:
            counter.add(1)
        for number, amount in ((1, 300), (2, 5)):
            crossing.cross(main, side, main.wallet("bank"), side.wallet("shop"), amount)
            words = f"no message {number} was answered by side yet: have it carried, and ask again"
            with pytest.raises(UsageError, match=words):
                crossing.crossing_proof(main, side, number)
            Relayer(main, side).carry()
        first, second = (crossing.crossing_proof(main, side, number) for number in (1, 2))
        return Crossings(main.genesis, side.genesis, first, second)


def test_a_whole_crossing_is_one_file(crossings: Crossings):
    data = crossings.first.to_bytes()
    found = verify(proofs.read(data), crossings.main.hash, crossings.side.hash)
    assert isinstance(found, Crossed)
    assert (found.number, found.message.kind, found.message.amount, found.answer.outcome) == (1, "units", 300, "done")
    assert (found.sent.chain_id, found.decided.chain_id) == ("main", "side")
    assert crossings.first.decided.handovers, "the committee of the side chain has changed on the way"
    assert set(found.decided.signers) <= {"node-0", "node-1", "node-2"}
    assert [spec.chain_id for spec in proofs.chains_of(crossings.first)] == ["main", "side"]


def test_both_chains_must_be_known(crossings: Crossings):
    for known in (crossings.main, crossings.side):
        with pytest.raises(ProofError, match="the proof is about the chain with genesis"):
            verify(crossings.first, known.hash)
    with pytest.raises(ProofError, match="this is a CrossingProof, where a Proof is expected"):
        Proof.from_bytes(crossings.first.to_bytes())


def lying_about_a_crossing(crossings: Crossings) -> list[tuple[str, CrossingProof, str]]:
    first, second = crossings.first, crossings.second
    sent, decided = first.sent, first.decided
    receipt = decode(sent.receipt, Receipt)
    event = receipt.events[-1]
    more = replace(event, data={**event.data, "message": {**event.data["message"], "amount": 301}})
    forged = encode(replace(receipt, events=(*receipt.events[:-1], more)))
    minority = replace(decided.certificate, signatures=decided.certificate.signatures[:2])
    no_path = "its path does not lead to the root"
    shifted = replace(sent, index=sent.index + 1, count=sent.count + 1)
    twice = replace(sent, index=1, count=2, path=(merkle.leaf_hash(sent.receipt),))
    longer = (*sent.path, merkle.leaf_hash(sent.receipt))
    old_committee = replace(decided, handovers=())
    twin = replace(decided.spec, chain_id="twin")
    swapped = replace(first, sent=decided, decided=sent)
    return [
        ("a forged receipt", replace(first, sent=replace(sent, receipt=forged)), no_path),
        ("an entry too far", replace(first, sent=shifted), "transactions, not"),
        ("a leaf twice", replace(first, sent=twice), "transactions, not 2|does not lead to the root"),
        ("a longer path", replace(first, sent=replace(sent, path=longer)), no_path),
        ("another place", replace(first, sent=replace(sent, index=sent.index ^ 1)), no_path),
        ("another height", replace(first, sent=replace(sent, header=replace(sent.header, height=99))), "another block"),
        ("a stale committee", replace(first, decided=old_committee), "names another committee"),
        ("a minority", replace(first, decided=replace(decided, certificate=minority)), "weight 2 of 3"),
        ("another chain", replace(first, decided=replace(decided, spec=twin)), "numbered 1 for twin"),
        ("the wrong way round", swapped, "holds no message numbered 1 for main"),
        ("only sent", replace(first, decided=sent), "holds no message numbered 1 for main"),
        ("a number nobody sent", replace(first, number=9), "holds no message numbered 9 for side"),
        ("the answer to another", replace(first, number=2, sent=second.sent), "no answer to a message numbered 2"),
        ("another message", replace(first, sent=second.sent), "holds no message numbered 1 for side"),
    ]


def test_nothing_about_a_crossing_can_be_made_up(crossings: Crossings):
    for what, lie, words in lying_about_a_crossing(crossings):
        assert re.search(words, why_refused(lie)), f"{what}: {why_refused(lie)}"


def test_no_byte_of_the_other_kinds_can_be_changed(counted: Counted, crossings: Crossings):
    for proof in (counted.total, counted.nothing, crossings.first):
        for data, reader in ((proof.to_bytes(), proofs.read), (proofs.pack(proof), proofs.unpack)):
            assert verify(reader(data)) == verify(proof)
            for place in range(0, len(data), 3):
                changed = data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :]
                try:
                    found = verify(reader(changed))
                except ProofError:
                    continue
                assert proof is counted.nothing, place
                told = "an empty place of the tree is empty of every key that leads there: true, of another key"
                assert replace(proof, key=found.key) == reader(changed) != proof, told
            with pytest.raises(ProofError, match="this is not a proof"):
                reader(data[:-1])
