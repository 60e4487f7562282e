"""What a proof claims, check by check, and how far a cheat would get with a copy of it.

The verdict is that of `crosschain.proofs.verify`, never ours; the checks beside it show a person where it comes
from. A cheat works on a copy: nothing here can reach a network.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from msgspec.structs import replace

from minichain import merkle
from minichain.codec import INT_MAX, INT_MIN, decode, decode_own, encode
from minichain.crosschain.proofs import Proof, require_final, verify
from minichain.crypto import KeyPair
from minichain.errors import ConfigError, DecodeError, MinichainError, ProofError, SignatureError
from minichain.ledger.certificate import PRECOMMIT, sign_vote, vote_statement
from minichain.ledger.genesis import Genesis
from minichain.ledger.types import Header, Receipt, SignedTransaction, sign_transaction
from minichain.transition import open_transaction
from minichain.views.i18n import _
from minichain.views.icons import icon
from minichain.views.markup import Safe, tag
from minichain.views.models import Entry, entry
from minichain.views.pictures import climb

# --- checking ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that must hold; `problem` is empty if it does."""

    claim: str
    problem: str = ""


def verdict(proof: Proof, trusted: bytes) -> str:
    """Return why a proof does not hold for the chain with this genesis hash; empty if it does."""
    return _problem(lambda: verify(proof, trusted))


def checks(proof: Proof, trusted: bytes) -> tuple[Check, ...]:
    """Make each check by itself, in the order in which trust is built."""
    try:
        genesis, header = Genesis(proof.spec), proof.header
    except ConfigError as error:
        return (Check(_("It describes a chain"), str(error)),)

    def is_this_chain() -> None:
        if not trusted == genesis.hash == header.genesis:
            raise ProofError(_("It names another chain: somebody made their own, with validators of their own."))

    def is_final() -> None:
        require_final(genesis, proof)

    def is_signed() -> None:
        envelope = open_transaction(genesis, proof.tx)
        if decode(proof.receipt, Receipt).tx_id != envelope.id:
            raise SignatureError(_("The receipt belongs to another transaction."))

    def holds(entry: bytes, path: Sequence[bytes], root: bytes) -> Callable[[], None]:
        def climb_up() -> None:
            if proof.count != header.tx_count or not merkle.verify_inclusion(
                entry, proof.index, proof.count, path, root
            ):
                raise ProofError(_("Its fingerprint leads to another root than the block names."))

        return climb_up

    return tuple(
        Check(claim, _problem(make))
        for claim, make in (
            (_("It is about the chain you trust"), is_this_chain),
            (_("Enough validators signed the block"), is_final),
            (_("The sender signed the transaction"), is_signed),
            (_("The transaction is in the block"), holds(proof.tx, proof.tx_path, header.tx_root)),
            (_("The receipt is in the block"), holds(proof.receipt, proof.receipt_path, header.receipt_root)),
        )
    )


def entry_of(proof: Proof) -> Entry:
    """Read the transaction that a proof is about."""
    return entry(proof.tx, decode_own(proof.receipt, Receipt))


def link(proof: Proof) -> Safe:
    """Offer the proof as a file; it is in the page already, and nobody is asked for it."""
    data = f"data:application/json;base64,{b64encode(proof.to_bytes()).decode()}"
    name = f"proof-{entry_of(proof).id:.12}.json"
    return tag("a", icon("download", 18), _("Save the proof"), href=data, download=name, class_="mc-link mc-save")


def _problem(make: Callable[[], object]) -> str:
    try:
        make()
    except MinichainError as error:
        return str(error)
    return ""


# --- cheating on a copy ------------------------------------------------------------------------------------------

Place = tuple[str | int, ...]
_SEED: Final = b"the cheat's own keys".ljust(32, b".")


@dataclass(frozen=True, slots=True)
class Spot:
    """A value of the receipt that could be changed."""

    place: Place
    value: str | int

    def accepts(self, wish: str) -> bool:
        """Tell whether a text can stand there instead."""
        return isinstance(self.value, str) or _is_integer(wish)

    @property
    def name(self) -> str:
        """Return the words of its path, such as `Written · count`."""
        if self.place == ("outcome",):
            return _("how it ended")
        return " · ".join(str(step) for step in self.place if not isinstance(step, int))


