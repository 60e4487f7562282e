"""Run a case on a network of its own: one document, its whole life, and a validator that dies half way.

Generic over the case. The chain uses the logical clock, so both worlds give the same receipts and the same state root.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import groupby
from pathlib import Path
from typing import Any, Final

from minichain.client.network import Network
from minichain.client.receipt import Receipt
from minichain.client.wallet import Wallet
from minichain.crypto import digest
from minichain.errors import UsageError
from minichain.ledger.types import Call
from minichain.scenarios import Scenario, Step

VALIDATORS: Final = 4
VICTIM: Final = "node-2"  # killed at the middle of the story, started again at three quarters of it

Tell = Callable[[str], None]  # is told, in a few words, what is being done


def run(scenario: Scenario, document_path: Path, world: str, seed: int, proof: Path, tell: Tell) -> dict[str, Any]:
    """Carry a document through its case; `world` is "live" or "sim", `seed` fixes every key.

    Returns what happened, for JSON. The proof is that of the last step, written to `proof`.
    """
    document = scenario.load(document_path)
    makers: dict[str, Callable[..., Network]] = {"live": Network.local, "sim": Network.simulated}
    if world not in makers:
        raise UsageError(f"there is no world {world!r}: choose live or sim")
    tell(f"starting {VALIDATORS} validators")
    with makers[world](VALIDATORS, seed=seed, clock="logical", chain_id=f"{scenario.name}-demo") as net:
        wallets = {role: net.wallet(role) for role in scenario.roles(document)}
        dids = {role: wallet.did for role, wallet in wallets.items()}
        office = next(iter(wallets.values()))
        deploy(net, scenario.contracts, scenario.setup(document, dids), office, tell)
        # The salt must be unknown to others and the same in both worlds: it follows from the network's secret.
        salt = digest("scenario salt", net.world.root + document_path.read_bytes())
        return report(net, play(net, scenario.plan(document, dids, salt), wallets, tell), proof)


def deploy(
    net: Network, contracts: Mapping[str, type], arguments: Mapping[str, Mapping[str, Any]], office: Wallet, tell: Tell
) -> None:
    """Deploy the contracts of a case that are not on the chain yet, in their order."""
    known = {name for name, _, _ in net.contracts()}
    for name, contract in contracts.items():
        if name not in known:
            tell(f"deploying the contract {name}")
            net.deploy(contract, sender=office, name=name, setup=arguments[name])


def perform(net: Network, step: Step, wallet: Wallet) -> Receipt:
    """Send one step of a story as a transaction."""
    return net.send(wallet, [call_of(step)])


def call_of(step: Step) -> Call:
    """Return the call that a step of a story is."""
    return Call(step.contract, step.action, dict(step.args))


def play(
    net: Network, steps: tuple[Step, ...], wallets: Mapping[str, Wallet], tell: Tell
) -> list[tuple[Step, Receipt]]:
    """Send every step of a story, and let one validator die half way and come back."""
    done = []
    for number, step in enumerate(steps):
        if number == len(steps) // 2:
            tell(f"killing {VICTIM}")
            net.crash(VICTIM)
        if number == len(steps) * 3 // 4:
            tell(f"starting {VICTIM} again")
            net.restart(VICTIM)
        tell(f"{step.role}: {step.sentence}")
        done.append((step, perform(net, step, wallets[step.role])))
    return done


def report(net: Network, done: list[tuple[Step, Receipt]], proof: Path) -> dict[str, Any]:
    """Write the proof of the last step, and return what happened, for JSON."""
    net.wait_for_height(done[-1][1].height)
    proof.write_bytes(done[-1][1].proof().to_bytes())
    return {
        "statuses": [status for status, _ in groupby(status for _, receipt in done for status in _statuses(receipt))],
        "heights": [receipt.height for _, receipt in done],
        "receipts": [{"tx_id": receipt.tx_id, **receipt.comparable()} for _, receipt in done],
        "state_roots": {node.name: node.state_root for node in net.status()},
        "proof": str(proof),
        "genesis": net.genesis.hash.hex(),
        "steps": [
            {
                "height": receipt.height,
                "role": step.role,
                "action": step.action,
                "status": (_statuses(receipt) or [""])[-1],
            }
            for step, receipt in done
        ],
    }


def _statuses(receipt: Receipt) -> list[str]:
    """Return the statuses that a receipt announces, in order."""
    return [event.data["state"] for event in receipt.events if "state" in event.data]
