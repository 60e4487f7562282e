"""A proof passport in a real browser: it holds what Python holds, refuses what Python refuses, and asks nobody."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable, Iterator
from functools import partial
from hashlib import sha256, sha512
from pathlib import Path
from typing import Any

import builders
import pytest
import test_proofs
from browser import Visit, open_browser, visit
from msgspec import to_builtins
from msgspec.structs import replace
from test_crypto import EDGE_CASES, SMALL_ORDER, L

import minichain as mc
from minichain import merkle
from minichain.codec import encode
from minichain.crosschain import proofs
from minichain.crypto import KeyPair, digest, is_valid_bare_signature
from minichain.errors import ProofError
from minichain.ledger.certificate import PRECOMMIT, QuorumCertificate, sign_vote, vote_statement
from minichain.ledger.genesis import ChainSpec, Genesis, Work
from minichain.ledger.types import Call, Header, Receipt, SignedTransaction, transaction_id
from minichain.views import passport

proof, in_a_crowd = test_proofs.proof, test_proofs.in_a_crowd
counted, crossings = test_proofs.counted, test_proofs.crossings

HOSTILE = "<img src=x onerror='window.hacked=1'><script>window.hacked=1</script>\u202e"

# RFC 8032, section 7.1, tests 1 to 3: (public key, message, signature).
RFC_8032 = [
    (
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        "",
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
    ),
    (
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
        "72",
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
    ),
    (
        "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
        "af82",
        "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a",
    ),
]

# The examples of NIST for FIPS 180-4: the digest of "abc", and of 56 bytes, which take a second block of SHA-256.
TWO_BLOCKS = b"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"
NIST = {
    b"abc": "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
    TWO_BLOCKS: "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1",
}
NIST_512 = (
    "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
    "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f"
)

Show = Callable[[str], Any]


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with open_browser() as found:
        yield found


@pytest.fixture
def seen(browser: Any) -> Iterator[Visit]:
    with visit(browser) as record:
        yield record
        assert record.outside() == set()
        assert record.trouble == []


@pytest.fixture
def show(seen: Visit, tmp_path: Path) -> Show:
    """Open a page, or the passport of a proof, from the disk; return the browser's page."""
    return lambda content: opened(seen, tmp_path, content)


def opened(seen: Visit, folder: Path, content: str | proofs.AnyProof, query: str = "") -> Any:
    file = folder / "passport.html"
    file.write_text(content if isinstance(content, str) else passport.page(content), encoding="utf-8", newline="\n")
    seen.page.goto(f"{file.as_uri()}{query}")
    return seen.page


def judged(page: Any, packed: list[bytes]) -> list[bool]:
    """Return the page's verdict on each of these packed proofs."""
    found: list[bool] = page.evaluate(
        "all => all.map(one => passport.isSound(passport.bytesOf(one)))", [b64encode(one).decode() for one in packed]
    )
    return found


def is_sound(packed: bytes) -> bool:
    try:
        proofs.verify(proofs.unpack(packed))
    except ProofError:
        return False
    return True


def failing(page: Any) -> list[str]:
    return list(page.locator(".checks li[data-state=bad] p:first-child").all_inner_texts())


# --- the same verdict -------------------------------------------------------------------------------------------------


def mined() -> proofs.Proof:
    """A proof of a chain of work, whose difficulty has changed on the way."""
    work = Work(difficulty=64, block_ms=1_000, window=4, confirmations=3)
    with mc.Network.simulated(2, seed=5, engine="pow", work=work) as net:
        counter = net.deploy(builders.COUNTER, sender=net.wallet("author"))
        for _ in range(3):
            receipt = counter.add(1)
        found = receipt.proof()
    assert len({link.certificate.difficulty for link in found.links}) > 1
    return found


def test_every_kind_of_proof_holds_and_no_changed_byte_does(
    show: Show, proof: Any, in_a_crowd: Any, counted: Any, crossings: Any
):
    for number, held in enumerate(
        (proof, in_a_crowd, counted.total, counted.nothing, crossings.first, crossings.second, mined())
    ):
        page, packed = show(held), proofs.pack(held)
        assert page.evaluate("document.body.dataset.verdict") == "ok"
        assert judged(page, [packed]) == [True]
        changed = [packed[:-1], packed + b"\0", b"", packed[1:]]
        for place in range(number, len(packed), 31):
            byte = packed[place] ^ (1 << place % 8)
            changed.append(packed[:place] + bytes([byte]) + packed[place + 1 :])
        assert judged(page, changed) == list(map(is_sound, changed)) == [False] * len(changed)


