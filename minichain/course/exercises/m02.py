"""M2, fingerprints: which blocks an edit breaks, a proof that an entry is in a list, a number behind a fingerprint."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from hashlib import sha256
from typing import Any, Final

from minichain import merkle
from minichain.course.exercise import Exercise, Miss, miss, seeds

BLOCKS: Final = 6
EDITED: Final = 3
CARDS: Final = 1_000_000  # six digits


# --- m02.p1: which blocks does a reader of the chain refuse after block 3 was edited? ------------------------------

Block = Mapping[str, Any]


def block(number: int, previous: str, text: str) -> Block:
    """Make a block of the smallest chain there is: its digest is over its number, the digest before it and its text."""
    return {"number": number, "previous": previous, "text": text, "digest": digest_of(number, previous, text)}


def digest_of(number: int, previous: str, text: str) -> str:
    """Return the fingerprint of a block's content."""
    return sha256(f"{number} {previous} {text}".encode()).hexdigest()


def small_chain(count: int = BLOCKS) -> list[Block]:
    """Return a chain of notes."""
    chain: list[Block] = []
    for number in range(1, count + 1):
        chain.append(block(number, chain[-1]["digest"] if chain else "", f"note {number}"))
    return chain


def refused(chain: list[Block]) -> set[int]:
    """Return the blocks that do not fit their own digest, or do not name the digest of the block before."""
    found, before = set(), ""
    for one in chain:
        if one["previous"] != before or one["digest"] != digest_of(one["number"], one["previous"], one["text"]):
            found.add(one["number"])
        before = one["digest"]
    return found


def edited(chain: list[Block], number: int, *, resealed: bool = False) -> list[Block]:
    """Return a chain with another text in one block; `resealed` gives that block the digest it then has."""
    changed = list(chain)
    one = {**chain[number - 1], "text": "another note"}
    changed[number - 1] = block(one["number"], one["previous"], one["text"]) if resealed else one
    return changed


P1 = Exercise("m02.p1", expects=dict)


@P1.part
def edited_block_breaks(answer: Mapping[str, set[int]]) -> Miss | None:
    """Judge what is expected of an edit that leaves the digest as it was."""
    said, truth = set(answer.get("edited", ())), refused(edited(small_chain(), EDITED))
    if said == truth:
        return None
    return miss("nothing_breaks") if not said else miss("all_after", said=sorted(said), truth=sorted(truth))


@P1.part
def resealed_block_breaks_the_next(answer: Mapping[str, set[int]]) -> Miss | None:
    """Judge what is expected where the edited block gets a new digest."""
    said, truth = set(answer.get("resealed", ())), refused(edited(small_chain(), EDITED, resealed=True))
    if said == truth:
        return None
    return miss("sealed_is_fine") if not said else miss("link_forgotten", said=sorted(said), truth=sorted(truth))


# --- m02.e1: check a proof that an entry is in a list ---------------------------------------------------------------

PROOFS: Final = 50
Verify = Callable[[bytes, int, int, list[bytes], bytes], bool]

E1 = Exercise("m02.e1", expects=callable)


def _example(seed: int) -> tuple[bytes, int, int, list[bytes], bytes]:
    draw = random.Random(seed)
    entries = [draw.randbytes(8) for _ in range(draw.randint(2, 40))]
    place = draw.randrange(len(entries))
    return entries[place], place, len(entries), list(merkle.inclusion_proof(place, entries)), merkle.root(entries)


@E1.part
def true_proofs_are_accepted(verify: Verify) -> Miss | None:
    """Judge by fifty true proofs."""
    for seed in seeds(PROOFS):
        entry, place, size, proof, root = _example(seed)
        if verify(entry, place, size, proof, root) is not True:
            return miss("true_refused", place=place, size=size)
    return None


@E1.part
def another_entry_is_refused(verify: Verify) -> Miss | None:
    """Judge by proofs shown for another entry."""
    for seed in seeds(PROOFS):
        entry, place, size, proof, root = _example(seed)
        if verify(entry + b"!", place, size, proof, root) is not False:
            return miss("entry_ignored", place=place, size=size)
    return None


@E1.part
def a_changed_path_is_refused(verify: Verify) -> Miss | None:
    """Judge by proofs in which one hash is another one, or is missing, or one is too many."""
    for seed in seeds(PROOFS):
        entry, place, size, proof, root = _example(seed)
        bad = random.Random(seed).randrange(len(proof))
        wrong = [*proof[:bad], bytes([proof[bad][0] ^ 1]) + proof[bad][1:], *proof[bad + 1 :]]
        if any(verify(entry, place, size, path, root) is not False for path in (wrong, proof[:-1], [*proof, root])):
            return miss("path_ignored", place=place, size=size)
    return None


@E1.part
def another_place_is_refused(verify: Verify) -> Miss | None:
    """Judge by proofs shown for another place in the list."""
    for seed in seeds(PROOFS):
        entry, place, size, proof, root = _example(seed)
        if any(verify(entry, at, size, proof, root) is not False for at in ((place + 1) % size, place + size)):
            return miss("place_ignored", place=place, size=size)
    return None


@E1.part
def another_root_is_refused(verify: Verify) -> Miss | None:
    """Judge by proofs shown to somebody who trusts another root."""
    for seed in seeds(PROOFS):
        entry, place, size, proof, _ = _example(seed)
        if verify(entry, place, size, proof, sha256(b"another").digest()) is not False:
            return miss("root_ignored", place=place, size=size)
    return None


# --- m02.e2: whose fingerprint is it? --------------------------------------------------------------------------------

E2 = Exercise("m02.e2", expects=callable)


def fingerprint(card: str, salt: bytes = b"") -> str:
    """Return the fingerprint that an office keeps in place of a card number of six digits."""
    return sha256(salt + card.encode()).hexdigest()


@E2.part
def cards_are_found(find: Callable[[str], str | None]) -> Miss | None:
    """Judge by fingerprints without a salt."""
    for seed in seeds(2):
        card = f"{random.Random(seed).randrange(20_000):06}"
        if find(fingerprint(card)) != card:
            return miss("not_found", card=card)
    return None


@E2.part
def leading_zeros_are_digits(find: Callable[[str], str | None]) -> Miss | None:
    """Judge by the card whose number is small."""
    return None if find(fingerprint("000007")) == "000007" else miss("zeros", card="000007")


@E2.part
def salted_ones_are_not(find: Callable[[str], str | None]) -> Miss | None:
    """Judge by a fingerprint with a salt that nobody was told."""
    found = find(fingerprint("000042", salt=b"kept by the office"))
    return None if found is None else miss("invented", found=found)


EXERCISES: Final = {one.id: one for one in (P1, E1, E2)}
