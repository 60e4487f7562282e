"""The network may die, hang or come back; the kernel's loop never waits for it."""

from __future__ import annotations

import asyncio
import threading
import time
from types import SimpleNamespace

import pytest

from minichain.errors import NetworkError
from minichain.views import polling
from minichain.views.polling import MAX_WAITING_ERRANDS, Errands, LiveLoop

FAST = {"interval_s": 0.02, "patience_s": 0.2}
WAIT_S = 60


@pytest.fixture(autouse=True)
def clock(monkeypatch):
    """Replace the clock that a live loop reads by one that only a test moves."""
    made = SimpleNamespace(now_s=1_000.0)
    monkeypatch.setattr(polling, "time", SimpleNamespace(monotonic=lambda: made.now_s))
    return made


class Network:
    """A network that a test can unplug, hang and plug in again; counts how often it was connected to."""

    def __init__(self) -> None:
        self.is_up, self.connections, self.closed = True, 0, 0
        self.flows = threading.Event()
        self.flows.set()
        self.count = 0

    def connect(self):
        if not self.is_up:
            raise NetworkError("no validator answers")
        self.connections += 1
        return self

    def close(self):
        self.closed += 1

    def read(self):
        self.flows.wait(2 * WAIT_S)
        if not self.is_up:
            raise NetworkError("no validator answers")
        self.count += 1
        return self.count


async def until(claim):
    """Wait until a claim holds, in the loop."""
    async with asyncio.timeout(WAIT_S):
        while not claim():
            await asyncio.sleep(0.005)


async def lose_patience(live, clock):
    """Let time pass until the loop has seen that nobody answers."""
    async with asyncio.timeout(WAIT_S):
        while live.state != "lost":
            clock.now_s += FAST["patience_s"]
            await asyncio.sleep(0.01)


def story(tell):
    """Run a story with a live loop on a network, in an event loop as the kernel has one."""
    network, seen = Network(), []

    async def run():
        live = LiveLoop(network.connect, Network.read, seen.append, **FAST)
        states = [live.state]
        live.observe(lambda change: states.append(change.new), "state")
        try:
            await tell(live, network, seen)
        finally:
            network.flows.set()
            live.stop()
        return states

    return asyncio.run(run())


def test_nothing_runs_before_somebody_looks():
    async def tell(live, network, seen):
        await asyncio.sleep(0.1)
        assert (network.connections, seen, live.state) == (0, [], "waiting")
        live.start()
        live.start()
        await until(lambda: len(seen) > 2)
        assert network.connections == 1

    assert story(tell) == ["waiting", "live"]


def test_a_dead_network_is_noticed_after_its_time_and_a_new_one_is_found_without_help(clock):
    async def tell(live, network, seen):
        live.start()
        await until(lambda: live.state == "live")
        network.is_up = False
        await until(lambda: live.trouble)
        clock.now_s += FAST["patience_s"] * 0.9
        await asyncio.sleep(FAST["patience_s"])
        assert live.state == "live", "a network may take its time"
        clock.now_s += FAST["patience_s"] * 0.2
        await until(lambda: live.state == "lost")
        assert "no validator answers" in str(live.trouble)
        network.is_up, before = True, len(seen)
        await until(lambda: live.state == "live" and len(seen) > before)
        assert network.connections == 2
        assert network.closed == 1
        assert live.trouble is None

    assert story(tell) == ["waiting", "live", "lost", "live"]


def test_a_client_that_cannot_even_be_closed_does_not_end_the_loop(clock, caplog):
    async def tell(live, network, seen):
        def close():
            raise NetworkError("the network is gone, and with it whatever there was to close")

        network.close = close
        live.start()
        await until(lambda: seen)
        network.is_up = False
        await lose_patience(live, clock)
        network.is_up = True
        await until(lambda: live.state == "live")

    assert story(tell) == ["waiting", "live", "lost", "live"]
    assert "a client could not be closed" in caplog.text


def test_a_client_that_hangs_is_noticed_and_never_holds_up_the_kernel(clock):
    async def tell(live, network, seen):
        live.start()
        await until(lambda: live.state == "live")
        network.flows.clear()
        await lose_patience(live, clock)
        network.flows.set()
        await until(lambda: live.state == "live")

    assert story(tell) == ["waiting", "live", "lost", "live"]


def test_a_network_that_never_answered_is_lost_not_waited_for_for_ever(clock):
    async def tell(live, network, seen):
        network.is_up = False
        live.start()
        await lose_patience(live, clock)

    assert story(tell) == ["waiting", "lost"]


def test_a_view_that_fails_does_not_end_the_loop(caplog):
    async def run():
        network, calls = Network(), []

        def show(answer):
            calls.append(answer)
            raise ZeroDivisionError

        live = LiveLoop(network.connect, Network.read, show, **FAST)
        live.start()
        await until(lambda: len(calls) > 3)
        live.stop()

    asyncio.run(run())
    assert "ZeroDivisionError" in caplog.text


def test_results_never_pile_up_behind_a_busy_kernel():
    async def tell(live, network, seen):
        live.start()
        await until(lambda: live.state == "live")
        before = network.count
        time.sleep(0.3)  # the kernel is busy on purpose
        assert network.count <= before + 2

    story(tell)


# --- errands -----------------------------------------------------------------------------------------------------


def test_errands_are_done_in_order_and_tell_how_far_they_are():
    async def run():
        network, heard = Network(), []
        errands = Errands(network.connect)

        def work(client, say):
            say(0, "signing")
            say(1, "waiting")
            return client.read()

        assert errands.run(
            work, lambda result: heard.append(("done", result)), heard.append, lambda *news: heard.append(news)
        )
        assert errands.run(
            lambda client, say: client.read(), lambda result: heard.append(("done", result)), heard.append
        )
        await until(lambda: len(heard) == 4)
        return heard, network.connections

    assert asyncio.run(run()) == ([(0, "signing"), (1, "waiting"), ("done", 1), ("done", 2)], 1)


def test_an_errand_that_fails_says_so_and_the_next_one_connects_again():
    async def run():
        network, done, failed = Network(), [], []
        errands = Errands(network.connect)
        network.is_up = False
        errands.run(lambda client, say: client.read(), done.append, failed.append)
        await until(lambda: failed)
        network.is_up = True
        errands.run(lambda client, say: client.read(), done.append, failed.append)
        await until(lambda: done)
        assert isinstance(failed[0], NetworkError)
        assert done == [1]

    asyncio.run(run())


def test_errands_have_a_bound():
    async def run():
        network = Network()
        network.flows.clear()
        errands = Errands(network.connect)
        taken = [
            errands.run(lambda client, say: client.read(), lambda result: None, print)
            for _i in range(MAX_WAITING_ERRANDS + 5)
        ]
        network.flows.set()
        return taken

    taken = asyncio.run(run())
    assert taken[:MAX_WAITING_ERRANDS] == [True] * MAX_WAITING_ERRANDS
    assert taken[-1] is False