def test_what_python_says_of_a_lie_the_page_says_too(show: Show, in_a_crowd: Any, counted: Any, crossings: Any):
    page, crowd = show(in_a_crowd), in_a_crowd
    lies = [lie for _, lie, _ in test_proofs.lying_about_a_value(counted)]
    lies += [lie for _, lie, _ in test_proofs.lying_about_a_crossing(crossings)]
    lies += [replace(crowd, index=index) for index in (-1, 0, 4, 6, 10, 11, 2**63)]
    lies += [replace(crowd, count=count) for count in (0, -1, 12, 2**64 - 1)]
    path = crowd.tx_path
    lies += [replace(crowd, tx_path=bad) for bad in ((), path[:-1], path[1:], path[::-1], (b"", *path[1:]))]
    sealed = crowd.certificate.signatures
    for bad in (sealed[:2], (), (sealed[0],) * 3, sealed[::-1], tuple((place + 1, one) for place, one in sealed[:3])):
        lies.append(test_proofs.with_signatures(crowd, lambda _, bad=bad: bad))
    lies += [test_proofs.with_a_handover(crowd), replace(crowd, links=mined().links)]
    packed = list(map(proofs.pack, lies))
    assert judged(page, packed) == list(map(is_sound, packed)) == [False] * len(lies)
    enough = proofs.pack(test_proofs.with_signatures(crowd, lambda all_: all_[1:]))
    assert judged(page, [enough]) == [is_sound(enough)] == [True]


def test_settings_that_cannot_be_are_refused_as_python_does(show: Show):
    """Everything else fits: the members of such a chain have certified the block."""
    chain = builders.genesis()
    page = show(test_proofs.certified_by_liars(chain, builders.sign(chain, "resident").raw))
    spec, one = chain.spec, chain.spec.members[0]
    settings: list[dict[str, Any]] = [
        {"members": (*spec.members, replace(one, name="twin"))},
        {"members": (replace(one, name="a/b"), *spec.members[1:])},
        {"members": (replace(one, name="\u202e"), *spec.members[1:])},
        {"members": (replace(one, weight=0), *spec.members[1:])},
        {"members": (replace(one, name="\N{SNOWMAN} 1"), *spec.members[1:])},
        {"balances": ((one.public, 1), (one.public, 2))},
        {"balances": ((one.public, 2**62), (bytes(32), 2**62))},
        {"balances": ((one.public, 2**62),)},
        {"profile": "p" * 65},
        {"interval_ms": 0},
        {"interval_ms": 2**53},
        {"genesis_time_ms": 0},
    ]
    packed = [of_odd_chain(spec, changed) for changed in settings]
    assert judged(page, packed) == list(map(is_sound, packed))
    assert [place for place, one in enumerate(packed) if is_sound(one)] == [4, 7, 11]


def of_odd_chain(spec: ChainSpec, changed: dict[str, Any]) -> bytes:
    """Pack a proof of a chain with these settings, impossible or not; every hash and signature is made to fit."""
    plain = partial(to_builtins, builtin_types=(bytes,))
    settings = {name: plain(getattr(spec, name)) for name in spec.__struct_fields__} | plain(changed)
    genesis, committee = (
        digest(*what)
        for what in (("genesis", encode([*settings.values()])), ("committee", encode(settings["members"])))
    )
    sender = builders.key("resident")
    body = builders.body(builders.genesis(), "resident", genesis=genesis)
    tx = encode(SignedTransaction(body, sender.sign("transaction", encode(body))))
    receipt = encode(Receipt(transaction_id(tx), 1, 0, "ok", "", 1, (), (None,)))
    roots = (merkle.root([tx]), merkle.root([receipt]), bytes(32))
    header = Header(genesis, 1, 0, bytes(32), sender.public, 1, *roots, committee, committee)
    keys = {key.public: key for key in map(builders.key, ("node-0", "node-1", "node-2", "node-3"))}
    statement = vote_statement(genesis, PRECOMMIT, 1, 0, header.id)
    signatures = tuple((i, sign_vote(keys[one[1]], statement)) for i, one in enumerate(settings["members"]))
    seal = QuorumCertificate(1, 0, header.id, signatures)
    what = ["transaction", [*settings.values()], header, seal, [], [], tx, receipt, 0, 1, [], []]
    return encode([proofs.VERSION, what])


