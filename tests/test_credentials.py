"""Verifiable credentials: the published vectors, a whole life of one, and everything that must be refused by its name.

Vectors: W3C "Data Integrity EdDSA Cryptosuites v1.0", appendix B.3 (repository w3c/vc-di-eddsa, TestVectors); W3C CCG
did:key (w3c-ccg/did-method-key, test-vectors/ed25519-x25519.json); RFC 8785 (cyberphone/json-canonicalization,
testdata, and appendix B of the RFC); W3C "Bitstring Status List v1.0", example 5 (w3c/vc-bitstring-status-list).
"""

from __future__ import annotations

import json
import struct
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from minichain.contracts.sandbox import Sandbox
from minichain.contracts.system import DATA
from minichain.crypto import KeyPair, base58, did_of, from_base58
from minichain.errors import CredentialError, DecodeError, UsageError
from minichain.identity import status
from minichain.identity.base64url import to_text
from minichain.identity.credentials import (
    BASE,
    Verifier,
    issue,
    present,
    trust_list,
    unsigned,
    verify,
    verify_presentation,
)
from minichain.identity.integrity import add_proof, check_proof, did_key_at, hash_data, read_time, write_time
from minichain.identity.jcs import Json, canonical, parse

# --- vectors -----------------------------------------------------------------------------------------------------

W3C_KEY = KeyPair(from_base58("3u2en7t5LR2WtQH5PfFqMqwVHBeXouLzo6haApm8XHqvjxq")[2:])
W3C_CONTEXTS = [BASE, "https://www.w3.org/ns/credentials/examples/v2"]
W3C_CREDENTIAL = {
    "@context": W3C_CONTEXTS,
    "id": "urn:uuid:58172aac-d8ba-11ed-83dd-0b3aef56cc33",
    "type": ["VerifiableCredential", "AlumniCredential"],
    "name": "Alumni Credential",
    "description": "A minimum viable example of an Alumni Credential.",
    "issuer": "https://vc.example/issuers/5678",
    "validFrom": "2023-01-01T00:00:00Z",
    "credentialSubject": {"id": "did:example:abcdefgh", "alumniOf": "The School of Examples"},
}
W3C_OPTIONS = {
    "type": "DataIntegrityProof",
    "cryptosuite": "eddsa-jcs-2022",
    "created": "2023-02-24T23:36:38Z",
    "verificationMethod": "did:key:z6MkrJVnaZkeFzdQyMZu1cgjg7k1pZZ6pvBQ7XJPt4swbTQ2"
    "#z6MkrJVnaZkeFzdQyMZu1cgjg7k1pZZ6pvBQ7XJPt4swbTQ2",
    "proofPurpose": "assertionMethod",
    "@context": W3C_CONTEXTS,
}
W3C_HASHES = (
    "66ab154f5c2890a140cb8388a22a160454f80575f6eae09e5a097cabe539a1db"
    "59b7cb6251b8991add1ce0bc83107e3db9dbbab5bd2c28f687db1a03abc92f19"
)
W3C_SIGNATURE = (
    "407cd12654b33d718ecbb99179a1506daaa849450bf3fc523cce3e1c96f8b803"
    "51da3f253d725c6f00b07c9e5448d50b3ef78012b9ab54255116d069c6dd2808"
)
W3C_VALUE = "z2HnFSSPPBzR36zdDgK8PbEHeXbR56YF24jwMpt3R1eHXQzJDMWS93FCzpvJpwTWd3GAVFuUfjoJdcnTMuVor51aX"


def test_the_suite_makes_exactly_the_published_proof() -> None:
    assert W3C_KEY.did == "did:key:z6MkrJVnaZkeFzdQyMZu1cgjg7k1pZZ6pvBQ7XJPt4swbTQ2"
    assert hash_data(W3C_CREDENTIAL, W3C_OPTIONS).hex() == W3C_HASHES
    assert W3C_KEY.sign_bare(bytes.fromhex(W3C_HASHES)).hex() == W3C_SIGNATURE
    assert "z" + base58(bytes.fromhex(W3C_SIGNATURE)) == W3C_VALUE
    created = read_time("2023-02-24T23:36:38Z", "created")
    assert add_proof(W3C_CREDENTIAL, W3C_KEY, "assertionMethod", created)["proof"] == {
        **W3C_OPTIONS,
        "proofValue": W3C_VALUE,
    }


