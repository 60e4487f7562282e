"""A resident's data beside the chain: granted, read, logged, ordered, taken back, erased; what the chain shows."""

from __future__ import annotations

import json
from collections.abc import Iterator
from random import Random
from typing import Any
from urllib.parse import quote

import pytest

from minichain.contracts.sandbox import START_MS, Sandbox
from minichain.contracts.system import DATA
from minichain.crypto import KeyPair, commitment, digest
from minichain.errors import CredentialError, DecodeError, UsageError
from minichain.identity.traces import find_personal, find_secret, spellings
from minichain.identity.vault import Handed, Vault, close, open_handed, pairwise
from minichain.scenarios.residents import personal_values

DAY = 86_400_000
PURPOSES = {"treatment": "to treat the person", "billing": "to send the bill"}
RESIDENT, CLINIC, LIBRARY, AUDITOR, COURT, OFFICE = (
    KeyPair.derive(b"vault", name) for name in ("resident", "clinic", "library", "auditor", "court", "office")
)
CARD_NUMBER = b"4711"  # a small space of values: four digits


class House:
    """A grants contract, a vault in memory, and one record of the resident for the clinic."""

    def __init__(self) -> None:
        self.box, draw = Sandbox(), Random(5)
        self.random = draw.randbytes
        self.grants = self.box.deploy(DATA["grants"], sender=OFFICE.did, purposes=PURPOSES)
        self.storage: dict[str, bytes] = {}
        self.vault = Vault(self.storage, self.grants)
        self.subject = pairwise(RESIDENT, CLINIC.did, "treatment")
        stored = close(CARD_NUMBER, [self.subject.did, CLINIC.did, AUDITOR.did], self.random)
        self.record = stored.record
        self.vault.keep(stored)
        self.ok(self.subject, "register", record=self.record)

    def attempt(self, who: KeyPair, action: str, **arguments: Any) -> Any:
        return self.grants.with_sender(who.did).attempt(action, **arguments)

    def ok(self, who: KeyPair, action: str, **arguments: Any) -> Any:
        outcome = self.attempt(who, action, **arguments)
        assert outcome.ok, outcome.error
        return outcome.result

    def refused(self, words: str, who: KeyPair, action: str, **arguments: Any) -> None:
        outcome = self.attempt(who, action, **arguments)
        assert outcome.outcome == "reverted"
        assert words in outcome.error
        assert outcome.changes == {}

    def grant(self, until: int = START_MS + DAY) -> None:
        self.ok(self.subject, "grant", record=self.record, party=CLINIC.did, purpose="treatment", until=until)

    def ask(self, who: KeyPair, purpose: str = "treatment") -> dict[str, Any]:
        answer: dict[str, Any] = self.ok(who, "access", record=self.record, purpose=purpose)
        return answer

    def read(self, who: KeyPair, purpose: str = "treatment") -> bytes:
        number = self.ask(who, purpose)["number"]
        return open_handed(self.vault.hand_out(self.record, number, who.did), who)

    def places(self) -> Iterator[tuple[str, bytes]]:
        """Yield every byte that the chain keeps."""
        for key, value in self.box.state.values.items():
            yield "state", key + value


@pytest.fixture
def house() -> House:
    return House()


def log(house: House) -> list[tuple[str, str, bool, str]]:
    names = {CLINIC.did: "clinic", LIBRARY.did: "library", AUDITOR.did: "auditor"}
    entries = house.grants.log(house.record)
    return [(names[entry["party"]], entry["purpose"], entry["allowed"], entry["why"]) for entry in entries]


def test_who_was_granted_reads_and_who_was_not_is_refused_and_both_are_written_down(house: House) -> None:
    house.grant()
    assert house.read(CLINIC) == CARD_NUMBER
    assert house.ask(CLINIC, "billing")["why"] == "not granted"
    assert house.ask(LIBRARY)["why"] == "not granted"
    assert log(house) == [
        ("clinic", "treatment", True, ""),
        ("clinic", "billing", False, "not granted"),
        ("library", "treatment", False, "not granted"),
    ]


def test_nothing_is_handed_out_before_it_is_written_down(house: House) -> None:
    house.grant()
    with pytest.raises(CredentialError, match="record it first"):
        house.vault.hand_out(house.record, 1, CLINIC.did)
    number = house.ask(CLINIC)["number"]
    with pytest.raises(CredentialError, match="record it first"):
        house.vault.hand_out(house.record, number, LIBRARY.did)
    refused = house.ask(LIBRARY)["number"]
    with pytest.raises(CredentialError, match="refused: not granted"):
        house.vault.hand_out(house.record, refused, LIBRARY.did)
    house.vault.hand_out(house.record, number, CLINIC.did)
    with pytest.raises(CredentialError, match="already: record another one"):
        house.vault.hand_out(house.record, number, CLINIC.did)


