"""Play cases through the front door: signed transactions in, receipts out. `python -m hostile.play FAMILY ...`.

Prints one JSON line a case, what everybody must agree on, and last what it cost here. `--warm` lets all cases share one
chain and one runtime, in reversed order, and plays each twice; otherwise each has a chain of its own.
"""

from __future__ import annotations

import json
import sys
import time
from hashlib import sha256
from pathlib import Path
from typing import Any

import builders
import msgspec
import psutil

from hostile import bounded, everywhere
from minichain.codec import encode, to_json
from minichain.ledger.genesis import Limits, Quota
from minichain.ledger.types import Call, Receipt
from minichain.transition import GAS_BYTE

if sys.platform != "win32":
    import resource

MOST_GAS = Limits().transaction_gas
CHAIN = builders.genesis(
    balances=((builders.key("eve").public, 10**6),), policy=Quota(gas=10**15), limits=Limits(block_gas=10**9)
)


class Play:
    """One chain with the contracts that the cases call."""

    def __init__(self) -> None:
        self.ledger = builders.Ledger(CHAIN)
        self.nonce = 0
        for number in range(9):
            self.deploy(f"rung-{number}", bounded.RUNG.replace("{next}", str(number + 1)))

    def send(self, call: Call, gas: int = MOST_GAS) -> Receipt:
        tx = builders.sign(CHAIN, "eve", call, nonce=self.nonce, gas_limit=gas, expires=9_000)
        self.nonce += 1
        self.bytes = len(tx.raw)
        _, execution, refused = self.ledger.grow(tx)
        if refused:
            sys.exit(f"refused: {refused}")
        return execution.receipts[0]

    def deploy(self, name: str, source: str) -> None:
        receipt = self.send(builders.deploy(name, source))
        if not receipt.ok:
            sys.exit(f"{name}: {receipt.error}")

    def case(self, source: str, gas: int) -> tuple[dict[str, Any], float]:
        """Deploy a contract as `c...`, call it, and make sure that the ledger goes on."""
        name = f"c{self.nonce:07}"
        self.deploy(name, source.replace("self.call('c',", f"self.call('{name}',"))
        start = time.process_time()
        receipt = self.send(Call(name, "go"), gas)
        seconds, carried = time.process_time() - start, self.bytes * GAS_BYTE
        if not self.send(builders.transfer("shop", 1)).ok:
            sys.exit(f"after {name} the ledger does not go on")
        return told(receipt, name, carried), seconds


def told(receipt: Receipt, name: str, carried: int) -> dict[str, Any]:
    """Return what must be the same everywhere, whatever came before: all but the contract's name, the place in the
    chain, and the gas for the bytes of the transaction, whose nonce is longer after many others.
    """
    gas = receipt.gas - (carried if receipt.outcome != "out_of_gas" else 0)
    same = encode(msgspec.structs.replace(receipt, tx_id=b"", height=0, index=0, gas=gas))
    same = same.replace(name.encode(), b"contract")
    error = receipt.error.replace(name, "contract")
    return {"outcome": receipt.outcome, "error": error, "gas": gas, "receipt": sha256(same).hexdigest()}


def main(family: str, gas: int, *, is_warm: bool) -> None:
    found = {name: case if isinstance(case, str) else case[0] for name, case in _cases(family).items()}
    names = list(found)
    played: dict[str, dict[str, Any]] = {}
    slowest = (0.0, "")
    shared = Play()
    for name in (names * 2)[::-1] if is_warm else names:
        play = shared if is_warm else Play()
        play.nonce = play.nonce if is_warm else 9
        outcome, seconds = play.case(found[name], gas)
        slowest = max(slowest, (seconds, name))
        if played.setdefault(name, outcome) != outcome:
            sys.exit(f"{name}: not the same again: {outcome}, {played[name]}")
    for name in names:
        print(to_json([name, played[name]]).decode())
    print(json.dumps({"slowest": slowest, "peak": _peak()}))


def _peak() -> int:
    """Return how many bytes this process had at most."""
    if sys.platform == "win32":
        return int(psutil.Process().memory_info().peak_wset)
    if sys.platform == "darwin":
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    # Linux counts what the parent had when it started this process as well, but not here.
    status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    return int(status["VmHWM"].split()[0]) * 1024


def _cases(family: str) -> dict[str, Any]:
    return {"bounded": bounded.CASES, "everywhere": everywhere.CASES}[family]


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), is_warm="--warm" in sys.argv)