def test_the_published_proof_verifies_and_no_changed_byte_does() -> None:
    signed = {**W3C_CREDENTIAL, "proof": {**W3C_OPTIONS, "proofValue": W3C_VALUE}}
    assert check_proof(signed, "assertionMethod") == (W3C_KEY.did, read_time("2023-02-24T23:36:38Z", "created"))
    for name in ("id", "name", "issuer", "validFrom"):
        with pytest.raises(CredentialError, match=r"signature: it does not verify"):
            check_proof({**signed, name: signed[name] + "x"}, "assertionMethod")
    with pytest.raises(CredentialError, match="does not verify"):
        check_proof({**signed, "proof": {**signed["proof"], "created": "2023-02-24T23:36:39Z"}}, "assertionMethod")


@pytest.mark.parametrize(
    ("number", "did"),
    list(
        enumerate(
            (
                "did:key:z6MkiTBz1ymuepAQ4HEHYSF1H8quG5GLVVQR3djdX3mDooWp",
                "did:key:z6MkjchhfUsD6mmvni8mCdXHw216Xrm9bQe2mBH1P5RDjVJG",
                "did:key:z6MknGc3ocHs3zdPiJbnaaqDi58NGb4pk1Sp9WxWufuXSdxf",
                "did:key:z6MkvqoYXQfDDJRv8L4wKzxYeuKyVZBfi9Qo6Ro8MiLH3kDQ",
                "did:key:z6MkwW6aqMnjgrhJXFUko3NnZPGzVpkNzhYK7yEhnsibmLwL",
            )
        )
    ),
)
def test_did_key_vectors(number: int, did: str) -> None:
    assert KeyPair(number.to_bytes(32)).did == did


CANONICAL = {
    # testdata/input -> testdata/output of cyberphone/json-canonicalization; the last is of RFC 8785, section 3.2.3
    '[56,{"d":true,"10":null,"1":[]}]': '[56,{"1":[],"10":null,"d":true}]',
    '{"peach":"This sorting order","p\\u00e9ch\\u00e9":"is wrong according to French",'
    '"p\\u00eache":"but canonicalization MUST","sin":"ingnore locale"}': '{"peach":"This sorting order",'
    '"p\u00e9ch\u00e9":"is wrong according to French","p\u00eache":"but canonicalization MUST","sin":"ingnore locale"}',
    '{"1":{"f":{"f":"hi","F":5},"\\n":56.0},"10":{},"":"empty","a":{},"111":[{}],"A":{}}': (
        '{"":"empty","1":{"\\n":56,"f":{"F":5,"f":"hi"}},"10":{},"111":[{}],"A":{},"a":{}}'
    ),
    '{"Unnormalized Unicode":"\\u1e0d\\u0307"}': '{"Unnormalized Unicode":"\u1e0d\u0307"}',
    '{"numbers":[1E30,4.50,333333333.33333329,2e-3,0.000000000000000000000000001],'
    '"escaping":"\\u20ac$\\u000F\\u000aA\'\\u0042\\u0022\\u005c\\\\\\"\\/","literals":[null,true,false]}': (
        '{"escaping":"\u20ac$\\u000f\\nA\'B\\"\\\\\\\\\\"/","literals":[null,true,false],'
        '"numbers":[1e+30,4.5,333333333.3333333,0.002,1e-27]}'
    ),
    '{"\\u20ac":"Euro Sign","\\r":"Carriage Return","\\ufb33":"Hebrew Letter Dalet With Dagesh","1":"One",'
    '"\\ud83d\\ude00":"Emoji: Grinning Face","\\u0080":"Control","\\u00f6":"Latin Small Letter O With Diaeresis"}': (
        '{"\\r":"Carriage Return","1":"One","\u0080":"Control","\u00f6":"Latin Small Letter O With Diaeresis",'
        '"\u20ac":"Euro Sign","\U0001f600":"Emoji: Grinning Face","\ufb33":"Hebrew Letter Dalet With Dagesh"}'
    ),
}
NUMBERS = {  # RFC 8785, appendix B: the bits of a double -> its only spelling
    "0000000000000000": "0",
    "8000000000000000": "0",
    "0000000000000001": "5e-324",
    "8000000000000001": "-5e-324",
    "7fefffffffffffff": "1.7976931348623157e+308",
    "4340000000000000": "9007199254740992",
    "c340000000000000": "-9007199254740992",
    "4430000000000000": "295147905179352830000",
    "44b52d02c7e14af5": "9.999999999999997e+22",
    "44b52d02c7e14af6": "1e+23",
    "44b52d02c7e14af7": "1.0000000000000001e+23",
    "444b1ae4d6e2ef4e": "999999999999999700000",
    "444b1ae4d6e2ef50": "1e+21",
    "3eb0c6f7a0b5ed8c": "9.999999999999997e-7",
    "3eb0c6f7a0b5ed8d": "0.000001",
    "41b3de4355555553": "333333333.3333332",
    "41b3de4355555557": "333333333.33333343",
    "becbf647612f3696": "-0.0000033333333333333333",
    "43143ff3c1cb0959": "1424953923781206.2",
}


