"""One browser, and one network with its dashboards, for all tests that look through them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from browser import Running, open_browser, running_network


@pytest.fixture(scope="session")
def chromium() -> Iterator[Any]:
    with open_browser() as browser:
        yield browser


@pytest.fixture(scope="session")
def network(chromium: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """Four real validators; asking for the browser first skips where there is none."""
    with running_network(tmp_path_factory.mktemp("home")) as running:
        yield running
