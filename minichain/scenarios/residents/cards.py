"""Cards: the office issues, the resident shows what is needed and nothing else, a verifier checks, the office revokes.

A resident has a card of its own for each verifier, with another key and another place on the status list: two verifiers
who compare notes find nothing in common.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING, Any, Final

from msgspec.structs import replace

from minichain.client.receipt import Receipt
from minichain.client.trust import STATUS, verifier
from minichain.codec import Record
from minichain.crypto import KeyPair
from minichain.errors import CredentialError, UsageError
from minichain.identity import disclosure
from minichain.identity.clauses import Report
from minichain.identity.credentials import unsigned
from minichain.identity.disclosure import SALT_BYTES, Hidden
from minichain.identity.status import SIZE, Entry, chain_list, draw_index, write_entry
from minichain.identity.vault import pairwise
from minichain.ledger.types import Call
from minichain.scenarios.residents.people import OFFICE, ON_CARD, PEOPLE

if TYPE_CHECKING:
    from minichain.scenarios.residents.town import Place

KIND: Final = "ResidentCard"
PURPOSE: Final = "card"
YEAR_MS: Final = 365 * 86_400_000
DECOYS: Final = 3
LIST: Final = 1  # the office's own list, opened with the town
NONCE_BYTES: Final = 16


class Card(Record):
    """A card in a resident's wallet: for whom it was asked for, the credential, and the key that may show it."""

    number: int
    resident: str
    verifier: str
    text: str
    holder: str


class Issued(Record):
    """What the office's register says of a card: to whom, which place of the status list, and whether it is revoked.

    It does not say for which verifier: the office does not know.
    """

    number: int
    resident: str
    holder: str
    place: int
    at: int
    revoked: int = 0  # the height of the block that revoked it


class Question(Record):
    """What a verifier asked a resident: which claims, with which challenge; and the answer, once there is one."""

    number: int
    verifier: str
    resident: str
    wanted: tuple[str, ...]
    nonce: str
    at: int
    answer: str = ""


class Cards:
    """Everything that is done with cards."""

    def __init__(self, place: Place) -> None:
        self._place = place

    # --- the office

    def issue(self, resident: str, verifier: str) -> Card:
        """Issue a card to a resident, who wants it for one verifier."""
        place = self._place
        key = self._key(resident, verifier)
        now, number = place.now_ms(), place.next_number("issued")
        spot = draw_index(lambda n: int.from_bytes(place.random(8)) % n, {one.place for one in self.issued()}, SIZE)
        entry = Entry(chain_list(place.net.genesis.hash, STATUS, LIST), spot, "revocation")
        office = place.wallets[OFFICE]
        content = unsigned(KIND, office.did, {}, now, now + YEAR_MS, [write_entry(entry)])
        content["credentialSubject"] = _hidden({name: PEOPLE[resident][name] for name in ON_CARD})
        made = disclosure.issue(content, office.key, key.public, lambda: place.random(SALT_BYTES), DECOYS)
        card = Card(number, resident, verifier, str(made), key.did)
        place.put("cards", number, card)
        place.put("issued", number, Issued(number, resident, key.did, spot, now))
        return card

    def issued(self) -> list[Issued]:
        """Return the office's register."""
        return list(self._place.all("issued", Issued))

    def revoke(self, number: int) -> Receipt:
        """Revoke a card, for good; it takes effect with the block that holds this."""
        found = self._place.get("issued", number, Issued)
        if found is None:
            raise UsageError(f"the office has issued no card {number}")
        mark = Call(STATUS, "mark", {"number": LIST, "place": found.place})
        receipt = self._place.net.send(self._place.wallets[OFFICE], [mark])
        self._place.put("issued", number, replace(found, revoked=receipt.height))
        return receipt

    # --- the resident

    def wallet(self, resident: str) -> list[Card]:
        """Return a resident's cards."""
        return [card for card in self._place.all("cards", Card) if card.resident == resident]

    def answer(self, number: int, show: Collection[str] | None = None) -> Question:
        """Answer a question with what it asks for, or with `show` instead; raises `CredentialError` without a card."""
        place, question = self._place, self._question(number)
        card = next(
            (one for one in reversed(self.wallet(question.resident)) if one.verifier == question.verifier), None
        )
        if card is None:
            raise CredentialError("holder", f"{question.resident} has no card for {question.verifier}: ask the office")
        paths = [f"credentialSubject.{name}" for name in (question.wanted if show is None else show)]
        key = self._key(question.resident, question.verifier)
        audience = place.wallets[question.verifier].did
        shown = disclosure.present(disclosure.split(card.text), paths, key, place.now_ms(), question.nonce, audience)
        return self.hand_in(number, str(shown))

    def hand_in(self, number: int, answer: str) -> Question:
        """Give a verifier an answer, whoever made it: checking is the verifier's work."""
        answered = replace(self._question(number), answer=answer)
        self._place.put("questions", number, answered)
        return answered

    def questions(self, resident: str = "", verifier: str = "") -> list[Question]:
        """Return what was asked, of one resident or by one verifier."""
        found = self._place.all("questions", Question)
        return [one for one in found if one.resident == (resident or one.resident) and verifier in ("", one.verifier)]

    # --- the verifier

    def ask(self, verifier: str, resident: str, *wanted: str) -> Question:
        """Ask a resident for some claims of the card, with a fresh challenge."""
        place = self._place
        if unknown := sorted({name.split(".")[0] for name in wanted} - set(ON_CARD)):
            raise UsageError(f"a card has no {unknown[0]!r}; it has: {', '.join(ON_CARD)}")
        number, nonce = place.next_number("questions"), place.random(NONCE_BYTES).hex()
        question = Question(number, verifier, resident, wanted, nonce, place.now_ms())
        place.put("questions", number, question)
        return question

    def check(self, number: int) -> Report:
        """Check an answer, clause by clause, against the chain as it is now."""
        question = self._question(number)
        if not question.answer:
            raise UsageError(f"question {number} has no answer yet")
        audience = self._place.wallets[question.verifier].did
        return disclosure.verify(question.answer, verifier(self._place.net), question.nonce, audience)

    def _question(self, number: int) -> Question:
        found = self._place.get("questions", number, Question)
        if found is None:
            raise UsageError(f"nobody asked a question {number}")
        return found

    def _key(self, resident: str, verifier: str) -> KeyPair:
        return pairwise(self._place.wallets[resident].key, self._place.wallets[verifier].did, PURPOSE)


def _hidden(claims: dict[str, Any]) -> dict[str, Any]:
    """Let every claim be shown by itself, also those inside."""
    return {name: Hidden(_hidden(item) if isinstance(item, dict) else item) for name, item in claims.items()}
