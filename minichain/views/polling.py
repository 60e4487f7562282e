"""Slow things happen in a thread of their own; widgets are touched only in the kernel's own loop.

A client blocks, and the network may be dead. So each thread owns its client (no lock, no sharing), opens it, and opens
it again after a failure. The kernel's loop gets finished results only, one at a time, and can always answer the page.
"""

from __future__ import annotations

import asyncio
import contextvars
import logging
import queue
import threading
import time
from collections.abc import Callable
from typing import Any, Final, Generic, TypeVar

from traitlets import Any as Anything
from traitlets import Enum, HasTraits

from minichain.errors import MinichainError

C = TypeVar("C")  # a client
S = TypeVar("S")  # what was read from it

MAX_WAITING_ERRANDS: Final = 16

log = logging.getLogger("minichain.views")


class _Home:
    """The kernel's loop, as seen from a thread. The context makes widgets write to the page that started it."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._context = contextvars.copy_context()

    def run(self, function: Callable[..., None], *arguments: Any) -> None:
        """Run a function in the kernel's loop and wait until it has run, so that results never pile up."""
        done = threading.Event()

        def step() -> None:
            try:
                function(*arguments)
            except Exception:
                log.exception("a view failed to show what it was given")
            finally:
                done.set()

        try:
            self._loop.call_soon_threadsafe(step, context=self._context)
        except RuntimeError:  # the kernel is closing down: nobody is left to show it to
            return
        while not done.wait(1.0) and not self._loop.is_closed():
            pass


def _close(client: Any) -> None:
    """Close a client, if it is one that can be; a network that is gone may not let it."""
    try:
        getattr(client, "close", lambda: None)()
    except Exception:
        log.exception("a client could not be closed")


class LiveLoop(HasTraits, Generic[C, S]):
    """Read the network again and again, and say whether it answers.

    `state` goes from "waiting" to "live" with the first answer and to "lost" when none came for `patience_s`, whether
    the client raised, hung or never connected; the next answer makes it "live" again. `trouble` is the error after
    which no answer has come yet.
    A dead network looks alive for `patience_s` and an eighth at most.
    """

    state = Enum(["waiting", "live", "lost"], "waiting")
    trouble: Any = Anything(None)

    def __init__(
        self,
        connect: Callable[[], C],
        read: Callable[[C], S],
        show: Callable[[S], None],
        *,
        interval_s: float = 1.0,
        patience_s: float = 2.0,
    ) -> None:
        super().__init__()
        self._connect, self._read, self._show = connect, read, show
        self._interval_s, self._patience_s = interval_s, patience_s
        self._stopped = threading.Event()
        self._thread: threading.Thread | None = None
        self._heard_at = 0.0

    def start(self) -> None:
        """Begin, once: a page calls this with its first message, so nothing runs before somebody looks."""
        if self._thread is not None:
            return
        self._home, self._heard_at = _Home(), time.monotonic()
        self._watch = asyncio.get_running_loop().create_task(self._watch_silence())
        self._thread = threading.Thread(target=self._work, daemon=True, name="minichain-live")
        self._thread.start()

    def stop(self) -> None:
        """End; the thread leaves as soon as its client lets it."""
        self._stopped.set()
        if self._thread is not None:
            self._watch.cancel()

    def _work(self) -> None:
        client: C | None = None
        while not self._stopped.is_set():
            try:
                client = self._connect() if client is None else client
                answer = self._read(client)
            except Exception as error:
                _close(client)
                client = None
                self._home.run(self._failed, error)
            else:
                self._home.run(self._arrived, answer)
            self._stopped.wait(self._interval_s)
        _close(client)

    def _arrived(self, answer: S) -> None:
        self._heard_at = time.monotonic()
        self.trouble, self.state = None, "live"
        self._show(answer)

    def _failed(self, error: Exception) -> None:
        if not isinstance(error, MinichainError) and self.trouble is None:
            log.error("the network cannot be read", exc_info=error)
        self.trouble = error

    async def _watch_silence(self) -> None:
        while True:
            await asyncio.sleep(self._patience_s / 8)
            if time.monotonic() - self._heard_at > self._patience_s:
                self.state = "lost"


class Errands(Generic[C]):
    """Do what a person asked for, in order, without making the page wait.

    `run(work, then, failed)` calls `work(client, say)` in the thread, then `then(result)` or `failed(error)` in the
    kernel's loop; `say(...)` passes on how far the work has come to `heard`, if one was given.
    """

    def __init__(self, connect: Callable[[], C]) -> None:
        self._connect = connect
        self._jobs: queue.Queue[Callable[[], None]] = queue.Queue(MAX_WAITING_ERRANDS)
        self._thread: threading.Thread | None = None
        self._client: C | None = None

    def run(
        self,
        work: Callable[[C, Callable[..., None]], S],
        then: Callable[[S], None],
        failed: Callable[[Exception], None],
        heard: Callable[..., None] = lambda *news: None,
    ) -> bool:
        """Queue one errand; returns False if so many are waiting that it was not taken."""
        home = _Home()

        def job() -> None:
            try:
                self._client = self._connect() if self._client is None else self._client
                result = work(self._client, lambda *news: home.run(heard, *news))
            except Exception as error:
                _close(self._client)
                self._client = None
                home.run(failed, error)
            else:
                home.run(then, result)

        try:
            self._jobs.put_nowait(job)
        except queue.Full:
            return False
        if self._thread is None:
            self._thread = threading.Thread(target=self._work, daemon=True, name="minichain-errands")
            self._thread.start()
        return True

    def _work(self) -> None:
        while True:
            self._jobs.get()()
