"""What people do with `net.identity`, and the DID documents that come of it. A lost phone, in both worlds."""

from __future__ import annotations

import json
from collections.abc import Iterator

import msgspec
import pytest

import minichain as mc
from minichain.client.identity import Resolution, Slip
from minichain.codec import decode_own
from minichain.crosschain.proofs import verify
from minichain.crypto import KeyPair, commitment, did_of
from minichain.errors import CallFailed, DecodeError, ProofError, Refused, UsageError
from minichain.identity import documents
from minichain.ledger.genesis import Authority
from minichain.ledger.local import validator_key
from minichain.ledger.profiles import PROFILES
from minichain.ledger.types import Call, SignedTransaction
from tests.noticeboard import NoticeBoard

# did:key test vectors of the W3C CCG (ed25519-x25519.json): seed, did, X25519 key derived from it.
VECTORS = [
    (0, "z6MkiTBz1ymuepAQ4HEHYSF1H8quG5GLVVQR3djdX3mDooWp", "z6LShs9GGnqk85isEBzzshkuVWrVKsRp24GnDuHk8QWkARMW"),
    (1, "z6MkjchhfUsD6mmvni8mCdXHw216Xrm9bQe2mBH1P5RDjVJG", "z6LSrHyXiPBhUbvPUtyUCdf32sniiMGPTAesgHrtEa4FePtr"),
    (2, "z6MknGc3ocHs3zdPiJbnaaqDi58NGb4pk1Sp9WxWufuXSdxf", "z6LSkkqoZRC34AEpbkhZCqLDcHQVAxuLpQ7kC8XCXMVUfvjE"),
    (3, "z6MkvqoYXQfDDJRv8L4wKzxYeuKyVZBfi9Qo6Ro8MiLH3kDQ", "z6LSiUo6AEDat8Ze4nQzDo67SGuHLLwsUGkxndHGUjsywHow"),
    (4, "z6MkwW6aqMnjgrhJXFUko3NnZPGzVpkNzhYK7yEhnsibmLwL", "z6LSrGb3qm4xMCEBjvwkLb2WEcXfTM94Tu1RyGCbT5wbg8i9"),
]
DAY = 86_400_000


@pytest.fixture
def net() -> Iterator[mc.Network]:
    with mc.Network.simulated(seed=7) as network:
        yield network


def pass_blocks(net: mc.Network, count: int) -> None:
    """Let a chain whose clock is its height get older."""
    for _ in range(count):
        net.send(net.wallet("bank"), [Call("ledger", "transfer", {"to": net.wallet("shop").did, "amount": 1})])


# --- the story -------------------------------------------------------------------------------------------------------


def lose_a_phone(net: mc.Network) -> None:
    """Alice loses her phone; two of three friends help her; her rights are still hers."""
    alice, ann, bob, cem = (net.wallet(name) for name in ("Alice", "Ann", "Bob", "Cem"))
    board = net.deploy(NoticeBoard, sender=alice, keeper=alice.did)
    board.with_sender(bob).post("hello")
    slips = net.identity.guard(alice, [ann, bob, cem], 2, wait_ms=1_000)
    candidate = net.identity.successor(alice)
    net.identity.support(ann, slips[ann.did], candidate)
    net.identity.support(cem, slips[cem.did], candidate)
    pass_blocks(net, 2)
    net.pass_time(1_100)
    phone = net.identity.recover(bob, candidate)
    assert phone.did == alice.did
    assert phone.key.did != alice.key.did
    board.with_sender(phone).clear(bob.did)  # only the keeper may
    with pytest.raises(Refused, match="the present key of the account") as refused:
        board.clear(bob.did)
    assert refused.value.code == "wrong_key"
    assert net.wallet("Alice").key.did == phone.key.did, "her name stands for her new phone from now on"


def test_a_phone_is_lost_and_rights_survive(net: mc.Network):
    lose_a_phone(net)
    call = Call("ledger", "transfer", {"to": net.wallet("Ann").did, "amount": 1})
    receipt = net.send(net.wallet("Alice", units=5), [call])
    assert receipt.ok