@pytest.mark.parametrize("text", CANONICAL)
def test_rfc_8785_writes_a_value_in_one_way(text: str) -> None:
    assert canonical(parse(text)).decode() == CANONICAL[text]


@pytest.mark.parametrize("bits", NUMBERS)
def test_rfc_8785_numbers(bits: str) -> None:
    assert canonical(struct.unpack(">d", bytes.fromhex(bits))[0]).decode() == NUMBERS[bits]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('{"a":1,"a":2}', "the name 'a' stands twice"),
        ('{"a":NaN}', "NaN is no number"),
        ("{", "not JSON"),
        ("[" * 60 + "]" * 60, "nested deeper than 32"),
        ('"' + "x" * 300_000 + '"', "at most 262144"),
        (b"\xff\xfe\xfd", "not JSON"),
        ('{"a":1}'.encode("utf-16"), "not JSON"),
        (b'\xef\xbb\xbf{"a":1}', "not JSON"),
        ('{"a":"\\ud800"}', "not JSON"),
        ('{"a":1e400}', "not JSON"),
        ('{"a":9007199254740993}', "9007199254740993 is no number that a double can be"),
    ],
)
def test_json_that_means_two_things_is_not_read(text: str, words: str) -> None:
    with pytest.raises(DecodeError, match=words):
        parse(text)


@pytest.mark.parametrize("bits", NUMBERS)
def test_what_was_written_canonically_is_read_and_written_again(bits: str) -> None:
    assert canonical(parse(NUMBERS[bits])).decode() == NUMBERS[bits]


@pytest.mark.parametrize("value", [float("nan"), 2**60, {1: 2}, object(), "\ud800"])
def test_what_json_cannot_carry_is_not_signed(value: Any) -> None:
    with pytest.raises(DecodeError, match="no canonical JSON form"):
        canonical(value)


def test_bytes_of_our_own_purposes_are_never_signed_in_somebody_elses_form() -> None:
    """Otherwise a document from outside could become a transaction."""
    with pytest.raises(DecodeError, match=r"purpose of minichain's own"):
        W3C_KEY.sign_bare(b"minichain:transaction\0...")


# --- status lists ------------------------------------------------------------------------------------------------

W3C_LIST = "uH4sIAAAAAAAAA-3BMQEAAADCoPVPbQwfoAAAAAAAAAAAAAAAAAAAAIC3AYbSVKsAQAAA"


