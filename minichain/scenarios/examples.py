"""The example cases that `minichain up` puts on a new chain, as real transactions of made-up parties."""

from __future__ import annotations

from minichain.client.network import Network
from minichain.scenarios.demo import Tell, call_of, deploy
from minichain.scenarios.waste import day


def load(net: Network, tell: Tell) -> None:
    """Put on the chain what is not there yet; a chain that has the contracts has the rest."""
    known = {name for name, _, _ in net.contracts()}
    if known >= set(day.CONTRACTS):
        return
    wallets = net.wallets(day.people())
    dids = {name: wallet.did for name, wallet in wallets.items()}
    deploy(net, day.CONTRACTS, day.arguments(dids), wallets[day.people()[0]], tell)
    for steps in day.rounds(dids):
        tell(f"{steps[0].role}: {steps[0].sentence}" + (f" (and {len(steps) - 1} more)" if len(steps) > 1 else ""))
        net.send_together((wallets[step.role], [call_of(step)]) for step in steps)
