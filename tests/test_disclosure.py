"""Selective disclosure: the examples of RFC 9901, a card of which only what is needed is shown, and hostile holders.

Examples: RFC 9901, sections 5 and 6 (repository oauth-wg/oauth-selective-disclosure-jwt). They are signed with ES256,
which is not accepted here; their digests and their processing are checked as they stand.
"""

from __future__ import annotations

import json
from itertools import count
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from minichain.crypto import KeyPair, digest
from minichain.errors import CredentialError, DecodeError
from minichain.identity import disclosure
from minichain.identity.base64url import from_text, to_text
from minichain.identity.credentials import Verifier, trust_list, unsigned
from minichain.identity.disclosure import Hidden, SdJwt, digest_of, open_claims, present, split
from minichain.identity.integrity import read_time
from minichain.identity.jcs import Json, canonical, parse

# --- RFC 9901 ----------------------------------------------------------------------------------------------------

RFC_PAYLOAD: Json = {
    "_sd": [
        "CrQe7S5kqBAHt-nMYXgc6bdt2SH5aTY1sU_M-PgkjPI",
        "JzYjH4svliH0R3PyEMfeZu6Jt69u5qehZo7F7EPYlSE",
        "PorFbpKuVu6xymJagvkFsFXAbRoc2JGlAUA2BA4o7cI",
        "TGf4oLbgwd5JQaHyKVQZU9UdGE0w5rtDsrZzfUaomLo",
        "XQ_3kPKt1XyX7KANkqVR6yZ2Va5NrPIvPYbyMvRKBMM",
        "XzFrzwscM6Gn6CJDc6vVK8BkMnfG8vOSKfpPIZdAfdE",
        "gbOsI4Edq2x2Kw-w5wPEzakob9hV1cRD0ATN3oQL9JM",
        "jsu9yVulwQQlhFlM_3JlzMaSFzglhQG0DpfayQwLUK4",
    ],
    "iss": "https://issuer.example.com",
    "iat": 1683000000,
    "exp": 1883000000,
    "sub": "user_42",
    "nationalities": [
        {"...": "pFndjkZ_VCzmyTa6UjlZo3dh-ko8aIKQc9DlGzhaVYo"},
        {"...": "7Cf6JkPudry3lcbwHgeZ8khAv1U1OSlerP0VkBJrWZ0"},
    ],
    "_sd_alg": "sha-256",
    "cnf": {
        "jwk": {
            "kty": "EC",
            "crv": "P-256",
            "x": "TCAER19Zvu3OHF4j4W4vfSVoHIP1ILilDls7vCeGemc",
            "y": "ZxjiWWbZMQGHVWKVQ4hbSIirsVfuecCE6t4jT9F2HZQ",
        }
    },
}
# Section 5.1: each disclosure under its digest.
RFC_DISCLOSURES = {
    "XQ_3kPKt1XyX7KANkqVR6yZ2Va5NrPIvPYbyMvRKBMM": (
        "WyJRZ19PNjR6cUF4ZTQxMmExMDhpcm9BIiwgInBob25lX251bWJlcl92ZXJpZmllZCIsIHRydWVd",
        ["Qg_O64zqAxe412a108iroA", "phone_number_verified", True],
    ),
    "XzFrzwscM6Gn6CJDc6vVK8BkMnfG8vOSKfpPIZdAfdE": (
        "WyJBSngtMDk1VlBycFR0TjRRTU9xUk9BIiwgImFkZHJlc3MiLCB7InN0cmVldF9hZGRyZXNzIjogIjEyMyBNYWluIFN0IiwgImxvY2FsaXR5"
        "IjogIkFueXRvd24iLCAicmVnaW9uIjogIkFueXN0YXRlIiwgImNvdW50cnkiOiAiVVMifV0",
        [
            "AJx-095VPrpTtN4QMOqROA",
            "address",
            {"street_address": "123 Main St", "locality": "Anytown", "region": "Anystate", "country": "US"},
        ],
    ),
    "gbOsI4Edq2x2Kw-w5wPEzakob9hV1cRD0ATN3oQL9JM": (
        "WyJQYzMzSk0yTGNoY1VfbEhnZ3ZfdWZRIiwgImJpcnRoZGF0ZSIsICIxOTQwLTAxLTAxIl0",
        ["Pc33JM2LchcU_lHggv_ufQ", "birthdate", "1940-01-01"],
    ),
    "CrQe7S5kqBAHt-nMYXgc6bdt2SH5aTY1sU_M-PgkjPI": (
        "WyJHMDJOU3JRZmpGWFE3SW8wOXN5YWpBIiwgInVwZGF0ZWRfYXQiLCAxNTcwMDAwMDAwXQ",
        ["G02NSrQfjFXQ7Io09syajA", "updated_at", 1570000000],
    ),
    "pFndjkZ_VCzmyTa6UjlZo3dh-ko8aIKQc9DlGzhaVYo": (
        "WyJsa2x4RjVqTVlsR1RQVW92TU5JdkNBIiwgIlVTIl0",
        ["lklxF5jMYlGTPUovMNIvCA", "US"],
    ),
    "7Cf6JkPudry3lcbwHgeZ8khAv1U1OSlerP0VkBJrWZ0": (
        "WyJuUHVvUW5rUkZxM0JJZUFtN0FuWEZBIiwgIkRFIl0",
        ["nPuoQnkRFq3BIeAm7AnXFA", "DE"],
    ),
    "jsu9yVulwQQlhFlM_3JlzMaSFzglhQG0DpfayQwLUK4": (
        "WyIyR0xDNDJzS1F2ZUNmR2ZyeU5STjl3IiwgImdpdmVuX25hbWUiLCAiSm9obiJd",
        ["2GLC42sKQveCfGfryNRN9w", "given_name", "John"],
    ),
    "TGf4oLbgwd5JQaHyKVQZU9UdGE0w5rtDsrZzfUaomLo": (
        "WyJlbHVWNU9nM2dTTklJOEVZbnN4QV9BIiwgImZhbWlseV9uYW1lIiwgIkRvZSJd",
        ["eluV5Og3gSNII8EYnsxA_A", "family_name", "Doe"],
    ),
}
# Section 5.2: the presentation, up to the key binding, which says 1-Lcf6... of it.
RFC_TOKEN = (
    "eyJhbGciOiAiRVMyNTYiLCAidHlwIjogImV4YW1wbGUrc2Qtand0In0.eyJfc2QiOiBb"
    "IkNyUWU3UzVrcUJBSHQtbk1ZWGdjNmJkdDJTSDVhVFkxc1VfTS1QZ2tqUEkiLCAiSnpZ"
    "akg0c3ZsaUgwUjNQeUVNZmVadTZKdDY5dTVxZWhabzdGN0VQWWxTRSIsICJQb3JGYnBL"
    "dVZ1Nnh5bUphZ3ZrRnNGWEFiUm9jMkpHbEFVQTJCQTRvN2NJIiwgIlRHZjRvTGJnd2Q1"
    "SlFhSHlLVlFaVTlVZEdFMHc1cnREc3JaemZVYW9tTG8iLCAiWFFfM2tQS3QxWHlYN0tB"
    "TmtxVlI2eVoyVmE1TnJQSXZQWWJ5TXZSS0JNTSIsICJYekZyendzY002R242Q0pEYzZ2"
    "Vks4QmtNbmZHOHZPU0tmcFBJWmRBZmRFIiwgImdiT3NJNEVkcTJ4Mkt3LXc1d1BFemFr"
    "b2I5aFYxY1JEMEFUTjNvUUw5Sk0iLCAianN1OXlWdWx3UVFsaEZsTV8zSmx6TWFTRnpn"
    "bGhRRzBEcGZheVF3TFVLNCJdLCAiaXNzIjogImh0dHBzOi8vaXNzdWVyLmV4YW1wbGUu"
    "Y29tIiwgImlhdCI6IDE2ODMwMDAwMDAsICJleHAiOiAxODgzMDAwMDAwLCAic3ViIjog"
    "InVzZXJfNDIiLCAibmF0aW9uYWxpdGllcyI6IFt7Ii4uLiI6ICJwRm5kamtaX1ZDem15"
    "VGE2VWpsWm8zZGgta284YUlLUWM5RGxHemhhVllvIn0sIHsiLi4uIjogIjdDZjZKa1B1"
    "ZHJ5M2xjYndIZ2VaOGtoQXYxVTFPU2xlclAwVmtCSnJXWjAifV0sICJfc2RfYWxnIjog"
    "InNoYS0yNTYiLCAiY25mIjogeyJqd2siOiB7Imt0eSI6ICJFQyIsICJjcnYiOiAiUC0y"
    "NTYiLCAieCI6ICJUQ0FFUjE5WnZ1M09IRjRqNFc0dmZTVm9ISVAxSUxpbERsczd2Q2VH"
    "ZW1jIiwgInkiOiAiWnhqaVdXYlpNUUdIVldLVlE0aGJTSWlyc1ZmdWVjQ0U2dDRqVDlG"
    "MkhaUSJ9fX0.zjhXTlVnC9cFuDlL7JuR2TK7DCo0XtlMpbuNVNZJhWOkCPsRHn9oHNQk"
    "I02D6YziRYsapgbA_tV4-0LmAfA53Q"
)
RFC_SHOWN = ("TGf4oLbgwd5J", "XzFrzwscM6Gn", "jsu9yVulwQQl", "pFndjkZ_VCzm")


