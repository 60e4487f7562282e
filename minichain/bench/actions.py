"""Figures of one contract's action, beside the same work in plain Python and in the machine of Ethereum."""

from __future__ import annotations

import time
from collections.abc import Callable
from importlib import import_module
from typing import Any, Final

from minichain.contracts import Frame, GasMeter, Runtime, Sandbox

COLLECTIONS: Final = """\
from minichain.contracts.api import Contract, Map, Value, action, emit, require


class Collections(Contract):
    rounds = Value(int)
    kilograms = Map(str, int)

    def setup(self, street: str) -> None:
        self.kilograms[street] = 0

    @action
    def collect(self, street: str, weight: int) -> int:
        require(weight > 0, "a collection weighs more than nothing")
        self.rounds += 1
        self.kilograms[street] += weight
        emit("Collected", street=street, weight=weight)
        return weight
"""
# The same for the Ethereum machine: two values read, two written, one event; the weight is the call's data.
EVM_COLLECT: Final = bytes.fromhex("600035 600054 600101 600055 80 600154 01 600155 600052 60aa60206000a1 00")
CALLS: Final = 500  # timed together
TIMES: Final = 20


def contracts() -> dict[str, Any]:
    """Call a simple action, and do the same in plain Python and, if it is installed, in pyrevm."""
    sandbox = Sandbox()
    sandbox.deploy(COLLECTIONS, sender="office", street="Canal Street")
    runtime, args = Runtime(), {"street": "Canal Street", "weight": 120}

    def frame() -> Frame:
        said: dict[str, Any] = {"signer": "office", "height": 1, "now_ms": 1, "chain": "bench"}
        return Frame(overlay=sandbox.state.overlay(), meter=GasMeter(1_000_000), events=[], **said)

    def act(one: Frame) -> None:
        runtime.call(one, "collections", "collect", args)

    plain, used = _Collections(), frame()
    act(used)
    action_us, plain_us = _best_us(act, frame), _best_us(lambda _: plain.collect("Canal Street", 120), lambda: None)
    evm_us = _evm_us()
    return {
        "action_us": round(action_us, 1),
        "plain_us": round(plain_us, 2),
        "on_top_us": round(action_us - plain_us, 1),
        "gas": used.meter.used,
        "ns_per_gas": round(action_us * 1000 / used.meter.used, 2),
        "pyrevm_us": round(evm_us, 1) if evm_us else "not installed: pip install pyrevm",
        "formula": f"the best of {TIMES} times {CALLS} calls each, in microseconds for one: a contract's action that "
        "is compiled already (two values read, two written, one event) in a frame of its own, the same as a method of "
        "a class of Python, the same in pyrevm by message_call; on_top_us = action_us - plain_us",
    }


class _Collections:
    def __init__(self) -> None:
        self.rounds = 0
        self.kilograms = {"Canal Street": 0}
        self.events: list[tuple[str, dict[str, Any]]] = []

    def collect(self, street: str, weight: int) -> int:
        if weight <= 0:
            raise ValueError("a collection weighs more than nothing")
        self.rounds += 1
        self.kilograms[street] += weight
        self.events.append(("Collected", {"street": street, "weight": weight}))
        return weight


def _best_us(work: Callable[[Any], Any], prepare: Callable[[], Any]) -> float:
    """Time a piece of work that needs something prepared each time, which is not timed."""
    best_s = float("inf")
    for _ in range(TIMES):
        prepared = [prepare() for _ in range(CALLS)]
        start = time.perf_counter()
        for one in prepared:
            work(one)
        best_s = min(best_s, time.perf_counter() - start)
    return best_s / CALLS * 1e6


def _evm_us() -> float | None:
    try:
        pyrevm = import_module("pyrevm")
    except ImportError:
        return None
    evm, caller, collections = pyrevm.EVM(), "0x" + "11" * 20, "0x" + "22" * 20
    evm.insert_account_info(collections, pyrevm.AccountInfo(code=EVM_COLLECT))
    evm.set_balance(caller, 10**18)
    data = (120).to_bytes(32)
    evm.message_call(caller=caller, to=collections, calldata=data)
    assert evm.storage(collections, 1) == 120, "the machine of Ethereum was asked for something else"
    return _best_us(lambda _: evm.message_call(caller=caller, to=collections, calldata=data), lambda: None)
