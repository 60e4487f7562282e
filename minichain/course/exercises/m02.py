"""M2, fingerprints: which blocks an edit breaks, a proof that an entry is in a list, a number behind a fingerprint."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from functools import cache
from hashlib import sha256
from typing import Any, Final

from msgspec.structs import replace

from minichain import merkle
from minichain.client.network import Network
from minichain.client.wallet import Wallet
from minichain.course.exercise import Exercise, Miss, miss, seeds
from minichain.course.exercises.notes import Notes
from minichain.crosschain.proofs import Proof, verify
from minichain.errors import ProofError
from minichain.ledger.local import node_key
from minichain.ledger.types import Call, Transaction, open_envelope, sign_transaction
from minichain.scenarios.comparison.forging import forged_proof

BLOCKS: Final = 6
EDITED: Final = 3
SIGNING: Final = 3  # of four validators


# --- m02.p1: which blocks does a reader of the chain refuse after block 3 was edited? ------------------------------

Block = Mapping[str, Any]
Said = Mapping[str, set[int]]  # how far a cheat went -> the blocks that a reader refuses


def block(number: int, previous: str, text: str) -> Block:
    """Make a block of the smallest chain there is: its digest is over its number, the digest before it and its text."""
    return {"number": number, "previous": previous, "text": text, "digest": digest_of(number, previous, text)}


def digest_of(number: int, previous: str, text: str) -> str:
    """Return the fingerprint of a block's content."""
    return sha256(f"{number} {previous} {text}".encode()).hexdigest()


def small_chain(count: int = BLOCKS) -> list[Block]:
    """Return a chain of notes."""
    return resealed([{"text": f"note {number}"} for number in range(1, count + 1)])


def refused(chain: list[Block]) -> set[int]:
    """Return the blocks that do not fit their own digest, or do not name the digest of the block before."""
    found, before = set(), ""
    for one in chain:
        if one["previous"] != before or one["digest"] != digest_of(one["number"], one["previous"], one["text"]):
            found.add(one["number"])
        before = one["digest"]
    return found


def edited(chain: list[Block], number: int) -> list[Block]:
    """Return a chain with another text in one block, and nothing else changed."""
    return [*chain[: number - 1], {**chain[number - 1], "text": "another note"}, *chain[number:]]


def resealed(chain: list[Block], first: int = 1, last: int | None = None) -> list[Block]:
    """Return a chain whose blocks from `first` to `last` (the end) have new digests, each naming the one before."""
    made = list(chain)
    for number in range(first, (last or len(chain)) + 1):
        before = made[number - 2]["digest"] if number > 1 else ""
        made[number - 1] = block(number, before, chain[number - 1]["text"])
    return made


def another_past(net: Network, height: int, sender: Wallet, text: str, signers: int) -> Proof:
    """Return the proof of another note in the place of the one at a height, signed by so many of the validators."""
    before = [net.block(number).final.block for number in range(1, height)]
    there = _body(net.block(height).final.block.txs[0])
    other = sign_transaction(replace(there, calls=(Call("notes", "write", {"text": text}),)), sender.key)
    keys = [node_key(net.world.root, name) for name in net.nodes[:signers]]
    return forged_proof(net.genesis, before, other, keys)


def _body(raw: bytes) -> Transaction:
    return open_envelope(raw, len(raw)).body


@cache
def refused_by_a_reader(signers: int) -> set[int]:
    """Return which blocks of a real chain a reader refuses who knows its genesis, where so many sign another one."""
    with Network.simulated(validators=4, seed=7) as net:
        office = net.wallet("Street office A")
        notes = net.deploy(Notes, sender=office)
        notes.write("note 2")
        notes.write("note 3")
        forged = another_past(net, EDITED, office, "another note", signers)
        try:
            verify(forged, net.genesis.hash)
        except ProofError:
            return {EDITED}
        return set()


P1 = Exercise("m02.p1", expects=dict)


@P1.part
def edited_block_breaks(answer: Said) -> Miss | None:
    """Judge what is expected of an edit that leaves the digest as it was."""
    said, truth = set(answer.get("edited", ())), refused(edited(small_chain(), EDITED))
    if said == truth:
        return None
    return miss("nothing_breaks") if not said else miss("all_after", said=sorted(said), truth=sorted(truth))


@P1.part
def resealed_block_breaks_the_next(answer: Said) -> Miss | None:
    """Judge what is expected where the edited block gets a new digest."""
    said, truth = set(answer.get("resealed", ())), refused(resealed(edited(small_chain(), EDITED), EDITED, EDITED))
    if said == truth:
        return None
    return miss("sealed_is_fine") if not said else miss("link_forgotten", said=sorted(said), truth=sorted(truth))


@P1.part
def one_owner_is_not_seen(answer: Said) -> Miss | None:
    """Judge what is expected where the only keeper gives new digests to all blocks from there on."""
    said, truth = answer.get("owner", {0}), refused(resealed(edited(small_chain(), EDITED), EDITED))
    return None if set(said) == truth else miss("owner_is_stopped", said=sorted(said))


@P1.part
def a_quorum_is_not_seen(answer: Said) -> Miss | None:
    """Judge what is expected where three of four validators of a real chain sign another block."""
    said, truth = answer.get("quorum", {0}), refused_by_a_reader(SIGNING)
    return None if set(said) == truth else miss("quorum_is_stopped", said=sorted(said))


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

DIGITS: Final = 4  # few, so that a check is quick: with six it takes a second
Find = Callable[[str, int], str | None]

E2 = Exercise("m02.e2", expects=callable)


def fingerprint(card: str, salt: bytes = b"") -> str:
    """Return the fingerprint that an office keeps in place of a card number."""
    return sha256(salt + card.encode()).hexdigest()


@E2.part
def cards_are_found(find: Find) -> Miss | None:
    """Judge by fingerprints without a salt."""
    for seed in seeds(3):
        card = str(random.Random(seed).randrange(9 * 10 ** (DIGITS - 1), 10**DIGITS))
        if find(fingerprint(card), DIGITS) != card:
            return miss("not_found", card=card)
    return None


@E2.part
def leading_zeros_are_digits(find: Find) -> Miss | None:
    """Judge by cards whose number is small."""
    wrong = [card for card in ("0000", "0007", "00042") if find(fingerprint(card), len(card)) != card]
    return miss("zeros", card=wrong[0]) if wrong else None


@E2.part
def what_is_no_such_card_is_not_found(find: Find) -> Miss | None:
    """Judge by a fingerprint with a salt that nobody was told, and by a card with a digit more."""
    for wanted in (fingerprint("0042", salt=b"kept by the office"), fingerprint("10000")):
        if (found := find(wanted, DIGITS)) is not None:
            return miss("invented", found=found)
    return None


EXERCISES: Final = {one.id: one for one in (P1, E1, E2)}
