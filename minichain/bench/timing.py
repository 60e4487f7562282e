"""How a piece of work is timed here, and how fast this machine checks a signature, which all is compared with."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from statistics import fmean
from typing import Any

from minichain.crypto import KeyPair, is_valid_signature


def seconds_each(work: Callable[[], Any], least_s: float = 0.5) -> float:
    """Time a piece of work: repeat it for at least `least_s`, return seconds for one."""
    start, count = time.perf_counter(), 0
    while time.perf_counter() - start < least_s:
        work()
        count += 1
    return (time.perf_counter() - start) / count


def signature_seconds(cores: int = 1) -> float:
    """Return how long one Ed25519 check takes here, while so many cores do nothing else: together they are slower."""
    if cores > 1:
        with ProcessPoolExecutor(cores, mp_context=get_context("spawn")) as pool:
            return fmean(pool.map(signature_seconds, [1] * cores))
    key, data = KeyPair(bytes(32)), bytes(200)
    signature = key.sign("bench", data)
    return seconds_each(lambda: is_valid_signature(key.public, "bench", data, signature))