@pytest.mark.parametrize("found", RFC_DISCLOSURES)
def test_the_published_disclosures_have_the_published_digests(found: str) -> None:
    text, content = RFC_DISCLOSURES[found]
    assert digest_of(text) == found
    assert parse(from_text(text)) == content


def test_the_published_presentation_is_processed_as_published() -> None:
    disclosures = [
        text for start in RFC_SHOWN for found, (text, _) in RFC_DISCLOSURES.items() if found.startswith(start)
    ]
    parts = split("~".join([RFC_TOKEN, *disclosures, "kb"]))
    assert digest_of(parts.bound) == "1-Lcf6CiBmP72JDFuBF0bvalS-FzIlXyiCkJXp7pJmc"
    payload = disclosure.payload_of(parts.token)
    assert payload == RFC_PAYLOAD
    opened = open_claims(payload, parts.disclosures)
    assert opened.claims == {
        "iss": "https://issuer.example.com",
        "iat": 1683000000,
        "exp": 1883000000,
        "sub": "user_42",
        "nationalities": ["US"],
        "cnf": RFC_PAYLOAD["cnf"],
        "family_name": "Doe",
        "address": {"street_address": "123 Main St", "locality": "Anytown", "region": "Anystate", "country": "US"},
        "given_name": "John",
    }
    assert list(opened.paths) == [("nationalities", "0"), ("family_name",), ("address",), ("given_name",)]