def spots(proof: Proof) -> tuple[Spot, ...]:
    """List what a cheat would like to change: the outcome, and the values of each event."""
    try:
        receipt = decode(proof.receipt, Receipt)
    except DecodeError:
        return ()
    found = [Spot(("outcome",), receipt.outcome)]
    for position, event in enumerate(receipt.events):
        found += (Spot((position, event.name, *place), value) for place, value in _leaves(event.data))
    return tuple(found)


def _leaves(value: Any) -> Iterator[tuple[Place, str | int]]:
    match value:
        case dict() | list():
            for key, inner in value.items() if isinstance(value, dict) else enumerate(value):
                yield from (((key, *place), leaf) for place, leaf in _leaves(inner))
        case str() | int() if not isinstance(value, bool):
            yield (), value


def _is_integer(text: str) -> bool:
    try:
        return INT_MIN <= int(text) <= INT_MAX
    except ValueError:
        return False


def cheat(proof: Proof, spot: Spot, wish: str, effort: int) -> Proof:
    """Return a copy with one value changed and, by effort 0 to 3, all that follows made to fit as well as can be.

    1 recomputes the fingerprints of the block, 2 signs it with the cheat's own keys, 3 also founds a chain with them.
    """
    copy = replace(proof, receipt=encode(_changed(decode_own(proof.receipt, Receipt), spot, wish)))
    if effort >= 3:
        copy = _another_chain(copy)
    if effort >= 1:
        copy = replace(copy, header=_refitted(copy))
    return _resealed(copy) if effort >= 2 else copy


def _changed(receipt: Receipt, spot: Spot, wish: str) -> Receipt:
    value = wish if isinstance(spot.value, str) else int(wish)
    if spot.place == ("outcome",):
        return replace(receipt, outcome=value)
    position, _name, *rest = spot.place
    events: Any = list(receipt.events)
    events[position] = replace(events[position], data=_with(events[position].data, rest, value))
    return replace(receipt, events=tuple(events))


def _with(tree: Any, place: Sequence[str | int], value: Any) -> Any:
    if not place:
        return value
    copy = tree.copy()
    copy[place[0]] = _with(tree[place[0]], place[1:], value)
    return copy


def _refitted(proof: Proof) -> Header:
    fitted: Header = replace(
        proof.header,
        tx_root=_peak(proof.tx, proof, proof.tx_path),
        receipt_root=_peak(proof.receipt, proof, proof.receipt_path),
    )
    return fitted


def _peak(entry: bytes, proof: Proof, path: Sequence[bytes]) -> bytes:
    steps = climb(entry, proof.index, proof.count, path)
    return steps[-1].parent if steps else merkle.leaf_hash(entry)


def _own_keys(proof: Proof) -> list[KeyPair]:
    return [KeyPair.derive(_SEED, member.name) for member in proof.spec.members]


def _resealed(proof: Proof) -> Proof:
    """Sign the header as every validator would, with the cheat's own keys."""
    header = proof.header
    statement = vote_statement(header.genesis, PRECOMMIT, header.height, 0, header.id)
    signatures = tuple((i, sign_vote(key, statement)) for i, key in enumerate(_own_keys(proof)))
    seal = replace(proof.certificate, round=0, block_id=header.id, signatures=signatures)
    return replace(proof, certificate=seal)


def _another_chain(proof: Proof) -> Proof:
    """Put the cheat's keys behind the same names, and sign the transaction for the chain this makes."""
    members = tuple(
        replace(member, public=key.public) for member, key in zip(proof.spec.members, _own_keys(proof), strict=True)
    )
    genesis = Genesis(replace(proof.spec, members=members))
    sender = KeyPair.derive(_SEED, "sender")
    body = replace(decode_own(proof.tx, SignedTransaction).body, genesis=genesis.hash, sender=sender.public)
    envelope = sign_transaction(body, sender)
    receipt = replace(decode_own(proof.receipt, Receipt), tx_id=envelope.id)
    committee = genesis.committee.hash
    header = replace(proof.header, genesis=genesis.hash, committee=committee, next_committee=committee)
    return replace(proof, spec=genesis.spec, header=header, tx=envelope.raw, receipt=encode(receipt))
