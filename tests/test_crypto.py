"""Signatures, names and boxes against published vectors and against people who bend them."""

from __future__ import annotations

import nacl.bindings
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from minichain import crypto
from minichain.crypto import (
    KeyPair,
    Passphrase,
    Secret,
    close_with,
    did_of,
    digest,
    is_valid_signature,
    open_with,
    public_of,
    require_signature,
    seal,
)
from minichain.errors import DecodeError, SignatureError
from tests.builders import key

L = 2**252 + 27742317777372353535851937790883648493  # the order of the group

# W3C CCG did:key, section "Ed25519": a seed, and the name that belongs to it.
DID_VECTORS = {
    "0" * 64: "did:key:z6MkiTBz1ymuepAQ4HEHYSF1H8quG5GLVVQR3djdX3mDooWp",
    "0" * 63 + "1": "did:key:z6MkjchhfUsD6mmvni8mCdXHw216Xrm9bQe2mBH1P5RDjVJG",
    "0" * 63 + "2": "did:key:z6MknGc3ocHs3zdPiJbnaaqDi58NGb4pk1Sp9WxWufuXSdxf",
}

# All fourteen encodings of the eight points of small order ("Taming the many EdDSAs", eprint 2020/1244, table 6).
SMALL_ORDER = [
    "0100000000000000000000000000000000000000000000000000000000000000",
    "0100000000000000000000000000000000000000000000000000000000000080",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
    "0000000000000000000000000000000000000000000000000000000000000000",
    "0000000000000000000000000000000000000000000000000000000000000080",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
    "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
    "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
]

# The same paper's test vectors (section 5.1): (what is special, message, public key, signature, valid for libsodium).
EDGE_CASES = [
    (
        "small A and R, S = 0",
        "8c93255d71dcab10e8f379c26200f3c7bd5f09d9bc3068d3ef4edeb4853022b6",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a" + "00" * 32,
        False,
    ),
    (
        "small A",
        "9bd9f44f4dcc75bd531b56b2cd280b0bb38fc1cd6d1230e14861d861de092e79",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
        "f7badec5b8abeaf699583992219b7b223f1df3fbbea919844e3f7c554a43dd43"
        "a5bb704786be79fc476f91d3f3f89b03984d8068dcf1bb7dfc6637b45450ac04",
        False,
    ),
    (
        "small R",
        "aebf3f2601a0c8c5d39cc7d8911642f740b78168218da8471772b35f9d35b9ab",
        "f7badec5b8abeaf699583992219b7b223f1df3fbbea919844e3f7c554a43dd43",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa"
        "8c4bd45aecaca5b24fb97bc10ac27ac8751a7dfe1baff8b953ec9f5833ca260e",
        False,
    ),
    (
        "mixed A and R: the equation holds as it is",
        "9bd9f44f4dcc75bd531b56b2cd280b0bb38fc1cd6d1230e14861d861de092e79",
        "cdb267ce40c5cd45306fa5d2f29731459387dbf9eb933b7bd5aed9a765b88d4d",
        "9046a64750444938de19f227bb80485e92b83fdb4b6506c160484c016cc1852f"
        "87909e14428a7a1d62e9f22f3d3ad7802db02eb2e688b6c52fcd6648a98bd009",
        True,
    ),
    (
        "mixed A and R: the equation holds only times 8",
        "e47d62c63f830dc7a6851a0b1f33ae4bb2f507fb6cffec4011eaccd55b53f56c",
        "cdb267ce40c5cd45306fa5d2f29731459387dbf9eb933b7bd5aed9a765b88d4d",
        "160a1cb0dc9c0258cd0a7d23e94d8fa878bcb1925f2c64246b2dee1796bed512"
        "5ec6bc982a269b723e0668e540911a9a6a58921d6925e434ab10aa7940551a09",
        False,
    ),
    (
        "mixed A: the equation holds only times 8, h not reduced first",
        "e47d62c63f830dc7a6851a0b1f33ae4bb2f507fb6cffec4011eaccd55b53f56c",
        "cdb267ce40c5cd45306fa5d2f29731459387dbf9eb933b7bd5aed9a765b88d4d",
        "21122a84e0b5fca4052f5b1235c80a537878b38f3142356b2c2384ebad4668b7"
        "e40bc836dac0f71076f9abe3a53f9c03c1ceeeddb658d0030494ace586687405",
        False,
    ),
    (
        "S > L",
        "85e241a07d148b41e47d62c63f830dc7a6851a0b1f33ae4bb2f507fb6cffec40",
        "442aad9f089ad9e14647b1ef9099a1ff4798d78589e66f28eca69c11f582a623",
        "e96f66be976d82e60150baecff9906684aebb1ef181f67a7189ac78ea23b6c0e"
        "547f7690a0e2ddcd04d87dbc3490dc19b3b3052f7ff0538cb68afb369ba3a514",
        False,
    ),
    (
        "S far above L",
        "85e241a07d148b41e47d62c63f830dc7a6851a0b1f33ae4bb2f507fb6cffec40",
        "442aad9f089ad9e14647b1ef9099a1ff4798d78589e66f28eca69c11f582a623",
        "8ce5b96c8f26d0ab6c47958c9e68b937104cd36e13c33566acd2fe8d38aa1942"
        "7e71f98a4734e74f2f13f06f97c20d58cc3f54b8bd0d272f42b695dd7e89a8c2",
        False,
    ),
    (
        "small R, not canonical, reduced before hashing",
        "9bedc267423725d473888631ebf45988bad3db83851ee85c85e241a07d148b41",
        "f7badec5b8abeaf699583992219b7b223f1df3fbbea919844e3f7c554a43dd43",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"
        "03be9678ac102edcd92b0210bb34d7428d12ffc5df5f37e359941266a4e35f0f",
        False,
    ),
    (
        "small R, not canonical, not reduced before hashing",
        "9bedc267423725d473888631ebf45988bad3db83851ee85c85e241a07d148b41",
        "f7badec5b8abeaf699583992219b7b223f1df3fbbea919844e3f7c554a43dd43",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"
        "ca8c5b64cd208982aa38d4936621a4775aa233aa0505711d8fdcfdaa943d4908",
        False,
    ),
]


