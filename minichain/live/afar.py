"""A chain whose validators run on the machines of a Dask cluster, each worker being a machine.

Its settings and the wallets' secret are in the home here; the validators' keys are there, where they were drawn. A file
in the home names the network to the machines, so that `minichain up` finds what they have kept of it.
"""

from __future__ import annotations

import logging
import secrets
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from typing import Any, Final
from urllib.parse import urlsplit

from minichain.codec import to_json
from minichain.errors import ConfigError, MinichainError, NetworkError
from minichain.ledger.committee import Member
from minichain.ledger.genesis import Genesis
from minichain.ledger.local import new_chain
from minichain.live import chains, origin
from minichain.live.chain import Chain
from minichain.live.home import Home, NodePlace
from minichain.live.machine import LEASE_S, Machine

MARK: Final = "elsewhere"  # beside the settings of a chain: what the machines call this network
RENEW_S: Final = LEASE_S / 5
START_S: Final = 60.0
STOP_S: Final = 15.0

Places = dict[str, list[str]]  # worker -> the validators there

log = logging.getLogger("minichain")


def require_here(home: Home) -> None:
    """Refuse to start a chain here whose validators are elsewhere."""
    if (home.chain / MARK).exists():
        raise ConfigError(
            f"the validators of the chain in {home.path} are on the machines of a cluster: start it with "
            "`--scheduler ADDRESS`, or begin a new chain here with `--fresh`"
        )


def chain_of(home: Home, client: Any, validators: int | None, chain_id: str | None) -> FarChain:
    """Return the chain of a home on a cluster, made now if there is none: its validators, 4 if no number is asked for,
    are shared out among the machines in turn.
    """
    if home.is_encrypted or home.passphrase:
        raise ConfigError("the keys of validators elsewhere are drawn there: --encrypt-keys is for validators here")
    workers = sorted(client.scheduler_info(n_workers=-1)["workers"])
    if not chains.is_there(home):
        return _new(home, client, workers, validators or chains.VALIDATORS, chain_id)
    mark = home.chain / MARK
    if not mark.exists():
        raise ConfigError(
            f"the validators of the chain in {home.path} are on this computer: leave --scheduler out, choose another "
            "directory with `--home`, or begin a new chain with `--fresh`"
        )
    genesis = chains.kept(home, validators, None, chain_id)
    actors = _actors(client, workers, mark.read_text(encoding="utf-8"))
    return FarChain(home, genesis, actors, _found(genesis, actors))