@pytest.mark.parametrize("profile", sorted(PROFILES))
def test_on_every_kind_of_chain(profile: str):
    """With fees, with readers and writers who are admitted, with members who change, with proof of work."""
    with mc.Network.simulated(3, seed=7, profile=profile) as net:
        lose_a_phone(net)
        net.identity.resolve(net.wallet("Alice")).verify(net.genesis)


def test_the_same_in_processes(tmp_path):
    with mc.Network.local(1, seed=7, clock="logical", directory=tmp_path / "net") as live:
        lose_a_phone(live)
        here = live.identity.resolve(live.wallet("Alice"))
        here.verify(live.genesis)
        root = live.status()[0].state_root
    with mc.Network.simulated(1, seed=7, genesis_time_ms=live.genesis.spec.genesis_time_ms) as sim:
        lose_a_phone(sim)
        assert sim.status()[0].state_root == root
        assert sim.identity.resolve(sim.wallet("Alice")).document == here.document


# --- keys ------------------------------------------------------------------------------------------------------------


def test_a_rotated_wallet_signs_and_its_receipt_proves_it(net: mc.Network):
    alice = net.identity.rotate(
        net.wallet("Alice"), mc.Wallet("Alice", KeyPair(bytes(32)), net.wallet("Alice").account)
    )
    receipt = net.send(alice, [Call("identity", "guard", {"guardians": [bytes(32)], "threshold": 1, "wait_ms": 1})])
    proof = receipt.proof()
    found = verify(proof, net.genesis.hash)
    assert found.sender == alice.did, "an old light client needs to know nothing of keys"
    assert did_of(found.transaction.key) == alice.key.did == f"did:key:{VECTORS[0][1]}"
    signed = decode_own(proof.tx, SignedTransaction)
    forged = SignedTransaction(msgspec.structs.replace(signed.body, key=b""), signed.signature)
    with pytest.raises(ProofError):
        verify(msgspec.structs.replace(proof, tx=msgspec.msgpack.encode(forged)))


def test_the_present_key_of_a_name_is_found_again_by_who_has_not_seen_it_change(net: mc.Network):
    first = net.wallet("Alice")
    assert net.identity.present(first) is first
    third = net.identity.rotate(net.identity.rotate(first))
    net.client._keys.clear()  # as another process
    assert net.wallet("Alice").key.did == first.key.did
    assert net.identity.present(net.wallet("Alice")).key.did == third.key.did
    assert (
        net.identity.rotate(net.wallet("Alice"), mc.Wallet("Alice", KeyPair(bytes(32)), first.account)).did == first.did
    )
    with pytest.raises(UsageError, match="was not drawn on this network: load it from its key file"):
        net.identity.present(first)


def test_what_is_no_record_is_not_read_as_one() -> None:
    for value in (b"", b"\xff", msgspec.msgpack.encode({"version": 1}), msgspec.msgpack.encode([1])):
        with pytest.raises(DecodeError, match="no record of a did"):
            documents.read_record(value)


def test_who_lags_behind_a_change_of_keys_is_asked_again(net: mc.Network):
    alice = net.wallet("Alice")
    phone = net.identity.successor(alice)
    net.client.learn(phone)  # somebody has seen the change that no node has yet
    call = Call("ledger", "transfer", {"to": alice.did, "amount": 1})
    with pytest.raises(mc.errors.TimedOut):
        net.send(phone, [call], timeout_ms=200)
    net.identity.rotate(alice, phone)
    with pytest.raises(CallFailed, match="the balance is 0"):
        net.send(phone, [call])


