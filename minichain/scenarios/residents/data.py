"""Data authorisation: a resident shares a record with one party for one purpose, sees who looked, takes back, erases.

For each share the record is closed anew, with a salt and a subject's key of its own: on the chain two shares of one
person have nothing in common, and when salt and nonce are destroyed, nothing leads back to the person. The
supervision's box is closed at once and handed out only under a recorded order.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

from msgspec.structs import replace

from minichain.client.receipt import Receipt
from minichain.client.trust import keys
from minichain.client.wallet import Wallet
from minichain.codec import Record
from minichain.crypto import DIGEST_SIZE, digest
from minichain.errors import CredentialError, UsageError
from minichain.identity.jcs import canonical, parse_object
from minichain.identity.vault import Vault, close, open_handed, pairwise
from minichain.ledger.types import Call
from minichain.scenarios.residents.people import AUDITOR, COURT, IN_RECORD, PEOPLE

if TYPE_CHECKING:
    from minichain.scenarios.residents.town import Place

GRANTS: Final = "grants"
SUPERVISION: Final = "supervision"
DAY_MS: Final = 86_400_000


class Share(Record):
    """A record that a resident shares: what the resident's wallet knows.

    The nonce leads to the key that is its subject on the chain. After erasure record, nonce and time are not known.
    """

    number: int
    resident: str
    party: str
    purpose: str
    until: int
    record: bytes  # the commitment
    nonce: bytes
    taken_back: bool = False


class Order(Record):
    """A written order of supervision, as the court keeps it; the salt keeps its digest from being guessed.

    Erasure does not reach it: the court can always show which record it ordered to be read.
    """

    number: int
    share: int
    text: str
    salt: bytes


class Looked(Record):
    """What came of an attempt to read: its number in the log, why it was refused, and the data if it was not."""

    number: int
    why: str
    data: dict[str, Any]

    @property
    def allowed(self) -> bool:
        return self.why == ""


class Data:
    """Everything that is done with shared records."""

    def __init__(self, place: Place) -> None:
        self._place = place

    @property
    def vault(self) -> Vault:
        """Return the keeper's vault, which asks the chain each time."""
        return Vault(self._place.storage, self._place.net.contract(GRANTS))

    # --- the resident

    def share(self, resident: str, party: str, purpose: str, days: int = 30) -> Share:
        """Close a resident's record for one party and purpose, register it, and grant access for some days."""
        place = self._place
        nonce = place.random(DIGEST_SIZE)
        subject = self._subject(resident, party, purpose, nonce)
        content = canonical({name: PEOPLE[resident][name] for name in IN_RECORD})
        readers = [subject.did, place.wallets[party].did, place.wallets[AUDITOR].did]
        stored = close(content, readers, place.random, key_of=self._key_of)
        until = place.now_ms() + days * DAY_MS
        grant = {"record": stored.record, "party": place.wallets[party].did, "purpose": purpose, "until": until}
        register = Call(GRANTS, "register", {"record": stored.record})
        place.net.open([subject])  # where not everybody may write, or writing costs something
        place.net.send(subject, [register, Call(GRANTS, "grant", grant)])
        self.vault.keep(stored)
        share = Share(place.next_number("shares"), resident, party, purpose, until, stored.record, nonce)
        place.put("shares", share.number, share)
        return share

    def shares(self, resident: str = "", party: str = "") -> list[Share]:
        """Return what is shared, by one resident or with one party."""
        found = self._place.all("shares", Share)
        return [one for one in found if one.resident == (resident or one.resident) and party in ("", one.party)]

    def log(self, number: int) -> Sequence[dict[str, Any]]:
        """Return who asked for a shared record, when, for what, and whether they got it, oldest first."""
        share = self._share(number)
        entries = self._place.net.view(GRANTS, "log", {"record": share.record}) if share.record else []
        return [{**entry, "party": self._place.names.get(entry["party"], entry["party"])} for entry in entries]

    # Both may break off between the chain and the vault: done again, they go on where they were.

    def take_back(self, number: int) -> None:
        """Take a grant back, and close the record under another key."""
        place, share = self._place, self._present(number)
        subject = self._subject(share.resident, share.party, share.purpose, share.nonce)
        grant = {"record": share.record, "party": place.wallets[share.party].did, "purpose": share.purpose}
        if not place.net.view(GRANTS, "granted", grant)["revoked"]:
            place.net.send(subject, [Call(GRANTS, "revoke", grant)])
        self.vault.reseal(share.record, subject.key, [place.wallets[AUDITOR].did], place.random, key_of=self._key_of)
        self._keep(share, taken_back=True)

    def erase(self, number: int) -> None:
        """Declare a record erased, and destroy it with its salt and its keys."""
        place, share = self._place, self._present(number)
        subject = self._subject(share.resident, share.party, share.purpose, share.nonce)
        record = {"record": share.record}
        if not place.net.view(GRANTS, "record", record)["erased"]:
            place.net.send(subject, [Call(GRANTS, "erase", record)])
        if self.vault.has(share.record):
            self.vault.erase(share.record)
        place.destroy("shares", number)
        self._keep(share, record=b"", nonce=b"", until=0)  # the chain has this very time, and few others like it

    # --- who wants to read

    def look(self, party: str, number: int, purpose: str) -> Looked:
        """Ask for a record: recorded first, whatever the answer, and only then handed out."""
        place, share = self._place, self._present(number)
        wallet = place.wallets[party]
        access = Call(GRANTS, "access", {"record": share.record, "purpose": purpose})
        answer = place.net.send(wallet, [access]).result
        if not answer["allowed"]:
            return Looked(answer["number"], answer["why"], {})
        handed = self.vault.hand_out(share.record, answer["number"], wallet.did)
        return Looked(answer["number"], "", parse_object(open_handed(handed, wallet.key), "the record"))

    def order(self, number: int, text: str, days: int = 7, shown_after_days: int = 0) -> Receipt:
        """Let the court order that the audit office may read a record; only the digest of the order is recorded."""
        place, share = self._place, self._present(number)
        now, written = place.now_ms(), Order(place.next_number("orders"), number, text, place.random(DIGEST_SIZE))
        shown = now + shown_after_days * DAY_MS if shown_after_days else 0
        order = {"record": share.record, "party": place.wallets[AUDITOR].did, "until": now + days * DAY_MS}
        order |= {"reference": digest("document", written.salt + text.encode()), "shown": shown}
        receipt = place.net.send(place.wallets[COURT], [Call(GRANTS, "order", order)])
        place.put("orders", written.number, written)
        return receipt

    # ---

    def _subject(self, resident: str, party: str, purpose: str, nonce: bytes) -> Wallet:
        place = self._place
        return Wallet(resident, pairwise(place.wallets[resident].key, place.wallets[party].did, purpose, nonce))

    def _key_of(self, did: str) -> bytes:
        return keys(self._place.net)(did, self._place.now_ms())

    def _share(self, number: int) -> Share:
        found = self._place.get("shares", number, Share)
        if found is None:
            raise UsageError(f"there is no share {number}")
        return found

    def _present(self, number: int) -> Share:
        share = self._share(number)
        if not share.record:
            raise CredentialError("access", f"share {number} was erased: nobody knows its record any more")
        return share

    def _keep(self, share: Share, **changes: Any) -> None:
        self._place.put("shares", share.number, replace(share, **changes))