NESTED = {  # Section 6.3: the address is hidden, and each part of it inside
    "street_address": "WyIyR0xDNDJzS1F2ZUNmR2ZyeU5STjl3IiwgInN0cmVldF9hZGRyZXNzIiwgIlNjaHVsc3RyLiAxMiJd",
    "locality": "WyJlbHVWNU9nM2dTTklJOEVZbnN4QV9BIiwgImxvY2FsaXR5IiwgIlNjaHVscGZvcnRhIl0",
    "region": "WyI2SWo3dE0tYTVpVlBHYm9TNXRtdlZBIiwgInJlZ2lvbiIsICJTYWNoc2VuLUFuaGFsdCJd",
    "country": "WyJlSThaV205UW5LUHBOUGVOZW5IZGhRIiwgImNvdW50cnkiLCAiREUiXQ",
}
NESTED_ADDRESS = (
    '["Qg_O64zqAxe412a108iroA", "address", {"_sd": ["6vh9bq-zS4GKM_7GpggVbYzzu6oOGXrmNVGPHP75Ud0", '
    '"9gjVuXtdFROCgRrtNcGUXmF65rdezi_6Er_j76kmYyM", "KURDPh4ZC19-3tiz-Df39V8eidy1oV3a3H1Da2N0g88", '
    '"WN9r9dCBJ8HTCsS2jKASxTjEyW5m5x65_Z_2ro2jfXM"]}]'
)


def test_the_published_nested_disclosures_open_each_other() -> None:
    outer = to_text(NESTED_ADDRESS.encode())
    payload = {"_sd": ["HvrKX6fPV0v9K_yCVFBiLFHsMaxcD_114Em6VT8x1lg"], "_sd_alg": "sha-256"}
    assert digest_of(outer) == payload["_sd"][0]
    opened = open_claims(payload, [NESTED["country"], outer, NESTED["region"]])
    assert opened.claims == {"address": {"country": "DE", "region": "Sachsen-Anhalt"}}
    with pytest.raises(CredentialError, match="1 disclosures have no place"):
        open_claims(payload, [NESTED["country"]])
    assert open_claims(payload, []).claims == {}