@pytest.fixture
def untagged(monkeypatch: pytest.MonkeyPatch) -> None:
    """Check signatures over bare messages, as published vectors have them."""
    monkeypatch.setattr(crypto, "_tagged", lambda domain, data: data)


@pytest.mark.usefixtures("untagged")
@pytest.mark.parametrize(
    ("message", "public", "signature", "valid"), [c[1:] for c in EDGE_CASES], ids=[c[0] for c in EDGE_CASES]
)
def test_published_edge_cases_are_decided_as_libsodium_does(
    message: str, public: str, signature: str, valid: bool
) -> None:
    assert is_valid_signature(bytes.fromhex(public), "", bytes.fromhex(message), bytes.fromhex(signature)) is valid


@pytest.mark.usefixtures("untagged")
def test_rfc_8032_vector_2() -> None:
    pair = KeyPair(bytes.fromhex("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb"))
    signature = pair.sign("", b"\x72")
    assert pair.public.hex() == "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c"
    assert signature.hex() == (
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
        "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"
    )
    assert is_valid_signature(pair.public, "", b"\x72", signature)


@pytest.mark.parametrize("point", SMALL_ORDER)
def test_nobody_signs_with_a_key_or_a_commitment_of_small_order(point: str) -> None:
    for scalar in (0, 1, L - 1):
        signature = bytes.fromhex(point) + scalar.to_bytes(32, "little")
        assert not is_valid_signature(bytes.fromhex(point), "vote", b"anything", signature)
        assert not is_valid_signature(key("resident").public, "vote", b"anything", signature)


