"""How a piece of work is timed here, and how fast this machine checks a signature, which all is compared with."""

from __future__ import annotations

import os
import platform
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, datetime
from multiprocessing import get_context
from statistics import fmean, quantiles
from typing import Any

import psutil

from minichain.crypto import KeyPair, is_valid_signature


def seconds_each(
    work: Callable[[], Any], least_s: float = 0.5, clock: Callable[[], float] = time.perf_counter
) -> float:
    """Time a piece of work: repeat it for at least `least_s`, return seconds for one.

    With `clock=time.process_time` only this process counts, whatever else the machine does.
    """
    start, count = clock(), 0
    while clock() - start < least_s:
        work()
        count += 1
    return (clock() - start) / count


def signature_seconds(cores: int = 1, clock: Callable[[], float] = time.perf_counter) -> float:
    """Return how long one Ed25519 check takes here, while so many cores do nothing else: together they are slower."""
    if cores > 1:
        with ProcessPoolExecutor(cores, mp_context=get_context("spawn")) as pool:
            return fmean(pool.map(signature_seconds, [1] * cores))
    key, data = KeyPair(bytes(32)), bytes(200)
    signature = key.sign("bench", data)
    return seconds_each(lambda: is_valid_signature(key.public, "bench", data, signature), clock=clock)


def share(times: Sequence[float], percent: int) -> float:
    """Return the time within which so many of a hundred were done, of two times or more."""
    return quantiles(times, n=100, method="inclusive")[percent - 1]


def children_cpu_s() -> float:
    """Return what the commands that this process has waited for took of a processor."""
    spent = os.times()
    return spent.children_user + spent.children_system


def machine() -> dict[str, str]:
    """Say where and when: figures mean nothing without."""
    kind = platform.processor() or platform.machine()
    clock = psutil.cpu_freq()
    speed = f" at {clock.max or clock.current:.0f} MHz" if clock else ""
    told = f"{psutil.cpu_count()} x {kind}{speed}, {platform.system()}, Python {platform.python_version()}"
    return {"machine": told, "date": datetime.now(UTC).date().isoformat()}
