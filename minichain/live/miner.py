"""The search for a nonce, in a thread of its own and at a steady pace: a class should learn, not heat the room.

How fast a validator searches is a setting of its process, as the machine is a miner's own affair.
"""

from __future__ import annotations

import json
import secrets
import threading
import time
from collections.abc import Callable
from typing import Final

from minichain.ledger.certificate import MAX_NONCE, seek_nonce
from minichain.live.transport import STOP

TRIES_PER_SECOND: Final = 1_000
BURST: Final = 50  # tries between two pauses


class Miner:
    """Searches one nonce at a time and says which it found, from its own thread, to a `Transport.controller`."""

    def __init__(self, say: Callable[[bytes], None], tries_per_second: int = TRIES_PER_SECOND) -> None:
        self._say = say
        self._pause = BURST / tries_per_second
        self._changed = threading.Condition()
        self._wanted: tuple[bytes, int] | None = None
        self._is_open = True
        self._thread = threading.Thread(target=self._run, name="miner", daemon=True)
        self._thread.start()

    def seek(self, block_id: bytes, difficulty: int) -> None:
        """Search a nonce for this block, and no other any more."""
        with self._changed:
            self._wanted = block_id, difficulty
            self._changed.notify()

    def stop(self) -> None:
        """End the search."""
        with self._changed:
            self._wanted = None

    def close(self) -> None:
        """End the thread."""
        with self._changed:
            self._wanted, self._is_open = None, False
            self._changed.notify()
        self._thread.join()

    def _run(self) -> None:
        nonce = secrets.randbelow(MAX_NONCE // 2)
        while self._is_open:
            with self._changed:
                while self._wanted is None and self._is_open:
                    self._changed.wait()
                wanted = self._wanted
            if wanted is not None:
                nonce = self._burst(wanted, nonce)
        self._say(STOP)  # closes its end: whoever ends the sockets waits for the last one

    def _burst(self, wanted: tuple[bytes, int], start: int) -> int:
        begun = time.monotonic()
        nonce = seek_nonce(*wanted, start, BURST)
        if nonce is None:
            time.sleep(max(0.0, begun + self._pause - time.monotonic()))
            return start + BURST
        with self._changed:
            is_wanted = self._wanted == wanted
            self._wanted = None if is_wanted else self._wanted
        if is_wanted:
            self._say(json.dumps({"mined": wanted[0].hex(), "nonce": nonce}).encode())
        return nonce + 1