def test_the_published_status_list_is_empty_and_of_the_least_size() -> None:
    bits = status.decode(W3C_LIST)
    assert bits == bytes(status.SIZE // 8)
    assert not status.is_set(bits, 94_567)
    assert status.decode(status.encode(bits)) == bits


def test_place_zero_is_the_highest_bit_of_the_first_byte() -> None:
    bits = bytes([0b1000_0001, 0b0100_0000]) + bytes(status.SIZE // 8 - 2)
    found = [place for place in range(64) if status.is_set(status.decode(status.encode(bits)), place)]
    assert found == [0, 7, 9]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("H4sI", "begins with u"),
        ("uAAAA", "cannot be unpacked"),
        (W3C_LIST[:40], "cannot be unpacked|131072"),
        (W3C_LIST + "!", "not base64url"),
        ("u" + to_text(status.gzip.compress(bytes(8), mtime=0)), "131072"),
        ("u" + to_text(status.gzip.compress(bytes(1 << 24), mtime=0)), "131072"),
    ],
)
def test_a_list_that_is_short_damaged_or_a_bomb_is_refused(text: str, words: str) -> None:
    with pytest.raises(DecodeError, match=words):
        status.decode(text)


def test_the_contract_keeps_the_same_bits_and_exports_them() -> None:
    box = Sandbox()
    issuer, other = box.account("issuer"), box.account("other")
    lists = box.deploy(DATA["status"], sender=issuer)
    revoked, suspended = lists.open("revocation").result, lists.open("suspension").result
    for place in (0, 9, 70_000, status.SIZE - 1):
        lists.mark(revoked, place)
    parts = b"".join(lists.bits(revoked, start) for start in range(0, 512, 64))
    assert [place for place in range(status.SIZE) if status.is_set(parts, place)] == [0, 9, 70_000, status.SIZE - 1]
    assert [lists.get(revoked, place) for place in (8, 9, 10)] == [False, True, False]
    lists.mark(suspended, 9)
    lists.clear(suspended, 9)
    assert not lists.get(suspended, 9)
    for who, action, arguments, words in (
        (issuer, "clear", {"number": revoked, "place": 9}, "for good"),
        (issuer, "mark", {"number": revoked, "place": 9}, "so already"),
        (other, "mark", {"number": revoked, "place": 3}, "only the issuer"),
        (issuer, "mark", {"number": 9, "place": 3}, "no list 9"),
        (issuer, "mark", {"number": revoked, "place": status.SIZE}, "0 to 131071"),
        (issuer, "mark", {"number": revoked, "place": -1}, "0 to 131071"),
        (issuer, "open", {"purpose": "refresh"}, "revocation or suspension"),
    ):
        assert words in lists.with_sender(who).attempt(action, **arguments).error


def test_a_place_is_drawn_and_never_twice() -> None:
    taken: set[int] = set()
    draw = Random(7).randrange
    for _ in range(200):
        taken.add(status.draw_index(draw, taken, 256))
    assert len(taken) == 200
    assert sorted(taken) != list(range(200))


# --- a life ------------------------------------------------------------------------------------------------------

NOW = read_time("2026-05-01T12:00:00Z", "now")
YEAR = 365 * 86_400_000
OFFICE, RESIDENT, STRANGER = (KeyPair.derive(b"credentials", name) for name in ("office", "resident", "stranger"))
LIST = status.Entry("urn:minichain:list", 94_567, "revocation")


def card(**changes: Any) -> Json:
    subject = {"id": RESIDENT.did, "district": "Riverside", "overEighteen": True}
    content = unsigned("ResidentCard", OFFICE.did, subject, NOW, NOW + YEAR, [status.write_entry(LIST)])
    return issue({**content, **changes}, OFFICE, NOW)


def verifier(now_ms: int = NOW + 1000, revoked: bool = False, **more: Any) -> Verifier:
    def read(entry: status.Entry) -> str:
        return status.judge(entry, revoked and entry == LIST, "the list")

    return Verifier(
        **{
            "now_ms": now_ms,
            "clock": "the library's clock",
            "trust": trust_list({"ResidentCard": [OFFICE.did]}),
            "read_status": read,
            **more,
        }
    )


def shown(credential: Json, key: KeyPair = RESIDENT, challenge: str = "q1", domain: str = "library") -> Json:
    return present([credential], key, NOW, challenge, domain)


