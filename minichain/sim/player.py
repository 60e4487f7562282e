"""A timeline in the simulated world: the chain and the world it begins in, and the clients, who see every disk."""

from __future__ import annotations

from typing import Any, Final

from minichain.crypto import KeyPair
from minichain.faults import player
from minichain.faults.timeline import Timeline
from minichain.ledger.genesis import Authority, Fee, Genesis, Work
from minichain.ledger.local import new_chain, root_of, validator_key, wallet_key
from minichain.sim.clients import SENDERS, UNITS, Load
from minichain.sim.world import World

WORK: Final = Work(difficulty=64)  # it is as long as its block time says, in virtual time; a nonce takes real time


def chain_of(timeline: Timeline, work: Work = WORK) -> tuple[Genesis, dict[str, KeyPair]]:
    """Make the genesis and the keys that a timeline's options stand for."""
    root = root_of(timeline.seed)
    keys = {name: validator_key(root, number) for number, name in enumerate(timeline.names)}
    owners = [wallet_key(root, name).public for name in SENDERS]
    settings: dict[str, Any] = {"engine": timeline.engine, "clock": timeline.clock, "work": work}
    settings["identity"] = False  # no client of a timeline calls it
    if timeline.membership == "voted":
        settings["membership"] = Authority()
    if timeline.price:
        settings["policy"] = Fee(timeline.price)
        owners += [key.public for key in keys.values()]  # who votes pays for that
    settings["balances"] = tuple((owner, UNITS) for owner in owners)
    return new_chain(timeline.validators, root, settings)[0], keys


def world_of(timeline: Timeline, *, keep_lines: bool = False) -> World:
    """Make the world that a timeline begins in."""
    genesis, keys = chain_of(timeline)
    return World(genesis, keys, seed=timeline.seed, weather=timeline.weather, keep_lines=keep_lines)


def play(world: World, timeline: Timeline) -> Load:
    """Let everything happen; returns when the last line has. The clients go on by the `Load`."""
    load = Load(world, timeline.seed, timeline.clients)
    player.play(world, load, timeline)
    return load
