"""Kernels of notebooks that are tested search each network that they close for personal data: see scan_on_close.py."""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
from pathlib import Path

_folder = Path(tempfile.mkdtemp(prefix="minichain-ipython-"))
atexit.register(shutil.rmtree, _folder, ignore_errors=True)
_startup = _folder / "profile_default" / "startup"
_startup.mkdir(parents=True)
shutil.copy(Path(__file__).parent.parent / "tests" / "scan_on_close.py", _startup)
os.environ["IPYTHONDIR"] = str(_folder)