def test_a_card_is_issued_presented_and_verified_clause_by_clause() -> None:
    (report,) = verify_presentation(shown(card()), verifier(), "q1", "library")
    assert [clause.name for clause in report.clauses] == [
        "form",
        "signature",
        "issuer",
        "time",
        "status",
        "holder",
        "challenge",
    ]
    assert report.holds
    assert report.require().claims["district"] == "Riverside"
    assert "2026-05-01T12:00:01Z by the library's clock" in report.clause("time").said
    assert OFFICE.did in report.clause("issuer").said
    with pytest.raises(UsageError, match="not a yes or no"):
        bool(report)
    with pytest.raises(UsageError, match="not asked for"):
        report.clause("colour")


def failing(presentation: Json, by: Verifier | None = None, challenge: str = "q1", domain: str = "library") -> str:
    (report,) = verify_presentation(presentation, by or verifier(), challenge, domain)
    assert not report.holds
    assert report.claims == {}, "what does not hold says nothing"
    names = [clause.name for clause in report.clauses]
    states = [clause.state for clause in report.clauses]
    assert states == sorted(states, key=("held", "failed", "unchecked").index), "nothing is checked after a failure"
    assert report.failure is not None
    with pytest.raises(CredentialError) as error:
        report.require()
    assert error.value.clause == report.failure.name in names
    return f"{report.failure.name}: {report.failure.said}"


def test_each_clause_can_fail_and_says_so() -> None:
    assert failing(shown(card()), verifier(NOW - 1)).startswith("time: valid only from")
    assert failing(shown(card()), verifier(NOW + YEAR)).startswith("time: expired at 2027-05-01T12:00:00Z")
    assert failing(shown(card()), verifier(revoked=True)) == "status: revoked, by place 94567 of the list"
    assert "cannot read its status" in failing(shown(card()), verifier(read_status=None))
    assert "not on the verifier's list" in failing(shown(card()), verifier(trust=trust_list({})))
    assert failing(shown(card(), STRANGER)).startswith(f"holder: presented by {STRANGER.did}, but it is about")
    assert "may be a replay" in failing(shown(card()), challenge="q2")
    assert failing(shown(card()), domain="bank") == "challenge: made for 'library', not for 'bank'"
    assert "signature: it does not verify" in failing(shown({**card(), "name": "another"}))
    stolen = {name: value for name, value in card().items() if name != "proof"}
    assert f"signed by {STRANGER.did}, but the issuer is" in failing(
        shown(add_proof(stolen, STRANGER, "assertionMethod", NOW))
    )


def test_a_presentation_cannot_be_changed_on_the_way() -> None:
    sent = shown(card())
    for change in ({"holder": STRANGER.did}, {"proof": {**sent["proof"], "challenge": "q2"}}, {"id": "urn:x"}):
        assert failing({**sent, **change}, challenge="q2" if "proof" in change else "q1").startswith("holder: ")