# --- what it is built of ----------------------------------------------------------------------------------------------


def hashed(page: Any, name: str, data: bytes) -> str:
    text: str = page.evaluate(
        f"data => passport.hex(passport.{name}(passport.bytesOf(data)))", b64encode(data).decode()
    )
    return text


def test_its_hashes_are_those_of_the_standard(show: Show, proof: Any):
    page = show(proof)
    assert {data: hashed(page, "sha256", data) for data in NIST} == NIST
    assert hashed(page, "sha512", b"abc") == NIST_512
    for size in (0, 1, 55, 56, 63, 64, 65, 111, 112, 127, 128, 129, 1000):
        data = bytes(i * 7 & 255 for i in range(size))
        assert hashed(page, "sha256", data) == sha256(data).hexdigest()
        assert hashed(page, "sha512", data) == sha512(data).hexdigest()


def test_it_refuses_the_signatures_that_libsodium_refuses_and_no_others(show: Show, proof: Any):
    cases = [(bytes.fromhex(key), bytes.fromhex(text), bytes.fromhex(sig)) for key, text, sig in RFC_8032]
    assert all(is_valid_bare_signature(*case) for case in cases)
    cases += [(bytes.fromhex(key), bytes.fromhex(text), bytes.fromhex(sig)) for _, text, key, sig, _ in EDGE_CASES]
    pair = KeyPair(bytes(32))
    good = pair.sign_bare(b"data")
    scalar = int.from_bytes(good[32:], "little")
    for other in (scalar, scalar + L, scalar + 2 * L, scalar | 1 << 255, L - scalar, 0, L):
        cases.append((pair.public, b"data", good[:32] + other.to_bytes(32, "little")))
    for point in map(bytes.fromhex, SMALL_ORDER):
        for low in (0, 1, L - 1):
            cases += [(key, b"data", point + low.to_bytes(32, "little")) for key in (point, pair.public)]
    for bit in range(0, 512, 5):
        cases.append((pair.public, b"data", bytes(b ^ (1 << bit % 8) * (i == bit // 8) for i, b in enumerate(good))))
    cases += [(key, b"data", good) for key in (b"", b"\xff" * 32, b"\2" + bytes(31), pair.public[:-1])]
    told = show(proof).evaluate(
        "all => all.map(one => passport.isSigned(...one.map(passport.bytesOf)))",
        [[b64encode(part).decode() for part in case] for case in cases],
    )
    assert told == [is_valid_bare_signature(*case) for case in cases]
    assert 5 <= sum(told) < len(told)


def test_it_spells_every_value_as_the_ledger_does(show: Show, proof: Any):
    values = [
        [*(n for k in (7, 8, 16, 31, 32, 63) for n in (2**k - 1, 2**k, -(2**k), -(2**k) + 1)), -32, -33, 2**64 - 1],
        {"b": 1, "a": None, "": True, "\uffee": False, "\N{GRINNING FACE}": [], "aa": {}},
        [b"", b"x" * 255, b"x" * 256, b"x" * 65_536, "y" * 31, "y" * 32, "\u00e9" * 200, "\ufeffz", "y" * 70_000],
        [list(range(15)), list(range(16)), {str(n): n for n in range(16)}, [[]] * 70_000],
    ]
    packed = [b64encode(encode(value)).decode() for value in values]
    page = show(proof)
    again = "all => all.map(one => passport.hex(passport.pack(passport.unpack(passport.bytesOf(one)))))"
    assert page.evaluate(again, packed) == [encode(value).hex() for value in values]
    odd = [
        "cc01",
        "d9016100",
        "81a16101ff",
        "82a16201a16101",
        "82a16101a16102",
        "c7",
        "a1ff",
        "cb3ff0000000000000",
        "dd",
    ]
    refused = """all => all.map(one => {
        const bytes = Uint8Array.from(one.match(/../g), byte => parseInt(byte, 16));
        try { passport.unpack(bytes); return false; } catch { return true; }
    })"""
    assert page.evaluate(refused, odd) == [True] * len(odd)


# --- as a person meets it ---------------------------------------------------------------------------------------------


def test_a_person_reads_what_is_proved_and_sees_a_change_at_once(show: Show, proof: Any):
    page = show(proof)
    assert page.inner_text("h1") == "This proof holds"
    assert "counter · add" in page.inner_text("main")
    page.click("#change")
    assert page.inner_text("h1") == "This proof does not hold"
    assert len(failing(page)) >= 1
    assert failing(page)[0] in page.inner_text(".verdict .failed")
    page.click("#restore")
    assert page.inner_text("h1") == "This proof holds"
    known = Genesis(proof.spec).hash.hex()
    page.fill("#known", known.upper())
    assert "it is the same" in page.inner_text(".told")
    page.fill("#known", known[:-1] + ("0" if known[-1] != "0" else "1"))
    assert "another chain" in page.inner_text(".told")


def test_the_check_that_fails_is_named(show: Show, proof: Any, crossings: Any):
    forged = replace(proof, tx_path=(bytes(32),))
    assert failing(show(forged)) == ["The transaction is in the block"]
    minority = test_proofs.with_signatures(proof, lambda all_: all_[:2])
    page = show(minority)
    assert failing(page) == ["Enough validators signed the block"]
    assert "Too few signed: 2 of 4 votes." in page.inner_text(".verdict")
    stale = replace(crossings.first, decided=replace(crossings.first.decided, handovers=()))
    assert failing(show(stale)) == ["side Enough validators signed the block"]


@pytest.mark.parametrize(("width", "language"), [(1280, "en"), (390, "en"), (390, "zh"), (320, "zh")])
def test_it_fits_a_phone_and_is_worked_by_keyboard_in_both_languages(
    browser: Any, tmp_path: Path, crossings: Any, width: int, language: str
):
    with visit(browser, width=width) as seen:
        page = opened(seen, tmp_path, crossings.first, f"?lang={language}")
        title = {"en": ("This proof holds", "This proof does not hold"), "zh": ("此证明成立", "此证明不成立")}[language]
        assert page.inner_text("h1") == title[0]
        assert seen.width() <= width
        assert seen.nameless() == []
        page.focus("#change")
        page.keyboard.press("Enter")
        assert page.inner_text("h1") == title[1]
        assert page.evaluate("document.activeElement.id") == "change"
        assert seen.width() <= width
        other = "zh" if language == "en" else "en"
        page.focus(f"#lang-{other}")
        page.keyboard.press("Space")
        assert page.inner_text("h1") in ("This proof does not hold", "此证明不成立")
        assert page.inner_text("h1") != title[1]
        assert page.evaluate("document.documentElement.lang") == {"en": "en", "zh": "zh-Hans"}[other]
        assert (seen.outside(), seen.trouble) == (set(), [])


def test_names_of_strangers_are_text(show: Show):
    chain = builders.genesis(weights=(1,))
    call = Call(HOSTILE[:60], "do", {HOSTILE: HOSTILE, "data": b"\0", "many": [None, True, {"deep": -1}]})
    page = show(test_proofs.certified_by_liars(chain, builders.sign(chain, "stranger", call).raw))
    assert page.inner_text("h1") == "This proof holds"
    assert HOSTILE[:-1] in page.inner_text("main")
    assert "\u202e" not in page.inner_text("main")
    assert page.evaluate("window.hacked") is None
    assert page.locator("main img, main script").count() == 0


def test_a_page_whose_program_was_changed_says_that_nothing_was_checked(browser: Any, tmp_path: Path, proof: Any):
    whole = passport.page(proof)
    bent = whole.replace("3n * weight > 2n * total", "3n * weight > 0n * total")
    assert bent != whole
    with visit(browser) as seen:
        page = opened(seen, tmp_path, bent)
        assert page.inner_text("h1") == "Not checked"
        assert page.evaluate("typeof passport") == "undefined"
        assert seen.trouble, "the browser names the policy"


def test_its_texts_are_the_catalogues_and_its_shapes_are_the_ledgers(proof: Any):
    source = "\n".join(map(passport._read, passport._SCRIPTS))
    chinese = passport.translations(source)
    assert len(chinese) > 50
    assert all(text != told for text, told in chinese.items())
    page = passport.page(proof)
    assert passport.carried(page.encode()) == proof
    assert "http" not in page.replace("http://www.w3.org/2000/svg", "").replace("http-equiv", "")