def test_what_becomes_empty_stays_as_an_empty_object() -> None:
    payload = {"address": {"_sd": [digest_of(NESTED["country"])]}, "list": [{"...": "x"}, 1]}
    assert open_claims(payload, []).claims == {"address": {}, "list": [1]}


# --- hostile processing ------------------------------------------------------------------------------------------


def made(*content: Any) -> str:
    return to_text(canonical(list(content)))


GIVEN = made("salt", "given", "A")


@pytest.mark.parametrize(
    ("payload", "disclosures", "words"),
    [
        ({"_sd": [digest_of(GIVEN)] * 2}, [GIVEN], "stands twice"),
        ({"_sd": [digest_of(GIVEN)], "a": [{"...": digest_of(GIVEN)}]}, [], "stands twice"),
        ({"_sd": [digest_of(GIVEN)]}, [GIVEN, GIVEN], "shown twice"),
        ({"_sd": []}, [GIVEN], "1 disclosures have no place"),
        ({"_sd": [digest_of(GIVEN)], "given": "B"}, [GIVEN], "'given' would overwrite"),
        ({"_sd": [digest_of(made("s", "_sd", []))]}, [made("s", "_sd", [])], "a free name"),
        ({"_sd": [digest_of(made("s", "...", "x"))]}, [made("s", "...", "x")], "a free name"),
        ({"_sd": [digest_of(made("s", "_sd_alg", "x"))]}, [made("s", "_sd_alg", "x")], "a free name"),
        ({"_sd": [digest_of(made("s", 7, "x"))]}, [made("s", 7, "x")], "a free name"),
        ({"_sd": [digest_of(made("s", "x"))]}, [made("s", "x")], "[salt, name, value]"),
        ({"a": [{"...": digest_of(GIVEN)}]}, [GIVEN], "[salt, value]"),
        ({"_sd": "x"}, [], "list of digests"),
        ({"_sd": [7]}, [], "a digest is text"),
        ({"a": [{"...": 7}]}, [], "a digest is text"),
        ({"a": {"...": "x"}}, [], "outside of a list"),
        ({"_sd": [], "_sd_alg": "sha-1"}, [], "'sha-1' is not known"),
        ({}, [made("s")], "a disclosure is a list"),
        ({}, [made(7, "a", "b")], "a disclosure is a list"),
        ({}, [to_text(b'{"a":1}')], "a disclosure is a list"),
        ({}, ["?"], "not base64url"),
        ({}, [GIVEN + "="], "not base64url"),
        ({}, [to_text(b'["s","a",{"b":1,"b":2}]')], "stands twice"),
    ],
)
def test_hostile_disclosures_are_refused(payload: Json, disclosures: list[str], words: str) -> None:
    with pytest.raises(CredentialError) as error:
        open_claims(payload, disclosures)
    assert error.value.clause == "disclosure"
    assert words in str(error.value)


def test_disclosures_that_nest_without_end_are_refused() -> None:
    """Each alone is shallow. Anybody can issue such a token, and no verifier may fall over it."""
    text = made("s", "a", 1)
    texts = [text]
    for _ in range(disclosure.MAX_DISCLOSURES - 1):
        inner: Any = {"_sd": [digest_of(texts[-1])]}
        for _ in range(20):
            inner = [inner]
        texts.append(made("s", "a", inner))
    with pytest.raises(CredentialError, match="nested deeper than 32"):
        open_claims({"_sd": [digest_of(texts[-1])]}, texts)


def test_no_more_disclosures_are_read_than_the_bound() -> None:
    assert len(split("t~" + "d~" * disclosure.MAX_DISCLOSURES).disclosures) == disclosure.MAX_DISCLOSURES
    with pytest.raises(DecodeError, match="at most 256 disclosures"):
        split("t~" + "d~" * (disclosure.MAX_DISCLOSURES + 1))


# --- properties --------------------------------------------------------------------------------------------------

