"""What is compared: a kind of ledger, with so many validators of so many owners.

An ordinary database is a kind too, with one computer and one owner, so that it can be asked whether a chain is needed.
"""

from __future__ import annotations

from typing import Any, Final

from minichain.client.network import Network
from minichain.client.simulated import SimulatedWorld
from minichain.client.wallet import Wallet
from minichain.codec import Plain
from minichain.errors import UsageError
from minichain.ledger.committee import Member
from minichain.ledger.genesis import Delegation
from minichain.ledger.local import OWNER, root_of, validator_key
from minichain.ledger.profiles import OWNED_BY_ONE, PROFILES
from minichain.scenarios.comparison.contract import Collections
from minichain.scenarios.comparison.work import CONTRACT, OFFICE, RESIDENTS, UNITS, key_of
from minichain.sim.world import World

DATABASE: Final = "database"
KINDS: Final = (DATABASE, "private", "alliance", "open_alliance", "public_consortium", "public")
assert {DATABASE, *PROFILES} == set(KINDS)

LEAST_VALIDATORS, MOST_VALIDATORS = 4, 13
MOST_TRANSACTIONS: Final = 2_000
OWNERS: Final = tuple(f"owner {letter}" for letter in "ABCDEFGHIJKLM")


class Design(Plain):
    """One ledger to be tried. `owners` is how many share the validators, None for as many as there are."""

    kind: str
    validators: int = 4
    owners: int | None = None
    transactions: int = 200
    seed: int = 7

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise UsageError(f"there is no kind of ledger {self.kind!r}: choose one of {', '.join(KINDS)}")
        for what, value, least, most in (
            ("validators", self.validators, LEAST_VALIDATORS, MOST_VALIDATORS),
            ("owners", self.owners or self.validators, 1, self.validators),
            ("transactions", self.transactions, 1, MOST_TRANSACTIONS),
        ):
            if not least <= value <= most:
                raise UsageError(f"{what}: from {least} to {most}, not {value}")

    @property
    def members(self) -> tuple[Member, ...]:
        """Return the validators, shared out among the owners in turn; those of a private chain have one owner."""
        if self.kind == DATABASE:
            return (Member("the computer", validator_key(self.root, 0).public, owner=OWNER),)
        count = self.owners or self.validators
        owners = (OWNER,) if self.kind in OWNED_BY_ONE else OWNERS[:count]
        return tuple(
            Member(f"node-{n}", validator_key(self.root, n).public, owner=owners[n % len(owners)])
            for n in range(self.validators)
        )

    @property
    def root(self) -> bytes:
        """Return the secret that all keys follow from; the same for every kind."""
        return root_of(self.seed)

    @property
    def settings(self) -> dict[str, Any]:
        """Return the settings of the chain: its profile's, these members, and residents who have something."""
        residents = tuple((key_of(name, self.seed).public, UNITS) for name in (*RESIDENTS, OFFICE))
        settings: dict[str, Any] = {"members": self.members, "balances": residents}
        if self.kind == DATABASE:
            return settings
        settings["profile"] = self.kind
        if isinstance(PROFILES[self.kind].get("membership"), Delegation):
            settings["membership"] = Delegation(holders=residents)  # those whom the chain serves elect who runs it
        return settings


def network(design: Design) -> Network:
    """Make the simulated network of a design; it starts with `with`, and then `prepare` it."""
    made: Network = Network.simulated(design.validators, seed=design.seed, **design.settings)
    return made


def prepare(net: Network, design: Design) -> World:
    """Put the contract there; return the world."""
    assert isinstance(net.world, SimulatedWorld)
    net.deploy(Collections, sender=Wallet(OFFICE, key_of(OFFICE, design.seed)), name=CONTRACT)
    return net.world.world
