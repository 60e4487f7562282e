"""The process that runs contracts, with a contract in it that has escaped: what it does is not in any language.

The tests start this in the place of `minichain.live.executor`; nothing of minichain can.
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import escaped

from minichain.live import executor

if __name__ == "__main__":
    escaped.plant(ends=escaped.end_process)
    if "open" in sys.argv:
        executor.shut_in = lambda: None  # nothing is given away, so that it can search as far as it gets
    sys.exit(executor.main())
