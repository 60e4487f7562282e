"""A story of one street's air: three sensors of three owners, the factory's own among them. All of it is invented.

A plan, like any story: nothing is sent here, and what goes wrong is not marked. Times follow the chain's clock, so
each step is made when the one before it is done.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Final

from minichain.client.network import Network
from minichain.client.receipt import Receipt
from minichain.crypto import digest
from minichain.scenarios import Dids, Step
from minichain.scenarios.oracle.contract import Readings

CONTRACT: Final = "readings"
FEED: Final = "PM2.5, Canal Street"
OFFICE, BOARD, RESIDENT = "Environment office", "Arbitration board", "Resident"
SOURCES: Final = {"Office sensor": OFFICE, "University sensor": "University", "Factory sensor": "Factory"}  # its owner
MINUTE_MS: Final = 60_000
DAY_MS: Final = 24 * 60 * MINUTE_MS
RULES: Final[dict[str, Any]] = {
    "unit": "µg/m³",
    "length": 10 * MINUTE_MS,
    "needed": 2,
    "tolerance": 15,
    "objection_time": 30 * MINUTE_MS,
}
EVIDENCE: Final = digest("story", b"photograph of the inlet").hex()  # of what is kept elsewhere


def roles() -> tuple[str, ...]:
    """Return the wallets the story needs; the first one deploys."""
    return (OFFICE, BOARD, RESIDENT, *SOURCES)


def days_from(now_ms: int, days: int) -> dict[str, int]:
    """Return a calibration that began just now and holds for some days."""
    return {"calibrated_from": now_ms, "calibrated_until": now_ms + days * DAY_MS}


def plan(dids: Dids, now: Callable[[], int]) -> Iterator[Step]:
    """Tell the story: two rounds, a lie that the median bears, an objection in time, and one that comes late.

    `now` tells the time of the last block whenever a step is asked for.
    """
    yield _step(OFFICE, "open_feed", "Opens a feed for the fine dust of one street.", **RULES)
    for name, owner in SOURCES.items():
        sentence = "Registers a sensor with its owner and its calibration."
        yield _step(OFFICE, "admit", sentence, source=dids[name], owner=owner, **days_from(now(), 365))
    yield from _round(0, now, {"Office sensor": 61, "University sensor": 58, "Factory sensor": 12})
    yield _step(RESIDENT, "object", "Objects in time: the figure is suspended.", **_objection(0))
    grounds = "The inlet was free: the photograph shows another sensor. The figure stands."
    yield _step(BOARD, "decide", "Rejects it, with grounds.", **_verdict(0, 0, grounds, upheld=False, value=58))
    yield from _round(1, now, {"Office sensor": 40, "University sensor": 64})
    wait = RULES["objection_time"] + MINUTE_MS
    yield _step(RESIDENT, "object", "Objects late: the figure stays in use.", wait_ms=wait, **_objection(1))
    grounds = "The inlet of the office's sensor was covered. The university's reading counts."
    yield _step(
        BOARD,
        "decide",
        "Upholds it: a new entry corrects the figure.",
        **_verdict(1, 0, grounds, upheld=True, value=64),
    )


def tell(net: Network) -> Iterator[tuple[Step, Receipt]]:
    """Play the story on a network: each step as a transaction of its role, and the time between them."""
    wallets = net.wallets(roles())
    dids = {name: wallet.did for name, wallet in wallets.items()}
    contract = net.deploy(Readings, sender=wallets[OFFICE], name=CONTRACT, judge=dids[BOARD])

    def now() -> int:
        head = net.head()
        assert head is not None, "the contract was deployed in a block"
        return head.time_ms

    for step in plan(dids, now):
        net.pass_time(step.wait_ms)
        yield step, contract.with_sender(wallets[step.role]).attempt(step.action, **step.args)


def _round(number: int, now: Callable[[], int], values: dict[str, int]) -> Iterator[Step]:
    for name, value in values.items():
        reading = {"round": number, "value": value, "measured_at": now()}
        yield _step(name, "report", "Signs what it measured.", **reading)
    yield _step("Resident", "settle", "Closes the round.", wait_ms=RULES["length"], round=number)


def _objection(number: int) -> dict[str, Any]:
    return {"round": number, "reason": "instrument", "evidence": EVIDENCE}


def _verdict(number: int, objection: int, grounds: str, *, upheld: bool, value: int) -> dict[str, Any]:
    return {"round": number, "number": objection, "upheld": upheld, "value": value, "grounds": grounds}


def _step(role: str, action: str, sentence: str, *, wait_ms: int = 0, **args: Any) -> Step:
    return Step(role, action, {"feed": FEED, **args} if action != "admit" else args, sentence, CONTRACT, wait_ms)