def test_a_signature_has_one_spelling() -> None:
    pair, data = key("resident"), b"data"
    signature = pair.sign("vote", data)
    scalar = int.from_bytes(signature[32:], "little")
    assert is_valid_signature(pair.public, "vote", data, signature)
    for other in (scalar + L, scalar + 2 * L, scalar | 1 << 255, L - scalar):
        assert not is_valid_signature(pair.public, "vote", data, signature[:32] + other.to_bytes(32, "little"))
    for bit in range(0, 512, 7):
        bent = bytearray(signature)
        bent[bit // 8] ^= 1 << bit % 8
        assert not is_valid_signature(pair.public, "vote", data, bytes(bent))


def test_lengths_and_points_that_are_none_are_refused_not_raised() -> None:
    pair = key("resident")
    signature = pair.sign("vote", b"data")
    for public in (b"", pair.public[:-1], pair.public + b"\0", b"\xff" * 32, b"\2" + bytes(31)):
        assert not is_valid_signature(public, "vote", b"data", signature)
    for short in (b"", signature[:-1], signature + b"\0"):
        assert not is_valid_signature(pair.public, "vote", b"data", short)


def test_what_is_signed_or_hashed_for_one_purpose_is_worthless_for_another() -> None:
    pair = key("resident")
    signature = pair.sign("vote", b"data")
    for domain in ("proposal", "transaction", "vot", "vote\0", ""):
        assert not is_valid_signature(pair.public, domain, b"data", signature)
    assert len({digest(domain, b"data") for domain in ("vote", "block", "vot", "")}) == 4
    assert digest("a", b"b") != digest("ab", b"")
    with pytest.raises(SignatureError, match="the proposal signature does not verify under did:key:z6Mk"):
        require_signature(pair.public, "proposal", b"data", signature)


def test_derived_keys_do_not_depend_on_where_root_and_name_are_cut() -> None:
    assert KeyPair.derive(b"ab", "c").public != KeyPair.derive(b"a", "bc").public
    assert KeyPair.derive(b"ab", "c").public == KeyPair.derive(b"ab", "c").public
    with pytest.raises(DecodeError, match="a key seed has 32 bytes, not 31"):
        KeyPair(bytes(31))


# --- did:key -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("seed", "did"), DID_VECTORS.items())
def test_did_keys_are_the_published_ones(seed: str, did: str) -> None:
    pair = KeyPair(bytes.fromhex(seed))
    assert pair.did == did
    assert public_of(did) == pair.public


@given(st.binary(min_size=32, max_size=32))
@settings(max_examples=50, deadline=None)
def test_every_key_has_one_name(public: bytes) -> None:
    assert public_of(did_of(public)) == public


def test_no_other_name_is_accepted() -> None:
    did = key("resident").did
    body = did.removeprefix("did:key:z")
    x25519 = "did:key:z6LSbysY2xFMRpGMhb7tFTLMpeuPRaqaWM1yECx2AtzE3KCc"
    for other in (
        "",
        "did:key:z",
        body,
        did.upper(),
        did + "1",
        did.replace("did:key:z", "did:key:z1"),
        did.replace("z6Mk", "z6Ml"),
        did[:-1],
        did + " ",
        did + "#key-1",
        "did:web:example.org",
        x25519,
        "did:key:z" + "0" * 48,
        "did:key:z" + "é" * 48,
        "did:key:z" + "z" * 1_000_000,
    ):
        with pytest.raises(DecodeError, match="is not a did:key of an Ed25519 key"):
            public_of(other)


# --- boxes and files -----------------------------------------------------------------------------------------------


def test_a_sealed_box_opens_for_its_owner_alone() -> None:
    sealed = seal(key("resident").public, b"the address")
    assert key("resident").unseal(sealed) == b"the address"
    assert seal(key("resident").public, b"the address") != sealed
    with pytest.raises(DecodeError, match="not made for this key"):
        key("street office A").unseal(sealed)
    for spoiled in (b"", sealed[:40], sealed[:-1], sealed + b"\0", sealed[:-1] + bytes([sealed[-1] ^ 1])):
        with pytest.raises(DecodeError):
            key("resident").unseal(spoiled)


@pytest.mark.parametrize("point", [*SMALL_ORDER, "ff" * 32, "02" + "00" * 31, "00" * 31])
def test_nothing_is_sealed_for_a_key_that_nobody_can_own(point: str) -> None:
    with pytest.raises(DecodeError, match="not a usable Ed25519 public key"):
        seal(bytes.fromhex(point), b"secret")


def test_transport_keys_belong_to_the_same_identity() -> None:
    public, secret = key("node-0").curve_keys()
    assert nacl.bindings.crypto_scalarmult_base(secret) == public == crypto.curve_public(key("node-0").public)


def test_what_is_closed_with_a_passphrase_opens_with_it_alone() -> None:
    closed = close_with(Passphrase("correct horse"), b"a secret")
    assert open_with(Passphrase("correct horse"), closed) == b"a secret"
    assert b"a secret" not in closed
    for passphrase, content in [("wrong horse", closed), ("correct horse", closed[:-1]), ("correct horse", b"")]:
        with pytest.raises(DecodeError, match="not closed with this passphrase"):
            open_with(Passphrase(passphrase), content)


def test_a_passphrase_may_be_typed_on_another_keyboard() -> None:
    # One system writes \u00e9 as one character, another as e and an accent.
    assert open_with(Passphrase("cafe\u0301"), close_with(Passphrase("caf\u00e9"), b"x")) == b"x"


def test_a_secret_is_not_shown_by_mistake() -> None:
    for secret in (key("resident").seed, Secret(b"hidden"), Passphrase("hidden")):
        assert {str(secret), repr(secret), f"{secret}", f"{secret!r}"} <= {"<secret>", "<passphrase>"}
        assert repr([secret]) in ("[<secret>]", "[<passphrase>]")


def test_two_identities_have_a_secret_in_common_that_no_third_has() -> None:
    one, other, third = (KeyPair(bytes([number]) * 32) for number in (1, 2, 3))
    assert one.shared_with(other.public) == other.shared_with(one.public)
    assert one.shared_with(other.public) != one.shared_with(third.public)
    assert "secret" in repr(one.shared_with(other.public))
    with pytest.raises(DecodeError, match="not a usable Ed25519 public key"):
        one.shared_with(bytes(32))