names = st.text("abcxyz", min_size=1, max_size=3)
values = st.recursive(
    st.integers(0, 9) | st.text("\u00e9AB ", max_size=3) | st.booleans() | st.none(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=3),
    max_leaves=8,
)


def marked(value: Any, coin: Random) -> Any:
    """Hide some of the claims and elements of a value, at any depth."""
    match value:
        case dict():
            made = {name: marked(item, coin) for name, item in value.items()}
            return {name: Hidden(item) if coin.random() < 0.5 else item for name, item in made.items()}
        case list():
            return [Hidden(item) if coin.random() < 0.5 else item for item in (marked(one, coin) for one in value)]
    return value


@given(st.dictionaries(names, values, max_size=4), st.randoms(use_true_random=False))
@settings(max_examples=40, deadline=None)
def test_whatever_is_hidden_opens_to_what_it_was_and_keeps_silent_until_then(claims: Json, coin: Random) -> None:
    numbers = count()  # Hypothesis likes to draw the same number twice, which salts never are
    payload, disclosures = disclosure.seal_claims(marked(claims, coin), lambda: next(numbers).to_bytes(16), decoys=1)
    payload = parse(canonical(payload))
    assert open_claims(payload, disclosures).claims == claims
    assert open_claims(payload, []).paths == {}


@given(st.data())
@settings(max_examples=40, deadline=None)
def test_no_changed_character_goes_unnoticed(data: st.DataObject) -> None:
    text = str(SENT)
    place = data.draw(st.integers(0, len(text) - 1))
    other = data.draw(st.sampled_from("AQgw09_-~.=").filter(lambda char: char != text[place]))
    assert not verify(text[:place] + other + text[place + 1 :]).holds


# --- a card ------------------------------------------------------------------------------------------------------

NOW = read_time("2026-05-01T12:00:00Z", "now")
OFFICE, RESIDENT, STRANGER = (KeyPair.derive(b"disclosure", name) for name in ("office", "resident", "stranger"))
SUBJECT = {
    "name": Hidden("Resident Nine"),
    "document": Hidden("X-0009-4711"),
    "overEighteen": Hidden(True),
    "address": Hidden({"district": Hidden("Riverside"), "street": Hidden("1 Training Road")}),
    "services": [Hidden("library"), Hidden("clinic"), "town hall"],
}


def card(**changes: Any) -> SdJwt:
    numbers = count()
    content = unsigned("ResidentCard", OFFICE.did, {}, NOW - 1000, NOW + 1000_000)
    content |= {"credentialSubject": SUBJECT} | changes
    return disclosure.issue(content, OFFICE, RESIDENT.public, lambda: digest("salt", b"%d" % next(numbers))[:16], 2)


def shown(*paths: str, key: KeyPair = RESIDENT, nonce: str = "q1", audience: str = "library", at: int = NOW) -> SdJwt:
    return present(card(), [f"credentialSubject.{path}" for path in paths], key, at, nonce, audience)


def verify(text: Any, nonce: str = "q1", audience: str = "library", now_ms: int = NOW) -> disclosure.Report:
    by = Verifier(now_ms, "the library's clock", trust_list({"ResidentCard": [OFFICE.did]}))
    return disclosure.verify(str(text), by, nonce, audience)


SENT = shown("overEighteen", "address.district", "services.0")


def failing(text: Any, **more: Any) -> str:
    report = verify(text, **more)
    assert report.failure is not None
    assert report.claims == {}
    return f"{report.failure.name}: {report.failure.said}"


def test_only_what_is_needed_is_shown() -> None:
    sent = shown("overEighteen", "address.district", "services.0")
    report = verify(sent).require()
    assert report.claims == {
        "overEighteen": True,
        "address": {"district": "Riverside"},
        "services": ["library", "town hall"],
    }
    bytes_sent = b" ".join(from_text(part) for text in str(sent).split("~") for part in text.split("."))
    assert b"Riverside" in bytes_sent
    for kept_back in (b"Resident Nine", b"X-0009-4711", b"Training Road", b"clinic"):
        assert kept_back not in bytes_sent
    assert [clause.name for clause in report.clauses if clause.state == "held"] == [
        *("form", "signature", "disclosure", "issuer", "time", "status", "holder", "challenge")
    ]