def test_what_makes_no_sense_is_refused_before_anything_is_sent(net: mc.Network):
    alice, bob = net.wallet("Alice"), net.wallet("Bob")
    height = net.height()
    for guardians, words in (([bob, bob], "one is named twice"), ([alice, bob], "guardian of the own account")):
        with pytest.raises(UsageError, match=words):
            net.identity.guard(alice, guardians, 1)
    with pytest.raises(UsageError, match="'bob' is not a did:key: give a wallet, or a did"):
        net.identity.guard(alice, ["bob"], 1)
    with pytest.raises(UsageError, match="slip: it is for"):
        net.identity.support(alice, Slip(alice.did, bob.did, bytes(32)), bob)
    assert net.height() == height
    with mc.Network.simulated(1, identity=False) as other, pytest.raises(UsageError, match="no identity contract"):
        other.identity  # noqa: B018


# --- devices ---------------------------------------------------------------------------------------------------------


def test_a_scale_is_enrolled_calibrated_and_its_serial_number_is_not_on_the_chain(net: mc.Network):
    office, bureau, lab, scale = (net.wallet(name) for name in ("Office", "Metrology bureau", "Laboratory", "Scale 7"))
    for organisation in (office, bureau):
        net.identity.by(organisation).found(organisation.name, [])
    now = net.head().time_ms
    net.identity.by(bureau).grant_role(lab.did, "laboratory", now, now + DAY)
    assert net.identity.has_role(bureau, lab, "laboratory")
    salt = net.identity.enrol(office, scale, "W-200", "SN-004711", bureau)
    kept = net.identity.by(scale).device(scale.did)
    assert kept["serial"] == commitment(salt, b"SN-004711")
    assert net.identity.device_state(scale)["state"] == "not yet calibrated"
    assert net.identity.certify(lab, scale, b"a certificate", now, now + DAY) == 1
    assert net.identity.device_state(scale)["state"] == "active"
    found = net.identity.resolve(scale)
    assert found.document["controller"] == office.did
    stored = str([net.block(height) for height in range(1, net.height() + 1)])
    assert "SN-004711" not in stored


# --- documents -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("number", "key", "agreement"), VECTORS)
def test_the_document_of_an_account_nobody_has_spoken_of_is_that_of_did_key(number: int, key: str, agreement: str):
    did = KeyPair(number.to_bytes(32)).did
    assert did == f"did:key:{key}"
    method = {"id": f"{did}#{key}", "type": "Multikey", "controller": did, "publicKeyMultibase": key}
    shared = {"id": f"{did}#{agreement}", "type": "Multikey", "controller": did, "publicKeyMultibase": agreement}
    assert documents.document(did, documents.first_record(did)) == {
        "@context": ["https://www.w3.org/ns/did/v1", "https://w3id.org/security/multikey/v1"],
        "id": did,
        "verificationMethod": [method],
        "authentication": [f"{did}#{key}"],
        "assertionMethod": [f"{did}#{key}"],
        "capabilityInvocation": [f"{did}#{key}"],
        "capabilityDelegation": [f"{did}#{key}"],
        "keyAgreement": [shared],
    }


def test_a_document_is_resolved_as_it_was_and_as_it_is_with_proofs(net: mc.Network):
    office = net.wallet("Office")
    pass_blocks(net, 1)
    services = [["status", "LinkedDomains", "https://example.org/status"]]
    net.identity.by(office).found("Street Office A", services)
    began = net.height()
    pass_blocks(net, 3)
    changed = net.identity.rotate(office)
    rotated = net.height()
    found = {height: net.identity.resolve(office, height) for height in (0, began - 1, began, rotated - 1, rotated)}
    for resolution in found.values():
        resolution.verify(net.genesis)
    assert [resolution.record.version for resolution in found.values()] == [0, 0, 1, 1, 2]
    keys = [resolution.document["authentication"][0].split("#")[1] for resolution in found.values()]
    first, second = office.did.removeprefix("did:key:"), changed.key.did.removeprefix("did:key:")
    assert keys == [first, first, first, first, second]
    assert {resolution.document["id"] for resolution in found.values()} == {office.did}
    now = net.identity.resolve(office)
    assert now.document["service"] == [
        {
            "id": f"{office.did}#status",
            "type": "LinkedDomains",
            "serviceEndpoint": "https://example.org/status",
        }
    ]
    told = json.loads(now.to_json())
    assert told.keys() == {"didDocument", "didDocumentMetadata", "didResolutionMetadata"}
    assert told["didResolutionMetadata"] == {"contentType": "application/did+ld+json"}
    assert told["didDocumentMetadata"] == {
        "created": "2026-01-01T00:00:02Z",
        "createdHeight": began,
        "updated": f"2026-01-01T00:00:{rotated:02}Z",
        "updatedHeight": rotated,
        "versionId": "2",
        "deactivated": False,
    }
    assert found[began].metadata["nextVersionId"] == "2"