def test_a_proof_made_to_say_something_is_no_proof_of_being_there() -> None:
    """The purpose of a proof is checked: an assertion cannot be used to log in, nor the other way round."""
    plain = {name: value for name, value in shown(card()).items() if name != "proof"}
    signed = add_proof(plain, RESIDENT, "assertionMethod", NOW, challenge="q1", domain="library")
    assert "made for assertionMethod, not for authentication" in failing(signed)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"@context": [BASE, "https://evil.example/v1"]}, "the context 'https://evil.example/v1' is not known"),
        ({"@context": BASE}, "@context is a list that begins with"),
        ({"@context": [BASE, {"@vocab": "x"}]}, "is not known here, and none is loaded"),
        ({"type": ["VerifiableCredential"]}, "what kind it is"),
        ({"type": ["VerifiableCredential", "VerifiableCredential"]}, "what kind it is"),
        ({"type": "VerifiableCredential"}, "type is a list"),
        ({"termsOfUse": []}, "the property 'termsOfUse' is not known"),
        ({"credentialStatus": {"type": "RevocationList2020Status"}}, "status type 'RevocationList2020Status'"),
        ({"credentialStatus": {**status.write_entry(LIST), "statusPurpose": "message"}}, "status purpose 'message'"),
        ({"credentialStatus": {**status.write_entry(LIST), "statusListIndex": "-1"}}, "a number in text"),
        ({"credentialStatus": {**status.write_entry(LIST), "statusSize": 2}}, "status property 'statusSize'"),
        ({"credentialSubject": []}, "one JSON object"),
        ({"issuer": 7}, "names no issuer"),
        ({"validUntil": "tomorrow"}, "validUntil is a time with its zone"),
        ({"validUntil": "2027-05-01T12:00:00"}, "validUntil is a time with its zone"),
        ({"validUntil": "2027-W17-6T12:00Z"}, "validUntil is a time with its zone"),
        ({"validUntil": "9999-12-31T23:59:59-23:59"}, "validUntil is a time with its zone"),
    ],
)
def test_what_is_not_known_is_refused_by_name(change: Json, words: str) -> None:
    with pytest.raises(CredentialError, match="form"):
        card(**change)  # not even issued
    content = {name: value for name, value in card().items() if name != "proof"}
    assert words in failing(shown(add_proof({**content, **change}, OFFICE, "assertionMethod", NOW)))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"cryptosuite": "ecdsa-jcs-2019"}, "the suite 'ecdsa-jcs-2019' is not known here"),
        ({"cryptosuite": "eddsa-rdfc-2022"}, "the suite 'eddsa-rdfc-2022' is not known here"),
        ({"type": "Ed25519Signature2020"}, "the proof type 'Ed25519Signature2020'"),
        ({"proofPurpose": "capabilityInvocation"}, "the purpose 'capabilityInvocation'"),
        ({"previousProof": "urn:x"}, "the proof option 'previousProof'"),
        ({"expires": "2027-01-01T00:00:00Z"}, "the proof option 'expires'"),
        ({"verificationMethod": "did:web:example.com"}, "not of the form did#key"),
        ({"verificationMethod": f"{OFFICE.did}#zQ3s"}, "not a did:key of an Ed25519 key"),
        ({"created": "now"}, "the proof's created is a time"),
        ({"created": "9999-12-31T23:59:59-23:59"}, "the proof's created is a time"),
        ({"proofValue": "mAAAA"}, "base58btc"),
        ({"proofValue": "z0OIl"}, "base58btc"),
        ({"proofValue": "z" + "2" * 400}, "at most 128"),
        ({"@context": [BASE]}, "under another @context"),
    ],
)
def test_a_proof_of_another_kind_is_refused_by_name(change: Json, words: str) -> None:
    credential = card()
    assert words in failing(shown({**credential, "proof": {**credential["proof"], **change}}))


def test_several_proofs_are_refused_by_name() -> None:
    credential = card()
    assert "several proofs" in failing(shown({**credential, "proof": [credential["proof"]]}))


@pytest.mark.parametrize("presentation", [None, [], {}, {"verifiableCredential": [card()] * 17}, {"proof": 1}])
def test_what_is_no_presentation_at_all(presentation: Any) -> None:
    assert failing(presentation).startswith("form: ")


@pytest.mark.parametrize("change", [{7: "x"}, {"name": "\ud800"}, {"name": float("inf")}, {"name": {"a", "b"}}])
def test_what_is_no_json_is_no_credential_whoever_has_read_it(change: Any) -> None:
    for shown_one in ({**card(), **change}, {**shown(card()), **change}):
        failed = verify(shown_one, verifier()).failure
        assert failed is not None
        assert (failed.name, "no canonical JSON form" in failed.said) == ("form", True)


def test_an_issuer_that_changed_its_key() -> None:
    """What the old key signed while it was the key still holds; what it signs after the change does not."""
    new, change = KeyPair.derive(b"credentials", "office 2"), NOW + 10_000

    def key_at(did: str, time_ms: int) -> bytes:
        assert did == OFFICE.did
        return new.public if time_ms >= change else OFFICE.public

    by = verifier(change + 5_000, key_at=key_at)
    assert verify(card(), by).holds
    content = {name: value for name, value in card().items() if name != "proof"}
    assert verify(add_proof(content, new, "assertionMethod", change, OFFICE.did), by).holds
    late = verify(add_proof(content, OFFICE, "assertionMethod", change), by)
    assert late.failure is not None
    assert "did not sign with this key at" in late.failure.said
    early = verify(add_proof(content, new, "assertionMethod", NOW, OFFICE.did), by)
    assert early.failure is not None
    assert early.failure.name == "signature"