def test_decoys_hide_how_much_is_kept_back() -> None:
    payload = disclosure.payload_of(card().token)
    digests = payload["credentialSubject"]["_sd"]
    assert len(digests) == 4 + 2
    assert digests == sorted(digests), "their order does not tell which is which"


def test_the_salts_keep_small_values_from_being_guessed() -> None:
    digests = set(disclosure.payload_of(card().token)["credentialSubject"]["_sd"])
    assert not digests & {digest_of(made("overEighteen", value)) for value in (True, False)}


def test_a_path_that_is_not_hidden_is_named() -> None:
    with pytest.raises(CredentialError, match=r"'credentialSubject.colour' is not hidden"):
        shown("colour")


def test_a_dot_in_a_name_shows_nothing_that_was_not_chosen() -> None:
    subject = {"home": Hidden("1 Training Road"), "home.town": Hidden("Riverside"), "a": {"b": Hidden(1)}}
    sent = card(credentialSubject=subject)
    shown = present(sent, ["credentialSubject.home.town"], RESIDENT, NOW, "q1", "library")
    assert verify(shown).require().claims == {"home.town": "Riverside", "a": {}}
    double = card(credentialSubject={**subject, "a.b": Hidden(2)})
    with pytest.raises(CredentialError, match=r"'credentialSubject.a.b' names two hidden claims"):
        present(double, ["credentialSubject.a.b"], RESIDENT, NOW, "q1", "library")


@pytest.mark.parametrize("name", ["_sd", "...", "_sd_alg"])
def test_a_name_that_belongs_to_the_form_is_not_issued(name: str) -> None:
    for value in (["x"], Hidden("x")):
        with pytest.raises(CredentialError, match="belongs to the form"):
            card(credentialSubject={name: value, "other": Hidden(1)})


def test_a_salt_that_hides_nothing_is_refused() -> None:
    for salt, words in ((lambda: b"pepper", "at least 16 bytes"), (lambda: bytes(16), "none is drawn twice")):
        with pytest.raises(CredentialError, match=words):
            disclosure.seal_claims({"a": Hidden(1), "b": Hidden(1)}, salt)


def token(header: Json, payload: Json, key: KeyPair) -> str:
    return disclosure._sign(header, payload, key)


def test_tokens_of_another_kind_are_refused_by_name() -> None:
    sent = shown("overEighteen")
    header, payload, _ = disclosure._parts(sent.token)
    for change, words in (
        ({"alg": "none"}, "the algorithm 'none'"),
        ({"alg": "ES256"}, "the algorithm 'ES256'"),
        ({"alg": "HS256"}, "the algorithm 'HS256'"),
        ({"typ": "JWT"}, "the type 'JWT'"),
        ({"crit": ["b64"], "b64": False}, "demands ['b64']"),
    ):
        made = token({**header, **change}, payload, OFFICE)
        assert words in failing(SdJwt(made, sent.disclosures, sent.binding))
    unsigned_token = ".".join([*token({**header, "alg": "none"}, payload, OFFICE).split(".")[:2], ""])
    assert "form: the algorithm 'none'" in failing(SdJwt(unsigned_token, sent.disclosures, sent.binding))
    forged = token({**header}, payload, STRANGER)
    assert "signature: it does not verify" in failing(SdJwt(forged, sent.disclosures, sent.binding))
    other = token({**header, "kid": f"{STRANGER.did}#{STRANGER.did[8:]}"}, payload, STRANGER)
    assert "but the issuer is" in failing(SdJwt(other, sent.disclosures, sent.binding))


@pytest.mark.parametrize(
    "text", ["", "~", "a.b~", "a.b.c", "a.b.c~", "a.b.c~~x", "\u20ac~", "e30.e30.~", "e30.W10.AA~"]
)
def test_what_is_no_sd_jwt_at_all(text: str) -> None:
    assert failing(text).startswith("form: ")


