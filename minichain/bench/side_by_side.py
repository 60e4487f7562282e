"""The same validators as one chain and as several, side by side: what sharding is for, in processes on this machine."""

from __future__ import annotations

from contextlib import ExitStack
from statistics import median
from typing import Any, Final

from minichain.bench.processes import final_on_all, flood, os_cores, paid, transfers_on
from minichain.errors import UsageError

TURNS: Final = 3  # of each, in alternation, so that both meet the same machine


def split(validators: int = 8, transfers: int = 8_000, shards: int = 2) -> dict[str, Any]:
    """Let so many validators carry the same transfers as one chain and as several, in turns."""
    if validators % shards:
        raise UsageError(f"{validators} validators are not so many on each of {shards} shards: choose a multiple")
    transfers -= transfers % validators
    one, several = [], []
    for _ in range(TURNS):
        one.append(_rate(1, validators, transfers))
        several.append(_rate(shards, validators // shards, transfers))
    gains = [together / alone for alone, together in zip(one, several, strict=True)]
    return {
        "one_chain_tps": round(median(one)),
        "shards_tps": round(median(several)),
        "gain": round(median(gains), 2),
        "one_chain_each": [round(rate) for rate in one],
        "shards_each": [round(rate) for rate in several],
        "expected_gain": shards,
        "transfers": transfers,
        "validators": validators,
        "shards": shards,
        "cores": os_cores(),
        "formula": "tps = transfers / seconds from first submission until all are final on every validator of their "
        f"chain, the median of {TURNS} runs of each, in turns; gain = the median of shards / one chain of two runs in "
        "a row, as a machine may have other work; expected_gain: each transfer is checked by a shard's validators "
        "instead of all, which is as many times fewer as there are shards; no transfer crosses",
    }


def _rate(chains: int, validators: int, transfers: int) -> float:
    """Return the transfers a second of so many chains together, each of so many validators."""
    each = transfers // (chains * validators)
    with ExitStack() as running:
        nets = [running.enter_context(paid(validators, each)) for _ in range(chains)]
        seconds = flood([transfers_on(net, each) for net in nets], [])
        assert all(final_on_all(net) == each * validators * validators for net in nets), "some are not final everywhere"
    return transfers / seconds
