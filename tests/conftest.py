"""One browser and one network for all tests that look through them; and what keeps one test from slowing others."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from typing import Any

import pytest
from browser import Running, open_browser, require_browser, running_network


@pytest.fixture(scope="module", autouse=True)
def old_values_are_left_alone() -> Iterator[None]:
    """Contracts have garbage looked for, time and again: not among what thousands of tests have left before."""
    gc.freeze()
    yield
    gc.unfreeze()


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    """Not for the session: while it is open, no other test of this process can run an event loop."""
    with open_browser() as browser:
        yield browser


@pytest.fixture(scope="session")
def network(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """Four real validators with their dashboards."""
    require_browser()  # without one, nobody would look at them
    with running_network(tmp_path_factory.mktemp("home")) as running:
        yield running
