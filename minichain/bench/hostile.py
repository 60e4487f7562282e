"""Contracts written to take much time or memory for little gas, and what they get for it.

The same list is each attack of the tests, which judge what must hold: it ends by its gas, and takes little memory.
"""

from __future__ import annotations

import textwrap
import time
from typing import Any, Final

from minichain.contracts import Sandbox
from minichain.contracts.sandbox import SandboxContract

HEAD: Final = """from minichain.contracts.api import Contract, Map, Value, action, emit, require, sha256, view

TABLE = {"a": 1, "b": {"c": (1, 2)}}
KINDS = ("x", "y")
WORDS = frozenset({"one", "two"})


def twice(x):
    return x * 2


def deep(n):
    return deep(n + 1)


class Trial(Contract):
    number = Value(int)
    notes = Map(str, int)

    def again(self, n):
        return self.again(n + 1)

    @view
    def ask(self) -> int:
        return self.number

    @action
    def go(self, a: int = 0) -> int:
"""
GAS_LIMIT: Final = 5_000_000
TIMES: Final = 3
HONEST: Final = "x = 0\nfor i in range(50):\n    x = x + i\n    self.notes[str(i)] = x\nreturn x"
ATTACKS: Final = [
    "return 10 ** 10 ** 10",
    "x = 2\nwhile True:\n    x = x * x",
    "x = 2\nwhile True:\n    x **= 2",
    "x = 1\nwhile True:\n    x <<= 200",
    "return -(2 ** 255) * 2 ** 255",
    "x = 'a' * 10 ** 9",
    "x = [0] * 10 ** 9",
    "x = (0,) * 10 ** 9",
    "x = 10 ** 9 * b'a'",
    "x = '' * 10 ** 30",
    "x = list(range(10 ** 9))",
    "x = tuple(range(10 ** 18))",
    "x = [i for i in range(10 ** 9)]",
    "x = [1 for i in range(10 ** 9) if False]",
    "x = {str(i): i for i in range(10 ** 9)}",
    "x = sorted(range(10 ** 9))",
    "x = reversed(range(10 ** 9))",
    "x = enumerate(range(10 ** 9))",
    "x = zip(range(10 ** 9), range(10 ** 9))",
    "x = sum(range(10 ** 9))",
    "x = max(range(10 ** 9))",
    "x = all(range(1, 10 ** 9))",
    "x = bytes([0] * 10 ** 9)",
    "x, y = range(10 ** 9)",
    "x = 'a' in range(10 ** 18)\ny = [] in range(10 ** 18)\nwhile True:\n    pass",
    "for x in range(10 ** 18):\n    pass",
    "while True:\n    pass",
    "while True:\n    continue",
    "for x in range(10 ** 6):\n    for y in range(10 ** 6):\n        for z in range(10 ** 6):\n            pass",
    "x = 'ab'\nwhile True:\n    x = x + x",
    "x = 'ab'\nwhile True:\n    x = f'{x}{x}{x}{x}{x}{x}{x}{x}'",
    "x = ['ab']\nwhile True:\n    x += x",
    "x = [1]\nfor y in x:\n    x.append(y)",
    "x = []\nwhile True:\n    x = [x, x]\n    y = x == x",
    "x = [1]\nfor i in range(14):\n    x = [x, x, x, x, x, x, x, x]\nreturn x",
    "x = []\nx.append(x)\nreturn x",
    "x = {}\nx['x'] = x\nself.number = 1\nreturn x == x",
    "x = 'a' * 100000\nwhile True:\n    y = x.replace('a', x)",
    "x = ['a' * 1000] * 1000\nwhile True:\n    y = ','.join(x)",
    "x = 'a' * 2400\ny = 'a' * 1200 + 'b'\nwhile True:\n    z = y in x",
    "x = ('a' * 99 + 'b') * 300\nwhile True:\n    z = x.find('a' * 100)",
    "x = 'a,' * 100000\nwhile True:\n    y = x.split(',')",
    "x = 'z' * 10000\nwhile True:\n    y = x.strip('abcdefghij' * 1000)",
    "x = ['a' * 5000 + str(i) for i in range(50)]\nwhile True:\n    y = sorted(x)",
    "x = list(range(5000))\nwhile True:\n    y = -1 in x",
    "x = list(range(5000))\nwhile True:\n    x.insert(0, x.pop())",
    "x = '1'.zfill(10 ** 9)",
    "x = 'a'.rjust(10 ** 9)",
    "x = int('9' * 5000)",
    "x = [1] * 100000\nwhile True:\n    y = x[:]",
    "return deep(0)",
    "return self.again(0)",
    "while True:\n    self.number = 1",
    "while True:\n    x = self.number",
    "while True:\n    emit('A', x=1)",
    "i = 0\nwhile True:\n    self.notes[str(i)] = i\n    i += 1",
    "self.notes['a'] = 1\nwhile True:\n    x = self.notes.keys(0, 1000)",
    "while True:\n    x = self.call('trial', 'go')",
    "while True:\n    if self.notes:\n        pass",
    "x = '\U0001f600' * 2400000\nwhile True:\n    pass",
    "x = []\nwhile True:\n    x.append(tuple('\u767b' * 1000))",
    "x = []\nd = {str(i): i for i in range(1000)}\nwhile True:\n    x.append(d.items())",
    "x = []\nwhile True:\n    x += range(2 ** 60, 2 ** 60 + 1000)",
    "return [{}] * 30000",
    "x = [{}] * 1000\nwhile True:\n    emit('A', x=x)",
]


def attacks() -> dict[str, Any]:
    """Let each attack use all the gas it is given, and find the one that gets the most processor time for it."""
    honest_ns = _ns_per_gas(HONEST)
    worst_ns, worst = max((_ns_per_gas(attack), attack) for attack in ATTACKS)
    return {
        "attacks": len(ATTACKS),
        "honest_ns_per_gas": round(honest_ns, 2),
        "worst_ns_per_gas": round(worst_ns, 2),
        "times": round(worst_ns / honest_ns, 2),
        "worst_full_call_ms": round(worst_ns * GAS_LIMIT / 1e6, 1),
        "worst": worst,
        "formula": f"the least processor time of {TIMES} calls, divided by the gas that each used; honest = a loop "
        "that adds and writes to a map; worst = the attack that got the most; times = worst / honest; "
        f"worst_full_call_ms = a call that uses {GAS_LIMIT} gas in that way",
    }


def _ns_per_gas(body: str) -> float:
    best = float("inf")
    for _ in range(TIMES):
        contract = trial(body)
        started = time.process_time_ns()
        outcome = contract.attempt("go")
        best = min(best, (time.process_time_ns() - started) / outcome.gas)
    return best


def trial(body: str, gas_limit: int = GAS_LIMIT) -> SandboxContract:
    """Deploy a contract whose action `go` has these statements."""
    box = Sandbox(gas_limit=50_000_000)
    contract = box.deploy(HEAD + textwrap.indent(body, " " * 8), sender="did:key:zSomebody")
    box.gas_limit = gas_limit
    return contract
