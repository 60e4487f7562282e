"""Kernels of notebooks that are tested search every network that is closed for personal data."""

from __future__ import annotations

import os
from pathlib import Path

os.environ["IPYTHONDIR"] = str(Path(__file__).parent.parent / "tests" / "scanned")
