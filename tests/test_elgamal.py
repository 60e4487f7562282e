"""The group of Ed25519, proofs of knowledge and encrypted ballots: published vectors, laws, and what is a lie.

A second arithmetic, plain integers after RFC 8032, says what the points must be.
"""

from __future__ import annotations

import runpy
from hashlib import sha512
from random import Random

import nacl.bindings
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from minichain.elgamal import ballots, group
from minichain.elgamal.ballots import Form, ciphertexts, close, fault_of, is_opened_by
from minichain.elgamal.group import (
    BASE,
    IDENTITY,
    MAX_LOGARITHM,
    ORDER,
    SIZE,
    add,
    combine,
    interpolate,
    is_point,
    logarithm,
    multiply,
    negate,
    pack,
    scalar_of,
    split,
    subtract,
    unpack,
)
from minichain.elgamal.proofs import knows, prove
from minichain.errors import DecodeError, UsageError

P = 2**255 - 19
D = -121665 * pow(121666, -1, P) % P
SECRET = scalar_of("test", "the secret of the election")
KEY = multiply(SECRET)
CONTEXT = b"election 1, voter A"
YES_NO = Form(choices=3, least=1, most=1)
SEED = bytes(range(32))

scalars = st.integers(0, ORDER - 1)


def encoded(x: int, y: int) -> bytes:
    return (y | (x & 1) << 255).to_bytes(32, "little")


