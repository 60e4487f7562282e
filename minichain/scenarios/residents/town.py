"""The town: its contracts on a chain, and what its roles keep beside it.

The storage stands for several computers: the resident's wallet, the office's register, the keeper's vault. On a real
network each is somebody else's; here they lie side by side, and the page says so.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, MutableMapping
from typing import Any, Final, TypeVar

from minichain.client.exposure import exposed
from minichain.client.network import Network
from minichain.client.trust import ACCREDITATION, STATUS
from minichain.client.wallet import Wallet
from minichain.codec import Record, decode, encode
from minichain.contracts.system import DATA
from minichain.identity.traces import Trace
from minichain.ledger.types import Call
from minichain.scenarios.residents.cards import KIND, Cards
from minichain.scenarios.residents.data import GRANTS, SUPERVISION, Data
from minichain.scenarios.residents.people import (
    AUDITOR,
    BOARD,
    CLINIC,
    COURT,
    HALL,
    KEEPER,
    LIBRARY,
    OFFICE,
    ON_CARD,
    PARTIES,
    PEOPLE,
    PURPOSES,
    VERIFIERS,
    personal_values,
)

Tell = Callable[[str], None]
R = TypeVar("R", bound=Record)

YEARS_MS: Final = 5 * 365 * 86_400_000  # that an accreditation lasts here
ROLES: Final = (OFFICE, BOARD, KEEPER, CLINIC, COURT, AUDITOR, *VERIFIERS, *PEOPLE)


class Place:
    """What both halves of the town stand on: the network, the storage, and chance."""

    def __init__(self, net: Network, storage: MutableMapping[str, bytes], random: Callable[[int], bytes]) -> None:
        self.net, self.storage, self.random = net, storage, random
        self.wallets = {name: Wallet.derive(net.world.root, name) for name in ROLES}
        self.names = {wallet.did: name for name, wallet in self.wallets.items()}

    def now_ms(self) -> int:
        """Return the time of the chain's last block: the only clock that everybody here has."""
        head = self.net.head()
        return head.time_ms if head else self.net.genesis.spec.genesis_time_ms

    def put(self, kind: str, number: int, value: Record) -> None:
        """Keep a value under its kind and number."""
        self.storage[f"{kind}/{number}"] = encode(value)

    def get(self, kind: str, number: int, type_: type[R]) -> R | None:
        """Return what was kept, or None."""
        found = self.storage.get(f"{kind}/{number}")
        return None if found is None else decode(found, type_)

    def destroy(self, kind: str, number: int) -> None:
        """Destroy a value. One that is only replaced may still be read from the disk."""
        del self.storage[f"{kind}/{number}"]

    def numbers(self, kind: str) -> list[int]:
        """Return the numbers of a kind, in order."""
        return sorted(int(name.removeprefix(f"{kind}/")) for name in self.storage if name.startswith(f"{kind}/"))

    def all(self, kind: str, type_: type[R]) -> Iterator[R]:
        """Yield all of a kind, oldest first."""
        for number in self.numbers(kind):
            if (found := self.get(kind, number, type_)) is not None:
                yield found

    def next_number(self, kind: str) -> int:
        """Return a number that nothing of this kind has."""
        return max(self.numbers(kind), default=0) + 1


class Town:
    """A network with the contracts of this case, and its roles."""

    residents = tuple(PEOPLE)
    verifiers = VERIFIERS
    parties = PARTIES
    purposes = tuple(PURPOSES)
    supervision = SUPERVISION

    def __init__(self, place: Place) -> None:
        self.place = place
        self.cards = Cards(place)
        self.data = Data(place)

    @classmethod
    def open(
        cls,
        net: Network,
        storage: MutableMapping[str, bytes],
        random: Callable[[int], bytes],
        tell: Tell = lambda _words: None,
    ) -> Town:
        """Put on the chain what is not there yet; `random(n)` draws n secret bytes."""
        town = cls(Place(net, storage, random))
        town.found(tell)
        return town

    def is_founded(self) -> bool:
        """Tell whether the contracts of this case are on the chain."""
        return {name for name, _, _ in self.place.net.contracts()} >= {STATUS, ACCREDITATION, GRANTS}

    def found(self, tell: Tell = lambda _words: None) -> None:
        """Put the contracts on the chain that are not there yet."""
        if not self.is_founded():
            tell("The rules for cards and data go on the ledger.")
            _found(self.place, {name for name, _, _ in self.place.net.contracts()})

    def play(self, tell: Tell = lambda _words: None) -> None:
        """Found the town and let a morning pass in it, so that there is something to see."""
        self.found(tell)
        if self.cards.issued():
            return
        tell("The office issues three cards.")
        for resident, verifier in (("Resident 1", LIBRARY), ("Resident 2", LIBRARY), ("Resident 1", HALL)):
            self.cards.issue(resident, verifier)
        tell("The library asks two residents.")
        self.cards.answer(self.cards.ask(LIBRARY, "Resident 2", "overEighteen").number)
        self.cards.ask(LIBRARY, "Resident 1", "overEighteen", "address.district")
        tell("A resident shares a record with the clinic, which reads it, and asks for more than it may.")
        share = self.data.share("Resident 1", CLINIC, "treatment")
        for party, purpose in ((CLINIC, "treatment"), (CLINIC, "billing"), (AUDITOR, SUPERVISION)):
            self.data.look(party, share.number, purpose)

    @staticmethod
    def on_card(resident: str) -> dict[str, Any]:
        """Return what a resident's card says, by the path of each claim."""
        found: dict[str, Any] = {}
        for name in ON_CARD:
            value = PEOPLE[resident][name]
            found |= (
                {f"{name}.{part}": item for part, item in value.items()} if isinstance(value, dict) else {name: value}
            )
        return found

    def search(self) -> tuple[tuple[Trace, ...], int, int]:
        """Search every block for everybody's data; returns what was found, of how many values, in how many blocks."""
        values = personal_values()
        return exposed(self.place.net, values), len(values), self.place.net.height()

    def close(self) -> None:
        """Leave the network."""
        self.place.net.close()


def _found(place: Place, known: set[str]) -> None:
    net, by = place.net, place.net.wallets(ROLES)
    if STATUS not in known:
        net.deploy(DATA["status"], sender=by[KEEPER], name=STATUS)
        net.send(by[OFFICE], [Call(STATUS, "open", {"purpose": "revocation"})])
    if ACCREDITATION not in known:
        net.deploy(DATA["accreditation"], sender=by[BOARD], name=ACCREDITATION)
        until = place.now_ms() + YEARS_MS
        accredit = Call(ACCREDITATION, "accredit", {"issuer": by[OFFICE].did, "kind": KIND, "until": until})
        net.send(by[BOARD], [accredit])
    if GRANTS not in known:
        net.deploy(DATA["grants"], sender=by[KEEPER], name=GRANTS, purposes=dict(PURPOSES))
        net.send(by[KEEPER], [Call(GRANTS, "appoint", {"did": by[COURT].did, "role": "court"})])