def test_the_key_binding_says_who_for_whom_when_and_of_what() -> None:
    sent = shown("overEighteen", "name")
    assert failing(SdJwt(sent.token, sent.disclosures)).startswith("holder: nobody shows")
    assert failing(shown("name", key=STRANGER)).startswith("holder: the key binding: it does not verify")
    assert failing(sent, nonce="q2") == (
        "challenge: made for another question than the one asked now: it may be a replay"
    )
    assert failing(sent, audience="bank") == "challenge: made for 'library', not for 'bank'"
    fewer = SdJwt(sent.token, sent.disclosures[:1], sent.binding)
    assert failing(fewer) == "challenge: made for other disclosures than are shown"
    assert "too far from" in failing(shown("name", at=NOW - 301_000))
    assert "too far from" in failing(shown("name", at=NOW + 61_000))
    assert verify(shown("name", at=NOW - 299_000)).holds
    _, claims, _ = disclosure._parts(sent.binding)
    for header, change, words in (
        ({"typ": "JWT"}, {}, "the type 'JWT'"),
        ({"alg": "none"}, {}, "the algorithm 'none'"),
        ({"crit": ["exp"]}, {}, "demands"),
        ({}, {"iat": "today"}, "made at 'today'"),
        ({}, {"iat": None}, "made at None"),
        ({}, {"sd_hash": digest_of("x")}, "other disclosures"),
        ({}, {"nonce": None}, "replay"),
    ):
        made = token({"alg": "EdDSA", "typ": "kb+jwt", **header}, {**claims, **change}, RESIDENT)
        assert words in failing(SdJwt(sent.token, sent.disclosures, made))


def test_time_trust_and_status_are_checked_as_for_any_credential() -> None:
    assert failing(shown("name", at=NOW + 1_000_000), now_ms=NOW + 1_000_000).startswith("time: expired")
    by = Verifier(NOW, "a clock", trust_list({}))
    report = disclosure.verify(str(shown("name")), by, "q1", "library")
    assert report.clause("issuer").state == "failed"
    listed = card(
        credentialStatus={
            "type": "BitstringStatusListEntry",
            "statusPurpose": "revocation",
            "statusListIndex": "7",
            "statusListCredential": "urn:list",
        }
    )
    assert "cannot read its status" in failing(present(listed, [], RESIDENT, NOW, "q1", "library"))


@pytest.mark.parametrize(
    "around",
    [
        {"credentialStatus": [Hidden({"type": "BitstringStatusListEntry"})]},
        {"credentialStatus": {"type": "BitstringStatusListEntry", "statusPurpose": Hidden("revocation")}},
        {"validUntil": Hidden("2020-01-01T00:00:00Z")},
        {"type": ["VerifiableCredential", "ResidentCard", Hidden("Provisional")]},
        {"credentialSubject": Hidden({"name": "x"})},
    ],
)
def test_an_issuer_that_hides_what_decides_is_not_believed(around: Json) -> None:
    """Whether the holder shows it or not: somebody could keep back the list on which the card was revoked."""
    content = unsigned("ResidentCard", OFFICE.did, {"name": "x"}, NOW - 1000)
    payload, texts = disclosure.seal_claims(
        {**content, "cnf": {"jwk": disclosure._jwk(RESIDENT.public)}, **around}, lambda: bytes(16)
    )
    header = json.loads(from_text(card().token.split(".")[0]))
    for shown_texts in ((), texts):
        bound = SdJwt(token(header, payload, OFFICE), shown_texts)
        claims = {"nonce": "q1", "aud": "library", "iat": NOW // 1000, "sd_hash": digest_of(bound.bound)}
        made = SdJwt(bound.token, shown_texts, token({"alg": "EdDSA", "typ": "kb+jwt"}, claims, RESIDENT))
        assert failing(made).startswith("disclosure: something is hidden beside the subject")


@pytest.mark.parametrize("name", ["validUntil", "issuer", "credentialStatus", "credentialSubject", "type"])
def test_what_decides_about_validity_is_not_even_issued_hidden(name: str) -> None:
    with pytest.raises((CredentialError, DecodeError)):
        card(**{name: Hidden({"name": "x"})})


@pytest.mark.parametrize(
    "cnf", [None, {}, {"jwk": {"kty": "EC"}}, {"jwk": {"kty": "OKP", "crv": "Ed25519", "x": "AA"}}]
)
def test_a_card_that_is_bound_to_no_key_we_know(cnf: Any) -> None:
    sent = shown("name")
    header, payload, _ = disclosure._parts(sent.token)
    bound = SdJwt(token(header, {**payload, "cnf": cnf}, OFFICE), sent.disclosures, sent.binding)
    assert failing(bound).startswith("holder: the key binding: cnf names no Ed25519 key")