def test_a_grant_ends_at_its_time_and_with_the_block_that_takes_it_back(house: House) -> None:
    house.grant(START_MS + DAY)
    late = house.ask(CLINIC)["number"]
    house.ok(house.subject, "revoke", record=house.record, party=CLINIC.did, purpose="treatment")
    assert house.ask(CLINIC)["why"] == "revoked"
    with pytest.raises(CredentialError, match="not any more: revoked"):
        house.vault.hand_out(house.record, late, CLINIC.did)
    house.grant(START_MS + DAY)
    house.box.advance(days=1)
    assert house.ask(CLINIC)["why"] == "expired"
    assert house.grants.granted(house.record, CLINIC.did, "treatment")["until"] == START_MS + DAY


def test_after_a_grant_is_taken_back_the_record_is_closed_under_another_key(house: House) -> None:
    house.grant()
    number = house.ask(CLINIC)["number"]
    kept = house.vault.hand_out(house.record, number, CLINIC.did)
    house.ok(house.subject, "revoke", record=house.record, party=CLINIC.did, purpose="treatment")
    house.vault.reseal(house.record, house.subject, [AUDITOR.did], house.random)
    assert CLINIC.did not in house.vault.readers(house.record)
    assert house.vault.open_own(house.record, house.subject) == CARD_NUMBER
    assert open_handed(kept, CLINIC) == CARD_NUMBER, "who has read has read: that cannot be taken back"
    now = Handed(house.record, house.vault._stored(house.record).closed, kept.box)
    with pytest.raises(DecodeError, match="not closed under this key"):
        open_handed(now, CLINIC)


def test_only_who_it_is_sealed_for_can_open_it_and_only_the_registered_data(house: House) -> None:
    house.grant()
    handed = house.vault.hand_out(house.record, house.ask(CLINIC)["number"], CLINIC.did)
    with pytest.raises(DecodeError, match="not made for this key"):
        open_handed(handed, LIBRARY)
    swapped = close(b"0000", [CLINIC.did], house.random)
    with pytest.raises(DecodeError, match="whose commitment is on the chain"):
        open_handed(Handed(house.record, swapped.closed, swapped.boxes[CLINIC.did]), CLINIC)
    assert not any(CARD_NUMBER in kept for kept in house.storage.values()), "the keeper cannot read what it keeps"


def test_only_the_subjects_own_signature_decides(house: House) -> None:
    own = {"record": house.record, "party": CLINIC.did, "purpose": "treatment"}
    for who in (CLINIC, RESIDENT, OFFICE, COURT):
        house.refused("nobody can stand in", who, "grant", **own, until=START_MS + DAY)
        house.refused("nobody can stand in", who, "erase", record=house.record)
    house.refused("registered already", CLINIC, "register", record=house.record)
    house.refused("32 bytes", house.subject, "register", record=b"short")
    house.refused("no purpose fun", house.subject, "grant", **{**own, "purpose": "fun"}, until=START_MS + DAY)
    house.refused("within a year", house.subject, "grant", **own, until=START_MS)
    house.refused("within a year", house.subject, "grant", **own, until=START_MS + 400 * DAY)
    house.refused("by its did", house.subject, "grant", **{**own, "party": "clinic"}, until=START_MS + DAY)
    house.refused("no such grant", house.subject, "revoke", **own)
    house.refused("not registered", house.subject, "erase", record=bytes(32))
    house.refused("no purpose gossip", CLINIC, "access", record=house.record, purpose="gossip")


PROXY = '''
from minichain.contracts.api import Contract, action

class Proxy(Contract):
    """Acts for whoever asks."""

    @action
    def register(self, record: bytes) -> None:
        """Register a record in the name of this contract."""
        self.call("grants", "register", record=record)
'''


def test_a_contract_cannot_be_the_subject(house: House) -> None:
    """No delegation: consent that a program gives is nobody's."""
    proxy = house.box.deploy(PROXY, sender=RESIDENT.did)
    assert "only the subject's own signature" in proxy.attempt("register", record=bytes(32)).error


# --- supervision -------------------------------------------------------------------------------------------------


def order(house: House, until: int = START_MS + 2 * DAY, shown: int = 0) -> dict[str, Any]:
    reference = digest("document", b"Order 12/2026 of the training court")
    return {"record": house.record, "party": AUDITOR.did, "reference": reference, "until": until, "shown": shown}