def _new(home: Home, client: Any, workers: list[str], validators: int, chain_id: str | None) -> FarChain:
    network = secrets.token_hex(8)
    actors = _actors(client, workers, network)
    names = [f"node-{number}" for number in range(validators)]
    places = {worker: names[place :: len(workers)] for place, worker in enumerate(workers)}
    publics = dict[str, bytes]()
    for found in _all(actors, lambda worker, actor: actor.draw(tuple(places[worker]))).values():
        publics |= found
    members = tuple(Member(name, publics[name]) for name in names)
    settings = {"members": members, "genesis_time_ms": time.time_ns() // 1_000_000}
    settings |= {"chain_id": chain_id} if chain_id else {}
    genesis, _ = new_chain(validators, home.root(), settings)
    origin.keep(home.chain, genesis)
    (home.chain / MARK).write_text(network, encoding="utf-8")
    return FarChain(home, genesis, actors, places)


def _actors(client: Any, workers: Iterable[str], network: str) -> dict[str, Any]:
    """Let there be a `Machine` in each worker."""
    made = {
        worker: client.submit(Machine, network, urlsplit(worker).hostname, actor=True, workers=[worker], pure=False)
        for worker in workers
    }
    return {worker: _answer(worker, future) for worker, future in made.items()}


def _all(actors: Mapping[str, Any], ask: Callable[[str, Any], Any]) -> dict[str, Any]:
    """Ask all machines at once, and return their answers; raises `NetworkError` that names one that does not answer."""
    asked = {worker: ask(worker, actor) for worker, actor in actors.items()}
    return {worker: _answer(worker, asked[worker]) for worker in actors}


def _answer(worker: str, asked: Any) -> Any:
    try:
        return asked.result(timeout=START_S)
    except MinichainError:
        raise
    except Exception as error:  # a machine may go in many ways, and Dask has a word for each
        why = str(error) or type(error).__name__
        raise NetworkError(f"the machine {worker} does not answer ({why}): start its worker again") from error


def _those_who_answer(actors: Mapping[str, Any], ask: Callable[[Any], Any], timeout_s: float) -> dict[str, Any]:
    """Ask all machines at once, and return the answers of those that are still there."""
    asked, found = {}, {}
    for worker, actor in actors.items():
        with suppress(Exception):
            asked[worker] = ask(actor)
    for worker, answer in asked.items():
        with suppress(Exception):
            found[worker] = answer.result(timeout=timeout_s)
    return found


def _found(genesis: Genesis, actors: Mapping[str, Any]) -> Places:
    """Find the machine that has the key of each member; of several that share a disk, one with few."""
    kept = _all(actors, lambda _, actor: actor.kept())
    places: Places = {worker: [] for worker in actors}
    for member in genesis.committee.members:
        holders = [worker for worker in actors if kept[worker].get(member.name) == member.public]
        if not holders:
            raise NetworkError(
                f"no machine of the cluster has the key of {member.name}: start a worker on each machine that ran this "
                "network, as the same user, or begin a new chain with `--fresh`"
            )
        places[min(holders, key=lambda worker: len(places[worker]))].append(member.name)
    return places


class FarChain(Chain):
    """A chain on other machines; for its supervisor it is like any other."""

    def __init__(self, home: Home, genesis: Genesis, actors: Mapping[str, Any], places: Places) -> None:
        super().__init__(home)
        self._genesis = genesis
        self._actors = {worker: actor for worker, actor in actors.items() if places[worker]}
        self._places = places
        self._addresses: dict[str, str] = {}  # for clients
        self._pids: Mapping[str, int | None] = {}
        self._is_over = threading.Event()

    def start(self) -> None:
        settings = to_json(self._genesis.spec)
        for worker, actor in self._actors.items():  # one after the other: two of them may share a disk
            _answer(worker, actor.settle(settings, tuple(self._places[worker])))
        listening: dict[str, tuple[str, str]] = {}
        for found in _all(self._actors, lambda _, actor: actor.start()).values():
            listening |= found
        self._addresses = {name: clients for name, (_, clients) in listening.items()}
        members = {name: address for name, (address, _) in listening.items()}
        _all(self._actors, lambda _, actor: actor.meet(members))
        self._renew()
        threading.Thread(target=self._keep_renewing, daemon=True).start()

    def _keep_renewing(self) -> None:
        while not self._is_over.wait(RENEW_S):
            self._renew()

    def _renew(self) -> None:
        """Renew all leases; who does not answer is taken for gone until it does."""
        found = _those_who_answer(self._actors, lambda actor: actor.renew(), RENEW_S)
        gone = {name: None for worker in self._actors for name in self._places[worker]}
        self._pids = gone | {name: pid for pids in found.values() for name, pid in pids.items()}

    def nodes(self) -> tuple[NodePlace, ...]:
        where = {name: worker for worker, names in self._places.items() for name in names}
        return tuple(
            NodePlace(one.name, one.public.hex(), self._addresses[one.name], self._pids[one.name], where[one.name])
            for one in self._genesis.committee.members
        )

    def do(self, command: dict[str, Any]) -> str:
        return f"{', '.join(command)}: that can be done to validators on this computer, and these are on other machines"

    def leave(self) -> None:
        self._is_over.set()

    def close(self) -> None:
        _those_who_answer(self._actors, lambda actor: actor.stop(), STOP_S)  # the others stop without a lease
        super().close()
