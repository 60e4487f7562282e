"""The story of the points on a network of its own: four validators, one of which dies half way.

The chain uses the logical clock, on which each block is a day: both worlds give the same receipts.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any, Final

from minichain.client.network import Network
from minichain.client.wallet import Wallet
from minichain.errors import UsageError
from minichain.scenarios import demo
from minichain.scenarios.points import story
from minichain.scenarios.points.consents import Consents, pseudonym
from minichain.scenarios.points.presets import DAY_MS, preset
from minichain.scenarios.residents.people import PEOPLE

PRESET: Final = "training"


def run(world: str, seed: int, proof: Path, tell: demo.Tell) -> dict[str, Any]:
    """Tell the story; `world` is "live" or "sim", `seed` fixes every key.

    Returns what happened, for JSON: `states` are those that accounts, entries, cases, orders and loads went through.
    The proof is that of the last step, written to `proof`.
    """
    makers: dict[str, Callable[..., Network]] = {"live": Network.local, "sim": Network.simulated}
    if world not in makers:
        raise UsageError(f"there is no world {world!r}: choose live or sim")
    tell(f"starting {demo.VALIDATORS} validators")
    settings = {"clock": "logical", "interval_ms": DAY_MS, "identity": True, "chain_id": "points-demo"}
    with makers[world](demo.VALIDATORS, seed=seed, **settings) as net:
        wallets = cast_of(net)
        dids = {role: wallet.did for role, wallet in wallets.items()}
        deploy(net, wallets, tell)
        # Chance is the same in both worlds: it follows from the network's secret.
        consents = Consents({}, Random(net.world.root).randbytes)
        given = {role: consents.keep(PEOPLE[role]) for role in story.RESIDENTS}
        done = demo.play(net, story.plan(preset(PRESET), dids, given), wallets, tell)
        tell("destroying what was kept of the resident who has withdrawn")
        consents.erase(given[story.RESIDENT])
        found = demo.report(net, done, proof)
        return {"states": found.pop("statuses"), **found}


def cast_of(net: Network) -> dict[str, Wallet]:
    """Return the wallet of each role; a resident has a key that is used for this scheme and for nothing else."""
    wallets = dict(net.wallets(story.ROLES))
    owner = wallets[story.OWNER].did
    own = {role: Wallet(role, pseudonym(wallets[role].key, owner)) for role in story.RESIDENTS}
    net.open(own.values())  # where not everybody may write, or writing costs something
    return wallets | own


def deploy(net: Network, wallets: dict[str, Wallet], tell: demo.Tell) -> None:
    """Put the contracts on the chain that are not there yet: those of garbage custody and those of the scheme."""
    dids = {role: wallet.did for role, wallet in wallets.items()}
    head = net.head()
    now_ms = head.time_ms if head else net.genesis.spec.genesis_time_ms
    # The scheme begins after its contracts are there: each takes a block.
    begins = now_ms + DAY_MS * (len(story.CONTRACTS) + len(story.CUSTODY_CONTRACTS))
    authority = wallets[story.WASTE_AUTHORITY]
    demo.deploy(net, story.CUSTODY_CONTRACTS, story.custody_arguments(dids), authority, tell)
    given = story.arguments(preset(PRESET), dids[story.OWNER], begins)
    for name, contract in story.CONTRACTS.items():
        demo.deploy(net, {name: contract}, given, wallets[story.AUTHORITIES[name]], tell)