def test_supervision_reads_under_an_order_that_the_subject_sees(house: House) -> None:
    assert house.ask(AUDITOR, "supervision")["why"] == "no order"
    house.refused("only who was appointed", COURT, "order", **order(house))
    house.refused("only the office", COURT, "appoint", did=COURT.did, role="court")
    house.ok(OFFICE, "appoint", did=COURT.did, role="court")
    house.ok(COURT, "order", **order(house))
    assert house.read(AUDITOR, "supervision") == CARD_NUMBER
    entry = house.grants.log(house.record)[-1]
    assert (entry["purpose"], entry["order"]) == ("supervision", order(house)["reference"])
    assert house.grants.order_on(house.record, AUDITOR.did)["role"] == "court"
    house.box.advance(days=2)
    assert house.ask(AUDITOR, "supervision")["why"] == "order ended"
    house.ok(OFFICE, "appoint", did=COURT.did, role="")
    house.refused("only who was appointed", COURT, "order", **order(house, START_MS + 4 * DAY))


def test_an_order_may_stay_out_of_the_view_for_a_time_that_it_states(house: House) -> None:
    house.ok(OFFICE, "appoint", did=COURT.did, role="court")
    house.ok(COURT, "order", **order(house, shown=START_MS + DAY))
    house.read(AUDITOR, "supervision")
    assert house.grants.log(house.record) == []
    assert house.grants.order_on(house.record, AUDITOR.did) == {}
    house.box.advance(days=1)
    assert len(house.grants.log(house.record)) == 1
    assert house.grants.order_on(house.record, AUDITOR.did)["role"] == "court"


def test_a_party_is_a_key_and_never_words(house: House) -> None:
    """There is no free text in which anybody could name a person."""
    house.ok(OFFICE, "appoint", did=COURT.did, role="court")
    until = {"record": house.record, "until": START_MS + DAY}
    order = {"reference": bytes(32)}
    for words in ("did:Zhang Wei, 1 Training Road", "Zhang Wei", CLINIC.did[:-2] + "0O", CLINIC.did + "x", ""):
        for who, action, more in ((house.subject, "grant", {"purpose": "billing"}), (COURT, "order", order)):
            house.refused("a party is named by its did:key", who, action, party=words, **until, **more)


def test_an_order_has_bounds(house: House) -> None:
    house.ok(OFFICE, "appoint", did=COURT.did, role="court")
    house.refused("within 92 days", COURT, "order", **order(house, until=START_MS + 93 * DAY))
    house.refused("within 92 days", COURT, "order", **order(house, shown=START_MS + 93 * DAY))
    house.refused("separate the two", COURT, "order", **{**order(house), "party": COURT.did})
    house.refused("digest of the written order", COURT, "order", **{**order(house), "reference": b"Order 12"})
    house.refused("not registered", COURT, "order", **{**order(house), "record": bytes(32)})
    house.ok(house.subject, "erase", record=house.record)
    house.refused("was erased", COURT, "order", **order(house))


def test_rules_that_make_no_sense_are_not_deployed() -> None:
    for purposes in ({}, {"supervision": "to look"}, {"a b": "x"}, {"x": ""}, {f"p{n}": "x" for n in range(33)}):
        with pytest.raises(Exception, match="purpose"):
            Sandbox().deploy(DATA["grants"], sender=OFFICE.did, purposes=purposes)


# --- erasure -----------------------------------------------------------------------------------------------------


def test_after_erasure_nobody_can_tell_whose_commitment_it_was(house: House) -> None:
    """An attacker tries all ten thousand card numbers against everything the chain keeps."""
    every_number = [b"%04d" % number for number in range(10_000)]
    salt = _salt_of(house)
    assert find_secret(house.places(), salt, every_number) == CARD_NUMBER, "with the salt, it is found at once"
    house.grant()
    number = house.ask(CLINIC)["number"]
    house.ok(house.subject, "erase", record=house.record)
    house.vault.erase(house.record)
    assert house.storage == {}
    assert house.ask(CLINIC)["why"] == "erased"
    with pytest.raises(CredentialError, match="not any more: erased"):
        house.vault.hand_out(house.record, number, CLINIC.did)
    assert house.record in b"".join(data for _, data in house.places()), "the commitment stays"
    for guess in (b"", bytes(32), house.record, house.random(32)):
        padded = guess.ljust(32, b"\0")[:32]
        assert find_secret(house.places(), padded, every_number) is None
    assert not find_personal(house.places(), [CARD_NUMBER.decode()])
    house.refused(
        "was erased", house.subject, "grant", record=house.record, party=CLINIC.did, purpose="treatment", until=1
    )


def _salt_of(house: House) -> bytes:
    from minichain.identity.vault import _open  # noqa: PLC0415 - what the attacker would have to get

    stored = house.vault._stored(house.record)
    return _open(stored.record, stored.closed, stored.boxes[house.subject.did], house.subject).salt