def test_a_node_that_names_the_version_of_another_height_is_not_followed(
    net: mc.Network, monkeypatch: pytest.MonkeyPatch
):
    alice = net.wallet("Alice")
    before = net.height()
    phone = net.identity.rotate(alice)
    net.identity.rotate(phone)
    for lie in (0, 1, 2):
        monkeypatch.setattr("minichain.client.identity.Identity._view", lambda *_, lie=lie, **__: lie)
        if lie == 0:
            assert net.identity.resolve(alice, before).record.key == alice.did
        else:
            with pytest.raises(mc.errors.TimedOut):
                net.identity.resolve(alice, before)


def test_a_document_that_the_chain_does_not_back_is_not_believed(net: mc.Network):
    alice = net.identity.rotate(net.wallet("Alice"))
    good = net.identity.resolve(alice)
    replace = msgspec.structs.replace
    (key, answer), absent = good.proofs
    stolen = msgspec.structs.replace(good.record, key=net.wallet("thief").did)
    lies: dict[str, Resolution] = {
        "another key": replace(good, record=stolen, document=documents.document(alice.did, stolen)),
        "another value": replace(good, proofs=((key, replace(answer, value=msgspec.msgpack.encode(stolen))), absent)),
        "an older version": replace(good, proofs=(absent, (key, answer))),
        "no record at all": replace(good, proofs=((key, replace(answer, value=None)), absent)),
        "another person": replace(good, did=net.wallet("thief").did),
        "a touched document": replace(good, document={**good.document, "service": []}),
    }
    good.verify(net.genesis)
    for what, lie in lies.items():
        assert not is_believed(lie, net), what
    with mc.Network.simulated(seed=8) as other, pytest.raises(ProofError, match="belongs to another chain"):
        good.verify(other.genesis)


def is_believed(found: Resolution, net: mc.Network) -> bool:
    try:
        found.verify(net.genesis)
    except ProofError:
        return False
    return True


def test_a_proof_outlives_the_members_who_signed_it_by_their_handovers():
    with mc.Network.simulated(2, seed=7, membership=Authority(delay=1)) as net:
        keys = [validator_key(net.world.root, number) for number in range(2)]
        founders = [mc.Wallet(name, key) for name, key in zip(net.nodes, keys, strict=True)]
        members = net.contract("members")
        number = members.with_sender(founders[0]).propose_weight(founders[1].did, 2, "it works more").result
        for founder in founders:
            members.with_sender(founder).vote(number, True)
        receipt = members.with_sender(founders[0]).attempt("propose_removal", founders[1].did, "never mind")
        found = net.identity.resolve(net.wallet("Alice"))
        with pytest.raises(ProofError):
            found.verify(net.genesis)
        found.verify(net.genesis, receipt.proof().handovers)


def test_a_deactivated_did_resolves_to_its_name_alone(net: mc.Network):
    alice = net.wallet("Alice")
    net.identity.deactivate(alice)
    found = net.identity.resolve(alice)
    found.verify(net.genesis)
    assert found.document.keys() == {"@context", "id"}
    assert found.metadata["deactivated"] is True
    with pytest.raises(Refused, match="is deactivated: nobody can sign for it any more"):
        net.identity.rotate(alice)
