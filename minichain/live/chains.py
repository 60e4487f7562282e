"""Which chains a home has, or gets: one, or a coordinating chain and its shards, each in a home of its own beside it.

What a home has stays what it is: whoever asks for another number or kind is told so. `--fresh` begins anew.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any, Final

from minichain.codec import from_json
from minichain.crypto import KeyPair
from minichain.errors import ConfigError, DecodeError, UsageError
from minichain.ledger.genesis import ChainSpec, Genesis
from minichain.ledger.local import COORDINATOR, chain_ids, new_chain, shard_settings
from minichain.ledger.profiles import settings_of
from minichain.live import origin
from minichain.live.home import Home, has_chain

Chain = tuple[Home, Genesis, dict[str, KeyPair]]  # where it lives, what it is, its validators' keys by name

VALIDATORS: Final = 4  # of a new chain, unless another number is asked for


def is_there(home: Home) -> bool:
    """Tell whether a home has a chain, or several."""
    return bool(home.chains) or has_chain(home.chain)


def count(home: Home, shards: int | None, validators: int | None) -> tuple[int, int]:
    """Return (chains, validators of all of them) that a home has, or would get."""
    if is_there(home):
        kept = [_kept(home.part(chain_id)) for chain_id in home.chains] or [_kept(home)]
        return len(kept), sum(len(genesis.committee.members) for genesis in kept)
    chains = len(chain_ids(shards)) if shards else 1
    return chains, chains * (validators or VALIDATORS)


def chains_of(
    home: Home,
    shards: int | None = None,
    validators: int | None = None,
    profile: str | None = None,
    chain_id: str | None = None,
) -> list[Chain]:
    """Return the chains of a home, made now if it has none; each of them has so many validators (None: 4)."""
    if shards and chain_id:
        raise UsageError("the chains of a sharded network have ids of their own: leave --chain-id out, or --shards")
    if shards and profile and settings_of(profile)["engine"] != "bft":
        raise UsageError(
            f"a shard has members who vote, whom the coordinating chain assigns; those of the profile {profile} agree "
            "in another way: leave --profile out, or --shards"
        )
    if is_there(home):
        _require_all(home)
        _require_same(home, shards)
        parts = [home.part(chain_id) for chain_id in home.chains] or [home]
        known = [_known_chain(part, home, validators, profile, chain_id) for part in parts]
        for name in home.chains:  # only now: what a part has may be the last copy of the right secret
            home.share(name)
        if home.chains:
            home.list_chains(home.chains)
        return [(part, *chain) for part, chain in zip(parts, known, strict=True)]
    if not shards:
        return [(home, *_new_chain(home, validators, profile, {"chain_id": chain_id} if chain_id else {}))]
    count, made = validators or VALIDATORS, []
    for place, each in enumerate(chain_ids(shards)):
        part = home.share(each)
        made.append((part, *_new_chain(part, count, profile, shard_settings(each, {}), first=place * count)))
    home.list_chains(chain_ids(shards))
    for part, genesis, _ in made:  # before the first of them starts: whatever ends this, none is left out afterwards
        origin.keep(part.chain, genesis)
    return made


def settle(home: Home, specs: Sequence[ChainSpec]) -> list[Chain]:
    """Let a home that has no chain have several, made by its secret with these settings, and return them."""
    for spec in specs:
        origin.keep(home.share(spec.chain_id).chain, Genesis(spec))
    return chains_of(home)


def _kept(home: Home) -> Genesis:
    settings = origin.settings_of(home.chain)
    try:
        return Genesis(from_json(settings, ChainSpec))
    except (DecodeError, ConfigError) as error:
        raise origin.refused(home.chain, settings, str(error)) from error


def _require_all(home: Home) -> None:
    for chain_id in home.missing:
        raise ConfigError(
            f"{home.path / chain_id} is missing, with the chain {chain_id} of this network: put it back from a copy. "
            "Nothing was changed or deleted; without it, the other chains go on each by its own `--home`, or begin "
            "anew with `--fresh`"
        )


def _require_same(home: Home, shards: int | None) -> None:
    known = len([chain_id for chain_id in home.chains if chain_id != COORDINATOR])
    if shards not in (None, known):
        raise ConfigError(
            f"the network in {home.path} has {known or 'no'} shards, not {shards}: leave the number out to go on with "
            "it, or start a new one with `--fresh`"
        )


def _new_chain(
    home: Home, validators: int | None, profile: str | None, settings: dict[str, Any], first: int = 0
) -> tuple[Genesis, dict[str, KeyPair]]:
    told = {"genesis_time_ms": time.time_ns() // 1_000_000, **settings, **({"profile": profile} if profile else {})}
    return new_chain(validators or VALIDATORS, home.root(), told, first)


def _known_chain(
    home: Home, owner: Home, validators: int | None, profile: str | None, chain_id: str | None
) -> tuple[Genesis, dict[str, KeyPair]]:
    """Return the chain of a home, with the keys that the secret of its owner makes."""
    genesis = kept(home, validators, profile, chain_id)
    members = genesis.committee.members
    first = min(int(member.name.removeprefix("node-")) for member in members)
    keys = new_chain(len(members), owner.root(), {}, first)[1]
    if {key.public for key in keys.values()} != {member.public for member in members}:
        raise ConfigError(
            f"the secret {owner.path / 'root'} is not the one that the chain in {home.chain} was made with: put the "
            "right one back, or start a new chain with `--fresh`"
        )
    return genesis, keys


def kept(home: Home, validators: int | None, profile: str | None, chain_id: str | None) -> Genesis:
    """Return the chain of a home; raises `ConfigError` where it is not as it is asked to be."""
    genesis = _kept(home)
    members, spec = genesis.committee.members, genesis.spec
    asked = (
        (validators, len(members), f"has {len(members)} validators, not {validators}", "number"),
        (profile, spec.profile, f"has the profile {spec.profile}, not {profile}", "profile"),
        (chain_id, spec.chain_id, f"is called {spec.chain_id}, not {chain_id}", "id"),
    )
    for wanted, has, difference, what in asked:
        if wanted not in (None, has):
            raise ConfigError(
                f"the chain in {home.path} {difference}: leave the {what} out to go on with it, or start a new chain "
                "with `--fresh`"
            )
    return genesis
