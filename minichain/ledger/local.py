"""A network on one computer: its genesis and all its keys follow from one root secret, the same in both worlds."""

from __future__ import annotations

from typing import Any, Final

import msgspec

from minichain.crypto import KeyPair, Secret, digest
from minichain.errors import UsageError
from minichain.ledger.committee import Member
from minichain.ledger.genesis import Assigned, ChainSpec, Delegation, Genesis
from minichain.ledger.profiles import OWNED_BY_ONE, settings_of

BANK: Final = "bank"  # the wallet that holds the native units of a new network
BANK_UNITS: Final = 10**15
BANK_VOTES: Final = 10**6  # units of elections that it holds on a network whose members are elected
MAX_VALIDATORS: Final = 100
OWNER: Final = "the owner"  # of all validators, where a profile has one
COORDINATOR: Final = "coordinator"  # the chain that coordinates the shards of a network
MAX_SHARDS: Final = 64


def chain_ids(shards: int) -> tuple[str, ...]:
    """Return the ids of the chains of a sharded network, the coordinating one first; raises `UsageError`."""
    if not 1 <= shards <= MAX_SHARDS:
        raise UsageError(f"a network has 1 to {MAX_SHARDS} shards, not {shards}")
    return COORDINATOR, *(f"shard-{number}" for number in range(shards))


def shard_settings(chain_id: str, settings: dict[str, Any]) -> dict[str, Any]:
    """Return the settings of one of these chains: the coordinating one says who certifies on a shard."""
    is_assigned = chain_id != COORDINATOR and settings.get("engine", "bft") == "bft"
    return {**({"membership": Assigned(COORDINATOR)} if is_assigned else {}), **settings, "chain_id": chain_id}


def root_of(seed: int) -> Secret:
    """Return the root secret that a seed stands for."""
    return Secret(digest("network seed", str(seed).encode()))


def wallet_key(root: bytes, name: str) -> KeyPair:
    """Return the key pair of the wallet of a name."""
    return KeyPair.derive(root, f"wallet {name}")


def later_key(root: bytes, name: str, number: int) -> KeyPair:
    """Return a later key of the wallet of a name, counted from 1: what its owner draws when the last one is lost."""
    return KeyPair.derive(root, f"wallet {name} key {number}")


def validator_key(root: bytes, number: int) -> KeyPair:
    """Return the key pair of a validator, counted from 0."""
    return KeyPair.derive(root, f"validator {number}")


def node_key(root: bytes, name: str) -> KeyPair:
    """Return the key pair of the validator of a name: `node-` and its number."""
    return validator_key(root, int(name.removeprefix("node-")))


def with_profile(settings: dict[str, Any]) -> dict[str, Any]:
    """Return settings of `ChainSpec`, where a `profile` is named with those of the profile under them."""
    return {**settings_of(settings["profile"]), **settings} if "profile" in settings else settings


def _with_holder(settings: dict[str, Any], bank: bytes) -> dict[str, Any]:
    """Let the bank hold the units that elect the members, where nobody else does."""
    membership = settings.get("membership")
    if not isinstance(membership, Delegation) or membership.holders:
        return settings
    return {**settings, "membership": msgspec.structs.replace(membership, holders=((bank, BANK_VOTES),))}


def new_chain(
    validators: int, root: bytes, settings: dict[str, Any], first: int = 0
) -> tuple[Genesis, dict[str, KeyPair]]:
    """Make the genesis and the validators' keys, by name; they are numbered from `first` on.

    `settings` are those of `ChainSpec`; with a `profile`, those of the profile come first.
    """
    if not 1 <= validators <= MAX_VALIDATORS:
        raise UsageError(f"a network on one computer has 1 to {MAX_VALIDATORS} validators, not {validators}")
    unknown = sorted(settings.keys() - set(ChainSpec.__struct_fields__))
    if unknown:
        raise UsageError(f"a chain has no setting {unknown[0]!r}; it has {', '.join(ChainSpec.__struct_fields__)}")
    settings = with_profile(settings)
    keys = {f"node-{number}": validator_key(root, number) for number in range(first, first + validators)}
    owner = OWNER if settings.get("profile") in OWNED_BY_ONE else ""
    members = tuple(Member(name, key.public, owner=owner) for name, key in keys.items())
    bank = wallet_key(root, BANK).public
    settings = _with_holder(settings, bank)
    balances = ((bank, BANK_UNITS),)
    usual = {"chain_id": "minichain-local", "members": members, "balances": balances, "identity": True}
    return Genesis(ChainSpec(**{**usual, **settings})), keys
