"""What a trainer lets happen to the running network of a class: faults of machines, a stolen key, a false reading.

Faults are lines of a timeline, as everywhere. What people do wrong is done on the chain by made-up institutions, and
stays there: the point is that every node accepts it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from minichain.client.network import Network
from minichain.client.wallet import Wallet
from minichain.course.classroom.register import Declined
from minichain.crypto import KeyPair
from minichain.ledger.types import Call
from minichain.scenarios.oracle.contract import Readings

CRASH, DELAY, PARTITION, LIAR, THEFT, ORACLE = "crash", "delay", "partition", "liar", "theft", "oracle"
KINDS: Final = (CRASH, DELAY, PARTITION, LIAR, THEFT, ORACLE)
AT_A_NODE: Final = (CRASH, LIAR)

OFFICE, STRANGER = "Class: records office", "Class: stranger"
OWNED, STOLEN = 100, 60  # units
READINGS: Final = "readings"
KEEPER, JUDGE = "Class: environment office", "Class: arbitration board"
SCALES: Final = {"Class: office scale": 61, "Class: university scale": 58, "Class: factory scale": 12}  # kg
FOR_EVER: Final = 2**52
RULES: Final[dict[str, Any]] = {
    "unit": "kg",
    "length": 8_000,  # all scales report in the round that begins with the feed
    "needed": 2,
    "tolerance": 15,
    "objection_time": 86_400_000,
}


def let_happen(net: Network, what: str, node: str) -> list[int]:
    """Let something happen; returns the blocks that tell of it, if any. Raises `Declined`."""
    if what not in KINDS:
        raise Declined("no_such_trouble", what=what[:20], known=", ".join(KINDS))
    if what in AT_A_NODE and node not in net.nodes:
        raise Declined("no_such_node", node=node[:20], known=", ".join(net.nodes))
    match what:
        case "theft":
            return [steal(net)]
        case "oracle":
            return read_falsely(net)
    net.fault(words(what, node, net.nodes))
    return []


def words(what: str, node: str, nodes: Sequence[str]) -> str:
    """Return a fault as a line of a timeline, without its time."""
    half = len(nodes) // 2
    return {
        CRASH: f"crash {node}",
        DELAY: "delay 600 1200",
        PARTITION: f"part {' '.join(nodes[:half])} | {' '.join(nodes[half:])}",
        LIAR: f"behave {node} equivocator",
    }[what]


def steal(net: Network) -> int:
    """Let a stranger who has copied an office's key send away what the office owns; returns the block."""
    wallets = net.wallets([OFFICE], OWNED)
    stranger = net.wallet(STRANGER)
    copied = Wallet("whoever has the key", KeyPair(wallets[OFFICE].key.seed))
    return net.send(copied, [Call("ledger", "transfer", {"to": stranger.did, "amount": STOLEN})]).height


def read_falsely(net: Network) -> list[int]:
    """Let one of three scales report a false weight, and the median of three owners count; returns the blocks."""
    wallets = net.wallets([KEEPER, JUDGE, *SCALES])
    if READINGS not in {name for name, _, _ in net.contracts()}:
        net.deploy(Readings, sender=wallets[KEEPER], name=READINGS, judge=wallets[JUDGE].did)
    feed = f"Lorry {net.height()}"
    opened = net.send(wallets[KEEPER], [_call("open_feed", feed=feed, **RULES), *_admissions(wallets)])
    at = net.block(opened.height).final.block.header.time_ms
    reported = net.send_together(
        (wallets[one], [_call("report", feed=feed, round=0, value=value, measured_at=at)])
        for one, value in SCALES.items()
    )
    net.pass_time(RULES["length"])
    settled = net.send(wallets[KEEPER], [_call("settle", feed=feed, round=0)])
    return sorted({receipt.height for receipt in (*reported, settled)})


def _admissions(wallets: dict[str, Wallet]) -> list[Call]:
    owners = {wallets[name].did: name.removeprefix("Class: ") for name in SCALES}
    return [
        _call("admit", source=did, owner=owner, calibrated_from=0, calibrated_until=FOR_EVER)
        for did, owner in owners.items()
    ]


def _call(action: str, **args: Any) -> Call:
    return Call(READINGS, action, args)
