"""M0, the first block: a note of one's own that is final, and what its proof proves."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from functools import cache
from typing import Any, Final

from msgspec.structs import replace

from minichain.client.network import Network
from minichain.codec import decode_own, encode
from minichain.course.exercise import Exercise, Miss, is_anothers, miss
from minichain.course.exercises.notes import Notes
from minichain.crosschain.proofs import Proof, Verified, read, verify
from minichain.errors import ProofError
from minichain.ledger.types import Receipt, SignedTransaction

TOO_LONG: Final = "!" * 81  # for a note: the contract refuses it

# --- m00.e1: your signed note is in a final block --------------------------------------------------------------------

Handed = Mapping[str, Any]  # account: a did, note: its text, proof: the bytes of a proof

E1 = Exercise("m00.e1", expects=dict)


def proven_by(data: bytes) -> Verified | None:
    """Return what the proof of a transaction proves; None if it proves nothing."""
    try:
        proof = read(data)
        return verify(proof) if isinstance(proof, Proof) else None
    except ProofError:
        return None


@E1.part
def it_is_final(answer: Handed) -> Miss | None:
    """Judge by what a stranger would check, without a network."""
    return None if proven_by(answer["proof"]) else miss("not_final")


@E1.part
def you_signed_it(answer: Handed) -> Miss | None:
    """Judge by the account that the signature belongs to; in a class that has to be the learner's own."""
    found = proven_by(answer["proof"])
    if not found or found.sender != answer["account"]:
        return miss("another_signed")
    return miss("anothers") if is_anothers(answer["account"]) else None


@E1.part
def it_says_your_note(answer: Handed) -> Miss | None:
    """Judge by the words that were signed."""
    found = proven_by(answer["proof"])
    words = [word for call in found.transaction.calls for word in call.args.values()] if found else []
    return None if answer["note"] in words else miss("another_note", note=answer["note"])


@E1.part
def it_took_effect(answer: Handed) -> Miss | None:
    """Judge by the receipt: what the rules refused is in a block as well."""
    found = proven_by(answer["proof"])
    return None if found and found.receipt.ok else miss("refused")


# --- m00.p1: what does such a proof prove? ---------------------------------------------------------------------------

CLAIMS: Final = ("signer", "words", "block", "accepted", "true", "all")


def set_or_list(answer: Any) -> bool:
    """Tell whether an answer is one of several claims."""
    return isinstance(answer, set | frozenset | list | tuple)


P1 = Exercise("m00.p1", expects=set_or_list)


@cache
def proven_claims() -> frozenset[str]:
    """Return the claims for which a lie is found out; a claim with a lie whose proof holds is not proven."""
    return frozenset(claim for claim, lie in lies().items() if proven_by(lie.to_bytes()) is None)


def lies() -> dict[str, Proof]:
    """Return, for each claim, a proof that seems to say so and where it is not so."""
    with Network.simulated(validators=4, seed=7) as net:
        office = net.wallet("Street office A")
        notes = net.deploy(Notes, sender=office)
        invented = notes.write("We have collected a million tonnes.").proof()
        refused = notes.attempt("write", TOO_LONG).proof()
        net.crash("node-2")
        by_three = notes.write("One of four is down.").proof()
        stranger = net.wallet("Somebody else").account
    signed, receipt = decode_own(invented.tx, SignedTransaction), decode_own(refused.receipt, Receipt)
    call = replace(signed.body.calls[0], args={"text": "We have collected nothing."})
    return {
        "signer": replace(invented, tx=encode(replace(signed, body=replace(signed.body, sender=stranger)))),
        "words": replace(invented, tx=encode(replace(signed, body=replace(signed.body, calls=(call,))))),
        "block": replace(invented, header=replace(invented.header, height=invented.header.height + 1)),
        "accepted": replace(refused, receipt=encode(replace(receipt, outcome="ok", error=""))),
        "true": invented,
        "all": by_three,
    }


@P1.part
def it_does_not_prove_that_it_is_true(answer: Collection[str]) -> Miss | None:
    """Judge by an invented figure."""
    return miss("agreed_so_true") if "true" in set(answer) - proven_claims() else None


@P1.part
def it_does_not_prove_that_all_agreed(answer: Collection[str]) -> Miss | None:
    """Judge by a block that was made while one was down."""
    return miss("everybody") if "all" in set(answer) - proven_claims() else None


@P1.part
def it_proves_the_rest(answer: Collection[str]) -> Miss | None:
    """Judge by changes that are found out."""
    said, truth = set(answer) & set(CLAIMS), proven_claims()
    return None if truth <= said else miss("too_little", missing=", ".join(sorted(truth - said)))


EXERCISES: Final = {one.id: one for one in (P1, E1)}