def test_a_record_that_is_gone_cannot_be_handed_out_though_the_chain_would_allow_it(house: House) -> None:
    house.grant()
    number = house.ask(CLINIC)["number"]
    house.vault.erase(house.record)
    with pytest.raises(CredentialError, match="not in the vault"):
        house.vault.hand_out(house.record, number, CLINIC.did)


def test_two_parties_cannot_tell_that_they_know_the_same_person() -> None:
    dids = {pairwise(RESIDENT, party.did, purpose).did for party in (CLINIC, LIBRARY) for purpose in PURPOSES}
    assert len(dids | {RESIDENT.did}) == 5
    assert pairwise(RESIDENT, CLINIC.did, "billing").did in dids, "the person finds the key again"
    first, second = close(CARD_NUMBER, [], Random(1).randbytes), close(CARD_NUMBER, [], Random(2).randbytes)
    assert first.record != second.record


def test_a_short_salt_is_refused() -> None:
    with pytest.raises(DecodeError, match="32 bytes"):
        commitment(b"pepper", CARD_NUMBER)


# --- the search itself can find ----------------------------------------------------------------------------------

PLANTED = ("Zhang Wei-Example", "+86 10 5550 0199", "X-0009-4711")


@pytest.mark.parametrize("value", PLANTED)
def test_what_is_planted_is_found_in_every_form(value: str) -> None:
    from base64 import b64encode, urlsafe_b64encode  # noqa: PLC0415
    from hashlib import md5, sha256  # noqa: PLC0415

    raw = value.encode()
    forms = [raw, raw.upper(), raw.hex().encode(), raw.hex().upper().encode(), value.encode("utf-16-le")]
    forms += [b64encode(b"id: " + raw), b64encode(b"id=" + raw), urlsafe_b64encode(b"Id = " + raw), b64encode(raw)]
    forms += [
        sha256(raw).digest(),
        sha256(raw).hexdigest().encode(),
        md5(raw).digest(),
        b64encode(sha256(raw).digest()),
    ]
    forms += [digest("commitment", raw), *(one.encode() for one in spellings(value))]
    for form in forms:
        (trace,) = find_personal([("block 7", b"\x91\xc4" + form + b"\x00")], PLANTED)
        assert (trace.value, trace.where) == (value, "block 7"), form


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ("+86 10 5550 0199", b"call (86) 10-5550/0199 now"),
        ("+86 10 5550 0199", b"\xcf" + (861055500199).to_bytes(8)),
        ("+86 10 5550 0199", (861055500199).to_bytes(8, "little")),
        ("X-0009-4711", b"x 0009.4711"),
        ("Zhang Wei-Example", b"/people?name=Zhang%20Wei-Example"),
        ("Zhang Wei-Example", b"/people?name=Zhang+Wei-Example"),
        ("\u5f20\u4f1f\u793a\u4f8b", json.dumps("\u5f20\u4f1f\u793a\u4f8b").encode()),
        ("\u5f20\u4f1f\u793a\u4f8b", quote("\u5f20\u4f1f\u793a\u4f8b").lower().encode()),
        ("\u5f20\u4f1f\u793a\u4f8b", "\u5f20\u4f1f\u793a\u4f8b".encode("gb18030")),
        ("Zo\u00eb Example", "Zoe\u0308 Example".encode()),
        ("Zo\u00eb Example", "ZO\u00cb EXAMPLE".encode("latin-1")),
        ("Zhang Wei-Example", "ZHANG wei-example".encode("utf-16-be")),
    ],
)
def test_what_somebody_in_a_hurry_writes_is_found(value: str, written: bytes) -> None:
    found = find_personal([("block 7", b"\x91\xc4" + written + b"\x00")], [value])
    assert [trace.value for trace in found] == [value]


def test_a_commitment_in_hexadecimal_is_found_by_who_has_the_salt() -> None:
    salt = bytes(range(32))
    assert find_secret([("event", commitment(salt, CARD_NUMBER).hex().encode())], salt, [b"4710", CARD_NUMBER])


def test_bytes_of_chance_are_no_traces() -> None:
    chance = Random(3).randbytes(1 << 20)
    assert find_personal([("block", chance)], [*PLANTED, *personal_values()]) == ()


def test_salted_values_and_other_bytes_are_not_found() -> None:
    others = b"".join(commitment(Random(n).randbytes(32), value.encode()) for n, value in enumerate(PLANTED))
    assert find_personal([("block", others + b"Zhang Wai 5550 0198")], PLANTED) == ()
    with pytest.raises(UsageError, match="too short"):
        find_personal([], ["Li"])