def decoded(point: bytes) -> tuple[int, int]:
    number = int.from_bytes(point, "little")
    y, sign = number & (1 << 255) - 1, number >> 255
    square = (y * y - 1) * pow(D * y * y + 1, -1, P) % P
    x = pow(square, (P + 3) // 8, P)
    if (x * x - square) % P:
        x = x * pow(2, (P - 1) // 4, P) % P
    assert (x * x - square) % P == 0, "not on the curve"
    return (P - x if x & 1 != sign else x), y


def plainly_added(one: bytes, other: bytes) -> bytes:
    (x, y), (u, v) = decoded(one), decoded(other)
    product = D * x * y * u * v
    return encoded(
        (x * v + u * y) * pow(1 + product, -1, P) % P,
        (y * v + x * u) * pow(1 - product, -1, P) % P,
    )


# The eight points of small order, as the multiples of one of order eight.
EIGHTH = bytes.fromhex("c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a")


def small_points() -> list[bytes]:
    points = [IDENTITY]
    for _ in range(7):
        points.append(plainly_added(points[-1], EIGHTH))
    assert plainly_added(points[-1], EIGHTH) == IDENTITY
    return points


SMALL = small_points()

# --- the group ---------------------------------------------------------------------------------------------------


def test_the_base_and_its_multiples_are_those_of_rfc_8032():
    assert decoded(BASE)[1] == 4 * pow(5, -1, P) % P
    seed = bytes.fromhex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60")  # section 7.1, test 1
    number = int.from_bytes(sha512(seed).digest()[:32], "little") & ((1 << 254) - 8) | 1 << 254
    assert multiply(number).hex() == "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"
    assert add(multiply(ORDER - 1), BASE) == IDENTITY == multiply(ORDER) == multiply(0)


@given(one=scalars, other=scalars)
@settings(max_examples=20, deadline=None)
def test_points_add_up_as_their_numbers_do(one: int, other: int):
    a, b = multiply(one), multiply(other)
    assert add(a, b) == multiply(one + other) == add(b, a)
    assert subtract(a, b) == multiply(one - other) == add(a, negate(b))
    assert multiply(other, a) == multiply(one * other)
    assert combine([other, -2], [a, BASE]) == multiply(one * other - 2)
    assert a == IDENTITY or plainly_added(a, BASE) == add(a, BASE)


def test_what_is_no_point_of_the_group_is_told_apart():
    assert is_point(BASE)
    assert is_point(KEY)
    assert not any(map(is_point, SMALL)), "the identity and points of small order"
    mixed = [nacl.bindings.crypto_core_ed25519_add(KEY, small) for small in SMALL[1:]]
    assert not any(map(is_point, mixed)), "a part of small order: (0, -1) among them, which old libsodium let through"
    not_reduced = [(P + y).to_bytes(32, "little") for y in range(19)]
    assert not any(map(is_point, not_reduced)), "a second encoding"
    off = [y.to_bytes(32, "little") for y in range(2, 40) if not on_curve(y)]
    assert off
    assert not any(map(is_point, off))
    assert not any(map(is_point, (b"", BASE[:31], BASE + b"f")))
    with pytest.raises(DecodeError, match="point 2 is not a point of the group"):
        combine([1, 1], [BASE, mixed[0]])
    with pytest.raises(DecodeError, match="2 factors do not fit 1 points"):
        combine([1, 1], [BASE])


def on_curve(y: int) -> bool:
    square = (y * y - 1) * pow(D * y * y + 1, -1, P) % P
    return square == 0 or pow(square, (P - 1) // 2, P) == 1


def test_a_validator_without_the_group_does_not_start(monkeypatch: pytest.MonkeyPatch):
    """To one with a minimal libsodium nothing was a point, so it refused what all others took."""
    monkeypatch.setattr(nacl.bindings, "has_crypto_scalarmult_ed25519", False)
    with pytest.raises(ImportError, match="a minimal build of libsodium"):
        runpy.run_path(group.__file__)


def test_numbers_have_one_form():
    assert unpack(pack(0, 1, ORDER - 1, ORDER + 5)) == [0, 1, ORDER - 1, 5]
    with pytest.raises(DecodeError, match="only form"):
        unpack(ORDER.to_bytes(32, "little"))
    with pytest.raises(DecodeError, match="33 bytes"):
        split(bytes(33))


@given(number=st.integers(0, 1_000), most=st.integers(0, 1_000))
@settings(max_examples=30, deadline=None)
def test_a_count_is_found_if_it_is_within_its_bound(number: int, most: int):
    assert logarithm(multiply(number), most) == (number if number <= most else None)


def test_a_large_count_is_found_and_one_too_large_is_not_searched():
    assert logarithm(multiply(987_654_321), 1_000_000_000) == 987_654_321
    assert logarithm(multiply(-1), 100) is None
    with pytest.raises(DecodeError, match="would take too long"):
        logarithm(BASE, MAX_LOGARITHM + 1)


@given(
    coefficients=st.lists(scalars, min_size=1, max_size=5), places=st.sets(st.integers(1, 20), min_size=5, max_size=5)
)
@settings(max_examples=20, deadline=None)
def test_enough_values_give_the_polynomial_at_zero(coefficients: list[int], places: set[int]):
    values = {x: sum(a * x**power for power, a in enumerate(coefficients)) for x in sorted(places)}
    factors = interpolate(values)
    assert sum(factors[x] * value for x, value in values.items()) % ORDER == coefficients[0]


# --- proofs ------------------------------------------------------------------------------------------------------


def test_one_secret_behind_several_points_is_proved_and_two_are_not():
    bases = [BASE, multiply(5), multiply(77)]
    images = [multiply(SECRET, base) for base in bases]
    proof = prove(CONTEXT, SECRET, bases)
    assert proof == prove(CONTEXT, SECRET, bases)
    assert knows(CONTEXT, bases, images, proof)
    assert not knows(b"somebody else", bases, images, proof)
    assert not knows(CONTEXT, bases, [*images[:2], add(images[2], BASE)], proof)
    assert not knows(CONTEXT, bases[::-1], images[::-1], proof)
    assert not knows(CONTEXT, bases[:2], images[:2], proof)
    assert not knows(CONTEXT, bases, images[:2], proof)
    assert not knows(CONTEXT, [], [], proof)
    assert not knows(CONTEXT, [BASE, IDENTITY], [KEY, IDENTITY], prove(CONTEXT, SECRET, [BASE, IDENTITY]))
    for place in range(64):
        changed = bytes(byte ^ (place == at) for at, byte in enumerate(proof))
        assert not knows(CONTEXT, bases, images, changed)
    challenge, answer = (int.from_bytes(part, "little") for part in split(proof))
    second = challenge.to_bytes(32, "little") + (answer + ORDER).to_bytes(32, "little")
    assert not knows(CONTEXT, bases, images, second), "the same numbers in a second form"


def test_whoever_chooses_the_statement_after_the_challenge_proves_nothing():
    """The attack on weak Fiat-Shamir: with a challenge from the commitments alone, images can be made to fit it."""
    bases, commitments, answer = [BASE, KEY], [multiply(3), multiply(4)], 1234
    weak = scalar_of("knowledge of a secret", commitments)
    inverse = pow(weak, -1, ORDER)
    images = [
        multiply(inverse, subtract(multiply(answer, base), commitment))
        for base, commitment in zip(bases, commitments, strict=True)
    ]
    back = [subtract(multiply(answer, base), multiply(weak, image)) for base, image in zip(bases, images, strict=True)]
    assert back == commitments, "a weak check would accept it"
    assert images[1] != multiply(SECRET, images[0]), "and the two logarithms are not equal"
    assert not knows(CONTEXT, bases, images, pack(weak, answer))


# --- ballots -----------------------------------------------------------------------------------------------------


@st.composite
def filled_in(draw: st.DrawFn) -> tuple[Form, list[int]]:
    votes = draw(st.lists(st.integers(0, 1), min_size=1, max_size=4))
    least = draw(st.integers(0, sum(votes)))
    return Form(len(votes), least, draw(st.integers(sum(votes), len(votes)))), votes


@given(filled=filled_in(), seed=st.binary(min_size=32, max_size=32))
@settings(max_examples=25, deadline=None)
def test_a_ballot_proves_itself_and_holds_the_votes(filled: tuple[Form, list[int]], seed: bytes):
    form, votes = filled
    ballot = close(form, KEY, CONTEXT, votes, seed)
    assert len(ballot) == form.size
    assert fault_of(form, KEY, CONTEXT, ballot) == ""
    assert [logarithm(subtract(b, multiply(SECRET, a)), 1) for a, b in ciphertexts(form, ballot)] == votes


def test_a_ballot_of_three_choices_has_544_bytes_and_the_same_votes_look_different_each_time():
    one, other = (close(YES_NO, KEY, CONTEXT, [1, 0, 0], seed) for seed in (SEED, SEED[::-1]))
    assert len(one) == len(other) == YES_NO.size == 544
    assert not set(split(one)) & set(split(other))
    again = close(YES_NO, KEY, CONTEXT, [0, 1, 0], SEED)
    assert not set(split(one)) & set(split(again)), "even where somebody uses a seed twice"


@pytest.mark.parametrize(
    ("key", "context", "form"),
    [
        (KEY, b"election 1, voter B", YES_NO),
        (KEY, b"election 2, voter A", YES_NO),
        (multiply(SECRET + 1), CONTEXT, YES_NO),
    ],
    ids=["another voter", "another election", "another key"],
)
def test_a_ballot_counts_for_its_voter_its_election_and_its_key_only(key: bytes, context: bytes, form: Form):
    ballot = close(YES_NO, KEY, CONTEXT, [0, 1, 0], SEED)
    assert "changed, copied, or made for another voter, election or key" in fault_of(form, key, context, ballot)


def test_a_ballot_in_which_any_byte_is_changed_is_refused():
    ballot = close(YES_NO, KEY, CONTEXT, [0, 1, 0], SEED)
    for place in [*range(0, len(ballot), 29), len(ballot) - 1]:
        changed = bytes(byte ^ ((place == at) << place % 8) for at, byte in enumerate(ballot))
        assert fault_of(YES_NO, KEY, CONTEXT, changed)


def test_malformed_ballots_are_refused_in_words():
    ballot = close(YES_NO, KEY, CONTEXT, [0, 1, 0], SEED)
    points, proof = ballot[:192], ballot[192:]

    def why(changed: bytes, form: Form = YES_NO, key: bytes = KEY) -> str:
        return fault_of(form, key, CONTEXT, changed)

    assert "has 544 bytes here, not 543" in why(ballot[:-1])
    assert "not 0: it is malformed" in why(b"")
    for bad in (IDENTITY, SMALL[4], plainly_added(points[:32], SMALL[4]), (P + 1).to_bytes(32, "little")):
        assert "choice 1 of the ballot is no ciphertext" in why(bad + points[32:] + proof)
        assert "choice 3 of the ballot is no ciphertext" in why(points[:160] + bad + proof)
    second = (int.from_bytes(proof[-32:], "little") + ORDER).to_bytes(32, "little")
    assert "not in its only form" in why(ballot[:-32] + second)
    assert "does not prove" in why(points[64:128] + points[:64] + points[128:] + proof), "choices changed places"
    assert "does not prove" in why(multiply(5) + points[32:] + proof)
    assert "1 to 32 choices" in why(ballot, Form(33, 1, 1))
    assert "2 to 1 cannot be taken" in why(ballot, Form(3, 2, 1))
    assert "key of the election" in why(ballot, key=SMALL[4])


@pytest.mark.parametrize("votes", [[2, 0, 0], [-1, 1, 1], [1, 1, 0], [0, 0, 0]], ids=str)
def test_a_voter_who_puts_in_something_else_cannot_prove_it(votes: list[int]):
    """A ballot made by hand: other numbers inside than the proof speaks of."""
    with pytest.raises(UsageError, match="0 or 1 for each of 3 choices, 1 to 1 times 1"):
        close(YES_NO, KEY, CONTEXT, votes, SEED)
    for claimed in ([1, 0, 0], [0, 1, 0]):
        ballot = dishonest(votes, claimed)
        assert len(ballot) == YES_NO.size
        assert "does not prove that it takes 1 of 3 choices" in fault_of(YES_NO, KEY, CONTEXT, ballot)
    assert fault_of(YES_NO, KEY, CONTEXT, dishonest([1, 0, 0], [1, 0, 0])) == "", "made by hand, and true"


def dishonest(votes: list[int], claimed: list[int]) -> bytes:
    chance = ballots._chance(SEED, YES_NO, KEY, CONTEXT, claimed)
    blinds = [next(chance) for _ in votes]
    pairs = [(multiply(r), add(multiply(v), multiply(r, KEY))) for v, r in zip(votes, blinds, strict=True)]
    secrets = [*zip(claimed, blinds, strict=True), (sum(claimed), sum(blinds))]
    proven = [
        ballots._Proven(statement, KEY, value, blind, chance)
        for statement, (value, blind) in zip(ballots._statements(YES_NO, pairs), secrets, strict=True)
    ]
    commitments = [pair for one in proven for pair in one.commitments]
    challenge = ballots._challenge(YES_NO, KEY, CONTEXT, pairs, commitments)
    return b"".join([*map(b"".join, pairs), pack(challenge), *(one.answered(challenge) for one in proven)])


def test_a_device_that_is_asked_to_open_its_ballot_shows_whether_it_is_honest():
    honest = close(YES_NO, KEY, CONTEXT, [1, 0, 0], SEED)
    assert is_opened_by(honest, YES_NO, KEY, CONTEXT, [1, 0, 0], SEED)
    lying = close(YES_NO, KEY, CONTEXT, [0, 1, 0], SEED)
    assert fault_of(YES_NO, KEY, CONTEXT, lying) == "", "it would be counted"
    assert not is_opened_by(lying, YES_NO, KEY, CONTEXT, [1, 0, 0], SEED), "and does not hold what the voter chose"
    assert not is_opened_by(lying, YES_NO, KEY, CONTEXT, [1, 1, 0], SEED)
    with pytest.raises(UsageError, match="the seed of a ballot has 32 bytes"):
        close(YES_NO, KEY, CONTEXT, [1, 0, 0], b"short")


@given(seed=st.integers(0, 2**32))
@settings(max_examples=5, deadline=None)
def test_the_sum_of_ballots_is_what_the_choices_add_up_to(seed: int):
    random = Random(seed)
    form, weights = Form(3, 0, 2), [random.randint(1, 50) for _ in range(5)]
    choices = [random.sample([1, 1, 0, 0][random.randint(0, 1) :], 3) for _ in weights]
    choices = [votes if sum(votes) <= 2 else [1, 0, 1] for votes in choices]
    sums = [[IDENTITY, IDENTITY] for _ in range(3)]
    for weight, votes in zip(weights, choices, strict=True):
        ballot = close(form, KEY, CONTEXT, votes, random.randbytes(SIZE))
        for column, pair in zip(sums, ciphertexts(form, ballot), strict=True):
            column[:] = [combine([1, weight], [column[half], pair[half]]) for half in range(2)]
    counted = [logarithm(subtract(b, multiply(SECRET, a)), sum(weights)) for a, b in sums]
    assert counted == [sum(w * votes[c] for w, votes in zip(weights, choices, strict=True)) for c in range(3)]