def test_who_stole_a_key_before_it_was_changed_cannot_present_with_an_old_time() -> None:
    """The question was asked now, so the proof that answers it was made now, whatever time it says."""
    new, change = KeyPair.derive(b"credentials", "resident 2"), NOW + 10_000

    def key_at(did: str, time_ms: int) -> bytes:
        return new.public if did == RESIDENT.did and time_ms >= change else did_key_at(did, time_ms)

    by = verifier(change + 5_000, key_at=key_at)
    assert "did not sign with this key" in failing(present([card()], RESIDENT, NOW, "q1", "library"), by)
    (report,) = verify_presentation(present([card()], new, change, "q1", "library", RESIDENT.did), by, "q1", "library")
    assert report.holds


def test_a_status_list_of_the_standard_is_a_credential_like_any_other() -> None:
    bits = bytearray(status.SIZE // 8)
    subject = status.list_subject(LIST.list, "revocation", bytes(bits))
    made = issue(unsigned("BitstringStatusListCredential", OFFICE.did, subject, NOW), OFFICE, NOW)
    by = verifier(trust=trust_list({"BitstringStatusListCredential": [OFFICE.did], "ResidentCard": [OFFICE.did]}))
    claims = verify(json.loads(json.dumps(made)), by).require().claims
    read = status.read_lists({LIST.list: claims})
    assert verify(card(), verifier(read_status=read)).holds
    bits[LIST.index // 8] |= 0x80 >> LIST.index % 8
    read = status.read_lists({LIST.list: status.list_subject(LIST.list, "revocation", bytes(bits))})
    refused = verify(card(), verifier(read_status=read))
    assert refused.failure is not None
    assert refused.failure.said == f"revoked, by place 94567 of {LIST.list}"
    for lists, words in (
        ({}, "no verified status list"),
        ({LIST.list: {**claims, "statusPurpose": "suspension"}}, "is a list for suspension"),
        ({LIST.list: {**claims, "encodedList": "uAAAA"}}, "cannot be unpacked"),
    ):
        failed = verify(card(), verifier(read_status=status.read_lists(lists))).failure
        assert failed is not None
        assert words in failed.said


def test_accreditation_is_a_list_on_the_chain() -> None:
    box = Sandbox()
    authority, office = box.account("authority"), OFFICE.did
    register = box.deploy(DATA["accreditation"], sender=authority)
    assert not register.is_accredited(office, "ResidentCard")
    register.accredit(office, "ResidentCard", box.now_ms + 1000)
    assert register.is_accredited(office, "ResidentCard")
    assert not register.is_accredited(office, "DrivingLicence")
    assert "only the accreditor" in register.with_sender(office).attempt("accredit", office, "X", 2**50).error
    assert "in the future" in register.attempt("accredit", office, "X", box.now_ms).error
    register.withdraw(office, "ResidentCard")
    assert not register.is_accredited(office, "ResidentCard")
    assert "not accredited" in register.attempt("withdraw", office, "ResidentCard").error
    register.accredit(office, "ResidentCard", box.now_ms + 1000)
    box.advance(seconds=1)
    assert not register.is_accredited(office, "ResidentCard"), "an accreditation ends"
    register.hand_over(office)
    assert "only the accreditor" in register.attempt("hand_over", authority).error


@given(st.binary(max_size=64))
def test_base58_keeps_every_byte(data: bytes) -> None:
    assert from_base58(base58(data)) == data


@pytest.mark.parametrize("text", ["0", "O", "I", "l", "\u00e9", "2" * 129])
def test_base58_refuses_what_looks_like_another_letter(text: str) -> None:
    with pytest.raises(DecodeError, match="base58btc"):
        from_base58(text)


def test_times_are_written_and_read() -> None:
    assert write_time(NOW) == "2026-05-01T12:00:00Z"
    assert read_time("2026-05-01T14:00:00.500+02:00", "a time") == NOW + 500
    assert did_of(OFFICE.public) == OFFICE.did
