"""Kernels of notebooks that are tested search each network that they close for personal data: see scan_on_close.py.

Each begins with no attempts, as somebody does who opens the lesson for the first time.
"""

from __future__ import annotations

import atexit
import shutil
import tempfile
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

_folder = Path(tempfile.mkdtemp(prefix="minichain-ipython-"))
atexit.register(shutil.rmtree, _folder, ignore_errors=True)
_startup = _folder / "profile_default" / "startup"
_startup.mkdir(parents=True)
shutil.copy(Path(__file__).parent.parent / "tests" / "scan_on_close.py", _startup)
(_startup / "as_a_newcomer.py").write_text(
    f"import os, tempfile\nos.environ['MINICHAIN_COURSE'] = tempfile.mkdtemp(dir={str(_folder)!r})\n", "utf-8"
)


@contextmanager
def searching() -> Iterator[None]:
    """Let the kernels that are started meanwhile search, and no others: the dashboards have kernels too."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("IPYTHONDIR", str(_folder))
        yield


@pytest.hookimpl(wrapper=True)
def pytest_runtest_setup() -> Generator[None, None, None]:
    """Nbval starts the kernel of a notebook here, before its first cell."""
    with searching():
        yield
