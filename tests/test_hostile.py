"""The hostile corpus of `hostile/`, through the front door: source in, violations out; transactions in, receipts out.

Three families: what must be refused, what must be bounded, and what must be identical everywhere. To play the last with
other Pythons too, name their programs in MINICHAIN_PYTHONS (each needs what minichain needs).
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import builders
import pytest
from hostile import bounded, everywhere, refused

from minichain.codec import encode
from minichain.contracts.check import check
from minichain.errors import DecodeError, Refused
from minichain.ledger.genesis import Quota
from minichain.ledger.types import Call, open_envelope
from minichain.node.mempool import MAX_WAITING_BYTES, Mempool
from minichain.node.messages import AskView, Request, Submit, read_request

MOST_SECONDS, MOST_BYTES = 2.0, 256 << 20
SMALL_GAS = 2_000_000  # enough to reach the lines that matter, and little enough to play often
OTHERS = tuple(filter(None, os.environ.get("MINICHAIN_PYTHONS", "").split(os.pathsep)))


def test_there_are_enough_of_them() -> None:
    sizes = len(refused.CASES), len(bounded.CASES), len(everywhere.CASES)
    assert sum(sizes) >= 300
    assert min(sizes) >= 30


# --- must be refused -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", refused.CASES)
def test_refused(name: str) -> None:
    source, code = refused.CASES[name]
    found = check(source)
    assert code in [violation.code for violation in found]
    assert all(violation.explanation and violation.suggestion and violation.line > 0 for violation in found)


def test_the_ledger_refuses_all_of_them_in_the_same_words_and_goes_on() -> None:
    chain = builders.genesis(balances=((builders.key("eve").public, 10**6),), policy=Quota(gas=10**15))
    ledger, nonce = builders.Ledger(chain), 0
    for source, _ in refused.CASES.values():
        if isinstance(source, bytes) or "\ud800" in source:
            continue  # no transaction can hold it
        call = Call("ledger", "deploy", {"name": "bad", "source": source, "args": {}})
        tx = builders.sign(chain, "eve", call, nonce=nonce, gas_limit=50_000_000, expires=1_000)
        _, execution, odd = ledger.grow(
            tx, builders.sign(chain, "eve", builders.transfer("shop", 1), nonce=nonce + 1, expires=1_000)
        )
        nonce += 2
        assert not odd, source[:200]
        first, second = execution.receipts
        assert first.outcome == "fault"
        assert first.error.startswith("the source of bad is not in the contract language")
        assert second.ok


# --- must be bounded -----------------------------------------------------------------------------------------------


def play(
    family: str, gas: int, *flags: str, python: str = sys.executable, options: tuple[str, ...] = (), **env: str
) -> Any:
    """Play a family in a process of its own; return what everybody must agree on, and what it cost."""
    kept = {name: value for name, value in os.environ.items() if name in ("SYSTEMROOT", "LD_LIBRARY_PATH")}
    paths = [str(Path(__file__).parent), str(Path(__file__).parent.parent)]
    environment = {**kept, "PYTHONPATH": os.pathsep.join(paths), **env}
    command = [python, *options, "-m", "hostile.play", family, str(gas), *flags]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, encoding="utf-8")
    assert done.returncode == 0, done.stderr
    *lines, cost = map(json.loads, done.stdout.splitlines())
    return dict(lines), cost


def test_bounded() -> None:
    found, cost = play("bounded", 50_000_000)
    assert found.keys() == bounded.CASES.keys()
    for name, (_, outcome, error) in bounded.CASES.items():
        assert found[name]["outcome"] == outcome, (name, found[name])
        assert error in found[name]["error"], name
        assert len(found[name]["error"]) < 1_000, name
    assert cost["slowest"][0] <= MOST_SECONDS, cost
    assert cost["peak"] <= MOST_BYTES, cost


# --- must be identical everywhere ----------------------------------------------------------------------------------


@cache
def here(family: str) -> Any:
    return play(family, SMALL_GAS, PYTHONHASHSEED="0", LC_ALL="C", TZ="UTC")[0]


@pytest.mark.parametrize("family", ["everywhere", "bounded"])
@pytest.mark.parametrize(
    ("flags", "options", "env"),
    [
        (("--warm",), ("-O",), {"PYTHONHASHSEED": "1", "LC_ALL": "tr_TR.UTF-8", "TZ": "Asia/Shanghai"}),
        ((), ("-OO", "-X", "utf8=0"), {"PYTHONHASHSEED": "4242", "LC_ALL": "zh_CN.GB18030", "TZ": "America/St_Johns"}),
    ],
    ids=["a warm node, Turkish, -O", "Chinese, -OO"],
)
def test_everywhere(family: str, flags: tuple[str, ...], options: tuple[str, ...], env: dict[str, str]) -> None:
    assert play(family, SMALL_GAS, *flags, options=options, **env)[0] == here(family)


@pytest.mark.skipif(not OTHERS, reason="MINICHAIN_PYTHONS names no other Python")
@pytest.mark.parametrize("family", ["everywhere", "bounded"])
@pytest.mark.parametrize("python", OTHERS)
def test_every_python(python: str, family: str) -> None:
    assert play(family, SMALL_GAS, python=python)[0] == here(family)


# --- what waits, and what is asked ---------------------------------------------------------------------------------


def test_what_waits_is_counted_by_the_room_it_takes() -> None:
    """A list of a hundred thousand empty lists is 100 kB on the wire, and 8 MB in the memory of every validator."""
    chain, pool = builders.genesis(), Mempool()
    call, fit = Call("nobody", "nothing", {"x": [[]] * 100_000}), MAX_WAITING_BYTES // (100_000 * 81)
    first = [open_envelope(builders.sign(chain, "eve", call, nonce=nonce).raw, 128 * 1024) for nonce in range(fit + 1)]
    for tx in first[:fit]:
        pool.add(tx)
    with pytest.raises(Refused, match="too many transactions are waiting"):
        pool.add(first[fit])
    pool.remove([tx.id for tx in pool])
    assert pool._bytes == 0


def test_a_question_is_not_larger_than_a_transaction() -> None:
    largest = encode(Request(2**63, AskView("c" * 60, "v", {"x": [[]] * 120_000})))
    assert read_request(largest).number == 2**63
    with pytest.raises(DecodeError, match="where at most 131072 are accepted"):
        read_request(encode(Request(1, AskView("c", "v", {"x": [[]] * 200_000}))))
    assert read_request(encode(Request(1, Submit((bytes(200_000),))))).number == 1
